# SPDX-License-Identifier: Apache-2.0
"""The oriented box around a cloud: upright where the world has an up, minimal where it has none."""

import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.answer import OrientedBox
from scene_r1_ros.errors import BadInput
from scene_r1_ros.geometry.gravity import AXES, level_axes
from scene_r1_ros.geometry.surface import LocalPlanes, thinned

# Strays must not decide: this share of the points may stick out on each side.
TRIM = 0.0005
# How far inside of that, in standard deviations of the noise, the true end may lie. More would shorten smooth clouds.
NOISE_SIGMAS = 2.5
END_POINTS = 60  # near an end that tell which way its surface faces
MIN_FACING = 0.05  # noise that is left along a surface
MIN_STEP_M = 0.0005
# Where the density rises by this share of its steepest rise, an end begins: 1 would cut tapered things short.
RISE_SHARE = 0.5
TURN_TRIM = 0.005  # of the footprint: noise at its corners must not turn the box
MAX_FOOTPRINT_POINTS = 2000  # more do not turn a box
COARSE_DEG, FINE_DEG = 3.0, 0.5
# A footprint whose smallest rectangle is hardly smaller than the one along the world's axes is round: noise alone would
# turn its box.
ROUND = 0.96


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
    low, high = ends(centered, R)
    return OrientedBox(middle + R @ ((low + high) / 2), np.maximum(high - low, 1e-3), R)


def named(axis: str) -> NDArray | None:
    if axis not in (*AXES, "none"):
        raise BadInput(
            f"up = {axis!r}; expected a direction or one of {', '.join(AXES)}, none; up_world() finds 'auto'"
        )
    return AXES.get(axis)


def ends(centered: NDArray, R: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(3,) lowest and (3,) highest coordinates of (N, 3) points along the columns of R, metres.

    Noise of the depth moves points across their surface and hardly along it: an end that the rim of a surface makes is
    sharper than one that a surface faces.
    """
    planes, along = LocalPlanes(centered), centered @ R
    noise_m = planes.thickness_m()
    found = np.empty((2, 3))
    for axis, ascending in enumerate(np.sort(along.T, axis=1)):
        for side, inwards in enumerate((ascending, -ascending[::-1])):
            sign = 1 - 2 * side
            near = sign * along[:, axis] <= inwards[rank(inwards)] + NOISE_SIGMAS * noise_m
            facing = float(np.median(np.abs(planes.at(thinned(centered[near], END_POINTS))[0] @ R[:, axis])))
            found[side, axis] = sign * end(inwards, max(facing, MIN_FACING) * noise_m)
    return found[0], found[1]


def rank(values: NDArray) -> int:
    """Of the value that strays do not reach."""
    return int(TRIM * (len(values) - 1))


def end(values: NDArray, noise_m: float) -> float:
    """Where (N,) ascending coordinates begin: their ``TRIM`` rank, moved inwards to where the density rises steeply,
    by at most what noise can have carried points outwards. Density is the number of values in the two steps around.
    """
    step = max(noise_m / 2, MIN_STEP_M)
    places = values[rank(values)] + np.linspace(0, NOISE_SIGMAS * noise_m, 25)
    below, at, above = np.searchsorted(values, [places - 2 * step, places, places + 2 * step])
    rise = (above - at) - (at - below)
    return float(places[np.argmax(rise >= RISE_SHARE * rise.max())])


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
    """Per column, what remains between the ``TURN_TRIM`` and 1 - ``TURN_TRIM`` ranks."""
    out = int(TURN_TRIM * (len(values) - 1))
    ranked = np.partition(values, [out, len(values) - 1 - out], axis=0)
    return ranked[len(values) - 1 - out] - ranked[out]


def principal_axes(centered: NDArray) -> NDArray[np.float64]:
    """(3, 3) rotation along the directions of largest, middle and least spread."""
    _, _, vt = np.linalg.svd(centered.T @ centered)
    R = vt.T.astype(np.float64)
    return R if np.linalg.det(R) > 0 else R * (1, 1, -1)
