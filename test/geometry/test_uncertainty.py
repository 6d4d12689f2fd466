# SPDX-License-Identifier: Apache-2.0
"""The covariance of a centre: a covariance at all, smaller with more views, and true to simulated noise."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scene_r1_ros.config import LiftConfig
from scene_r1_ros.geometry.box import oriented_box
from scene_r1_ros.geometry.depth import depth_sigma_m, lift_mask
from scene_r1_ros.geometry.uncertainty import blindness, center_covariance_m2
from scene_r1_ros.types import Mask
from test.scenes import BLOCK, around, clip, frame, look_at

_, TRUTHS = clip(8)
CHI2_95 = 7.81  # of three degrees of freedom


def lifted(masks):
    return np.concatenate([lift_mask(m.frame, m.pixels, LiftConfig()).points_world for m in masks])


POINTS = lifted(TRUTHS)


@settings(max_examples=30, deadline=None)
@given(st.sets(st.integers(0, 7), min_size=1), st.floats(0, 2 * np.pi))
def test_it_is_symmetric_and_positive(views, angle):
    box = replace(
        BLOCK, R_world_box=np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    )
    C = center_covariance_m2(POINTS, box, [TRUTHS[i] for i in views])
    assert np.allclose(C, C.T) and np.linalg.eigvalsh(C).min() > 0


def test_more_views_from_more_sides_make_it_smaller():
    one, all_of_them = (center_covariance_m2(POINTS, BLOCK, masks) for masks in (TRUTHS[:1], TRUTHS))
    assert np.linalg.eigvalsh(one - all_of_them).min() > 0


def test_farther_is_less_sure():
    def seen_from(radius_m):
        mask = frame(around(1, radius_m=radius_m)[0])[1]
        return np.trace(center_covariance_m2(lifted([mask]), BLOCK, [mask]))

    assert seen_from(1.0) < seen_from(2.0) < seen_from(4.0)


def test_what_faces_no_camera_is_unsure():
    mask = frame(look_at((0.0, 2.0, 0.15), (0.001, 0, 0.15)))[1]
    blind = blindness(BLOCK, [mask])
    assert blind[1] == pytest.approx((1.0, 0.0), abs=0.01) and (blind[0] == 1).all() and (blind[2] == 1).all()


def test_poses_that_disagree_make_it_larger():
    def moved(mask, by_m):
        T = mask.frame.T_world_camera.copy()
        T[:3, 3] += by_m * T[:3, 2]
        return Mask(replace(mask.frame, T_world_camera=T), mask.pixels, 1.0)

    shaken = [moved(m, 0.03 * (-1) ** i) for i, m in enumerate(TRUTHS)]
    assert np.trace(center_covariance_m2(POINTS, BLOCK, shaken)) > 1.1 * np.trace(
        center_covariance_m2(POINTS, BLOCK, TRUTHS)
    )


def test_simulated_noise_stays_within_it():
    """Noise of every pixel, a bias and a pose error of every view: nearly all centres lie within 95 %'s ellipsoid."""
    inside = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        masks = [noisy(mask, rng) for mask in TRUTHS]
        points = lifted(masks)
        box = oriented_box(points, "z")
        off = box.center_world - BLOCK.center_world
        inside.append(off @ np.linalg.solve(center_covariance_m2(points, box, masks), off) < CHI2_95)
    assert np.mean(inside) >= 0.85


def noisy(mask, rng):
    seen = mask.frame
    sigma = depth_sigma_m(seen.depth_m)
    depth_m = seen.depth_m + sigma * (rng.standard_normal(seen.depth_m.shape) + rng.standard_normal()) * (
        seen.depth_m > 0
    )
    T = seen.T_world_camera.copy()
    T[:3, 3] += rng.normal(0, 0.005, 3)
    return Mask(replace(seen, depth_m=depth_m.astype(np.float32), T_world_camera=T), mask.pixels, 1.0)
