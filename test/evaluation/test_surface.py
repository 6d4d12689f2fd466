# SPDX-License-Identifier: Apache-2.0
"""The truth: boxes of exact points, and scores against them."""

import numpy as np
import pytest

from scene_r1_ros.answer import OrientedBox
from scene_r1_ros.errors import BadInput
from scene_r1_ros.evaluation.metrics import box_iou_3d
from scene_r1_ros.evaluation.sensor_errors import motion
from scene_r1_ros.evaluation.surface import Score, TrueSurface, averaged, size_along, upright_box
from scene_r1_ros.rooms.primitives import box, cylinder, rotation_z, sample_surface


def surface(mesh, yaw: float = 0.0, at=(0, 0, 0)) -> np.ndarray:
    """Points on a body, its corners among them."""
    points = np.concatenate([mesh.corners.reshape(-1, 3), sample_surface(mesh, 5000, np.random.default_rng(0))])
    return points @ rotation_z(yaw).T + at


@pytest.mark.parametrize("yaw", [0.0, 0.3, 1.2, 2.5])
def test_the_true_box_of_a_turned_box_is_exact(yaw):
    found = TrueSurface(surface(box(0.5, 0.3, 0.2), yaw, (1, 2, 3))).box
    truth = OrientedBox(np.array([1, 2, 3.1]), np.array([0.5, 0.3, 0.2]), rotation_z(yaw))
    assert box_iou_3d(found, truth) == pytest.approx(1, abs=1e-6)


def test_a_box_that_encloses_all_is_not_trimmed():
    points = np.concatenate([surface(box(0.5, 0.3, 0.2)), [[0, 0, 1.0]]])
    assert TrueSurface(points).box.size_m[2] == pytest.approx(1.0)


def test_what_is_round_has_no_front():
    truth = TrueSurface(surface(cylinder(0.2, 0.3)))
    for yaw in np.linspace(0, np.pi / 2, 7):
        points = surface(cylinder(0.2, 0.3))
        assert truth.score(points, upright_box(points, yaw)).iou > 0.95


def test_what_is_long_has_one():
    points = surface(box(0.5, 0.1, 0.2))
    assert TrueSurface(points).score(points, upright_box(points, np.pi / 4)).iou < 0.5


def test_a_perfect_answer_scores_1_and_a_moved_one_says_by_how_much():
    points = surface(box(0.5, 0.3, 0.2))
    truth = TrueSurface(points)
    assert truth.score(points, truth.box) == Score(pytest.approx(1), 1.0, pytest.approx(0), pytest.approx(0))
    T = motion(np.array([0.1, 0, 0]), np.zeros(3))
    moved = points + T[:3, 3]
    score = truth.score(moved, upright_box(moved, 0))
    assert score.center_m == pytest.approx(0.1) and score.iou == pytest.approx(2 / 3)
    assert score.f_score < 0.9 and score.size_error == pytest.approx(0, abs=1e-9)


def test_the_error_of_the_size_is_a_share_of_each_edge():
    points = surface(box(0.5, 0.3, 0.2))
    larger = OrientedBox(np.array([0, 0, 0.1]), np.array([0.55, 0.3, 0.1]), np.eye(3))
    assert TrueSurface(points).score(points, larger).size_error == pytest.approx((0.1 + 0 + 0.5) / 3, abs=1e-3)


def test_edges_are_compared_along_the_same_axes():
    turned = OrientedBox(np.zeros(3), np.array([1.0, 2.0, 3.0]), rotation_z(np.pi / 2 + 0.1))
    np.testing.assert_allclose(size_along(turned, OrientedBox(np.zeros(3), np.ones(3), np.eye(3))), [2, 1, 3])


def test_density_buys_nothing():
    points = np.random.default_rng(0).uniform(0, 0.05, (1000, 3))
    assert len(averaged(points)) == len(averaged(np.concatenate([points, points[:500]]))) <= 6**3
    np.testing.assert_allclose(averaged(np.array([[0.001, 0, 0], [0.003, 0, 0]])), [[0.002, 0, 0]])


@pytest.mark.parametrize("points", [np.zeros((0, 3)), np.zeros((2, 3)), np.array([[0, 0, 0], [1, 0, 0], [2, 0, 5.0]])])
def test_a_truth_without_a_footprint_is_refused(points):
    with pytest.raises(BadInput, match=r"have no footprint.*take views that show more"):
        TrueSurface(points)
