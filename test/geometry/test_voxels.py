# SPDX-License-Identifier: Apache-2.0
"""Cells: one mean each, and which hang together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scene_r1_ros.errors import BadInput
from scene_r1_ros.geometry.voxels import fuse, grouped, parts


def test_fusing_keeps_the_mean_of_a_voxel():
    points = np.array([[0.001, 0.001, 0.001], [0.003, 0.003, 0.003], [1.0, 1.0, 1.0]])
    cloud = fuse(points, np.array([[0, 0, 0], [100, 100, 100], [7, 8, 9]]), 0.01)
    assert np.allclose(cloud.points_world, [[0.002] * 3, [1.0] * 3])
    assert cloud.colors.tolist() == [[50, 50, 50], [7, 8, 9]]


def test_points_too_far_apart_to_number_are_refused():
    with pytest.raises(
        BadInput, match=r"span 20000 x 20000 x 20000 m, too far for cells of 0\.001 m; do the poses jump"
    ):
        fuse(np.array([[-1e4] * 3, [1e4] * 3]), np.zeros((2, 3)), 0.001)


def test_far_points_of_other_voxels_stay_apart():
    far = np.array([[-1e4, -1e4, 0], [1e4, 1e4, 0], [1e4, 1e4, 0.006]])
    assert len(fuse(far, np.zeros((3, 3)), 0.005).points_world) == 3


@given(st.lists(st.one_of(st.integers(0, 5), st.integers(0, 2**62)), min_size=1, max_size=50))
def test_rows_are_grouped_by_key_whatever_its_size(values):
    keys = np.array(values, np.int64)
    order, starts = grouped(keys)
    assert sorted(order.tolist()) == list(range(len(keys)))
    assert keys[order[starts]].tolist() == sorted(set(values))
    assert (np.diff(keys[order]) >= 0).all()


def test_a_large_cloud_is_one_part_in_bounded_memory():
    """Every point has hundreds of neighbours within reach: a list of the pairs would take gigabytes."""
    points = np.random.default_rng(0).uniform(0, 1, (300_000, 3))
    assert parts(points, 0.1).max() == 0


def test_parts_hang_together_across_cells_and_gaps_part_them():
    line = np.stack([np.arange(100) * 0.01, np.zeros(100), np.zeros(100)], axis=1)
    assert (parts(line, 0.011) == 0).all()
    with_gap = parts(np.concatenate([line, line[:5] + np.array([1.05, 0, 0])]), 0.02)
    assert len(set(with_gap[:100])) == 1 and len(set(with_gap[100:])) == 1 and with_gap[0] != with_gap[-1]
