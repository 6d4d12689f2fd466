# SPDX-License-Identifier: Apache-2.0
"""A process that does nothing but hold masks and lift them, so that the memory this takes can be read off."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from scene_r1_ros.errors import BadInput
from scene_r1_ros.evaluation.routes import ours
from scene_r1_ros.geometry.camera import PinholeCamera
from scene_r1_ros.types import Frame, Mask


def save_masks(path: Path, masks: Sequence[Mask]) -> None:
    """Write masks of frames of one size and camera to a file for ``load_masks``."""
    camera = masks[0].frame.camera
    np.savez(
        path,
        color=np.stack([m.frame.color for m in masks]),
        depth_m=np.stack([m.frame.depth_m for m in masks]),
        pixels=np.stack([m.pixels for m in masks]),
        poses=np.stack([m.frame.T_world_camera for m in masks]),
        camera=np.array([camera.width, camera.height, camera.fx, camera.fy, camera.cx, camera.cy]),
    )


def load_masks(path: Path) -> list[Mask]:
    with np.load(path) as arrays:
        color, depth_m, pixels, poses = (arrays[name] for name in ("color", "depth_m", "pixels", "poses"))
        width, height, *intrinsics = arrays["camera"].tolist()
    camera = PinholeCamera(int(width), int(height), *intrinsics)
    frames = [Frame(f"{i:06d}", i + 1, color[i], depth_m[i], camera, poses[i]) for i in range(len(color))]
    return [Mask(frame, pixels[i], 1.0) for i, frame in enumerate(frames)]


def resident_mb() -> tuple[float, float]:
    """Megabytes this process holds now, and the most it ever held.

    Raises:
        BadInput: a system without /proc.
    """
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError as error:
        raise BadInput(f"memory is read from /proc/self/status, which Linux has: {error}") from error
    kilobytes = {name: int(rest.split()[0]) for name, rest in (line.split(":", 1) for line in lines) if "kB" in rest}
    return kilobytes["VmRSS"] / 1e3, kilobytes["VmHWM"] / 1e3


def main(path: Path) -> None:
    """Print ``views``, ``input_mb`` and ``extra_mb`` (the most held while lifting, beyond what was held before)."""
    masks = load_masks(path)
    input_mb = sum(m.frame.nbytes + m.pixels.nbytes for m in masks) / 1e6
    before_mb, _ = resident_mb()
    ours(masks)
    print(json.dumps({"views": len(masks), "input_mb": input_mb, "extra_mb": resident_mb()[1] - before_mb}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
