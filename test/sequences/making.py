# SPDX-License-Identifier: Apache-2.0
"""Small sequences and bags, made on the spot."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from scene_r1_ros.geometry.camera import PinholeCamera
from scene_r1_ros.types import Frame

CAMERA = PinholeCamera(32, 24, 30.0, 30.0, 15.5, 11.5)
START_NS = 1_700_000_000_000_000_000
STEP_NS = 100_000_000
COLOR, DEPTH, INFO, POSE = "/cam/color/image_raw", "/cam/depth/image_rect", "/cam/color/camera_info", "/cam/pose"

STORE = get_typestore(Stores.ROS2_JAZZY)
TYPES = STORE.types
Time = TYPES["builtin_interfaces/msg/Time"]
Header = TYPES["std_msgs/msg/Header"]


def pose_at(index: int) -> np.ndarray:
    T = np.eye(4)
    T[:3, 3] = (0.02 * index, 0, 1)
    return T


def make_frame(index: int, stamp_ns: int | None = None, camera: PinholeCamera = CAMERA) -> Frame:
    rng = np.random.default_rng(index)
    color = np.full((camera.height, camera.width, 3), (200, 40, 10 * index % 200), np.uint8)
    depth_mm = rng.integers(400, 3000, (camera.height, camera.width))
    depth_mm[:2] = 0
    stamp_ns = START_NS + index * STEP_NS if stamp_ns is None else stamp_ns
    depth_m = (depth_mm * np.float32(0.001)).astype(np.float32)
    return Frame(f"{index:06d}", stamp_ns, color, depth_m, camera, pose_at(index))


def header(stamp_ns: int, frame_id: str) -> Any:
    return Header(Time(stamp_ns // 10**9, stamp_ns % 10**9), frame_id)


def image(stamp_ns: int, pixels: np.ndarray, encoding: str, frame_id: str = "optical", pad: int = 0) -> Any:
    rows = np.ascontiguousarray(pixels).view(np.uint8).reshape(pixels.shape[0], -1)
    rows = np.pad(rows, ((0, 0), (0, pad)), constant_values=255)
    big, (height, step) = 0, rows.shape
    return TYPES["sensor_msgs/msg/Image"](
        header(stamp_ns, frame_id), height, pixels.shape[1], encoding, big, step, np.ascontiguousarray(rows).reshape(-1)
    )


def compressed(stamp_ns: int, data: bytes, format: str) -> Any:
    array = np.frombuffer(data, np.uint8)
    return TYPES["sensor_msgs/msg/CompressedImage"](header(stamp_ns, "optical"), format, array)


def camera_info(stamp_ns: int, camera: PinholeCamera = CAMERA, scale: float = 1.0, d: Iterable[float] = ()) -> Any:
    roi = TYPES["sensor_msgs/msg/RegionOfInterest"](0, 0, 0, 0, False)
    k = camera.matrix.reshape(-1) * scale
    p = np.concatenate([camera.matrix, np.zeros((3, 1))], axis=1).reshape(-1) * scale
    return TYPES["sensor_msgs/msg/CameraInfo"](
        header(stamp_ns, "optical"), camera.height, camera.width, "plumb_bob", np.array(list(d), np.float64),
        k, np.eye(3).reshape(-1), p, 0, 0, roi,
    )  # fmt: skip


def pose_message(position: Iterable[float], quaternion: Iterable[float] = (0, 0, 0, 1)) -> Any:
    point, turn = TYPES["geometry_msgs/msg/Point"], TYPES["geometry_msgs/msg/Quaternion"]
    return TYPES["geometry_msgs/msg/Pose"](point(*map(float, position)), turn(*map(float, quaternion)))


def pose_stamped(stamp_ns: int, position: Iterable[float], quaternion: Iterable[float] = (0, 0, 0, 1)) -> Any:
    return TYPES["geometry_msgs/msg/PoseStamped"](header(stamp_ns, "map"), pose_message(position, quaternion))


def odometry(stamp_ns: int, position: Iterable[float], child: str) -> Any:
    vector = TYPES["geometry_msgs/msg/Vector3"]
    twist = TYPES["geometry_msgs/msg/Twist"](vector(0.0, 0.0, 0.0), vector(0.0, 0.0, 0.0))
    with_pose = TYPES["geometry_msgs/msg/PoseWithCovariance"](pose_message(position), np.zeros(36))
    with_twist = TYPES["geometry_msgs/msg/TwistWithCovariance"](twist, np.zeros(36))
    return TYPES["nav_msgs/msg/Odometry"](header(stamp_ns, "map"), child, with_pose, with_twist)


@dataclass(frozen=True)
class Logged:
    topic: str
    log_ns: int
    message: Any


def recording(n: int = 5) -> list[Logged]:
    """What a healthy camera records: colour, depth 4 ms later, calibration and pose."""
    logged = []
    for index in range(n):
        frame, t = make_frame(index), START_NS + index * STEP_NS
        depth_mm = np.rint(frame.depth_m * 1000).astype(np.uint16)
        logged += [
            Logged(INFO, t, camera_info(t)),
            Logged(POSE, t, pose_stamped(t, frame.T_world_camera[:3, 3])),
            Logged(COLOR, t, image(t, frame.color, "rgb8")),
            Logged(DEPTH, t + 4_000_000, image(t + 4_000_000, depth_mm, "16UC1")),
        ]
    return logged


def without(logged: list[Logged], topic: str) -> list[Logged]:
    return [entry for entry in logged if entry.topic != topic]


def write_bag(
    path: Path, logged: Iterable[Logged], storage: StoragePlugin = StoragePlugin.MCAP, zstd: bool = False
) -> Path:
    writer = Writer(path, version=9, storage_plugin=storage)
    if zstd:
        writer.set_compression(CompressionMode.MESSAGE, CompressionFormat.ZSTD)
    with writer:
        connections: dict[str, Any] = {}
        for entry in logged:
            type_ = entry.message.__msgtype__
            if entry.topic not in connections:
                connections[entry.topic] = writer.add_connection(entry.topic, type_, typestore=STORE)
            writer.write(connections[entry.topic], entry.log_ns, STORE.serialize_cdr(entry.message, type_))
    return path
