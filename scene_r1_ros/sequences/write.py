# SPDX-License-Identifier: Apache-2.0
"""Write frames in the folder layout that ``folder.py`` reads."""

import json
import re
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.errors import BadInput
from scene_r1_ros.geometry.camera import PinholeCamera
from scene_r1_ros.sequences.images import encode_jpeg, encode_png
from scene_r1_ros.types import Frame

JPEG_QUALITY = 95
DEPTH_UNIT_M = 0.001
FRAME_ID = re.compile(r"[A-Za-z0-9_.-]{1,128}")


def write_folder(path: Path, frames: Iterable[Frame], color_format: Literal["jpg", "png"] = "jpg") -> int:
    """Write a sequence, frame by frame, and return how many there were.

    Depth is stored in whole millimetres; what lies beyond 65.535 m does not fit and becomes 0, no measurement.

    Raises:
        BadInput: the folder already holds a sequence, no frames, frames of several cameras, or an id twice or one
            that is no file name.
    """
    if (path / "camera.json").exists():
        raise BadInput(f"{path} already holds a sequence; remove it first or choose another folder")
    path.mkdir(parents=True, exist_ok=True)
    stamps_ns: dict[str, int] = {}
    camera = None
    for frame in frames:
        camera = camera or frame.camera
        check_frame(frame, camera, stamps_ns)
        write_frame(path, frame, color_format)
        stamps_ns[frame.frame_id] = frame.stamp_ns
    if camera is None:
        raise BadInput(f"no frames to write to {path}; a sequence needs at least one")
    (path / "camera.json").write_text(camera_json(camera, stamps_ns), encoding="utf-8")
    return len(stamps_ns)


def check_frame(frame: Frame, camera: PinholeCamera, written: dict[str, int]) -> None:
    if frame.camera != camera:
        raise BadInput(
            f"frame {frame.frame_id!r} has {frame.camera}, the first had {camera}; a folder holds one camera"
        )
    if not FRAME_ID.fullmatch(frame.frame_id) or frame.frame_id in written:
        raise BadInput(f"frame id {frame.frame_id!r}; expected letters, digits, '_', '.' or '-', each id once")


def write_frame(path: Path, frame: Frame, color_format: Literal["jpg", "png"]) -> None:
    color = encode_png(frame.color) if color_format == "png" else encode_jpeg(frame.color, JPEG_QUALITY)
    (path / f"{frame.frame_id}.color.{color_format}").write_bytes(color)
    (path / f"{frame.frame_id}.depth.png").write_bytes(encode_png(millimetres(frame.depth_m)))
    rows = [" ".join(f"{value:.9f}" for value in row) for row in frame.T_world_camera]
    (path / f"{frame.frame_id}.pose.txt").write_text("\n".join(rows) + "\n", encoding="ascii")


def millimetres(depth_m: NDArray[np.float32]) -> NDArray[np.uint16]:
    """(h, w) uint16 of float32 metres, 0 where there is no measurement or none that fits (beyond 65.535 m)."""
    steps = np.rint(depth_m * np.float32(1000))
    return np.where(steps <= np.iinfo(np.uint16).max, steps, 0).astype(np.uint16)


def camera_json(camera: PinholeCamera, stamps_ns: dict[str, int]) -> str:
    values = {**asdict(camera), "depth_unit_m": DEPTH_UNIT_M, "pose": "camera_to_world, OpenCV optical axes"}
    # A float holds seconds since 1970 to 0.2 microseconds only; written as text, no nanosecond is lost.
    stamps = ",\n".join(f'  "{id_}": {ns // 10**9}.{ns % 10**9:09d}' for id_, ns in stamps_ns.items())
    return json.dumps(values, indent=1).removesuffix("\n}") + f',\n "stamps_s": {{\n{stamps}\n }}\n}}\n'
