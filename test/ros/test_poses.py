# SPDX-License-Identifier: Apache-2.0
"""The history of poses: exact where a pose is, between where two are, nothing beyond; and tf, with a FAKE tf2."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scene_r1_ros.errors import BadInput
from scene_r1_ros.geometry.pose import from_quaternion
from scene_r1_ros.ros.poses import HISTORY, PoseHistory, TfPoses

MS = 1_000_000


def at_x(x_m):
    return from_quaternion((x_m, 0, 0), (0, 0, 0, 1))


def history(*poses, max_gap_s=0.2):
    """A history of (milliseconds, x in metres or None)."""
    made = PoseHistory(max_gap_s, np.eye(4))
    for ms, x_m in poses:
        made.add(ms * MS, None if x_m is None else at_x(x_m))
    return made


@given(st.lists(st.integers(1, 1000), min_size=2, unique=True).map(sorted), st.data())
def test_between_two_poses_it_is_linear_in_time(stamps_ms, data):
    ms = data.draw(st.integers(stamps_ms[0], stamps_ms[-1]))
    poses = history(*((t, t * 0.5) for t in stamps_ms), max_gap_s=10.0)
    np.testing.assert_allclose(poses.at(ms * MS)[:3, 3], [ms * 0.5, 0, 0], atol=1e-9)


def test_nothing_is_known_before_the_first_pose_or_after_the_last():
    poses = history()
    assert poses.at(100 * MS) is None
    assert "no valid pose has come" in poses.explain(100 * MS)
    poses.add(100 * MS, at_x(1.0))
    assert poses.at(101 * MS) is None
    assert "the newest pose is 0.001 s older" in poses.explain(101 * MS)
    np.testing.assert_array_equal(poses.at(100 * MS), at_x(1.0))
    with pytest.raises(BadInput, match=r"the image is 0.001 s older than the oldest pose"):
        poses.at(99 * MS)


def test_a_gap_is_bridged_up_to_its_limit_inclusive():
    assert history((100, 0.0), (300, 2.0)).at(200 * MS)[0, 3] == pytest.approx(1.0)
    with pytest.raises(BadInput, match=r"0.201 s apart; at most 0.200 s are bridged \(pose_max_gap_s\)"):
        history((100, 0.0), (301, 2.0)).at(200 * MS)


def test_an_invalid_pose_is_not_bridged_over():
    poses = history((100, 0.0), (150, None), (200, 1.0))
    for ms in (120, 150, 180):
        with pytest.raises(BadInput, match="invalid pose at this time"):
            poses.at(ms * MS)
    np.testing.assert_array_equal(poses.at(100 * MS), at_x(0.0))
    np.testing.assert_array_equal(poses.at(200 * MS), at_x(1.0))


def test_the_camera_is_carried_by_the_base():
    T_base_camera = from_quaternion((0.1, 0, 0.5), (-0.5, 0.5, -0.5, 0.5))
    poses = PoseHistory(0.2, T_base_camera)
    T_world_base = from_quaternion((1, 2, 0), (0, 0, np.sqrt(0.5), np.sqrt(0.5)))
    poses.add(100 * MS, T_world_base)
    np.testing.assert_allclose(poses.at(100 * MS), T_world_base @ T_base_camera)


def test_poses_that_come_twice_or_late_are_dropped_and_a_bag_loop_starts_anew():
    poses = history((1000, 1.0), (1100, 2.0))
    assert not poses.add(1100 * MS, at_x(9.0))
    assert not poses.add(1050 * MS, at_x(9.0))
    assert poses.at(1050 * MS)[0, 3] == pytest.approx(1.5)
    assert poses.add(500 * MS, at_x(5.0))
    assert poses.at(1050 * MS) is None  # the poses of the last round are forgotten


def test_images_that_start_again_make_it_forget_the_round_before_only():
    poses = history((1000, 1.0))
    poses.time_went_back(9900 * MS, 900 * MS)  # the poses are in the new round already
    assert poses.at(1000 * MS) is not None
    poses.time_went_back(1000 * MS, 100 * MS)
    assert poses.at(100 * MS) is None


def test_poses_of_the_new_round_are_kept_however_far_they_run_ahead():
    poses = history((9900, 9.9), *((ms, ms * 1e-3) for ms in range(0, 1000, 100)))
    poses.time_went_back(9900 * MS, 50 * MS)
    for ms in range(100, 900, 50):
        assert poses.at(ms * MS)[0, 3] == pytest.approx(ms * 1e-3)


def test_of_the_round_before_only_what_lies_in_the_future_is_forgotten():
    poses = history(*((ms, ms * 1e-3) for ms in range(1000, 2000, 100)))
    poses.time_went_back(1900 * MS, 1450 * MS)
    assert poses.at(1350 * MS)[0, 3] == pytest.approx(1.35)
    assert poses.at(1450 * MS) is None
    assert poses.add(1500 * MS, at_x(1.5))
    assert poses.at(1450 * MS)[0, 3] == pytest.approx(1.45)


def test_the_history_is_bounded():
    poses = history(*((k + 1, 0.0) for k in range(HISTORY + 100)))
    with pytest.raises(BadInput, match="older than the oldest"):
        poses.at(100 * MS)


# tf ------------------------------------------------------------------------------------------------------------------


class FakeTransformError(Exception):
    pass


class FakeExtrapolationError(FakeTransformError):
    pass


class FakeBuffer:
    """Knows the camera from 1 s to 2 s, at x = seconds."""

    def __init__(self):
        self.frames = {"map", "camera"}

    def lookup_transform(self, target, source, time):
        if {target, source} - self.frames:
            raise FakeTransformError(f'"{source}" passed to lookupTransform does not exist')
        seconds = time.nanoseconds * 1e-9
        if not 1 <= seconds <= 2:
            raise FakeExtrapolationError(f"extrapolation into the {'past' if seconds < 1 else 'future'}")
        zero, one = SimpleNamespace(x=seconds, y=0.0, z=0.0), SimpleNamespace(x=0.0, y=0.0, z=0.0, w=1.0)
        return SimpleNamespace(transform=SimpleNamespace(translation=zero, rotation=one))

    def get_latest_common_time(self, target, source):
        return SimpleNamespace(nanoseconds=2 * 10**9)

    def clear(self):
        self.frames = set()


@pytest.fixture
def tf_poses(monkeypatch):
    """Poses from a FAKE tf2_ros: it proves what is done with tf2's answers, not tf2."""
    fake = ModuleType("tf2_ros")
    fake.Buffer, fake.TransformListener = FakeBuffer, lambda buffer, node: None
    fake.TransformException, fake.ExtrapolationException = FakeTransformError, FakeExtrapolationError
    monkeypatch.setitem(sys.modules, "tf2_ros", fake)
    return TfPoses(None, "map")


def test_tf_gives_the_pose_at_the_stamp_or_waits_for_it(tf_poses):
    assert tf_poses.at(1_500_000_000, "camera")[0, 3] == 1.5
    assert tf_poses.at(2_500_000_000, "camera") is None
    assert "into the future" in tf_poses.explain(2_500_000_000)


def test_tf_that_has_forgotten_is_a_refusal(tf_poses):
    with pytest.raises(BadInput, match=r"tf has forgotten this time.*into the past"):
        tf_poses.at(500_000_000, "camera")


def test_tf_whose_frames_part_while_it_is_asked_waits(tf_poses, monkeypatch):
    def parted(*_):
        raise FakeTransformError("not in the same tree")

    monkeypatch.setattr(FakeBuffer, "get_latest_common_time", parted)
    assert tf_poses.at(2_500_000_000, "camera") is None
    assert "into the future" in tf_poses.explain(2_500_000_000)


def test_tf_without_the_frame_waits_and_says_what_is_missing(tf_poses):
    assert tf_poses.at(1_500_000_000, "lidar") is None
    assert '"lidar" passed to lookupTransform does not exist' in tf_poses.explain(1_500_000_000)
    tf_poses.time_went_back(10**9, 0)
    assert tf_poses.at(1_500_000_000, "camera") is None
