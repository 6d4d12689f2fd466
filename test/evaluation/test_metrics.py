# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from scene_r1_ros.answer import OrientedBox
from scene_r1_ros.errors import BadInput
from scene_r1_ros.evaluation.metrics import box_iou_3d, f_score, temporal_iou
from scene_r1_ros.types import TimeWindow

coordinate = st.floats(-2, 2)
length = st.floats(0.01, 3)
rotations = st.tuples(*[st.floats(-np.pi, np.pi)] * 3).map(lambda e: Rotation.from_euler("zyx", e).as_matrix())


def box3(center, size, R=None) -> OrientedBox:
    return OrientedBox(np.array(center, float), np.array(size, float), np.eye(3) if R is None else R)


boxes_3d = st.builds(box3, st.tuples(*[coordinate] * 3), st.tuples(*[length] * 3), rotations)
windows = st.builds(lambda s, d: TimeWindow(s, s + d), st.floats(0, 5), st.floats(0, 5))


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ((1, 3), (1, 3), 1.0),
        ((0, 2), (1, 3), 1 / 3),
        ((0, 1), (1, 2), 0.0),  # touching
        ((0, 1), (4, 5), 0.0),
        ((2, 2), (2, 2), 1.0),  # one moment
        ((2, 2), (1, 3), 0.0),  # a moment is no share of a stretch
    ],
)
def test_temporal_iou_by_hand(a, b, expected):
    assert temporal_iou(TimeWindow(*a), TimeWindow(*b)) == pytest.approx(expected)


TURN_90 = Rotation.from_euler("z", 90, degrees=True).as_matrix()
TURN_45 = Rotation.from_euler("z", 45, degrees=True).as_matrix()
OCTAGON = 2 * np.sqrt(2) - 2  # area two unit squares share, one turned by 45 degrees


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (box3((0, 0, 0), (1, 1, 1)), box3((0.5, 0, 0), (1, 1, 1)), 1 / 3),
        (box3((0, 0, 0), (1, 1, 1)), box3((0.5, 0.5, 0.5), (1, 1, 1)), 1 / 15),
        (box3((0, 0, 0), (2, 2, 2)), box3((0, 0, 0), (1, 1, 1)), 1 / 8),  # one inside the other
        (box3((0, 0, 0), (1, 1, 1)), box3((0, 0, 0), (1, 1, 1), TURN_45), OCTAGON / (2 - OCTAGON)),
        (box3((0, 0, 0), (1, 2, 3)), box3((0, 0, 0), (2, 1, 3), TURN_90), 1.0),
        (box3((0, 0, 0), (1, 1, 1)), box3((1, 0, 0), (1, 1, 1)), 0.0),  # touching in a face
        (box3((0, 0, 0), (1, 1, 1)), box3((1, 1, 0), (1, 1, 1)), 0.0),  # ... in an edge
        (box3((0, 0, 0), (1, 1, 1)), box3((1, 1, 1), (1, 1, 1)), 0.0),  # ... in a corner
        (box3((0, 0, 0), (1, 1, 1)), box3((3, 0, 0), (1, 1, 1)), 0.0),
        (box3((0, 0, 0), (1, 1, 0)), box3((0, 0, 0), (1, 1, 0)), 0.0),  # no volume
        (box3((0, 0, 0), (4, 0.1, 0.1)), box3((0, 0, 0), (0.1, 4, 0.1)), 0.001 / (0.08 - 0.001)),  # a cross
    ],
)  # fmt: skip
def test_box_iou_3d_by_hand(a, b, expected):
    assert box_iou_3d(a, b) == pytest.approx(expected, abs=1e-7)


@given(windows, windows)
def test_temporal_iou_is_symmetric_and_bounded(a, b):
    assert 0 <= temporal_iou(a, b) <= 1
    assert temporal_iou(a, b) == temporal_iou(b, a)
    assert temporal_iou(a, a) == 1


@settings(deadline=None)
@given(boxes_3d, boxes_3d, rotations, st.tuples(*[coordinate] * 3))
def test_box_iou_3d_is_symmetric_bounded_and_rigid(a, b, R, t):
    iou = box_iou_3d(a, b)
    moved = [OrientedBox(R @ x.center_world + np.array(t), x.size_m, R @ x.R_world_box) for x in (a, b)]
    assert 0 <= iou <= 1
    assert box_iou_3d(b, a) == pytest.approx(iou, abs=1e-6)
    assert box_iou_3d(*moved) == pytest.approx(iou, abs=1e-6)
    assert box_iou_3d(a, a) == pytest.approx(1, abs=1e-6)


def test_box_iou_3d_agrees_with_counting_points():
    rng = np.random.default_rng(0)
    for _ in range(5):
        a, b = (box3(rng.uniform(-0.3, 0.3, 3), rng.uniform(0.5, 1.5, 3), Rotation.random(rng=rng).as_matrix())
                for _ in range(2))  # fmt: skip
        points = rng.uniform(-1.7, 1.7, (200_000, 3))
        in_a, in_b = ((np.abs((points - x.center_world) @ x.R_world_box) <= x.size_m / 2).all(axis=1) for x in (a, b))
        assert box_iou_3d(a, b) == pytest.approx((in_a & in_b).sum() / (in_a | in_b).sum(), abs=0.02)


@pytest.mark.parametrize("size", [(-1, 1, 1), (np.nan, 1, 1)])
def test_box_iou_3d_refuses_an_impossible_box(size):
    with pytest.raises(BadInput, match="sizes must be 0 or more"):
        box_iou_3d(box3((0, 0, 0), (1, 1, 1)), box3((0, 0, 0), size))


def test_f_score_by_hand():
    truth = np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0], [3, 0, 0]], float)
    assert f_score(truth, truth, 0.01) == 1
    assert f_score(truth[:2] + np.array([0.005, 0, 0]), truth, 0.01) == pytest.approx(2 * 1 * 0.5 / 1.5)
    assert f_score(truth + np.array([0, 5, 0]), truth, 0.01) == 0
    assert f_score(np.zeros((0, 3)), truth, 0.01) == 0
    assert f_score(truth, np.zeros((0, 3)), 0.01) == 0


@given(st.integers(0, 2**32 - 1), rotations)
@settings(deadline=None)
def test_f_score_is_symmetric_and_rigid(seed, R):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(20, 3)), rng.normal(size=(30, 3))
    score = f_score(a, b, 0.5)
    assert 0 <= score <= 1
    assert f_score(b, a, 0.5) == pytest.approx(score)
    assert f_score(a @ R.T + 1, b @ R.T + 1, 0.5) == pytest.approx(score, abs=0.05)  # a distance may lie on the edge


def test_f_score_refuses_a_threshold_of_nothing():
    with pytest.raises(BadInput, match="threshold_m = 0"):
        f_score(np.zeros((1, 3)), np.zeros((1, 3)), 0)
