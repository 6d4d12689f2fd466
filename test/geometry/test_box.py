# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scene_r1_ros.geometry.box import oriented_box

UNIT = np.random.default_rng(0).uniform(-0.5, 0.5, (4000, 3))


def yaw(angle):
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


@given(st.floats(-np.pi, np.pi), st.tuples(*[st.floats(0.1, 2.0)] * 3))
def test_an_upright_box_is_recovered_at_any_yaw(angle, size):
    points = UNIT * size @ yaw(angle).T + (1, 2, 3)
    box = oriented_box(points, "z")
    assert np.allclose(box.center_world, (1, 2, 3), atol=0.05 * max(size))
    assert box.size_m[2] == pytest.approx(size[2], rel=0.05)
    assert sorted(box.size_m[:2]) == pytest.approx(sorted(size[:2]), rel=0.12)
    assert np.allclose(box.R_world_box[:, 2], (0, 0, 1))


@pytest.mark.parametrize("up", ["x", "y", "z", "none"])
def test_the_axes_are_a_rotation(up):
    R = oriented_box(UNIT * (1, 0.5, 0.2), up).R_world_box
    assert np.allclose(R @ R.T, np.eye(3), atol=1e-6) and np.linalg.det(R) == pytest.approx(1)


def test_the_corners_hold_the_points():
    box = oriented_box(UNIT, "z")
    corners = (box.corners_world() - box.center_world) @ box.R_world_box
    assert np.allclose(np.abs(corners), box.size_m / 2)


def test_one_point_is_a_small_box():
    box = oriented_box(np.array([[1.0, 2, 3]]), "z")
    assert np.allclose(box.center_world, (1, 2, 3)) and (box.size_m > 0).all()
