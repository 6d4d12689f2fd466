# SPDX-License-Identifier: Apache-2.0
"""Which way is up: z where cameras are held upright against it, else what planes and cameras say."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scene_r1_ros.geometry.gravity import Z_UP, level_axes, up_world
from scene_r1_ros.types import Frame
from test.scenes import around, clip, frame, look_at

FRAMES, _ = clip(8)


def turned(frames: list[Frame], R: np.ndarray) -> list[Frame]:
    """The same clip in a world turned by ``R``."""
    T = np.eye(4)
    T[:3, :3] = R
    return [replace(f, T_world_camera=T @ f.T_world_camera) for f in frames]


def rolled(frames: list[Frame], angle: float) -> list[Frame]:
    """The same way, with the camera turned about its axis (pixels are left as they are: only poses matter here)."""
    R = np.eye(4)
    R[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return [replace(f, T_world_camera=f.T_world_camera @ R) for f in frames]


def angle_deg(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.rad2deg(np.arccos(np.clip(a @ b, -1, 1))))


def rotation(axis: tuple, angle: float) -> np.ndarray:
    x, y, z = np.array(axis) / np.linalg.norm(axis)
    K = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * K + (1 - np.cos(angle)) * K @ K


@pytest.mark.parametrize(("name", "up"), [("x", (1, 0, 0)), ("-y", (0, -1, 0)), ("z", (0, 0, 1))])
def test_a_named_axis_is_believed(name, up):
    assert np.array_equal(up_world(FRAMES, name), up)


def test_without_gravity_there_is_no_up():
    assert up_world(FRAMES, "none") is None


@pytest.mark.parametrize("height_m", [0.2, 0.8, 2.0, 4.0])  # 2 to 72 degrees down
@pytest.mark.parametrize("roll_deg", [-25, 0, 25])
def test_a_robot_in_a_z_up_world_gets_exactly_z(height_m, roll_deg):
    frames = [frame(T, i)[0] for i, T in enumerate(around(5, height_m=height_m))]
    assert np.array_equal(up_world(rolled(frames, np.deg2rad(roll_deg)), "auto"), Z_UP)


@pytest.mark.parametrize("roll_deg", [90, 180, 270])
def test_a_camera_mounted_on_its_side_gets_z_when_its_base_turns(roll_deg):
    assert np.array_equal(up_world(rolled(FRAMES, np.deg2rad(roll_deg)), "auto"), Z_UP)


@settings(max_examples=25, deadline=None)
@given(st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda a: np.linalg.norm(a) > 0.1), st.floats(1.7, np.pi))
def test_in_any_other_world_the_floor_tells(axis, angle):
    R = rotation(axis, angle)
    truth = R @ Z_UP
    found = up_world(turned(FRAMES, R), "auto")
    contradicted = 100 < angle_deg(truth, Z_UP) < 170  # beyond, the camera may hang on its head: the box is the same
    assert not contradicted or angle_deg(found, truth) < 1.5


@pytest.mark.parametrize("up", [(0, -1, 0), (0, 1, 0), (1, 0, 0), (0, -0.9, -0.44)])
def test_worlds_of_recordings(up):
    z = np.array(up) / np.linalg.norm(up)
    R = level_axes(z)
    assert angle_deg(up_world(turned(FRAMES, R), "auto"), z) < 1.5


def test_with_a_single_frame():
    y_down = np.array([0, -1.0, 0])
    assert angle_deg(up_world(turned(FRAMES[:1], level_axes(y_down)), "auto"), y_down) < 1.5


def test_a_camera_that_looks_straight_down_is_believed_where_the_floor_agrees():
    frames = [frame(look_at((0.1, 0.02 * i, 1.2), (0, 0, 0.2)), i)[0] for i in range(4)]
    assert np.array_equal(up_world(frames, "auto"), Z_UP)


def test_without_any_depth_the_cameras_choose_an_axis():
    blind = [replace(f, depth_m=np.zeros_like(f.depth_m)) for f in FRAMES]
    assert np.array_equal(up_world(turned(blind, level_axes(np.array([0, -1.0, 0]))), "auto"), (0, -1, 0))


@given(st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda a: np.linalg.norm(a) > 1e-3))
def test_level_axes_are_a_rotation_with_up_as_z(up):
    z = np.array(up) / np.linalg.norm(up)
    R = level_axes(z)
    assert np.allclose(R @ R.T, np.eye(3)) and np.linalg.det(R) == pytest.approx(1) and np.allclose(R[:, 2], z)


@pytest.mark.parametrize("name", ["redkitchen", "livingroom1", "pickbox"])
def test_recordings_with_y_down(data, name):
    """In each the floor or table says the same in the first and the second half, and y is down within 35 degrees."""
    from scene_r1_ros.sequences import open_sequence

    sequence = open_sequence(data / name)
    frames = [sequence.frame(entry.frame_id) for entry in sequence.entries[::4]]
    halves = [up_world(part, "auto") for part in (frames, frames[: len(frames) // 2], frames[len(frames) // 2 :])]
    assert all(angle_deg(up, np.array([0, -1, 0])) < 35 and angle_deg(up, halves[0]) < 5 for up in halves)
