# SPDX-License-Identifier: Apache-2.0
"""Stamps, poses and calibrations from messages, of a recording or of a topic; ``decoding`` reads the images."""

import re
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.errors import BadInput
from scene_r1_ros.geometry.camera import PinholeCamera
from scene_r1_ros.geometry.pose import from_quaternion
from scene_r1_ros.sequences.topics import base_topic

RECTIFIED = re.compile(r"(^|[/_])rect(ified)?($|[/_])")  # image_rect, image_rect_color, rect/image


def header_stamp_ns(raw: bytes) -> int:
    """Stamp of a serialized message that starts with a std_msgs/Header, without decoding the rest.

    CDR: 4 bytes of encapsulation (odd second byte = little endian), then int32 seconds and uint32 nanoseconds.

    Raises:
        BadInput: too short to hold one.
    """
    if len(raw) < 12:
        raise BadInput(f"a message of {len(raw)} bytes has no header; the bag is damaged, record it again")
    seconds, nanoseconds = struct.unpack_from("<iI" if raw[1] & 1 else ">iI", raw, 4)
    return seconds * 1_000_000_000 + nanoseconds


def is_rectified(topic: str) -> bool:
    """Whether an image topic is rectified, by the last two parts of its name, as image_proc and drivers name them."""
    return bool(RECTIFIED.search("/".join(base_topic(topic).split("/")[-2:])))


def camera_of(message: Any, topic: str) -> PinholeCamera:
    """The pinhole of a CameraInfo for the images of ``topic``: K, or P where they are rectified.

    Raises:
        BadInput: all zero, as drivers publish before they are calibrated, not finite, or of a part of the image.
    """
    frame, roi = message.header.frame_id, message.roi
    K, P = np.reshape(message.k, (3, 3)), np.reshape(message.p, (3, 4))
    M = P if is_rectified(topic) and P[0, 0] > 0 else K
    if not np.any(M):
        raise BadInput(
            f"camera_info of frame {frame!r} has an all-zero K: the camera is not calibrated; "
            "calibrate it, or point the driver to its calibration file"
        )
    if max(message.binning_x, message.binning_y) > 1 or roi.x_offset or roi.y_offset:
        raise BadInput(
            f"camera_info of frame {frame!r} has binning {message.binning_x}x{message.binning_y} and a region of "
            f"interest at ({roi.x_offset}, {roi.y_offset}); expected none: publish the whole image with a K of its own"
        )
    return PinholeCamera(int(message.width), int(message.height), *map(float, (M[0, 0], M[1, 1], M[0, 2], M[1, 2])))


def distortion_advice(message: Any, topic: str) -> str:
    """What to do about the lens distortion that a CameraInfo tells of; empty where the images have none."""
    if is_rectified(topic) or not np.any(message.d):
        return ""
    return (
        f"{topic} has lens distortion ({message.distortion_model}) and is used as if it had none; where accuracy "
        "counts record the rectified image (image_proc makes it), or remap rgb/image to it"
    )


def pose_of(message: Any) -> NDArray[np.float64]:
    """The pose (4, 4) in a PoseStamped, PoseWithCovarianceStamped or Odometry.

    Raises:
        BadInput: NaN, infinite or a zero quaternion.
    """
    pose = message.pose.pose if hasattr(message.pose, "pose") else message.pose
    p, q = pose.position, pose.orientation
    return from_quaternion((p.x, p.y, p.z), (q.x, q.y, q.z, q.w))
