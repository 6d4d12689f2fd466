# SPDX-License-Identifier: Apache-2.0
"""A camera that does everything wrong, over real DDS: each fault is refused, counted, explained and survived."""

import array
import struct
from collections.abc import Iterator
from itertools import count

import cv2
import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry
from rclpy.context import Context
from rclpy.qos import ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage

from scene_r1_ros.ros.stamps import stamp_of
from test.ros.camera import MS, RobotCamera, frame
from test.ros.processes import Process, wait_until

INTAKE = ("test/ros/intake_process.py", "--ros-args")
# A handful of small messages must all arrive, however busy the machine.
RELIABLE = [
    argument
    for topic in ("rgb/image", "depth/image", "rgb/camera_info", "pose", "rgb/image/compressed")
    for policy in ("reliability:=reliable", "depth:=100")
    for argument in ("-p", f"qos_overrides./{topic}.subscription.{policy}")
]
SECOND = 10**9


@pytest.fixture(scope="module")
def context(ros_env: dict[str, str]) -> Iterator[Context]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ros_env.items():
            patch.setenv(name, value)
        context = Context()
        context.init(args=[])
        yield context
        context.try_shutdown()


class Scene:
    """A robot's camera and the intake it talks to."""

    def __init__(self, intake: Process, camera: RobotCamera):
        self.intake, self.camera = intake, camera
        self._seconds = count(1)
        intake.ask()  # it is up
        camera.meet()

    def next_stamp_ns(self) -> int:
        return next(self._seconds) * SECOND

    def report(self) -> dict:
        return self.intake.ask()

    def wait(self, condition) -> dict:
        """The report once ``condition(report)`` holds."""
        last: dict = {}

        def met() -> bool:
            last.update(self.report())
            return condition(last)

        wait_until(met, lambda: f"{last}\n{self.intake.log}")
        return last

    def send_good(self) -> dict:
        """A good frame must come through, whatever was sent before it."""
        stamp_ns = self.next_stamp_ns()
        self.camera.send(stamp_ns)
        return self.wait(lambda r: any(f["stamp_ns"] == stamp_ns for f in r["kept"]))

    def send_bad(self, reason: str, spoil, frames: int = 1) -> str:
        """Spoiled frames must be refused for ``reason``; returns how that is explained."""
        before = self.report()["refused"].get(reason, 0)
        for _ in range(frames):
            self.camera.send(self.next_stamp_ns(), spoil)
        refused = self.wait(lambda r: r["refused"].get(reason, 0) >= before + frames)
        assert all(k["stamp_ns"] != (next(self._seconds) - 1) * SECOND for k in refused["kept"])
        return refused["explain"]


@pytest.fixture
def make_scene(start, context):
    cameras = []

    def make(*parameters: str, env: dict | None = None, **camera) -> Scene:
        intake = start(*INTAKE, *RELIABLE, *(word for p in parameters for word in ("-p", p)), **(env or {}))
        cameras.append(RobotCamera(context, **camera))
        return Scene(intake, cameras[-1])

    yield make
    for camera in cameras:
        camera.end()


def test_a_frame_is_frozen_with_its_camera_pose_and_names(make_scene):
    scene = make_scene()
    sent_ns = 1_700_000_007 * SECOND + 400_000_001
    scene.camera.send(sent_ns, x_m=0.25)
    report = scene.wait(lambda r: r["kept"])
    (kept,) = report["kept"]
    sent = frame(sent_ns, 0.25)
    assert (kept["frame_id"], kept["stamp_ns"]) == ("1700000007.400000001", sent_ns)
    np.testing.assert_allclose(kept["color_mean"], sent.color.mean(axis=(0, 1)))
    assert kept["depth_mean"] == pytest.approx(1.5)
    assert kept["camera"] == [16, 12, 14.0, 13.0, 7.5, 5.5]
    np.testing.assert_allclose(kept["T_world_camera"], sent.T_world_camera, atol=1e-12)
    assert (report["world_frame"], report["camera_frame"]) == ("map", "camera")


# One fault each. What a spoiler changes is said by its name; the reason and the words come back.


def nan_pose(m):
    m.pose.pose.position.x = float("nan")


def zero_quaternion(m):
    m.pose.pose.orientation.w = 0.0


def zero_color_stamp(m):
    m.color.header.stamp = stamp_of(0)


def zero_depth_stamp(m):
    m.depth.header.stamp = stamp_of(0)


def zero_pose_stamp(m):
    m.pose.header.stamp = stamp_of(0)


def zero_camera_info(m):
    m.camera_info.k = np.zeros(9)


def binned_camera_info(m):
    m.camera_info.binning_x = 2


def infinite_camera_info(m):
    m.camera_info.k = np.array([np.inf, 0, 7.5, 0, 13, 5.5, 0, 0, 1])


def camera_info_of_another_size(m):
    m.camera_info.width = 32


def camera_info_of_another_camera(m):
    m.color.header.frame_id = m.depth.header.frame_id = "other"


def unknown_color_encoding(m):
    m.color.encoding = "8UC3"


def unknown_depth_encoding(m):
    m.depth.encoding = "8UC1"


def truncated_color(m):
    m.color.data = m.color.data[:100]


def depth_of_another_shape(m):
    m.depth.height, m.depth.data = 6, m.depth.data[: 6 * m.depth.step]


def depth_of_another_camera(m):
    m.depth.header.frame_id = "depth_camera"


FAULTS = [
    (nan_pose, "invalid pose", "wait until the localisation publishes a valid pose"),
    (nan_pose, "no pose", "no pose"),  # the image of that time is refused too, not given a neighbour's pose
    (zero_quaternion, "invalid pose", "quaternion not zero"),
    (zero_color_stamp, "zero stamp", "rgb/image has stamp 0; the driver must stamp its images"),
    (zero_depth_stamp, "zero stamp", "depth/image has stamp 0"),
    (zero_pose_stamp, "invalid pose", "the localisation must stamp its poses"),
    (zero_camera_info, "camera_info", "all-zero K: the camera is not calibrated"),
    (zero_camera_info, "no camera_info", "all-zero K"),
    (binned_camera_info, "no camera_info", "binning 2x0"),
    (infinite_camera_info, "no camera_info", "sizes and focal lengths must be positive and finite"),
    (camera_info_of_another_camera, "no camera_info", "no camera_info of frame 'other' (camera_info of frames: "),
    (camera_info_of_another_size, "bad frame", "colour is 16x12 but its camera is 32x12"),
    (unknown_color_encoding, "bad image", "colour image with encoding '8UC3'; expected one of rgb8"),
    (unknown_depth_encoding, "bad image", "depth image with encoding '8UC1'; expected one of 16UC1"),
    (truncated_color, "bad image", "100 bytes; a row needs 48 bytes"),
    (depth_of_another_shape, "bad frame", "depth is 16x6 and colour 16x12; depth must be registered"),
    (depth_of_another_camera, "depth not registered", "depth is in frame 'depth_camera' and colour in 'camera'"),
]


def test_every_fault_is_refused_explained_and_survived(make_scene):
    scene = make_scene()
    scene.send_good()
    for spoil, reason, said in FAULTS:
        explained = scene.send_bad(reason, spoil)
        assert said in explained, spoil.__name__
        scene.send_good()
    assert "the driver must stamp its images (refused so far: 1 for 'zero stamp')" in scene.intake.log


def test_stamps_that_go_back_a_little_are_dropped_and_a_bag_loop_starts_a_new_memory(make_scene):
    scene = make_scene()
    for k in (0, 1, 2):
        scene.camera.send(100 * SECOND + 33 * k * MS)
    scene.camera.send(100 * SECOND + 40 * MS)  # between those that came
    scene.wait(lambda r: r["frames"] == 3 and r["sync"].get("rgb/image out of order") == 1)
    for k in (0, 1):
        scene.camera.send(100 * SECOND - 5 * SECOND + 33 * k * MS)
    report = scene.wait(lambda r: r["frames"] == 5)
    assert [f["stamp_ns"] for f in report["kept"]] == [95 * SECOND, 95 * SECOND + 33 * MS]
    assert report["memory"]["reset"] == 1


def test_an_error_nobody_expected_costs_one_frame_and_is_logged_with_its_type_and_place(make_scene):
    scene = make_scene(env={"FAIL_ONCE": "1"})
    scene.camera.send(scene.next_stamp_ns())
    refused = scene.wait(lambda r: r["refused"].get("bad frame") == 1)
    assert "RuntimeError: a fault of the test (intake_process.py, line " in refused["explain"]
    scene.send_good()
    assert "RuntimeError: a fault of the test" in scene.intake.log


def test_a_frame_whose_pose_came_late_is_taken_whatever_goes_wrong_with_it(make_scene):
    """It is taken in the callback of the pose, where nothing else would catch an error."""
    scene = make_scene(env={"FAIL_ONCE": "1"})
    pose = scene.camera.publishers.pop("pose")
    scene.camera.send(SECOND)
    scene.wait(lambda r: r["waiting"] == 1)
    message = PoseStamped()
    message.header.stamp, message.pose.orientation.w = stamp_of(SECOND), 1.0
    pose.publish(message)
    scene.wait(lambda r: r["refused"].get("bad frame") == 1)
    scene.camera.publishers["pose"] = pose
    scene.camera.send(2 * SECOND)
    scene.wait(lambda r: [f["stamp_ns"] for f in r["kept"]] == [2 * SECOND])


def test_a_picture_that_would_fill_the_memory_is_refused_and_survived(make_scene, start, context):
    kinds = {"rgb/image/compressed": CompressedImage}
    scene = make_scene("intake.image_transport:=compressed", kinds=kinds,
                       topics=("rgb/image/compressed", "depth/image", "rgb/camera_info", "pose"))  # fmt: skip
    publisher = scene.camera.publishers.pop("rgb/image/compressed")

    def send(stamp_ns, size_wh):
        png = cv2.imencode(".png", frame(SECOND).color)[1].tobytes()
        message = CompressedImage(format="png")
        message.header.frame_id, message.header.stamp = "camera", stamp_of(stamp_ns)
        message.data = array.array("B", png[:16] + struct.pack(">II", *size_wh) + png[24:])
        publisher.publish(message)
        scene.camera.send(stamp_ns)

    send(SECOND, (60_000, 60_000))
    refused = scene.wait(lambda r: r["refused"].get("bad image") == 1)
    assert "an image of 60000x60000 pixels; expected 1 to 64000000 pixels" in refused["explain"]
    send(2 * SECOND, (16, 12))
    scene.wait(lambda r: [f["stamp_ns"] for f in r["kept"]] == [2 * SECOND])


def test_a_frame_that_waits_for_its_pose_keeps_the_camera_it_was_taken_with(make_scene):
    scene = make_scene()
    pose = scene.camera.publishers.pop("pose")

    def zoomed(m):
        m.camera_info.k = np.array([28.0, 0, 7.5, 0, 26, 5.5, 0, 0, 1])

    scene.camera.send(SECOND)
    scene.wait(lambda r: r["waiting"] == 1)
    scene.camera.send(2 * SECOND, zoomed)
    scene.wait(lambda r: r["waiting"] == 2)
    for ms in (1000, 2000):
        message = PoseStamped()
        message.header.stamp, message.pose.orientation.w = stamp_of(ms * MS), 1.0
        pose.publish(message)
    kept = scene.wait(lambda r: len(r["kept"]) == 2)["kept"]
    assert [f["camera"][2] for f in kept] == [14.0, 28.0]


def test_a_rectified_image_is_seen_through_p_and_another_through_k(make_scene, start, context):
    """By the resolved name, as the bag reader does."""
    intake = start(*INTAKE, *RELIABLE, "-r", "rgb/image:=front/rect/image",
                   "-p", "qos_overrides./front/rect/image.subscription.reliability:=reliable")  # fmt: skip
    camera = RobotCamera(
        context, ("front/rect/image", "depth/image", "rgb/camera_info", "pose"), images="front/rect/image"
    )
    scene = Scene(intake, camera)

    def distorted(m):
        m.camera_info.d = [0.1, 0.0, 0.0, 0.0, 0.0]
        m.camera_info.k = np.array([99.0, 0, 7.5, 0, 99, 5.5, 0, 0, 1])

    camera.send(SECOND, distorted)
    (kept,) = scene.wait(lambda r: r["kept"])["kept"]
    assert kept["camera"][2:] == [14.0, 13.0, 7.5, 5.5]
    assert "lens distortion" not in scene.intake.log
    camera.end()
    scene = make_scene()
    scene.camera.send(SECOND, distorted)
    (kept,) = scene.wait(lambda r: r["kept"])["kept"]
    assert kept["camera"][2] == 99.0
    assert "has lens distortion (plumb_bob)" in scene.intake.log


def test_the_pose_is_interpolated_at_the_stamp_of_the_image_and_never_beyond(make_scene):
    scene = make_scene("intake.pose_queue:=2", topics=("rgb/image", "depth/image", "rgb/camera_info", "pose"))
    pose = scene.camera.publishers.pop("pose")

    def pose_at(ms, x_m):
        message = PoseStamped()
        message.header.frame_id, message.header.stamp = "odom", stamp_of(SECOND + ms * MS)
        message.pose.position.x, message.pose.orientation.w = x_m, 1.0
        pose.publish(message)

    pose_at(0, 0.0)
    scene.camera.send(SECOND + 75 * MS)
    waiting = scene.wait(lambda r: r["waiting"] == 1)
    assert "1 images wait: the newest pose is 0.075 s older than the image" in waiting["explain"]
    pose_at(100, 1.0)
    report = scene.wait(lambda r: r["kept"])
    assert report["kept"][0]["T_world_camera"][0][3] == pytest.approx(0.75)
    assert report["world_frame"] == "odom"

    scene.camera.send(SECOND + 400 * MS)  # in a gap of the poses
    pose_at(900, 9.0)
    gap = scene.wait(lambda r: r["refused"].get("no pose") == 1)
    assert "the poses around the image are 0.800 s apart; at most 0.200 s are bridged" in gap["explain"]
    for k in range(3):  # the localisation is silent from here on
        scene.camera.send((2 + k) * SECOND)
    silent = scene.wait(lambda r: r["refused"].get("waited in vain") == 1)
    assert "the newest pose is 0.100 s older than the image; the localisation is late or silent" in silent["explain"]
    assert "is dropped, as more than 2 images wait for their pose (pose_queue)" in silent["explain"]


def test_images_older_than_the_first_pose_are_refused(make_scene):
    scene = make_scene()
    pose = scene.camera.publishers.pop("pose")
    message = PoseStamped()
    message.header.stamp, message.pose.orientation.w = stamp_of(10 * SECOND), 1.0
    pose.publish(message)
    scene.camera.send(9 * SECOND)
    report = scene.wait(lambda r: r["refused"].get("no pose") == 1)
    assert "the image is 1.000 s older than the oldest pose" in report["explain"]
    assert report["world_frame"] == "map"  # the parameter: the pose's header names no frame


def test_of_two_localisations_the_first_is_kept_and_the_other_refused_without_a_flood(make_scene):
    scene = make_scene()
    scene.send_good()
    other = PoseStamped()
    other.header.frame_id, other.pose.orientation.w = "odom", 1.0
    for k in range(10):
        other.header.stamp = stamp_of(SECOND + (k + 1) * MS)
        scene.camera.publishers["pose"].publish(other)
    report = scene.wait(lambda r: r["refused"].get("another world") == 10)
    assert "a pose is in frame 'odom', but the memory is in 'map', that of the first pose; let one" in report["explain"]
    scene.send_good()
    report = scene.report()
    assert report["world_frame"] == "map" and len(report["kept"]) == 2
    assert scene.intake.log.count("a pose is in frame 'odom'") <= 2


def test_odometry_of_the_base_is_carried_to_the_camera(make_scene):
    half = float(np.sqrt(0.5))
    scene = make_scene(
        "intake.pose_type:=odometry",
        "intake.pose_to_camera:=[0.1, 0.0, 0.5, -0.5, 0.5, -0.5, 0.5]",
        kinds={"pose": Odometry},
        topics=("rgb/image", "depth/image", "rgb/camera_info", "pose"),
    )
    odometry = Odometry()
    odometry.header.frame_id, odometry.header.stamp = "odom", stamp_of(SECOND)
    odometry.pose.pose.position.x = 2.0
    odometry.pose.pose.orientation.z = odometry.pose.pose.orientation.w = half  # turned left by 90 degrees
    scene.camera.publishers.pop("pose").publish(odometry)
    scene.camera.send(SECOND)
    (kept,) = scene.wait(lambda r: r["kept"])["kept"]
    # the camera is 0.1 m before and 0.5 m above the base, and looks along its x axis: world y after the turn
    expected = [[1, 0, 0, 2], [0, 0, 1, 0.1], [0, -1, 0, 0.5], [0, 0, 0, 1]]
    np.testing.assert_allclose(kept["T_world_camera"], expected, atol=1e-9)


def test_compressed_colour_follows_the_remapping(make_scene, start, context):
    intake = start(
        *INTAKE, *RELIABLE, "-p", "intake.image_transport:=compressed", "-r", "rgb/image:=front/color",
        "-p", "qos_overrides./front/color/compressed.subscription.reliability:=reliable",
    )  # fmt: skip
    topics = ("front/color/compressed", "depth/image", "rgb/camera_info", "pose")
    camera = RobotCamera(context, topics, kinds={"front/color/compressed": CompressedImage})
    scene = Scene(intake, camera)
    sent = frame(SECOND)
    message = CompressedImage(format="rgb8; png compressed bgr8")
    message.header.frame_id, message.header.stamp = "camera", stamp_of(SECOND)
    message.data = array.array("B", cv2.imencode(".png", sent.color[..., ::-1])[1].tobytes())
    camera.publishers.pop("front/color/compressed").publish(message)
    camera.send(SECOND)
    report = scene.wait(lambda r: r["kept"])
    np.testing.assert_allclose(report["kept"][0]["color_mean"], sent.color.mean(axis=(0, 1)))
    assert "rgb/image (/front/color/compressed): " in report["explain"]
    camera.end()


def test_a_missing_topic_is_named_and_a_silent_one_too(make_scene):
    scene = make_scene(topics=("rgb/image", "rgb/camera_info"))
    scene.camera.send(SECOND)
    explained = scene.wait(lambda r: "rgb/image: 1 messages, 1 publisher\n" in r["explain"])["explain"]
    assert "depth/image: nobody publishes it; start the driver, remap depth/image, or check ROS_DOMAIN_ID" in explained
    assert "pose: nobody publishes it" in explained
    assert "depth/image: no message yet" in explained  # the synchroniser's word
    other = RobotCamera(scene.camera.node.context, topics=("depth/image",))
    other.meet()
    scene.wait(lambda r: "depth/image: nothing arrives though it is published" in r["explain"])
    other.end()


def test_a_camera_info_that_never_comes_is_named(make_scene):
    scene = make_scene("intake.pose_queue:=2", topics=("rgb/image", "depth/image", "pose"))
    for _ in range(3):
        scene.camera.send(scene.next_stamp_ns())
    report = scene.wait(lambda r: r["refused"].get("waited in vain") == 1)
    assert "2 images wait: no camera_info has come; is rgb/camera_info published?" in report["explain"]


def test_colour_and_depth_too_far_apart_are_explained(make_scene):
    scene = make_scene()

    def late_depth(m):
        m.depth.header.stamp = stamp_of(SECOND + 30 * MS)

    scene.camera.send(SECOND, late_depth)
    report = scene.wait(lambda r: r["sync"].get("rgb/image unmatched") == 1)  # decided though no more comes
    assert (
        "the nearest is 30.0 ms from the last rgb/image without a partner, but the slop is 20.0 ms" in report["explain"]
    )


def test_a_publisher_whose_qos_does_not_fit_is_reported_with_the_parameter_that_helps(make_scene):
    scene = make_scene(topics=("pose",))
    unfit = scene.camera.node.create_publisher(CameraInfo, "rgb/camera_info", qos(ReliabilityPolicy.BEST_EFFORT))
    said = "1 publishers with incompatible QoS"
    assert said in scene.wait(lambda r: said in r["explain"])["explain"]
    wait_until(lambda: "qos_overrides./rgb/camera_info.subscription.reliability" in scene.intake.log, "no error logged")
    scene.camera.node.destroy_publisher(unfit)


def qos(reliability):
    from rclpy.qos import QoSProfile

    return QoSProfile(depth=1, reliability=reliability)


def test_tf_without_tf2_names_the_package(start):
    process = start(*INTAKE, "-p", "intake.pose_type:=tf")
    assert process.wait() == 1
    assert "apt install ros-$ROS_DISTRO-tf2-ros-py" in process.log
