# SPDX-License-Identifier: Apache-2.0
"""A part of a frame, enlarged, as a frame of its own: for a second look at something small."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.types import Box2D, Frame

CONTEXT = 3.0  # sides of the part, times those of the box: what it stands beside tells what it is
MIN_SIDE_PX = 96  # of the part, in the original image
MAX_SCALE = 4.0  # more only smears


@dataclass(frozen=True, eq=False)
class Crop:
    """``frame`` shows the pixels of an original from ``corner_xy`` on, each made ``scale_xy`` pixels large."""

    frame: Frame  # id, stamp and pose are those of the original
    corner_xy: tuple[int, int]
    scale_xy: tuple[float, float]

    def to_original(self, box: Box2D) -> Box2D:
        """A box in pixels of ``frame`` in pixels of the original. Edges of pixels, so no half pixels enter."""
        (x, y), (sx, sy) = self.corner_xy, self.scale_xy
        return Box2D(x + box.x1 / sx, y + box.y1 / sy, x + box.x2 / sx, y + box.y2 / sy)


def enlarged(frame: Frame, box: Box2D, max_pixels: int) -> Crop:
    """The surroundings of a box, as large as ``max_pixels`` and ``MAX_SCALE`` allow, and never smaller than they are.

    Colour is interpolated; of the depth, each pixel takes the value it falls on.
    """
    camera = frame.camera
    least_px = max(MIN_SIDE_PX, box.x2 - box.x1, box.y2 - box.y1)  # a thin box gets more than a strip
    x, width = _reach(box.x1, box.x2, least_px, camera.width)
    y, height = _reach(box.y1, box.y2, least_px, camera.height)
    scale = float(np.clip(np.sqrt(max_pixels / (width * height)), 1.0, MAX_SCALE))
    wh = round(width * scale), round(height * scale)
    moved = replace(camera, width=width, height=height, cx=camera.cx - x, cy=camera.cy - y).resized(*wh)
    scale_xy = wh[0] / width, wh[1] / height
    color = frame.color[y : y + height, x : x + width]
    depth_m = _nearest(frame, (x, y), scale_xy, wh)
    return Crop(replace(frame, color=_resized(color, wh), depth_m=depth_m, camera=moved), (x, y), scale_xy)


def _reach(low: float, high: float, least_px: float, size_px: int) -> tuple[int, int]:
    """First pixel and length of a stretch around one from ``low`` to ``high``, inside 0 to ``size_px``."""
    length = min(int(np.ceil(max(CONTEXT * (high - low), least_px))), size_px)
    first = round((low + high - length) / 2)
    return min(max(first, 0), size_px - length), length


def _resized(color: NDArray[np.uint8], wh: tuple[int, int]) -> NDArray[np.uint8]:
    import cv2

    return np.asarray(cv2.resize(color, wh, interpolation=cv2.INTER_CUBIC), np.uint8)


def _nearest(
    frame: Frame, corner_xy: tuple[int, int], scale_xy: tuple[float, float], wh: tuple[int, int]
) -> NDArray[np.float32]:
    """(H, W) depth in metres of the enlarged part; depth may be smaller than colour."""
    columns, rows = (
        ((first + (np.arange(n) + 0.5) / scale) * depth_px / color_px).astype(int)
        for first, scale, n, depth_px, color_px in zip(
            corner_xy, scale_xy, wh, frame.depth_m.shape[::-1], (frame.camera.width, frame.camera.height), strict=True
        )
    )
    return frame.depth_m[np.ix_(rows, columns)]
