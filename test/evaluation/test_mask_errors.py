# SPDX-License-Identifier: Apache-2.0
"""Errors made on purpose are exactly as large as they say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scene_r1_ros.evaluation.mask_errors import bleed, dropped, erosion, neighbour
from scene_r1_ros.evaluation.sensor_errors import drifted, shaken
from scene_r1_ros.geometry.pose import checked_pose, distance, inverse
from test.scenes import around

masks = st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed).random((24, 32)) < 0.02)


def square(side: int = 40, low: int = 15, high: int = 25) -> np.ndarray:
    pixels = np.zeros((side, side), bool)
    pixels[low:high, low:high] = True
    return pixels


def extent(pixels) -> tuple[int, int]:
    rows = np.flatnonzero(pixels.any(axis=1))
    return int(rows[0]), int(rows[-1]) + 1


@pytest.mark.parametrize("radius_px", [0, 2, 4, 8])
def test_a_mask_bleeds_and_shrinks_by_just_so_many_pixels(radius_px):
    assert extent(bleed(square(), radius_px)) == (15 - radius_px, 25 + radius_px)
    large = square(60, 10, 50)
    assert extent(erosion(large, radius_px)) == (10 + radius_px, 50 - radius_px)
    np.testing.assert_array_equal(erosion(bleed(square(), radius_px), radius_px), square())


def test_a_point_bleeds_to_a_disc():
    point = np.zeros((21, 21), bool)
    point[10, 10] = True
    v, u = np.mgrid[-10:11, -10:11]
    np.testing.assert_array_equal(bleed(point, 5), u**2 + v**2 <= 25)


@given(masks, st.integers(0, 6))
@settings(deadline=None)
def test_erosion_is_the_bleed_of_what_is_outside(pixels, radius_px):
    grown = bleed(pixels, radius_px)
    assert not (pixels & ~grown).any()
    if not grown.all() and grown.any():
        np.testing.assert_array_equal(erosion(grown, radius_px), ~bleed(~grown, radius_px))


def test_what_is_thinner_than_its_erosion_is_gone_and_nothing_bleeds_from_nothing():
    assert not erosion(square(40, 18, 22), 4).any()
    assert not bleed(np.zeros((5, 5), bool), 3).any()
    assert erosion(np.ones((5, 5), bool), 3).all()  # the border of the image is not the object's


def test_the_neighbour_is_the_nearest_other_object_and_never_the_room():
    instances = np.zeros((60, 60), np.uint16)
    instances[20:40, 5:15], instances[20:40, 18:28], instances[20:40, 45:55] = 1, 2, 3
    instances[20:22, 15:17] = 4  # nearer, but too small to be taken for anything
    np.testing.assert_array_equal(neighbour(instances, 1, min_pixels=50), instances == 2)
    np.testing.assert_array_equal(neighbour(instances, 3, min_pixels=50), instances == 2)
    assert neighbour(np.where(instances == 1, 1, 0).astype(np.uint16), 1, 50) is None


def test_one_of_so_many_views_is_dropped():
    assert dropped(range(8), 4) == [0, 1, 2, 4, 5, 6]
    assert dropped([3, 9], 4) == [3, 9]


def test_each_pose_is_shaken_by_just_so_much():
    poses = around(30)
    moved = shaken(poses, 0.03, 1.0, np.random.default_rng(0))
    for before, after in zip(poses, moved, strict=True):
        checked_pose(after)
        assert distance(before, after) == pytest.approx((0.03, np.deg2rad(1.0)))
    directions = np.array([(inverse(a) @ b)[:3, 3] / 0.03 for a, b in zip(poses, moved, strict=True)])
    assert np.linalg.norm(directions.mean(axis=0)) < 0.5  # independent, so they nearly cancel


def test_drift_grows_evenly_and_leaves_the_middle_alone():
    poses = around(9)
    moved = drifted(poses, 0.06, 1.0, np.random.default_rng(0))
    errors = [b @ inverse(a) for a, b in zip(poses, moved, strict=True)]
    np.testing.assert_allclose(errors[4], np.eye(4), atol=1e-12)
    angles = np.degrees([np.arctan2(e[1, 0], e[0, 0]) for e in errors])
    np.testing.assert_allclose(np.abs(np.diff(angles)), 1 / 8, atol=1e-9)
    middle = np.mean([T[:3, 3] for T in poses], axis=0)
    slips = np.array([e[:3, :3] @ middle + e[:3, 3] - middle for e in errors])
    assert np.linalg.norm(slips[-1] - slips[0]) == pytest.approx(0.06)
    np.testing.assert_allclose(np.diff(slips, axis=0), np.broadcast_to((slips[-1] - slips[0]) / 8, (8, 3)), atol=1e-12)


def test_the_same_seed_makes_the_same_errors():
    poses = around(5)
    for make in (shaken, drifted):
        one, two, other = (make(poses, 0.03, 1.0, np.random.default_rng(seed)) for seed in (1, 1, 2))
        np.testing.assert_array_equal(one, two)
        assert not np.allclose(one, other)
