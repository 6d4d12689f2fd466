# SPDX-License-Identifier: Apache-2.0
"""A frame as the messages a camera and a localisation would have sent: the inverse of the intake."""

import sys
from array import array
from dataclasses import dataclass

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseStamped
from numpy.typing import NDArray
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from scene_r1_ros.geometry.pose import to_quaternion
from scene_r1_ros.sequences.write import millimetres
from scene_r1_ros.types import Frame


@dataclass(frozen=True)
class FrameMessages:
    """What one frame becomes; the stamps are filled in when it is sent."""

    stamp_ns: int
    color: Image
    depth: Image
    camera_info: CameraInfo
    pose: PoseStamped

    def stamp(self, stamp: Time) -> None:
        for msg in (self.color, self.depth, self.camera_info, self.pose):
            msg.header.stamp = stamp


def messages_of(frame: Frame, camera_frame: str, world_frame: str, depth_encoding: str = "16UC1") -> FrameMessages:
    """A frame as ROS messages, without stamps."""
    depth = frame.depth_m if depth_encoding == "32FC1" else millimetres(frame.depth_m)
    return FrameMessages(
        frame.stamp_ns,
        image(Header(frame_id=camera_frame), "rgb8", frame.color),
        image(Header(frame_id=camera_frame), depth_encoding, depth),
        camera_info(Header(frame_id=camera_frame), frame),
        pose(Header(frame_id=world_frame), frame.T_world_camera),
    )


def image(header: Header, encoding: str, pixels: NDArray) -> Image:
    msg = Image(header=header, encoding=encoding, height=pixels.shape[0], width=pixels.shape[1])
    msg.step = pixels.strides[0]
    msg.is_bigendian = int(sys.byteorder == "big")
    msg.data = array("B", pixels.tobytes())  # assigned, as an array: anything else is checked byte by byte
    return msg


def camera_info(header: Header, frame: Frame) -> CameraInfo:
    camera = frame.camera
    msg = CameraInfo(header=header, width=camera.width, height=camera.height, distortion_model="plumb_bob")
    msg.d = [0.0] * 5
    msg.k = camera.matrix.ravel()
    msg.r = np.eye(3).ravel()
    msg.p = np.hstack([camera.matrix, np.zeros((3, 1))]).ravel()
    return msg


def pose(header: Header, T_world_camera: NDArray[np.float64]) -> PoseStamped:
    msg = PoseStamped(header=header)
    p, q = T_world_camera[:3, 3].tolist(), to_quaternion(T_world_camera[:3, :3]).tolist()
    msg.pose.position.x, msg.pose.position.y, msg.pose.position.z = p
    msg.pose.orientation.x, msg.pose.orientation.y, msg.pose.orientation.z, msg.pose.orientation.w = q
    return msg
