# SPDX-License-Identifier: Apache-2.0
"""The plane that most points lie on, and how far others are from it."""

import numpy as np
import pytest

from scene_r1_ros.geometry.plane import Plane

HALF_M = 0.01


def scattered(low, high, n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(low, high, (n, 3))


def dominant(points: np.ndarray) -> Plane:
    return Plane.dominant(points, np.full(len(points), HALF_M))


def test_a_plane_is_found_among_other_points():
    flat = scattered((-1, -1, 0.7), (1, 1, 0.7), 300, 1)
    for plane in (dominant(np.concatenate([flat, scattered(-1, 1, 200, 2)])), Plane.fitted(flat)):
        assert abs(plane.normal[2]) == pytest.approx(1, abs=1e-3)
        assert plane.offset_m * plane.normal[2] == pytest.approx(0.7, abs=0.01)


@pytest.mark.parametrize("seed", range(10))
def test_a_point_drawn_twice_holds_no_plane(seed):
    """Of so few points nearly every search draws one twice; that must not count as a plane through everything."""
    points = np.concatenate([scattered((-1, -1, 0), (1, 1, 0), 36, seed), scattered((-1, -1, 0.3), 1, 24, seed)])
    plane = dominant(points)
    assert abs(plane.normal[2]) > 0.999 and (np.abs(plane.heights(points)) < HALF_M).sum() >= 36


def test_the_same_points_give_the_same_plane():
    points = scattered(-1, 1, 1000, 3)
    assert np.array_equal(dominant(points).normal, dominant(points.copy()).normal)


def test_noisier_points_may_lie_farther_off():
    """Half of the points lie on a far plane, loosely; more lie on a near one, but for their tolerance."""
    loose = scattered((-1, -1, 1.95), (1, 1, 2.05), 100, 4)
    tight = scattered((-1, -1, 0.45), (1, 1, 0.55), 120, 5)
    points = np.concatenate([loose, tight])
    plane = Plane.dominant(points, np.repeat([0.06, 0.002], [100, 120]))
    assert plane.offset_m * np.sign(plane.normal[2]) == pytest.approx(2, abs=0.15)


LINE = np.linspace(0, 1, 50)[:, None] * (1, 1, 1)


@pytest.mark.parametrize("points", [np.full((60, 3), 0.5), np.full((1, 3), 0.5), LINE], ids=["place", "point", "line"])
def test_what_spans_no_plane_gives_one_through_some_of_it(points):
    for plane in (dominant(points), Plane.fitted(points)):
        assert np.linalg.norm(plane.normal) == pytest.approx(1)
        assert np.abs(plane.heights(points)).min() < 1e-9


def test_heights_count_towards_the_normal():
    plane = Plane(np.array([0, 0, 1.0]), 0.2)
    points = np.array([[5, 5, 0.2], [0, 0, 0.209], [0, 0, 0.5], [0, 0, 0.1]])
    assert np.allclose(plane.heights(points), [0, 0.009, 0.3, -0.1])
    assert np.allclose(plane.facing(np.array([[0, 0, -3.0]])).heights(points), [0, -0.009, -0.3, 0.1])
