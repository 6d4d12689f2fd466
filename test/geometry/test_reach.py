# SPDX-License-Identifier: Apache-2.0
"""The first point of an object that a robot can touch from where its camera was last."""

from dataclasses import replace

import numpy as np
import pytest

from scene_r1_ros.config import LiftConfig
from scene_r1_ros.geometry.depth import lift_mask
from scene_r1_ros.geometry.pose import inverse, transform
from scene_r1_ros.geometry.reach import nearest_point
from test.scenes import BLOCK, around, clip, frame, look_at

FRAMES, TRUTHS = clip(8)
POINTS = np.concatenate([lift_mask(m.frame, m.pixels, LiftConfig()).points_world for m in TRUTHS])


@pytest.mark.parametrize("index", range(8))
def test_it_is_on_the_block_and_faces_the_camera(index):
    eye = FRAMES[index].T_world_camera[:3, 3]
    found = nearest_point(POINTS, TRUTHS, FRAMES[: index + 1])
    away_m = np.linalg.norm(POINTS - eye, axis=1)
    assert np.linalg.norm(found.point_world - eye) < away_m.min() + 0.05
    assert np.abs(found.point_world - BLOCK.center_world).max() < BLOCK.size_m.max() / 2 + 0.01
    assert np.linalg.norm(found.normal_world) == pytest.approx(1)
    assert (eye - found.point_world) @ found.normal_world > 0


def test_on_a_face_the_normal_is_that_of_the_face():
    front = POINTS[np.abs(POINTS[:, 1] - 0.1) < 0.005]  # the face towards +y alone
    facing = frame(look_at((0.0, 1.0, 0.15), (0.001, 0, 0.15)))[0]
    found = nearest_point(front, TRUTHS, [facing])
    assert found.normal_world == pytest.approx((0, 1, 0), abs=0.02)
    assert found.point_world == pytest.approx((0, 0.1, 0.15), abs=0.03)


def test_what_stands_before_the_object_is_gone_around():
    seen = FRAMES[0]
    free = nearest_point(POINTS, TRUTHS, [seen]).point_world
    uv, _ = seen.camera.project(transform(inverse(seen.T_world_camera), free[None]))
    u, v = np.rint(uv[0]).astype(int)
    depth_m = seen.depth_m.copy()
    depth_m[v - 6 : v + 7, u - 6 : u + 7] = 0.3
    other = nearest_point(POINTS, TRUTHS, [replace(seen, depth_m=depth_m)]).point_world
    assert np.linalg.norm(other - free) > 0.02


def test_where_all_is_blocked_the_newest_mask_tells():
    wall = replace(FRAMES[0], depth_m=np.full_like(FRAMES[0].depth_m, 0.2))
    found = nearest_point(POINTS, TRUTHS, [wall])
    eye = TRUTHS[-1].frame.T_world_camera[:3, 3]
    assert (eye - found.point_world) @ found.normal_world >= 0


@pytest.mark.parametrize("n", [1, 2, 30])
def test_few_points_have_a_nearest_one_too(n):
    found = nearest_point(POINTS[:n], TRUTHS, FRAMES)
    assert np.isfinite(found.point_world).all() and np.linalg.norm(found.normal_world) == pytest.approx(1)


def test_the_camera_need_not_look_at_it():
    away = frame(look_at(around(1)[0][:3, 3], (5, 0.1, 0.5)))[0]
    found = nearest_point(POINTS, TRUTHS, [away])
    assert np.linalg.norm(found.point_world - nearest_point(POINTS, TRUTHS, FRAMES[:1]).point_world) < 0.05
