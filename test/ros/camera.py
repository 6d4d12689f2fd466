# SPDX-License-Identifier: Apache-2.0
"""A camera and a localisation of a robot, made of a few publishers; a test may spoil what they send."""

from collections.abc import Callable

import numpy as np
from geometry_msgs.msg import PoseStamped
from rclpy.context import Context
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image

from scene_r1_ros.geometry.camera import PinholeCamera
from scene_r1_ros.ros.frame_messages import FrameMessages, messages_of
from scene_r1_ros.ros.stamps import stamp_of
from scene_r1_ros.types import Frame
from test.ros.processes import wait_until

MS = 1_000_000
CAMERA = PinholeCamera(16, 12, 14.0, 13.0, 7.5, 5.5)


def frame(stamp_ns: int = 10**9, x_m: float = 0.0) -> Frame:
    """Grey noise in front of a wall 1.5 m away, seen from ``x_m`` along the x axis."""
    color = np.random.default_rng(stamp_ns % 2**32).integers(0, 256, (12, 16, 3), np.uint8)
    T_world_camera = np.eye(4)
    T_world_camera[0, 3] = x_m
    return Frame(f"{stamp_ns}", stamp_ns, color, np.full((12, 16), 1.5, np.float32), CAMERA, T_world_camera)


def unspoiled(_: FrameMessages) -> None:
    pass


class RobotCamera:
    """Publishes rgb/image, depth/image, rgb/camera_info and pose, or those of them that are named."""

    def __init__(
        self,
        context: Context,
        topics: tuple[str, ...] = ("rgb/image", "depth/image", "rgb/camera_info", "pose"),
        kinds: dict[str, type] | None = None,
        reliability: ReliabilityPolicy = ReliabilityPolicy.RELIABLE,
        images: str = "rgb/image",
    ):
        self.node = Node("robot_camera", context=context, use_global_arguments=False)
        kinds = {"rgb/image": Image, "depth/image": Image, "rgb/camera_info": CameraInfo, "pose": PoseStamped} | (
            kinds or {}
        )
        kinds.setdefault(images, Image)
        self.images = images
        qos = QoSProfile(depth=100, reliability=reliability)
        self.publishers = {topic: self.node.create_publisher(kinds[topic], topic, qos) for topic in topics}

    def meet(self) -> None:
        """Wait until every topic has its subscriber."""
        for topic, publisher in self.publishers.items():
            wait_until(publisher.get_subscription_count, f"nobody subscribes to {topic}")

    def send(self, stamp_ns: int, spoil: Callable[[FrameMessages], None] = unspoiled, x_m: float = 0.0) -> None:
        """One frame with everything that belongs to it, after ``spoil`` had its hands on the messages."""
        messages = messages_of(frame(max(stamp_ns, 1), x_m), "camera", "map")
        messages.stamp(stamp_of(stamp_ns))
        spoil(messages)
        for topic, message in (
            ("pose", messages.pose),
            ("rgb/camera_info", messages.camera_info),
            (self.images, messages.color),
            ("depth/image", messages.depth),
        ):
            if topic in self.publishers:
                self.publishers[topic].publish(message)

    def end(self) -> None:
        self.node.destroy_node()
