# SPDX-License-Identifier: Apache-2.0
"""One mask as a witness: which depth pixels it says are the object, cleaned where depth shows that it is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
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
MIN_INSIDE = 2  # where depth is missing nearer to a mask's border, it cannot tell whose pixel it is
OUTSIDE = -3  # what lies so many pixels outside of a mask's border is not the object
SMOOTH_PIXELS = 5
GLANCE_ACROSS = 64  # pixels across that are enough to tell how far an object is
SQUARE = np.ones((3, 3), np.uint8)


@dataclass(frozen=True, eq=False)
class MaskCrop:
    """A mask on the depth grid of its frame, cropped; ``(u0, v0)`` is the crop's corner. All 2D arrays are (h, w)."""

    mask: Mask
    u0: int
    v0: int
    depth_m: NDArray[np.float32]  # as measured
    in_range: NDArray[np.bool_]
    reach: NDArray[np.float32]  # pixels from the mask's border: 1, 2 ... inwards, 0, -1 ... outwards
    nearest_m: NDArray[np.float32]  # the nearest depth of the 3x3 pixels around, infinite without any
    jumps: NDArray[np.intp]  # (J,) flat indices of pixels next to a jump in depth
    behind_m: NDArray[np.float32]  # (J,) how far the farthest of the 3x3 pixels around each of them lies behind it
    step_m: NDArray[np.float32]  # (J,) neighbours farther apart than this are a jump

    @classmethod
    def of(cls, mask: Mask, config: LiftConfig) -> "MaskCrop | None":
        """None where the mask is empty."""
        rows, columns = color_pixels(mask.frame)
        box = box_on_depth(mask.pixels, rows, columns)
        if box is None:
            return None
        height, width = mask.frame.depth_m.shape
        u0, v0, u1, v1 = np.clip(np.add(box, (-MARGIN, -MARGIN, MARGIN, MARGIN)), 0, (width, height, width, height))
        rows, first, columns = rows[v0:v1], columns[u0], columns[u0:u1]
        pixels = mask.pixels.view(np.uint8)[rows, first : columns[-1] + 1].take(columns - first, axis=1)
        depth_m = np.ascontiguousarray(mask.frame.depth_m[v0:v1, u0:u1])
        in_range = (depth_m >= config.min_depth_m) & (depth_m <= config.max_depth_m)
        nearest_m = np.asarray(cv2.erode(np.where(in_range, depth_m, np.float32(np.inf)), SQUARE), np.float32)
        farthest_m = np.asarray(cv2.dilate(np.where(in_range, depth_m, np.float32(0)), SQUARE), np.float32)
        jumps = np.flatnonzero(nearest_m < farthest_m * np.float32(1 / (1 + config.edge_ratio)))
        behind_m = farthest_m.ravel()[jumps] - depth_m.ravel()[jumps]
        step_m = np.float32(config.edge_ratio) * nearest_m.ravel()[jumps]
        return cls(mask, int(u0), int(v0), depth_m, in_range, signed_reach(pixels), nearest_m, jumps, behind_m, step_m)

    def edge_offsets(self) -> NDArray[np.intp]:
        """(2 * MAX_OFF + 1,) how many pixels on the near side of a jump in depth lie 0, 1, ... pixels inside of the
        mask's outermost pixels, from ``-MAX_OFF`` on.
        """
        low_m, high_m = self._depth_limits
        edge = self.jumps[self.behind_m > self.step_m]
        depths_m, offsets = self.depth_m.ravel()[edge], self.reach.ravel()[edge] - 1
        counted = (np.abs(offsets) <= MAX_OFF) & (depths_m > low_m) & (depths_m < high_m)
        return np.bincount((offsets[counted] + MAX_OFF).astype(np.intp), minlength=2 * MAX_OFF + 1)

    def _drift_px(self) -> int:
        """What poses of consecutive keyframes drift, in pixels at the object."""
        middle_m = 0.5 * sum(self._depth_limits)
        drift_px = AGREE_DRIFT_M * self.mask.frame.depth_camera.fx / middle_m if middle_m > 0 else 1
        return int(np.clip(drift_px, 1, MAX_UNSURE))

    @cached_property
    def _depth_limits(self) -> tuple[float, float]:
        """Between which depths the object lies: as deep as it is wide, around what the middle of the mask shows."""
        every = max(int(np.sqrt(self.depth_m.size)) // GLANCE_ACROSS, 1)
        thin = np.s_[::every, ::every]
        reach = self.reach[thin]
        core = self.in_range[thin] & (reach > 0.5 * reach.max())
        if not core.any():
            return 0.0, 0.0
        middle_m = float(np.median(self.depth_m[thin][core]))
        half_m = 0.5 * max(self.depth_m.shape) * middle_m / self.mask.frame.depth_camera.fx
        return max(middle_m - half_m, 1e-6), middle_m + half_m

    def view(self, T_world_camera: NDArray[np.float64], off_px: int) -> "MaskView":
        """What the mask says once its border is moved inwards by ``off_px``."""
        inside = self.reach > off_px
        solid = inside & self.in_range
        before_m = self.depth_m.ravel()[self.jumps] - self.nearest_m.ravel()[self.jumps]
        flying = (before_m > self.step_m) & (self.behind_m > 0.2 * self.step_m)
        solid.ravel()[self.jumps[flying]] = False
        every = min(max(int(np.sqrt(np.count_nonzero(inside)) / VOXELS_ACROSS), 1), MAX_EVERY)
        thin = np.s_[::every, ::every]
        smooth_m = smoothed(self.depth_m[thin], solid[thin])
        filled_m = completed(smooth_m, (self.reach > off_px + MIN_INSIDE)[thin], solid[thin])
        unsure = (self.reach > off_px - self._drift_px()) & ~inside
        place = self.mask, T_world_camera, self.u0, self.v0
        around_m = np.where((self.reach < off_px + OUTSIDE) & self.in_range, self.depth_m, np.float32(0))
        return MaskView(*place, inside, unsure, self.nearest_m, every, smooth_m, solid[thin], filled_m, around_m)


def box_on_depth(
    pixels: NDArray[np.bool_], rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> tuple[int, int, int, int] | None:
    """``(u0, v0, u1, v1)`` of the smallest box on the depth grid around a mask (H, W), None where it shows none.

    Args:
        rows, columns: of the mask for each row and column of the depth image.
    """
    every = max(len(pixels) // len(rows), 1)  # no depth pixel lies in the rows between
    x, y, width, height = cv2.boundingRect(pixels[::every].view(np.uint8))
    v0, v1 = (int(v) for v in np.searchsorted(rows, [(y - 1) * every + 1, (y + height) * every]))
    u0, u1 = (int(u) for u in np.searchsorted(columns, [x, x + width]))
    return (u0, v0, u1, v1) if u1 > u0 and v1 > v0 else None


def signed_reach(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(h, w) chessboard distance of a mask's pixels from its border, 1, 2 ... inwards, 0, -1 ... outwards."""
    inner = cv2.erode(pixels, SQUARE)
    from_outermost = cv2.distanceTransform(1 - (pixels - inner), cv2.DIST_C, 3)
    return np.where(pixels > 0, 1 + from_outermost, 1 - from_outermost)


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
    around_m: NDArray[np.float32]  # (h, w) depth of what is surely not the object, 0 elsewhere

    @cached_property
    def pixels_across(self) -> float:
        """The side of a square as large as the object is in the depth image; 0 where no pixel is solid."""
        return float(self.every * np.sqrt(np.count_nonzero(self.solid)))

    @cached_property
    def center_camera(self) -> NDArray[np.float64]:
        """(3,) the mean solid pixel at the median depth of the solid ones, metres; there must be some."""
        every = max(int(self.pixels_across / self.every) // GLANCE_ACROSS, 1)
        v, u = np.nonzero(self.solid[::every])
        distance_m = np.median(self.depth_m[::every][v, u])
        uv = np.array([[self.every * u.mean() + self.u0, self.every * every * v.mean() + self.v0]])
        return self.mask.frame.depth_camera.unproject(uv, np.array([distance_m]))[0]

    @property
    def spacing_m(self) -> float:
        """How far apart neighbouring depth pixels lie on the object, metres."""
        return float(self.center_camera[2]) / self.mask.frame.depth_camera.fx

    def at(self, T_world_camera: NDArray[np.float64]) -> "MaskView":
        """The same view from where its camera turned out to be."""
        moved = replace(self, T_world_camera=T_world_camera)
        moved.__dict__.update(pixels_across=self.pixels_across, center_camera=self.center_camera)
        return moved


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
