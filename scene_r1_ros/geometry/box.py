# SPDX-License-Identifier: Apache-2.0
"""The oriented box around a cloud: upright where the world has an up, minimal where it has none."""

import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.errors import BadInput
from scene_r1_ros.geometry.gravity import AXES, level_axes
from scene_r1_ros.geometry.surface import thickness_m
from scene_r1_ros.types import OrientedBox

# Strays must not decide: this share of the points may stick out on each side.
TRIM = 0.001
# How far inside of that, in standard deviations of the noise, the true end may lie. More would shorten smooth clouds.
NOISE_SIGMAS = 2.0
MIN_STEP_M = 0.0005
# Where the density rises by this share of its steepest rise, an end begins: 1 would cut tapered things short.
RISE_SHARE = 0.5
MAX_FOOTPRINT_POINTS = 2000  # more do not turn a box
COARSE_DEG, FINE_DEG = 3.0, 0.5
# A footprint whose smallest rectangle is hardly smaller than the one along the world's axes is round: noise alone would
# turn its box.
ROUND = 0.93


def oriented_box(points_world: NDArray, up: str | NDArray | None) -> OrientedBox:
    """The smallest box around (N, 3) points, metres, N >= 1, whose faces lie where the surfaces are, not their noise.

    Args:
        up: unit vector (3,), or the name of a world axis ("z", "-y"): the box stands upright along it (its own z),
            turned to the smallest footprint; things that are round from above stay along the world's axes. None or
            "none": the axes of least spread, for worlds without gravity.

    Raises:
        BadInput: a name of no axis; "auto" is one for ``gravity.up_world``, which looks at the frames.
    """
    up = named(up) if isinstance(up, str) else up
    middle = points_world.mean(axis=0, dtype=np.float64)  # a sum of float32 far from the origin would drift
    centered = points_world - middle
    R = principal_axes(centered) if up is None else upright_axes(centered, up)
    noise_m, along = thickness_m(centered), np.sort(centered @ R, axis=0)
    low = np.array([end(along[:, axis], noise_m) for axis in range(3)])
    high = np.array([-end(-along[::-1, axis], noise_m) for axis in range(3)])
    return OrientedBox(middle + R @ ((low + high) / 2), np.maximum(high - low, 1e-3), R)


def named(axis: str) -> NDArray | None:
    if axis not in (*AXES, "none"):
        raise BadInput(
            f"up = {axis!r}; expected a direction or one of {', '.join(AXES)}, none; up_world() finds 'auto'"
        )
    return AXES.get(axis)


def end(values: NDArray, noise_m: float) -> float:
    """Where (N,) ascending coordinates begin: their ``TRIM`` rank, moved inwards to where the density rises steeply,
    by at most what noise can have carried points outwards. Density is the number of values in the two steps around.
    """
    step = max(noise_m / 2, MIN_STEP_M)
    first = values[int(TRIM * (len(values) - 1))]
    ends = first + np.linspace(0, NOISE_SIGMAS * noise_m, 25)
    below, at, above = np.searchsorted(values, [ends - 2 * step, ends, ends + 2 * step])
    rise = (above - at) - (at - below)
    return float(ends[np.argmax(rise >= RISE_SHARE * rise.max())])


def upright_axes(centered: NDArray, up: NDArray) -> NDArray[np.float64]:
    """(3, 3) rotation whose z is ``up`` and whose x runs along the smallest rectangle around the footprint.

    All angles are tried, with the trimmed extent for each: rotating calipers (Toussaint 1983) would rest on the strays.
    """
    level = level_axes(up)
    every = max(1, len(centered) // MAX_FOOTPRINT_POINTS)
    flat = centered[::every] @ level[:, :2]
    straight = footprint_areas(flat, np.zeros(1))[0]
    coarse = np.arange(0.0, 90.0, COARSE_DEG)
    angle_deg = coarse[np.argmin(footprint_areas(flat, coarse))]
    fine = angle_deg + np.arange(-COARSE_DEG, COARSE_DEG + FINE_DEG, FINE_DEG)
    areas = footprint_areas(flat, fine)
    angle = 0.0 if areas.min() > ROUND * straight else np.deg2rad(fine[np.argmin(areas)])
    cos, sin = np.cos(angle), np.sin(angle)
    return level @ np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])


def footprint_areas(flat: NDArray, angles_deg: NDArray) -> NDArray[np.float64]:
    """(A,) areas of the trimmed rectangles around (N, 2) points, turned by each angle."""
    angles = np.deg2rad(angles_deg)
    along = flat @ np.stack([np.cos(angles), np.sin(angles)])
    across = flat @ np.stack([-np.sin(angles), np.cos(angles)])
    return trimmed_width(along) * trimmed_width(across)


def trimmed_width(values: NDArray) -> NDArray[np.float64]:
    """Per column, what remains between the ``TRIM`` and 1 - ``TRIM`` ranks."""
    out = int(TRIM * (len(values) - 1))
    ranked = np.partition(values, [out, len(values) - 1 - out], axis=0)
    return ranked[len(values) - 1 - out] - ranked[out]


def principal_axes(centered: NDArray) -> NDArray[np.float64]:
    """(3, 3) rotation along the directions of largest, middle and least spread."""
    _, _, vt = np.linalg.svd(centered.T @ centered)
    R = vt.T.astype(np.float64)
    return R if np.linalg.det(R) > 0 else R * (1, 1, -1)
