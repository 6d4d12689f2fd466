# SPDX-License-Identifier: Apache-2.0
"""The box around a cloud: upright, as large as the surface and not as its noise, and steady."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scene_r1_ros.errors import BadInput
from scene_r1_ros.geometry.box import oriented_box

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
