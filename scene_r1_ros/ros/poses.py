# SPDX-License-Identifier: Apache-2.0
"""Where the camera was at the stamp of an image: interpolated between two poses or looked up in tf, never guessed."""

from collections import deque
from typing import Protocol

import numpy as np
from geometry_msgs.msg import PoseStamped, PoseWithCovarianceStamped
from nav_msgs.msg import Odometry
from numpy.typing import NDArray
from rclpy.node import Node
from rclpy.time import Time

from scene_r1_ros.errors import BadInput
from scene_r1_ros.geometry.pose import checked_pose, from_quaternion, interpolate
from scene_r1_ros.ros.stamps import JUMP_BACK_NS

Pose = NDArray[np.float64]  # (4, 4)

# parameter pose_type -> message
POSE_TYPES: dict[str, type] = {
    "pose": PoseStamped,
    "pose_with_covariance": PoseWithCovarianceStamped,
    "odometry": Odometry,
}
HISTORY = 2000  # poses: 10 s at 200 Hz


class PoseSource(Protocol):
    """Gives the pose of a camera at the stamp of its image."""

    def at(self, stamp_ns: int, camera_frame: str) -> Pose | None:
        """``T_world_camera`` at a time; None while it is not known yet and may still come.

        Raises:
            BadInput: it is not known and never will be.
        """

    def time_went_back(self, from_ns: int, to_ns: int) -> None:
        """The stamps of the images went back, as when a bag loops."""

    def explain(self, stamp_ns: int) -> str:
        """Why the pose at this time is not known yet."""


class PoseHistory:
    """The last poses of a topic.

    Args:
        max_gap_s: largest distance in time of two poses to interpolate between, seconds.
        T_base_camera: from the camera's optical frame to the frame whose pose the topic gives.
    """

    def __init__(self, max_gap_s: float, T_base_camera: Pose):
        self.max_gap_ns = round(max_gap_s * 1e9)
        self.T_base_camera = T_base_camera
        self._poses: deque[tuple[int, Pose | None]] = deque(maxlen=HISTORY)  # stamps rise; None = was invalid

    @property
    def newest_ns(self) -> int:
        return self._poses[-1][0] if self._poses else 0

    def add(self, stamp_ns: int, T_world_base: Pose | None) -> bool:
        """Take a pose in; None says that there was none worth having at this time. False: out of order, dropped."""
        if self.newest_ns - stamp_ns > JUMP_BACK_NS:
            self._poses.clear()
        if stamp_ns <= self.newest_ns:
            return False
        self._poses.append((stamp_ns, T_world_base))
        return True

    def time_went_back(self, from_ns: int, to_ns: int) -> None:
        """Forget what lies in the future of the new time, unless the poses went back before the images did: poses
        that are nearer to the new time than to the old one belong to it, however far they run ahead."""
        if self.newest_ns - to_ns >= from_ns - self.newest_ns:
            while self.newest_ns > to_ns:
                self._poses.pop()

    def at(self, stamp_ns: int, camera_frame: str = "") -> Pose | None:
        if stamp_ns > self.newest_ns:
            return None
        after = self._poses[-1]
        for before in reversed(self._poses):  # images are recent: the first few steps find it
            if before[0] <= stamp_ns:
                return self._between(before, after, stamp_ns) @ self.T_base_camera
            after = before
        raise BadInput(
            f"the image is {(self._poses[0][0] - stamp_ns) * 1e-9:.3f} s older than the oldest pose; the pose topic "
            "started later, or its clock is ahead: synchronise the clocks"
        )

    def explain(self, stamp_ns: int) -> str:
        if not self._poses:
            return "no valid pose has come; is the pose topic published, and is pose_type right?"
        return (
            f"the newest pose is {(stamp_ns - self.newest_ns) * 1e-9:.3f} s older than the image; the localisation is "
            "late or silent, or its clock is behind: synchronise the clocks or raise pose_queue"
        )

    def _between(self, before: tuple[int, Pose | None], after: tuple[int, Pose | None], stamp_ns: int) -> Pose:
        (before_ns, T_before), (after_ns, T_after) = before, after
        if before_ns == stamp_ns and T_before is not None:
            return T_before
        if T_before is None or T_after is None:
            raise BadInput("the localisation gave an invalid pose at this time; wait until it has converged")
        gap_ns = after_ns - before_ns
        if gap_ns > self.max_gap_ns:
            raise BadInput(
                f"the poses around the image are {gap_ns * 1e-9:.3f} s apart; at most {self.max_gap_ns * 1e-9:.3f} s "
                "are bridged (pose_max_gap_s): publish poses more often"
            )
        return interpolate(T_before, T_after, (stamp_ns - before_ns) / gap_ns)


class TfPoses:
    """Poses from tf2, interpolated there.

    Raises:
        BadInput: tf2_ros is not installed.
    """

    def __init__(self, node: Node, world_frame: str):
        try:
            import tf2_ros
        except ImportError as error:
            raise BadInput(
                f"pose_type 'tf' needs tf2_ros, which is not installed ({error}): apt install "
                "ros-$ROS_DISTRO-tf2-ros-py, or use pose_type pose, pose_with_covariance or odometry"
            ) from error
        self.world_frame = world_frame
        self._errors = (tf2_ros.ExtrapolationException, tf2_ros.TransformException)
        self._buffer = tf2_ros.Buffer()
        self._listener = tf2_ros.TransformListener(self._buffer, node)
        self._missing = ""

    def at(self, stamp_ns: int, camera_frame: str) -> Pose | None:
        too_late, not_there = self._errors
        try:
            found = self._buffer.lookup_transform(self.world_frame, camera_frame, Time(nanoseconds=stamp_ns))
        except too_late as error:
            self._missing = str(error)
            if self._newest_ns(camera_frame) >= stamp_ns:
                raise BadInput(f"tf has forgotten this time, or did not know it yet: {error}") from error
            return None
        except not_there as error:
            self._missing = str(error)
            return None
        t, q = found.transform.translation, found.transform.rotation
        return checked_pose(from_quaternion((t.x, t.y, t.z), (q.x, q.y, q.z, q.w)))

    def _newest_ns(self, camera_frame: str) -> int:
        try:
            return self._buffer.get_latest_common_time(self.world_frame, camera_frame).nanoseconds
        except self._errors:  # the frames have lost their connection meanwhile
            return 0

    def time_went_back(self, from_ns: int, to_ns: int) -> None:
        self._buffer.clear()  # tf2 ignores what is older than the newest it knows by more than its cache

    def explain(self, stamp_ns: int) -> str:
        return f"tf: {self._missing or 'asked for no pose yet'}; does a node publish every link up to world_frame?"
