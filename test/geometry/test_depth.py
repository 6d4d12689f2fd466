# SPDX-License-Identifier: Apache-2.0
"""Which depth is trusted, and where a frame shows a point."""

from dataclasses import replace

import numpy as np

from scene_r1_ros.config import LiftConfig
from scene_r1_ros.geometry.depth import depth_sigma_m, lift_mask, on_depth_grid, seen_at
from test.scenes import BLOCK, clip, frame, look_at

CONFIG = LiftConfig()


def test_flying_pixels_at_depth_edges_are_dropped():
    _, masks = clip(1)
    made = masks[0].frame
    everything = lift_mask(made, np.ones_like(masks[0].pixels), CONFIG).points_world
    q = np.abs(everything - BLOCK.center_world) - BLOCK.size_m / 2
    on_block = np.abs(q.max(axis=1)) < 0.01
    assert (on_block | (np.abs(everything[:, 2]) < 0.01)).all()


def test_a_point_on_the_surface_is_seen_and_one_behind_or_in_front_is_not():
    made, _ = frame(look_at((0, -1.5, 0.15), BLOCK.center_world))
    on_face = np.array([0.0, -0.1, 0.15])
    _, _, seen = seen_at(on_face + np.array([[0, 0, 0], [0, 0.2, 0], [0, -0.2, 0], [0, 50.0, 0], [0, -5.0, 0]]), made)
    assert seen.tolist() == [True, False, False, False, False]


def test_a_mask_of_larger_colour_keeps_depth_pixels_that_it_covers():
    made, mask = frame(look_at((0, -1.5, 0.15), BLOCK.center_world), depth_scale=2)
    small = on_depth_grid(mask.pixels, made)
    assert small.shape == made.depth_m.shape
    assert abs(4 * small.sum() / mask.pixels.sum() - 1) < 0.1
    whole = replace(made, depth_m=np.repeat(np.repeat(made.depth_m, 2, 0), 2, 1))
    assert on_depth_grid(mask.pixels, whole) is mask.pixels


def test_noise_grows_with_the_square_of_the_distance():
    assert np.allclose(depth_sigma_m(np.array([0.4, 1.4, 2.4])), [0.0012, 0.0031, 0.0088])
