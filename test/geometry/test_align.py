# SPDX-License-Identifier: Apache-2.0
"""Poses corrected by what the views show, in a room corner whose walls are painted."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from scene_r1_ros.errors import Canceled
from scene_r1_ros.geometry.align import align, moved
from scene_r1_ros.geometry.camera import PinholeCamera
from scene_r1_ros.geometry.pose import inverse, transform
from scene_r1_ros.run import Run
from scene_r1_ros.types import Frame
from test.scenes import look_at

CAMERA = PinholeCamera(160, 120, 140.0, 140.0, 79.5, 59.5)
CENTER = np.array([1.0, 1.0, 0.3])
WALLS = ((1, 2, 0), (0, 2, 1), (0, 1, 2))  # the two axes of a wall, and the one it stands on


def painted(points: np.ndarray, wall: np.ndarray) -> np.ndarray:
    """Smooth patches of grey, different on each wall."""
    a, b = (np.choose(wall, [points[:, axes[k]] for axes in WALLS]) for k in (0, 1))
    return 120 + 50 * np.sin(9 * a + wall) * np.cos(7 * b) + 40 * np.sin(23 * a + 17 * b)


def shot(T: np.ndarray, index: int, walls=(0, 1, 2)) -> Frame:
    """A view of the inside of a corner: the planes x = 2, y = 2 and z = 0."""
    v, u = np.mgrid[0:120, 0:160]
    rays = CAMERA.unproject(np.stack([u.ravel(), v.ravel()], 1), np.ones(u.size)) @ T[:3, :3].T
    levels = np.array([2.0, 2.0, 0.0])
    with np.errstate(divide="ignore"):
        depth = (levels - T[:3, 3]) / rays
    depth[(depth <= 0) | ~np.isin([0, 1, 2], walls)] = np.inf
    wall = depth.argmin(axis=1)
    z = depth.min(axis=1)
    grey = painted(T[:3, 3] + np.where(np.isfinite(z), z, 0)[:, None] * rays, wall)
    color = np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[:, None], 3, axis=1).reshape(120, 160, 3)
    depth_m = np.where(np.isfinite(z), z, 0).astype(np.float32).reshape(120, 160)
    return Frame(f"{index:06d}", 10**9 + index, color, depth_m, CAMERA, T)


def corner(n: int, **options) -> list[Frame]:
    angles = np.linspace(-0.4, 0.4, n)
    eyes = [(1 - 1.3 * np.cos(0.8 + a), 1 - 1.3 * np.sin(0.8 + a), 1.0) for a in angles]
    return [shot(look_at(eye, (1.6, 1.6, 0.3)), i, **options) for i, eye in enumerate(eyes)]


def shaken(frames: list[Frame], sigma_m: float, sigma_deg: float, seed: int) -> list[Frame]:
    rng = np.random.default_rng(seed)
    made = []
    for frame in frames:
        noise = np.concatenate([rng.normal(0, sigma_m, 3), np.deg2rad(rng.normal(0, sigma_deg, 3))])
        made.append(replace(frame, T_world_camera=moved(frame.T_world_camera, noise, frame.T_world_camera[:3, 3])))
    return made


def errors_m(poses, frames) -> np.ndarray:
    """(n, 3) where each pose puts the centre, beside where it is."""
    return np.array(
        [
            transform(T, transform(inverse(f.T_world_camera), CENTER)) - CENTER
            for T, f in zip(poses, frames, strict=True)
        ]
    )


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_shaken_views_agree_again_and_their_mean_stays(seed):
    true = corner(8)
    noisy = shaken(true, 0.03, 1.0, seed)
    before, after = (errors_m(T, true) for T in ([f.T_world_camera for f in noisy], align(noisy, CENTER)))
    spread = [np.linalg.norm(e - e.mean(axis=0), axis=1) for e in (before, after)]
    assert spread[0].mean() > 0.03 and spread[1].max() < 0.006
    assert np.linalg.norm(after.mean(axis=0) - before.mean(axis=0)) < 0.01


def test_poses_that_agree_are_returned_as_they_are():
    frames = corner(6)
    assert all(T is f.T_world_camera for T, f in zip(align(frames, CENTER), frames, strict=True))


def off_by(frame: Frame, twist) -> Frame:
    return replace(frame, T_world_camera=moved(frame.T_world_camera, np.array(twist), CENTER))


def left_m(true: list[Frame], noisy: list[Frame]) -> np.ndarray:
    """(3,) metres that the first view is off the others once all are aligned: where they are together is not known."""
    errors = errors_m(align(noisy, CENTER), true)
    return errors[0] - errors[1:].mean(axis=0)


def test_paint_holds_what_a_flat_wall_does_not():
    frames = corner(3, walls=(2,))[:2]
    assert np.linalg.norm(left_m(frames, [off_by(frames[0], (0.03, -0.02, 0, 0, 0, 0)), frames[1]])) < 0.006


def test_a_flat_wall_without_paint_leaves_the_pose_in_its_plane_alone():
    frames = [replace(f, color=np.full_like(f.color, 128)) for f in corner(3, walls=(2,))[:2]]
    left = left_m(frames, [off_by(frames[0], (0.03, 0, 0.02, 0, 0, 0)), frames[1]])
    assert abs(left[2]) < 0.004  # the height over the floor is measured ...
    assert abs(left[0] - 0.03) < 0.01 and abs(left[1]) < 0.01  # ... the place on it is not


def test_one_view_is_brought_to_the_others():
    frames = corner(5)
    noisy = [off_by(frames[0], (0.04, 0.03, -0.03, 0.02, -0.01, 0.015)), *frames[1:]]
    assert np.linalg.norm(left_m(frames, noisy)) < 0.005


def test_views_that_have_nothing_in_common_keep_their_poses():
    frame = corner(1)[0]
    away = shot(look_at((1.5, -3, 1), (2, -3.1, 1)), 7, walls=(0,))
    empty = replace(frame, depth_m=np.zeros_like(frame.depth_m))
    for frames in ([frame, away], [frame, empty], [frame], []):
        assert all(T is f.T_world_camera for T, f in zip(align(frames, CENTER), frames, strict=True))


def test_a_correction_too_large_to_believe_is_not_made():
    frames = corner(6)
    noisy = [off_by(frames[0], (0.5, 0.5, 0, 0, 0, 0)), *frames[1:]]
    aligned = align(noisy, CENTER)
    assert np.linalg.norm(aligned[0][:3, 3] - noisy[0].T_world_camera[:3, 3]) < 0.3


def test_other_exposure_does_not_move_a_pose():
    frames = corner(4)
    frames[2] = replace(frames[2], color=cv2.add(frames[2].color, np.full_like(frames[2].color, 25)))
    assert np.linalg.norm(errors_m(align(frames, CENTER), frames), axis=1).max() < 0.005


def test_cancel_is_heard_while_poses_settle():
    run = Run()
    run.cancel()
    with pytest.raises(Canceled):
        align(shaken(corner(4), 0.03, 1.0, 0), CENTER, run)
