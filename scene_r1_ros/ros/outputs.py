# SPDX-License-Identifier: Apache-2.0
"""What an answer leaves on topics: latched, so that an RViz started later still shows it."""

from collections.abc import Sequence

import numpy as np
from rclpy.node import Node
from rclpy.publisher import Publisher
from sensor_msgs.msg import Image, PointCloud2
from std_msgs.msg import String
from visualization_msgs.msg import MarkerArray

from scene_r1_ros.answer import Answer
from scene_r1_ros.report.overlay import missed, overlay
from scene_r1_ros.ros import messages
from scene_r1_ros.ros.qos import latched, overridable, reliable
from scene_r1_ros.types import Frame


class Outputs:
    """Latched publishers of a node: ``~/mask``, ``~/markers``, ``~/rationale``, ``~/overlay`` and, with
    vision_msgs, ``~/detections``. ``~/keyframe`` shows the newest picture of the memory, to draw a box in.
    """

    def __init__(self, node: Node):
        def result(kind: type, name: str) -> Publisher:
            return node.create_publisher(kind, name, latched(), qos_overriding_options=overridable())

        self._mask = result(PointCloud2, "~/mask")
        self._markers = result(MarkerArray, "~/markers")
        self._rationale = result(String, "~/rationale")
        self._overlay = result(Image, "~/overlay")
        self._keyframe = node.create_publisher(Image, "~/keyframe", reliable(1), qos_overriding_options=overridable())
        self._shown_ns = 0
        try:
            from vision_msgs.msg import Detection3DArray

            self._detections: Publisher | None = result(Detection3DArray, "~/detections")
        except ModuleNotFoundError:
            self._detections = None
            node.get_logger().info(
                "no ~/detections: vision_msgs is not installed (apt install ros-$ROS_DISTRO-vision-msgs)"
            )

    def publish(
        self, answer: Answer, query_id: str, frames: Sequence[Frame], world_frame: str, camera_frame: str
    ) -> None:
        """Show an answer from ``frames``. One without objects clears what an older one left; mere words do not."""
        self._rationale.publish(String(data=rationale_text(answer, query_id)))
        if answer.status == "answered" and not answer.objects:
            return
        stamp_ns = answer.objects[0].source.stamp_ns if answer.objects else answer.first_stamp_ns
        header = messages.header_of(world_frame, stamp_ns)
        self._markers.publish(messages.markers_of(answer, header, query_id))
        self._mask.publish(messages.cloud_of(*merged_points(answer), header))
        if frames:
            shown = answer.objects[0].source if answer.objects else frames[-1]
            picture = overlay(*answer.objects) if answer.objects else missed(shown, answer)
            self._overlay.publish(messages.image_of(picture, messages.header_of(camera_frame, shown.stamp_ns)))
        if self._detections is not None:
            self._detections.publish(messages.detections_of(answer, header, query_id))

    def publish_keyframe(self, frame: Frame, camera_frame: str) -> None:
        """Show a keyframe, once, and only while someone looks."""
        if frame.stamp_ns != self._shown_ns and self._keyframe.get_subscription_count() > 0:
            self._shown_ns = frame.stamp_ns
            self._keyframe.publish(messages.image_of(frame.color, messages.header_of(camera_frame, frame.stamp_ns)))


def merged_points(answer: Answer) -> tuple[np.ndarray, np.ndarray]:
    empty = np.empty((0, 3), np.float32), np.empty((0, 3), np.uint8)
    points, colors = zip(empty, *((o.points_world, o.colors) for o in answer.objects), strict=True)
    return np.concatenate(points), np.concatenate(colors)


def rationale_text(answer: Answer, query_id: str) -> str:
    """The rationale for people: the query, numbered steps, what contradicts them, the verdict."""
    steps = [f"{i}. {step.stage}: {step.text}" for i, step in enumerate(answer.rationale, start=1)]
    against = [f"contradiction: {check.name}: {check.text}" for check in answer.checks if not check.holds]
    return "\n".join([f"[{query_id}] {answer.query}", *steps, *against, answer.text or answer.error_msg])
