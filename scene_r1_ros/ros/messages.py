# SPDX-License-Identifier: Apache-2.0
"""What goes out: answers as messages. Each function makes one message and knows nothing of nodes."""

import array
from collections.abc import Sequence

import numpy as np
from builtin_interfaces.msg import Duration, Time
from geometry_msgs.msg import Point, Pose, Quaternion, Vector3
from numpy.typing import NDArray
from sensor_msgs.msg import Image, PointCloud2, PointField, RegionOfInterest
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from scene_r1_ros.answer import Answer, OrientedBox, ReasoningStep, SceneObject, Usage
from scene_r1_ros.geometry.pose import to_quaternion
from scene_r1_ros.msg import Check as CheckMsg
from scene_r1_ros.msg import ReasoningStep as ReasoningStepMsg
from scene_r1_ros.msg import SceneObject as SceneObjectMsg
from scene_r1_ros.msg import StageTiming, ViewBox
from scene_r1_ros.ros.stamps import stamp_of
from scene_r1_ros.types import Box2D, Frame

POINT = np.dtype([("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("rgb", "<u4")])
TEXT_HEIGHT_M = 0.08
BOX_COLOR = ColorRGBA(r=0.25, g=1.0, b=0.4, a=0.35)
TEXT_COLOR = ColorRGBA(r=1.0, g=1.0, b=1.0, a=1.0)


def duration_of(seconds: float) -> Duration:
    nanoseconds = round(seconds * 1e9)
    return Duration(sec=nanoseconds // 10**9, nanosec=nanoseconds % 10**9)


def seconds_of(duration: Duration) -> float:
    return duration.sec + duration.nanosec * 1e-9


def nanoseconds_of(stamp: Time) -> int:
    return stamp.sec * 10**9 + stamp.nanosec


def header_of(frame_id: str, stamp_ns: int) -> Header:
    return Header(frame_id=frame_id, stamp=stamp_of(stamp_ns))


def image_of(rgb: NDArray[np.uint8], header: Header) -> Image:
    """(H, W, 3) uint8 RGB as an rgb8 image."""
    height, width = rgb.shape[:2]
    message = Image(header=header, height=height, width=width, encoding="rgb8", step=3 * width)
    message.data = array.array("B", rgb.tobytes())  # the property takes an array at once, the constructor byte by byte
    return message


def cloud_of(points_world: NDArray[np.float32], colors: NDArray[np.uint8], header: Header) -> PointCloud2:
    """(N, 3) metres and (N, 3) RGB as an unorganised cloud with fields x y z rgb, as RViz and PCL read it."""
    points = np.zeros(len(points_world), POINT)
    for axis, name in enumerate("xyz"):
        points[name] = points_world[:, axis]
    red, green, blue = colors.astype(np.uint32).T
    points["rgb"] = red << 16 | green << 8 | blue
    offsets = {"x": 0, "y": 4, "z": 8, "rgb": 12}
    message = PointCloud2(header=header, height=1, width=len(points), is_bigendian=False, is_dense=True)
    message.fields = [PointField(name=n, offset=o, datatype=PointField.FLOAT32, count=1) for n, o in offsets.items()]
    message.point_step, message.row_step = POINT.itemsize, POINT.itemsize * len(points)
    message.data = array.array("B", points.tobytes())
    return message


def cloud_to_arrays(message: PointCloud2) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """The inverse of ``cloud_of``: (N, 3) metres and (N, 3) RGB."""
    points = np.frombuffer(message.data, POINT)
    rgb = points["rgb"]
    colors = np.stack([rgb >> 16 & 255, rgb >> 8 & 255, rgb & 255], axis=1).astype(np.uint8)
    return np.stack([points["x"], points["y"], points["z"]], axis=1), colors


def region_of(box: Box2D) -> RegionOfInterest:
    """A box with x2 and y2 exclusive as offset and size, grown to whole pixels."""
    x1, y1 = max(int(np.floor(box.x1)), 0), max(int(np.floor(box.y1)), 0)
    x2, y2 = int(np.ceil(box.x2)), int(np.ceil(box.y2))
    return RegionOfInterest(x_offset=x1, y_offset=y1, width=max(x2 - x1, 0), height=max(y2 - y1, 0))


def box_of(region: RegionOfInterest) -> Box2D:
    x, y = region.x_offset, region.y_offset
    return Box2D(x, y, x + region.width, y + region.height)


def pose_of(box: OrientedBox) -> Pose:
    qx, qy, qz, qw = (float(v) for v in to_quaternion(box.R_world_box))
    return Pose(position=point_of(box.center_world), orientation=Quaternion(x=qx, y=qy, z=qz, w=qw))


def point_of(point: NDArray) -> Point:
    return Point(x=float(point[0]), y=float(point[1]), z=float(point[2]))


def vector_of(vector: NDArray) -> Vector3:
    return Vector3(x=float(vector[0]), y=float(vector[1]), z=float(vector[2]))


def object_of(found: SceneObject, world_frame: str) -> SceneObjectMsg:
    header = header_of(world_frame, found.source.stamp_ns)
    return SceneObjectMsg(
        header=header,
        label=found.label,
        score=float(found.score),
        pose=pose_of(found.box),
        center_covariance=found.center_covariance_m2.ravel(),
        size=vector_of(found.box.size_m),
        nearest_point=point_of(found.nearest.point_world),
        nearest_normal=vector_of(found.nearest.normal_world),
        visible=found.evidence.visible,
        hidden=found.evidence.hidden,
        absent=found.evidence.absent,
        mask=cloud_of(found.points_world, found.colors, header),
        views=[ViewBox(stamp=stamp_of(m.frame.stamp_ns), box=region_of(m.box)) for m in found.masks if m.box],
    )


def steps_of(answer: Answer, frames: Sequence[Frame]) -> list[ReasoningStepMsg]:
    """The rationale; frames named by id get the stamps of their images."""
    stamps = {frame.frame_id: frame.stamp_ns for frame in frames}
    return [step_of(step, stamps) for step in answer.rationale]


def step_of(step: ReasoningStep, stamps: dict[str, int]) -> ReasoningStepMsg:
    boxes = [ViewBox(stamp=stamp_of(stamps[i]), box=region_of(box)) for i, box in step.boxes if i in stamps]
    return ReasoningStepMsg(
        stage=step.stage, text=step.text, stamps=[stamp_of(f.stamp_ns) for f in step.frames], boxes=boxes
    )


def checks_of(answer: Answer) -> list[CheckMsg]:
    return [CheckMsg(name=check.name, holds=check.holds, text=check.text) for check in answer.checks]


def timings_of(answer: Answer) -> list[StageTiming]:
    """One per stage that ran, with what it asked of the model."""
    return [timing_of(stage, s, answer.usage.get(stage, Usage())) for stage, s in answer.timings_s.items()]


def timing_of(stage: str, seconds: float, usage: Usage) -> StageTiming:
    return StageTiming(
        stage=stage,
        duration=duration_of(seconds),
        model_calls=usage.calls,
        frames=usage.frames,
        input_tokens=usage.input_tokens,
        cached_tokens=usage.cached_tokens,
        output_tokens=usage.output_tokens,
        first_token=duration_of(usage.first_token_s),
    )


def markers_of(answer: Answer, header: Header, query_id: str) -> MarkerArray:
    """A box and a label per object, after clearing what an older answer left."""
    clear = Marker(header=header, action=Marker.DELETEALL)
    markers = [clear]
    for number, found in enumerate(answer.objects):
        box = Marker(header=header, ns=query_id, id=2 * number, type=Marker.CUBE, action=Marker.ADD)
        box.pose, box.scale, box.color = pose_of(found.box), vector_of(found.box.size_m), BOX_COLOR
        text = Marker(header=header, ns=query_id, id=2 * number + 1, type=Marker.TEXT_VIEW_FACING, action=Marker.ADD)
        text.pose, text.color, text.text = pose_of(found.box), TEXT_COLOR, f"{found.label} {found.score:.2f}"
        text.pose.position.z += float(np.linalg.norm(found.box.size_m)) / 2 + TEXT_HEIGHT_M
        text.scale.z = TEXT_HEIGHT_M
        markers += [box, text]
    return MarkerArray(markers=markers)


def detections_of(answer: Answer, header: Header, query_id: str):
    """The objects as a vision_msgs/Detection3DArray, for stacks that take nothing else. Needs vision_msgs."""
    from vision_msgs.msg import BoundingBox3D, Detection3D, Detection3DArray, ObjectHypothesisWithPose

    detections = []
    for number, found in enumerate(answer.objects):
        hypothesis = ObjectHypothesisWithPose()
        hypothesis.hypothesis.class_id, hypothesis.hypothesis.score = found.label, float(found.score)
        hypothesis.pose.pose = pose_of(found.box)
        covariance = np.zeros((6, 6))  # of the turn nothing is known
        covariance[:3, :3] = found.center_covariance_m2
        hypothesis.pose.covariance = covariance.ravel()
        box = BoundingBox3D(center=pose_of(found.box), size=vector_of(found.box.size_m))
        detections.append(Detection3D(header=header, results=[hypothesis], bbox=box, id=f"{query_id}/{number}"))
    return Detection3DArray(header=header, detections=detections)
