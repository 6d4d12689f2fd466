# SPDX-License-Identifier: Apache-2.0
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scene_r1_ros.errors import BadInput
from scene_r1_ros.sequences.association import Trajectory, nearest, pair_nearest, to_ns

MS = 1_000_000
stamps = st.lists(st.integers(0, 10**10), unique=True, max_size=30).map(lambda s: np.array(sorted(s), np.int64))


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [("1305031102.175304", 1305031102175304000), (Decimal("0.1"), 100_000_000), (7, 7 * 10**9), (0.5, 500_000_000)],
)
def test_seconds_become_exact_nanoseconds(seconds, expected):
    assert to_ns(seconds) == expected


@pytest.mark.parametrize("seconds", ["soon", "nan", "inf", "1e999999999", "", None, [1], {}, 1e10])
def test_what_is_no_time_is_refused(seconds):
    with pytest.raises(BadInput, match="expected seconds as a number"):
        to_ns(seconds)


@pytest.mark.parametrize(
    ("a_ms", "b_ms", "pairs"),
    [
        ([0, 100], [4, 104], [(0, 0), (1, 1)]),
        ([0], [20], [(0, 0)]),  # the slop is inclusive
        ([0], [21], []),
        ([0, 16], [10], [(1, 0)]),  # one depth image belongs to one colour image, the nearer
        ([], [1], []),
        ([1], [], []),
    ],
)
def test_pairs_by_hand(a_ms, b_ms, pairs):
    assert pair_nearest(np.array(a_ms, np.int64) * MS, np.array(b_ms, np.int64) * MS) == pairs


@given(stamps, stamps)
def test_pairs_are_mutual_and_in_order(a, b):
    pairs = pair_nearest(a, b, 10**9)
    assert pairs == sorted(pairs) and len({j for _, j in pairs}) == len(pairs)
    for i, j in pairs:
        assert abs(int(a[i]) - int(b[j])) == min(abs(int(a[i]) - int(x)) for x in b) <= 10**9


@given(stamps.filter(len), st.integers(-(10**10), 2 * 10**10))
def test_nearest_is_nearest(stamps_ns, at):
    index = int(nearest(stamps_ns, np.array([at]))[0])
    assert abs(int(stamps_ns[index]) - at) == min(abs(int(s) - at) for s in stamps_ns)


def pose(x):
    T = np.eye(4)
    T[0, 3] = x
    return T


def test_a_trajectory_interpolates_and_never_extrapolates():
    trajectory = Trajectory([200 * MS, 100 * MS], [pose(2), pose(1)])  # out of order, as they may arrive
    assert trajectory.at(150 * MS)[0, 3] == pytest.approx(1.5)
    assert trajectory.at(100 * MS)[0, 3] == 1
    assert trajectory.at(99 * MS)[0, 3] == 1  # within a millisecond it is the image's own pose
    for outside in (50, 300):
        with pytest.raises(BadInput, match="no pose before or after stamp"):
            trajectory.at(outside * MS)
    with pytest.raises(BadInput, match=r"0\.200 s apart"):
        Trajectory([0, 200 * MS], [pose(0), pose(1)]).at(100 * MS)
    with pytest.raises(BadInput, match="there is no valid pose at all"):
        Trajectory([], []).at(0)
