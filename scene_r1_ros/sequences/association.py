# SPDX-License-Identifier: Apache-2.0
"""Which measurements belong together, by their stamps. Recorded streams are never taken at exactly one moment."""

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.errors import BadInput
from scene_r1_ros.geometry.pose import interpolate

PAIR_SLOP_NS = 20_000_000  # colour and depth: at a turn of 30 deg/s this is 0.6 deg, about 5 px at f = 525
POSE_GAP_NS = 100_000_000  # between neighbours further apart the camera may have gone anywhere
POSE_HIT_NS = 1_000_000  # a pose this near is the image's own; at 1 m/s the camera moves 1 mm
MAX_STAMP_S = Decimal(9_000_000_000)  # int64 nanoseconds end near the year 2262


def to_ns(seconds: str | float | Decimal) -> int:
    """Nanoseconds of a stamp in seconds, without the rounding of a float: 1305031102.175304 keeps every digit.

    Raises:
        BadInput: not a number, or further from 1970 than int64 nanoseconds reach.
    """
    try:
        value = Decimal(seconds)
        if value.is_finite() and abs(value) < MAX_STAMP_S:
            return int((value * 1_000_000_000).to_integral_value())
    except (ArithmeticError, TypeError, ValueError):
        pass
    raise BadInput(f"stamp {seconds!r}: expected seconds as a number, at most {MAX_STAMP_S}")


def nearest(stamps_ns: NDArray[np.int64], at_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Index into the sorted, non-empty ``stamps_ns`` (N,) of the one nearest to each of ``at_ns`` (M,): (M,)."""
    right = np.searchsorted(stamps_ns, at_ns).clip(1, max(len(stamps_ns) - 1, 1))
    right = np.minimum(right, len(stamps_ns) - 1)
    left = np.maximum(right - 1, 0)
    return np.where(at_ns - stamps_ns[left] <= stamps_ns[right] - at_ns, left, right)


def pair_nearest(
    a_ns: NDArray[np.int64], b_ns: NDArray[np.int64], slop_ns: int = PAIR_SLOP_NS
) -> list[tuple[int, int]]:
    """Pairs (i, j) of two sorted lists of stamps that are each other's nearest, at most ``slop_ns`` apart, inclusive.

    Each stamp is used once, so a slow depth camera is not spread over two colour images.
    """
    if len(a_ns) == 0 or len(b_ns) == 0:
        return []
    to_b, to_a = nearest(b_ns, a_ns), nearest(a_ns, b_ns)
    mutual = to_a[to_b] == np.arange(len(a_ns))
    near = np.abs(b_ns[to_b] - a_ns) <= slop_ns
    return [(int(i), int(to_b[i])) for i in np.flatnonzero(mutual & near)]


class Trajectory:
    """Poses of one camera over time. Between two poses it interpolates; beyond its ends it knows nothing."""

    def __init__(self, stamps_ns: Sequence[int], poses: Sequence[NDArray[np.float64]]):
        order = np.argsort(np.asarray(stamps_ns, np.int64), kind="stable")
        self.stamps_ns = np.asarray(stamps_ns, np.int64)[order]
        self.poses = [poses[i] for i in order]  # each T_world_camera, (4, 4)

    def at(self, stamp_ns: int) -> NDArray[np.float64]:
        """``T_world_camera`` (4, 4) at a moment.

        Raises:
            BadInput: no pose there and no two neighbours near enough to interpolate between.
        """
        if len(self.poses) == 0:
            raise BadInput("there is no valid pose at all; record the camera's pose too")
        hit = int(nearest(self.stamps_ns, np.array([stamp_ns]))[0])
        if abs(int(self.stamps_ns[hit]) - stamp_ns) <= POSE_HIT_NS:
            return self.poses[hit]
        right = int(np.searchsorted(self.stamps_ns, stamp_ns))
        if not 0 < right < len(self.poses):
            raise BadInput(f"no pose before or after stamp {stamp_ns} ns; record poses longer than images")
        before, after = int(self.stamps_ns[right - 1]), int(self.stamps_ns[right])
        if after - before > POSE_GAP_NS:
            raise BadInput(
                f"the poses around stamp {stamp_ns} ns are {(after - before) * 1e-9:.3f} s apart; "
                f"at most {POSE_GAP_NS * 1e-9} s is interpolated: record poses at 10 Hz or more"
            )
        return interpolate(self.poses[right - 1], self.poses[right], (stamp_ns - before) / (after - before))
