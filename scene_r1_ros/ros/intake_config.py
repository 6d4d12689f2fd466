# SPDX-License-Identifier: Apache-2.0
"""The settings of the intake."""

from dataclasses import dataclass

from scene_r1_ros.config import setting
from scene_r1_ros.errors import BadInput
from scene_r1_ros.geometry.pose import from_quaternion
from scene_r1_ros.ros.poses import POSE_TYPES


@dataclass(frozen=True)
class IntakeConfig:
    image_transport: str = setting(
        "raw", "raw reads rgb/image, compressed reads rgb/image/compressed", choices=("raw", "compressed")
    )
    depth_transport: str = setting("raw", "the same for depth/image", choices=("raw", "compressed", "compressedDepth"))
    slop_s: float = setting(0.02, "colour and depth belong together up to this far apart, seconds", 0.0, 1.0)
    sync_queue: int = setting(10, "images that wait for their partner, per topic", 1, 1000)
    subscription_depth: int = setting(5, "images the middleware keeps while this node is busy", 1, 1000)
    pose_type: str = setting(
        "pose",
        "what topic pose carries: PoseStamped, PoseWithCovarianceStamped or nav_msgs/Odometry; tf reads tf2 instead",
        choices=(*POSE_TYPES, "tf"),
    )
    pose_to_camera: tuple[float, ...] = setting(
        (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0),
        "the camera's optical frame in the frame whose pose topic pose gives: x y z (metres) qx qy qz qw; unused by tf",
    )
    pose_max_gap_s: float = setting(0.2, "poses further apart are not interpolated between, seconds", 0.0, 10.0)
    pose_queue: int = setting(30, "images that wait for their pose, and for the first camera_info", 1, 1000)
    world_frame: str = setting("map", "world frame for tf, and for poses whose header names none")

    def __post_init__(self) -> None:
        if len(self.pose_to_camera) != 7 or not all(isinstance(v, float) for v in self.pose_to_camera):
            raise BadInput(f"pose_to_camera = {list(self.pose_to_camera)}; expected 7 numbers: x y z qx qy qz qw")
        from_quaternion(self.pose_to_camera[:3], self.pose_to_camera[3:])
