# SPDX-License-Identifier: Apache-2.0
"""Completing depth between measurements of one surface, and nowhere else."""

import numpy as np
import pytest

from scene_r1_ros.geometry.refine import completed

V, U = np.mgrid[0:60, 0:80]
EVERYWHERE = np.ones(V.shape, bool)
PLANE_M = (1 / (0.8 + 0.002 * U - 0.003 * V)).astype(np.float32)  # inverse depth of a plane is linear in the pixel


def filled(depth_m, inside=EVERYWHERE):
    return completed(depth_m, inside, inside & (depth_m > 0))


@pytest.mark.parametrize("pattern", [(V % 4 == 0) | (U % 4 == 0), (V > 20) & (V < 30) & (U > 30) & (U < 45)])
def test_holes_in_a_plane_are_closed_exactly(pattern):
    result = filled(np.where(pattern, np.float32(0), PLANE_M))
    assert np.abs(result - PLANE_M)[pattern].max() < 1e-4
    assert not result[~pattern].any()


def test_pixels_outside_of_the_mask_neither_get_depth_nor_give_it():
    inside = U < 40
    depth_m = np.where((U > 20) & inside, np.float32(0), np.where(inside, PLANE_M, np.float32(0.3)))
    result = filled(depth_m, inside)
    near = (U > 20) & (U < 24)
    assert np.allclose(result[near], PLANE_M[near], atol=1e-4)
    assert not result[~inside].any()


def test_nothing_is_put_into_a_hole_across_a_jump():
    depth_m = np.where(U < 40, np.float32(1), np.float32(2))
    depth_m[:, 36:44] = 0
    result = filled(depth_m)[:, 36:44]
    assert np.isin(result.round(3), [0, 1, 2]).all()


def test_depth_that_was_measured_is_left_alone_also_where_it_is_not_trusted():
    solid = (U - 40) ** 2 + (V - 30) ** 2 > 25
    assert not completed(PLANE_M, EVERYWHERE, solid).any()


def test_what_is_far_from_any_measurement_stays_empty():
    noisy = PLANE_M + np.random.default_rng(0).normal(0, 0.002, V.shape).astype(np.float32)
    depth_m = np.where((U < 5) & (V < 5), noisy, np.float32(0))
    assert not filled(depth_m)[30:, 40:].any()


@pytest.mark.parametrize("n", [0, 5])
def test_too_little_measured_gives_nothing(n):
    depth_m = np.zeros_like(PLANE_M)
    depth_m[30, 40 : 40 + n] = 1
    assert not filled(depth_m).any()


def test_a_rough_surface_holds_nothing():
    depth_m = np.random.default_rng(0).uniform(0.8, 1.6, V.shape).astype(np.float32)
    depth_m[25:35, 35:45] = 0
    assert not filled(depth_m).any()
