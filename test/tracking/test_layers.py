# SPDX-License-Identifier: Apache-2.0
"""Parts of a silhouette that lie far before or behind the parts which fill the box leave."""

import numpy as np
import pytest

from scene_r1_ros.tracking.layers import one_layer, parts

SHAPE = (60, 80)
BOX = np.s_[10:50, 10:70]


def fill(mask: np.ndarray) -> float:
    """Share of the box that the extent of a mask covers."""
    v, u = np.nonzero(mask)
    return float((np.ptp(v) + 1) * (np.ptp(u) + 1) / (40 * 60)) if len(v) else 0.0


def picture(*patches: tuple[tuple[slice, slice], float]) -> tuple[np.ndarray, np.ndarray]:
    """A silhouette that is the whole box at 2 m, with patches at other depths."""
    found, depth_m = np.zeros(SHAPE, bool), np.full(SHAPE, 2.0, np.float32)
    found[BOX] = True
    for where, z_m in patches:
        depth_m[where] = z_m
    return found, depth_m


HOLE = np.s_[20:40, 25:45]


@pytest.mark.parametrize("z_m", [0.8, 1.5, 3.0, 6.0])
def test_what_lies_before_or_behind_a_frame_leaves(z_m):
    found, depth_m = picture((HOLE, z_m))
    kept = one_layer(found, depth_m, fill)
    assert not kept[HOLE].any() and kept.sum() == found.sum() - 20 * 20


def test_what_lies_hardly_deeper_stays():
    found, depth_m = picture((HOLE, 2.12))
    assert np.array_equal(one_layer(found, depth_m, fill), found)


def test_a_table_before_a_sofa_leaves_although_it_parts_it():
    table = np.s_[25:50, 20:60]
    found, depth_m = picture((table, 1.2))
    kept = one_layer(found, depth_m, fill)
    assert not kept[table].any() and kept[BOX].sum() == 40 * 60 - 25 * 40


def test_small_pieces_leave_with_their_layer():
    """Two pixels on the object's depth, two far behind it."""
    found, depth_m = picture((HOLE, 3.0), (np.s_[30, 30:32], 2.0), (np.s_[12, 12:14], 3.0))
    kept = one_layer(found, depth_m, fill)
    assert kept[30, 30:32].all() and not kept[12, 12:14].any() and not kept[30, 35:].all()


def test_parts_that_the_box_needs_stay():
    """The right third of the box is farther away: without it the box is not filled."""
    found, depth_m = picture((np.s_[:, 50:], 4.0))
    assert np.array_equal(one_layer(found, depth_m, fill), found)


def test_a_thin_rim_does_not_push_out_what_it_encloses():
    found, depth_m = picture((np.s_[11:49, 11:69], 1.2))
    assert np.array_equal(one_layer(found, depth_m, fill), found)


def test_of_one_part_or_none_nothing_leaves():
    found, depth_m = picture()
    assert np.array_equal(one_layer(found, depth_m, fill), found)
    assert not one_layer(np.zeros_like(found), depth_m, fill).any()


def test_parts_end_at_jumps_of_depth_and_slopes_do_not_part():
    found, depth_m = picture((np.s_[:, 40:], 3.0))
    labels, large = parts(found, np.log(depth_m))
    assert len(large) == 2 and len({labels[20, 20], labels[20, 60]}) == 2
    slope = np.geomspace(1, 3, SHAPE[1], dtype=np.float32) * np.ones(SHAPE, np.float32)
    assert len(parts(found, np.log(slope))[1]) == 1
