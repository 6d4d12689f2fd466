# SPDX-License-Identifier: Apache-2.0
"""Small planes fitted to a cloud."""

import numpy as np
import pytest

from scene_r1_ros.geometry.surface import MAX_POINTS, LocalPlanes, thinned

RANDOM = np.random.default_rng(0)
FLOOR, WALL = np.zeros((4000, 3)), np.zeros((4000, 3))
FLOOR[:, :2], WALL[:, 1:] = RANDOM.uniform(0, 1, (4000, 2)), RANDOM.uniform(0.3, 1.3, (4000, 2))


def test_each_place_gets_the_plane_of_the_surface_nearest_to_it():
    normals, sigmas_m, centroids = LocalPlanes(np.concatenate([FLOOR, WALL])).at(np.array([[0.5, 0.5, 0], [0, 0.8, 1]]))
    assert np.allclose(np.abs(normals), [(0, 0, 1), (1, 0, 0)], atol=1e-6) and np.allclose(sigmas_m, 0, atol=1e-6)
    assert np.allclose(centroids, [(0.5, 0.5, 0), (0, 0.8, 1)], atol=0.05)


@pytest.mark.parametrize("sigma_m", [0.0, 0.001, 0.004])
def test_the_thickness_is_that_of_the_noise(sigma_m):
    noisy = FLOOR + RANDOM.normal(0, 1, 4000)[:, None] * (0, 0, sigma_m)
    assert LocalPlanes(noisy).thickness_m() == pytest.approx(sigma_m, rel=0.1, abs=1e-9)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_points_are_their_own_neighbours(n):
    normals, sigmas_m, centroids = LocalPlanes(FLOOR[:n]).at(np.ones((2, 3)))
    assert np.allclose(np.linalg.norm(normals, axis=1), 1) and np.allclose(sigmas_m, 0, atol=1e-6)
    assert np.allclose(centroids, FLOOR[:n].mean(axis=0)) and LocalPlanes(FLOOR[:n]).thickness_m() < 1e-6


def test_of_a_larger_cloud_so_many_points_are_looked_at():
    """The others are not there for it: a plane of every second point, the rest far away."""
    points = np.zeros((2 * MAX_POINTS - 1, 3))
    points[1::2] = 1000
    assert np.allclose(LocalPlanes(points).at(np.full((1, 3), 1000.0))[2], 0)


@pytest.mark.parametrize(("n", "count", "left"), [(1, 5, 1), (5, 5, 5), (100, 5, 5), (7, 6, 6), (0, 5, 0)])
def test_thinned_is_even_and_keeps_both_ends(n, count, left):
    numbers = thinned(np.arange(n)[:, None], count)[:, 0]
    assert len(numbers) == left and (n == 0 or numbers[0] == 0)
    assert left < 2 or (numbers[-1] == n - 1 and np.ptp(np.diff(numbers)) <= 1)
