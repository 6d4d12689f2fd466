# SPDX-License-Identifier: Apache-2.0
"""The box around a cloud: upright, as large as the surface and not as its noise, and steady."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scene_r1_ros.errors import BadInput
from scene_r1_ros.geometry.box import NOISE_SIGMAS, TRIM, end, ends, oriented_box

RANDOM = np.random.default_rng(0)
UNIT = RANDOM.uniform(-0.5, 0.5, (12_000, 3))
UNIT[np.arange(12_000), RANDOM.integers(0, 3, 12_000)] = RANDOM.choice(
    [-0.5, 0.5], 12_000
)  # on the faces of a unit cube


def yaw(angle):
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def noisy(points, sigma_m, seed=1):
    return points + np.random.default_rng(seed).normal(0, sigma_m, points.shape)


@settings(max_examples=50, deadline=None)
@given(st.floats(-np.pi, np.pi), st.tuples(*[st.floats(0.1, 2.0)] * 3))
def test_an_upright_box_is_recovered_at_any_yaw(angle, size):
    points = UNIT * size @ yaw(angle).T + (1, 2, 3)
    box = oriented_box(points, "z")
    assert np.allclose(box.center_world, (1, 2, 3), atol=0.03 * max(size))
    assert box.size_m[2] == pytest.approx(size[2], rel=0.06)
    assert sorted(box.size_m[:2]) == pytest.approx(sorted(size[:2]), rel=0.1)
    assert np.allclose(box.R_world_box[:, 2], (0, 0, 1))


@pytest.mark.parametrize("size", [(0.1, 0.1, 0.1), (0.07, 0.07, 0.27), (0.4, 0.3, 0.03), (1.3, 0.8, 0.7)])
@pytest.mark.parametrize("sigma_m", [0.001, 0.003])
def test_noise_does_not_inflate(size, sigma_m):
    box = oriented_box(noisy(UNIT * size, sigma_m), "z")
    size_error = np.abs(np.sort(box.size_m) - np.sort(size))
    assert (size_error < np.maximum(0.1 * np.sort(size), 4.3 * sigma_m)).all()  # the points span 6.5 to 7.4 more
    assert np.linalg.norm(box.center_world) < 0.005


def test_strays_do_not_decide():
    points = np.concatenate([UNIT * (0.4, 0.2, 0.3), [[0.6, 0.1, 0], [0, -0.5, 0.1], [0.1, 0, 0.8]]])
    assert np.allclose(np.sort(oriented_box(points, "z").size_m), (0.2, 0.3, 0.4), atol=0.01)


def test_thin_and_flat_things_keep_their_length():
    rod, sheet = UNIT * (0.8, 0.01, 0.01) @ yaw(0.4).T, UNIT * (0.3, 0.2, 0.0005) @ yaw(-0.7).T
    assert oriented_box(noisy(rod, 0.001), "z").size_m.max() == pytest.approx(0.8, rel=0.02)
    assert np.sort(oriented_box(noisy(sheet, 0.001), "z").size_m)[1:] == pytest.approx((0.2, 0.3), rel=0.05)


@pytest.mark.parametrize("seed", range(5))
def test_a_round_thing_stays_along_the_world(seed):
    angles = RANDOM.uniform(0, 2 * np.pi, 3000)
    cup = np.stack([0.05 * np.cos(angles), 0.05 * np.sin(angles), RANDOM.uniform(0, 0.1, 3000)], axis=1)
    assert np.allclose(oriented_box(noisy(cup, 0.002, seed), "z").R_world_box, np.eye(3))


@pytest.mark.parametrize("up", ["x", "y", "z", "-x", "-y", "-z"])
def test_a_box_stands_along_its_axis(up):
    axis = float(up[:-1] + "1") * np.eye(3)["xyz".index(up[-1])]
    assert np.allclose(oriented_box(UNIT, up).R_world_box[:, 2], axis)
    assert np.allclose(oriented_box(UNIT, axis).R_world_box[:, 2], axis)


@pytest.mark.parametrize("up", ["x", "y", "z", "none", None, np.array([0, -0.8, -0.6])])
def test_the_axes_are_a_rotation(up):
    R = oriented_box(UNIT * (1, 0.5, 0.2), up).R_world_box
    assert np.allclose(R @ R.T, np.eye(3), atol=1e-6) and np.linalg.det(R) == pytest.approx(1)


def test_a_tilted_world():
    up = np.array([0, -0.8, -0.6])
    R = np.stack([[1, 0, 0], np.cross(up, (1, 0, 0)), up], axis=1)
    box = oriented_box(UNIT * (0.4, 0.2, 0.3) @ R.T, up)
    assert box.size_m[2] == pytest.approx(0.3, rel=0.05) and np.allclose(box.R_world_box[:, 2], up)


@pytest.mark.parametrize("up", ["auto", "up"])
def test_what_is_no_axis_is_refused(up):
    with pytest.raises(BadInput, match=rf"up = '{up}'; expected a direction or one of x, y, z.*none; up_world\(\)"):
        oriented_box(UNIT, up)


def test_the_corners_hold_the_points():
    box = oriented_box(UNIT, "z")
    corners = (box.corners_world() - box.center_world) @ box.R_world_box
    assert np.allclose(np.abs(corners), box.size_m / 2)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_points_are_a_small_box(n):
    box = oriented_box(np.array([[1.0, 2, 3]] * n), "z")
    assert np.allclose(box.center_world, (1, 2, 3)) and (box.size_m > 0).all()


def faces(size, sigma_m, n=20_000, with_caps=True, seed=0):
    """(N, 3) points on the sides of a block, with or without those above and below, noisy only across them."""
    random, half = np.random.default_rng(seed), np.array(size) / 2
    area = np.array([size[1] * size[2], size[0] * size[2], size[0] * size[1] * with_caps])
    across = random.choice(3, n, p=area / area.sum())
    points = random.uniform(-half, half, (n, 3))
    points[np.arange(n), across] = random.choice([-1, 1], n) * half[across] + random.normal(0, sigma_m, n)
    return points


@pytest.mark.parametrize("sigma_m", [0.001, 0.002, 0.004])
def test_ends_that_a_surface_faces_lose_noise_and_those_of_its_rim_nothing(sigma_m):
    size = np.array((0.4, 0.2, 0.3))
    points = faces(size, sigma_m, with_caps=False)
    low, high = ends(points, np.eye(3))
    assert high[2] - low[2] == pytest.approx(size[2], abs=0.0005)  # the rims, of any noise
    too_far = np.concatenate([high - size / 2, -size / 2 - low])[[0, 1, 3, 4]] / sigma_m
    assert (np.ptp(points, axis=0)[:2] - size[:2] > 6 * sigma_m).all()
    assert (too_far > 0).all() and (too_far < 2.2).all()


def test_a_sheet_keeps_its_tips():
    """It tapers, so that its density rises slowly inwards from its tips, like that of a noisy surface: yet it faces
    none of them.
    """
    random, sigma_m = np.random.default_rng(0), 0.001
    flat = random.uniform(-0.1, 0.1, (80_000, 2))
    flat = flat[np.abs(flat).sum(axis=1) < 0.1]
    points = np.stack([flat[:, 0], random.normal(0, sigma_m, len(flat)), flat[:, 1]], axis=1)
    low, high = ends(points, np.eye(3))
    out = int(TRIM * (len(points) - 1))
    ranked = np.sort(points, axis=0)
    for axis in (0, 2):
        assert low[axis] - ranked[out, axis] < 0.15 * NOISE_SIGMAS * sigma_m
        assert ranked[-1 - out, axis] - high[axis] < 0.15 * NOISE_SIGMAS * sigma_m


def test_an_end_is_moved_inwards_by_what_noise_can_do_and_no_more():
    values = np.sort(np.concatenate([np.full(5, -0.02), np.linspace(0, 1, 2000)]))  # five strays, of which one may be
    assert end(values, 0.001) == pytest.approx(-0.02 + NOISE_SIGMAS * 0.001, abs=0.003)
    assert end(values, 0.01) == pytest.approx(0, abs=0.006)
    assert end(np.zeros(1), 0.001) == 0


def turned_by_deg(size, degrees, sigma_m=0.001, seed=0):
    R = oriented_box(faces(size, sigma_m, seed=seed) @ yaw(np.deg2rad(degrees)).T, "z").R_world_box
    return np.rad2deg(np.arctan2(R[1, 0], R[0, 0])) % 90


@pytest.mark.parametrize("size", [(0.4, 0.2, 0.3), (1.2, 0.4, 1.8)])
@pytest.mark.parametrize("degrees", [2, 3, 4, 5])
def test_a_box_turned_a_little_is_recovered(size, degrees):
    assert turned_by_deg(size, degrees) == pytest.approx(degrees, abs=0.5)


@pytest.mark.parametrize("degrees", [3, 4, 5])
def test_a_cube_turned_a_little_is_recovered(degrees):
    assert turned_by_deg((0.2, 0.2, 0.2), degrees) == pytest.approx(degrees, abs=0.5)


@pytest.mark.parametrize("seed", range(3))
def test_noise_does_not_turn_a_box_that_stands_straight(seed):
    assert turned_by_deg((0.4, 0.2, 0.3), 0, sigma_m=0.003, seed=seed) == 0


def test_few_points_beyond_two_corners_do_not_turn_a_box():
    corner = np.random.default_rng(0).uniform((0.4, 0.05, 0), (0.45, 0.1, 0.1), (40, 3))  # 2 in a thousand, twice
    R = oriented_box(np.concatenate([faces((0.8, 0.1, 0.3), 0.001), corner, -corner]), "z").R_world_box
    assert np.array_equal(R, np.eye(3))
