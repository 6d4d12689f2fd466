# SPDX-License-Identifier: Apache-2.0
"""Do masks end where objects end: how much of their outlines lies where depth jumps or colour changes."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.color import smooth_lab
from scene_r1_ros.geometry.depth import color_pixels, depth_sigma_m
from scene_r1_ros.types import Mask

REACH = 1 / 160  # how far beyond the outline is looked at, of the image's width: masks are off by some pixels
JUMP_RATIO, JUMP_M = 0.02, 0.01  # depths that differ by more than this share, and this much more, are an edge ...
JUMP_SIGMAS = 5.0  # ... but not by twice what noise makes of a second difference, in standard deviations of depth
MIN_COLOR_STEP = 15.0  # ... and so are colours this far apart in CIELAB


def edge_share(masks: Sequence[Mask]) -> float:
    """Which share of the masks' outlines, 0 to 1, has another surface or colour beyond it; 0 where none has an outline.

    A mask of a whole object ends at an edge. One of a part of an object, or of a piece of floor, goes on beyond most of
    its outline.
    """
    edges, length = np.sum([(0, 0), *map(outline, masks)], axis=0)
    return float(edges / max(length, 1))


def outline(mask: Mask) -> tuple[int, int]:
    """Of a mask's outline on the depth grid, looked at in all four directions: how many pixels have an edge beyond
    them, and how many there are. Where depth is missing, colour alone tells.
    """
    pixels, depth_m, lab = around(mask)
    reach = max(round(REACH * mask.frame.depth_m.shape[1]), 1)
    edges = length = 0
    for turn in range(4):
        shown, z_m, colors = np.rot90(pixels, turn), np.rot90(depth_m, turn), np.rot90(lab, turn)
        v, u = np.nonzero(shown[reach:] & ~shown[reach - 1 : -1] & ~shown[:-reach])
        step = np.linalg.norm(colors[v + reach, u] - colors[v, u], axis=1) >= MIN_COLOR_STEP
        edges, length = edges + int(np.count_nonzero(jumps(z_m, v, u, reach) | step)), length + len(v)
    return edges, length


def jumps(depth_m: NDArray[np.float32], v: NDArray, u: NDArray, reach: int) -> NDArray[np.bool_]:
    """(N,) whether the depth at (v, u) is off the surface that comes from below it: pixels ``reach`` and twice as many
    rows further down. False where it, or the surface, was not measured.
    """
    beyond_m, near_m = depth_m[v, u], depth_m[v + reach, u]
    inner_m = depth_m[np.minimum(v + 2 * reach, len(depth_m) - 1), u]
    slope_m = np.where(inner_m > 0, near_m - inner_m, 0)
    limit_m = JUMP_RATIO * near_m + JUMP_M + JUMP_SIGMAS * depth_sigma_m(near_m)
    slope_m = np.where(np.abs(slope_m) < limit_m, slope_m, 0)  # more is a jump of its own, as in thin things
    return (beyond_m > 0) & (near_m > 0) & (np.abs(beyond_m - near_m - slope_m) > limit_m)


def around(mask: Mask) -> tuple[NDArray[np.bool_], NDArray[np.float32], NDArray[np.float32]]:
    """A mask (h, w), the depth (h, w), metres, and the colour (h, w, 3) in CIELAB around it, on the depth grid."""
    rows, columns = color_pixels(mask.frame)
    margin = round(REACH * len(columns)) + 1
    x, y, width, height = cv2.boundingRect(mask.pixels[np.ix_(rows, columns)].view(np.uint8))
    v, u = (np.s_[max(low - margin, 0) : low + size + margin] for low, size in ((y, height), (x, width)))
    seen = np.ix_(rows[v], columns[u])
    return mask.pixels[seen], mask.frame.depth_m[v, u], smooth_lab(mask.frame.color[seen])
