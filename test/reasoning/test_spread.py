# SPDX-License-Identifier: Apache-2.0
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scene_r1_ros.reasoning.spread import between, spread


@given(n=st.integers(1, 20_000), count=st.integers(2, 64))
def test_spread_evenly_over_all_with_both_ends(n, count):
    chosen = spread(n, count)
    assert (chosen[0], chosen[-1]) == (0, n - 1)
    gaps = [b - a for a, b in pairwise(chosen)]
    assert min(gaps, default=1) >= 1 and max(gaps, default=0) - min(gaps[:-1], default=max(gaps, default=0)) <= 1
    assert min(0.8 * count, n) <= len(chosen) <= count


def test_few_are_all_and_a_single_one_is_the_middle():
    assert spread(5, 5) == [0, 1, 2, 3, 4]
    assert (spread(9, 1), spread(9, 0), spread(0, 0)) == ([4], [], [])


@given(st.integers(40, 2000))
def test_what_is_appended_changes_only_the_last_until_a_quarter_is_added(n):
    grown = [spread(m, 32) for m in range(n, n + n // 4)]
    changes = [after[: len(before) - 1] != before[:-1] for before, after in pairwise(grown)]
    assert sum(changes) <= 1


def test_between_takes_the_middle_of_the_widest_gaps():
    assert between([0, 10, 14], 15, 1) == [5]
    assert between([0, 10, 14], 15, 3) == [2, 5, 7]
    assert between([], 9, 1) == [4]
    assert between([1], 5, 9) == [0, 2, 3, 4]


@given(st.sets(st.integers(0, 299)), st.integers(1, 40))
def test_between_shows_nothing_twice_and_halves_every_gap(shown, count):
    fresh = between(shown, 300, count)
    assert not shown & set(fresh) and fresh == sorted(set(fresh)) and len(fresh) == min(count, 300 - len(shown))
    if count > len(shown):
        assert widest(shown | set(fresh)) <= widest(shown) // 2 + 1


def widest(shown):
    return max(b - a for a, b in pairwise([-1, *sorted(shown), 300]))


@pytest.mark.parametrize("n", [33, 1000])
def test_repeated_it_shows_all(n):
    shown: set[int] = set()
    while len(shown) < n:
        shown |= set(between(shown, n, 32))
    assert shown == set(range(n))
