# SPDX-License-Identifier: Apache-2.0
"""One mask as a witness: which depth pixels it says are the object, cleaned where depth shows that it is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.config import LiftConfig
from scene_r1_ros.geometry.depth import AGREE_DRIFT_M, color_pixels, depth_sigma_m
from scene_r1_ros.geometry.refine import completed
from scene_r1_ros.types import Mask

MARGIN = 12  # depth pixels around the mask's box that are looked at
MIN_OFF = 2  # less is not told from what sensors lose at edges
MAX_OFF = 9  # depth pixels a mask may be off all around for that to be noticed
MIN_EDGE_PIXELS = 20  # of silhouettes in front of something, to measure masks by ...
MIN_LEAD = 1.8  # ... and so many times more must be off by the same, give or take one, than by anything else
# An object shows in about so many voxels in each view; more only take time.
VOXELS_ACROSS = 64.0
MAX_EVERY = 3  # some drivers leave every fourth row and column of depth empty
MAX_UNSURE = 3  # pixels outside of a mask's border that may be the object too, as far as poses drift
SMOOTH_PIXELS = 5
SQUARE = np.ones((3, 3), np.uint8)


@dataclass(frozen=True, eq=False)
class MaskCrop:
    """A mask on the depth grid of its frame, cropped; ``(u0, v0)`` is the crop's corner. All arrays are (h, w)."""

    mask: Mask
    u0: int
    v0: int
    depth_m: NDArray[np.float32]  # as measured
    in_range: NDArray[np.bool_]
    reach: NDArray[np.float32]  # pixels from the mask's border: 1, 2 ... inwards, 0, -1 ... outwards
    nearest_m: NDArray  # the nearest depth of the 3x3 pixels around, infinite without any
    farthest_m: NDArray  # the farthest, 0 without any
    step_m: NDArray[np.float32]  # neighbours farther apart than this are a jump

    @classmethod
    def of(cls, mask: Mask, config: LiftConfig) -> "MaskCrop | None":
        """None where the mask is empty."""
        x, y, width, height = cv2.boundingRect(mask.pixels.view(np.uint8))
        if width == 0:
            return None
        rows, columns = color_pixels(mask.frame)
        v0, v1 = (int(v) for v in np.searchsorted(rows, [y, y + height]))
        u0, u1 = (int(u) for u in np.searchsorted(columns, [x, x + width]))
        v0, u0 = max(v0 - MARGIN, 0), max(u0 - MARGIN, 0)
        crop = np.s_[v0 : v1 + MARGIN, u0 : u1 + MARGIN]
        depth_m = mask.frame.depth_m[crop]
        pixels = mask.pixels[rows[crop[0]]][:, columns[crop[1]]].view(np.uint8)
        in_range = (depth_m >= config.min_depth_m) & (depth_m <= config.max_depth_m)
        nearest_m = cv2.erode(np.where(in_range, depth_m, np.float32(np.inf)), SQUARE)
        farthest_m = cv2.dilate(np.where(in_range, depth_m, np.float32(0)), SQUARE)
        inwards, outwards = (cv2.distanceTransform(image, cv2.DIST_C, 3) for image in (pixels, 1 - pixels))
        reach = np.where(pixels > 0, inwards, 1 - outwards)
        step_m = np.float32(config.edge_ratio) * nearest_m
        return cls(mask, u0, v0, depth_m, in_range, reach, nearest_m, farthest_m, step_m)

    def edge_offsets(self) -> NDArray[np.intp]:
        """(2 * MAX_OFF + 1,) how many pixels on the near side of a jump in depth lie 0, 1, ... pixels inside of the
        mask's outermost pixels, from ``-MAX_OFF`` on.
        """
        low_m, high_m = self._depth_limits()
        edge = (self.farthest_m - self.depth_m > self.step_m) & (np.abs(self.reach - 1) <= MAX_OFF)
        edge &= (self.depth_m > low_m) & (self.depth_m < high_m)
        return np.bincount((self.reach[edge] - 1 + MAX_OFF).astype(np.intp), minlength=2 * MAX_OFF + 1)

    def _drift_px(self) -> int:
        """What poses of consecutive keyframes drift, in pixels at the object."""
        middle_m = 0.5 * sum(self._depth_limits())
        drift_px = AGREE_DRIFT_M * self.mask.frame.depth_camera.fx / middle_m if middle_m > 0 else 1
        return int(np.clip(drift_px, 1, MAX_UNSURE))

    def _depth_limits(self) -> tuple[float, float]:
        """Between which depths the object lies: as deep as it is wide, around what the middle of the mask shows."""
        core = self.in_range & (self.reach > 0.5 * self.reach.max())
        if not core.any():
            return 0.0, 0.0
        middle_m = float(np.median(self.depth_m[core]))
        half_m = 0.5 * max(self.depth_m.shape) * middle_m / self.mask.frame.depth_camera.fx
        return max(middle_m - half_m, 1e-6), middle_m + half_m

    def view(self, T_world_camera: NDArray[np.float64], off_px: int) -> "MaskView":
        """What the mask says once its border is moved inwards by ``off_px``."""
        inside = self.reach > off_px
        flying = (self.depth_m - self.nearest_m > self.step_m) & (self.farthest_m - self.depth_m > 0.2 * self.step_m)
        solid = inside & self.in_range & ~flying
        every = min(max(int(np.sqrt(np.count_nonzero(inside)) / VOXELS_ACROSS), 1), MAX_EVERY)
        thin = np.s_[::every, ::every]
        smooth_m = smoothed(self.depth_m[thin], solid[thin])
        filled_m = completed(smooth_m, inside[thin], solid[thin])
        unsure = (self.reach > off_px - self._drift_px()) & ~inside
        place = self.mask, T_world_camera, self.u0, self.v0
        return MaskView(*place, inside, unsure, self.nearest_m, every, smooth_m, solid[thin], filled_m)


@dataclass(frozen=True, eq=False)
class MaskView:
    """A mask as a witness: which pixels of the crop are the object, and which are not.

    What votes on others' points is (h, w). What gives points is taken at each ``every``-th pixel along rows and
    columns, (h', w'), since pixels of large objects lie denser than voxels.
    """

    mask: Mask
    T_world_camera: NDArray[np.float64]  # aligned
    u0: int
    v0: int
    inside: NDArray[np.bool_]
    unsure: NDArray[np.bool_]  # so near the border that it may be either
    nearest_m: NDArray  # the nearest depth of the 3x3 pixels around, infinite without any
    every: int
    depth_m: NDArray[np.float32]  # (h', w') smoothed along the object's surfaces; 0 = no measurement
    solid: NDArray[np.bool_]  # (h', w') object pixels with depth to rely on
    filled_m: NDArray[np.float32]  # (h', w') depth that ``refine`` completed, 0 where there is none

    @cached_property
    def distance_m(self) -> float:
        """Median depth of the object; there must be some."""
        depths_m = self.depth_m[self.solid]
        return float(np.median(depths_m[:: max(len(depths_m) // 500, 1)]))

    @property
    def spacing_m(self) -> float:
        """How far apart neighbouring depth pixels lie on the object, metres."""
        return self.distance_m / self.mask.frame.depth_camera.fx


def common_offset(crops: Sequence[MaskCrop]) -> int:
    """By how many depth pixels the masks of an object reach past it (positive) or fall short of it, all around.

    Where the object stands in front of something, depth shows its true edge. What the masks' borders are off there,
    they are off as well where the object touches its support and depth shows nothing.
    """
    counts = np.sum([np.zeros(2 * MAX_OFF + 1, int), *(crop.edge_offsets() for crop in crops)], axis=0)
    peaks = np.convolve(counts, np.ones(3, int), mode="same")
    best = int(np.argmax(counts))
    others = np.delete(peaks, np.arange(max(best - 2, 0), min(best + 3, len(peaks))))
    clear = peaks[best] >= MIN_EDGE_PIXELS and peaks[best] >= MIN_LEAD * others.max()
    off_px = best - MAX_OFF
    return off_px if clear and abs(off_px) >= MIN_OFF else 0


def smoothed(depth_m: NDArray[np.float32], solid: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Depth with less noise along surfaces; jumps stay (bilateral filter, Tomasi and Manduchi 1998)."""
    values = depth_m[solid]
    if len(values) == 0:
        return depth_m
    sigma_m = 3 * depth_sigma_m(float(np.median(values[:: max(len(values) // 500, 1)])))
    smooth = cv2.bilateralFilter(np.where(solid, depth_m, np.float32(0)), SMOOTH_PIXELS, sigma_m, SMOOTH_PIXELS / 2)
    return np.where(solid, smooth, depth_m)
