# SPDX-License-Identifier: Apache-2.0
"""How far a view's measured pose is off, near the object: the shift at which two pictures of the place agree best.

A pose error of a few centimetres or a degree moves a small place as a whole, so a shift of the picture holds nearly all
of it. It is found in the picture, not in the depth, because flat things (a poster on a wall) tie down no depth shift.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.tracking.crop import Crop
from scene_r1_ros.tracking.reference import GREY, Reference, shown_at

REACH_PX = 12  # shifts of up to this many pixels of the frame are looked for
ROUNDS = 2  # the second starts from what the first found, with other pixels visible
MIN_KNOWN = 0.15  # a smaller share of pixels that a reference knows too gives no shift
MIN_OVERLAP = 0.3  # shifts that leave less of the known pixels to compare are not believed
MIN_GAIN = 0.03  # a shift must explain this share of the difference, or the measured pose stays
FLAT = 4.0  # pictures whose grey values spread less have nothing to hold on to
CONVERGED_PX = 0.5


def pose_offset_world(crop: Crop, references: Sequence[Reference]) -> NDArray[np.float64]:
    """(3,) metres to add to the world points of a crop so that they fall where the references show the same.

    Zero where nothing can be told: few common pixels, no texture, or no shift that is clearly better.
    """
    offset_world = np.zeros(3)
    measured = crop.depth_m[crop.depth_m > 0]
    if len(measured) == 0:
        return offset_world
    camera, R = crop.frame.camera, crop.frame.T_world_camera[:3, :3]
    for _ in range(ROUNDS):
        shift_px = crop.shrink * picture_shift(crop, references, offset_world)
        depth_m = float(np.median(measured))
        offset_world += R @ np.array([shift_px[0] * depth_m / camera.fx, shift_px[1] * depth_m / camera.fy, 0.0])
        if np.hypot(*shift_px) < CONVERGED_PX * crop.shrink:
            break
    return offset_world


def picture_shift(crop: Crop, references: Sequence[Reference], offset_world: NDArray) -> NDArray[np.float64]:
    """(2,) x and y, in pixels of the crop: what is seen at p, the references show at p + shift; zero where unknown."""
    shown, expected = shown_at(crop, references, offset_world)
    known, seen = (shown != 0).astype(np.float32), crop.color.astype(np.float32) @ GREY
    reach = max(2, int(np.ceil(REACH_PX / crop.shrink)))
    enough = min(seen.shape) > 2 * reach + 4 and known.mean() >= MIN_KNOWN
    if not enough or expected[known > 0].std() < FLAT:
        return np.zeros(2)
    difference = differences(seen[reach:-reach, reach:-reach], expected, known)
    y, x = np.unravel_index(np.argmin(difference), difference.shape)
    if difference[reach, reach] - difference[y, x] < MIN_GAIN * difference[reach, reach]:
        return np.zeros(2)
    return np.array([x - reach + vertex(difference[y], x), y - reach + vertex(difference[:, x], y)])


def differences(
    seen: NDArray[np.float32], expected: NDArray[np.float32], known: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Variance of the difference of two pictures for each place of the smaller one in the larger, known pixels only.

    Variance, not mean square: another exposure is no difference.
    """
    ones = np.ones_like(seen)

    def sums(image: NDArray[np.float32], template: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.matchTemplate(image, template, cv2.TM_CCORR), np.float32)

    n = np.maximum(sums(known, ones), 1)
    mean = (sums(known * expected, ones) - sums(known, seen)) / n
    square = sums(known * expected**2, ones) - 2 * sums(known * expected, seen) + sums(known, seen**2)
    return np.where(n < MIN_OVERLAP * n.max(), np.inf, np.maximum(square / n - mean**2, 0) + 1e-3).astype(np.float32)


def vertex(values: NDArray[np.float32], i: np.intp) -> float:
    """Where between the neighbours of a minimum the parabola through the three lies lowest, -0.5 to 0.5."""
    if i == 0 or i == len(values) - 1 or not np.isfinite(values[i - 1 : i + 2]).all():
        return 0.0
    before, here, after = (float(v) for v in values[i - 1 : i + 2])
    bend = before - 2 * here + after
    return 0.5 * (before - after) / bend if bend > 0 else 0.0
