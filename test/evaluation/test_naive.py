# SPDX-License-Identifier: Apache-2.0
"""The naive routes do what their descriptions say, on a block whose surface is known."""

import cv2
import numpy as np
import pytest

from scene_r1_ros.errors import NoDepth
from scene_r1_ros.evaluation import naive
from scene_r1_ros.evaluation.routes import EVERY_PIXEL, ROUTES, VOXEL_FILTER
from scene_r1_ros.geometry.camera import PinholeCamera
from scene_r1_ros.types import Frame, Mask
from test.scenes import BLOCK, clip


def off_block(points) -> np.ndarray:
    """(N,) distance of points from the surface of the block, metres."""
    inside = np.abs(points - BLOCK.center_world) - BLOCK.size_m / 2
    return np.abs(inside.max(axis=1))


@pytest.mark.parametrize("route", [EVERY_PIXEL, VOXEL_FILTER])
def test_clean_masks_give_the_block(route):
    _, masks = clip(8)
    points, box = ROUTES[route](masks)
    assert np.quantile(off_block(points), 0.95) < 0.01
    np.testing.assert_allclose(np.sort(box.size_m), np.sort(BLOCK.size_m), atol=0.03)


def test_every_pixel_counts_the_eroded_pixels_of_colour():
    frames, masks = clip(1, depth_scale=2)
    side = 3  # 15 pixels of 1296 are 1.9 of 160, made odd
    pixels = naive.largest_parts(naive.eroded(masks[0].pixels))
    np.testing.assert_array_equal(pixels, cv2.erode(masks[0].pixels.astype(np.uint8), np.ones((side, side))) > 0)
    points = naive.pixels_to_world(frames[0], pixels)
    assert len(points) == pixels.sum()  # four points where depth measured one
    assert len(naive.every_pixel(masks)) < len(points)  # the filter takes some away


def test_the_erosion_is_15_pixels_of_a_wide_image():
    pixels = np.zeros((972, 1296), bool)
    pixels[100:200, 100:200] = True
    assert naive.eroded(pixels).sum() == (100 - 14) ** 2


def test_only_the_two_largest_parts_stay():
    pixels = np.zeros((20, 20), bool)
    pixels[0:5, 0:5], pixels[10:14, 0:4], pixels[10:12, 10:12] = True, True, True
    assert naive.largest_parts(pixels).sum() == 25 + 16


def test_the_voxel_route_takes_one_point_per_depth_pixel_and_thins_them():
    _, masks = clip(3, depth_scale=2)
    points = naive.depth_to_world(masks[0])
    assert len(points) == pytest.approx(masks[0].pixels.sum() / 4, rel=0.05)
    thin = naive.voxel_and_filter(masks)
    assert 20 < len(thin) < sum(len(naive.depth_to_world(mask)) for mask in masks)


def test_pixels_without_depth_give_no_points():
    camera = PinholeCamera(8, 6, 10.0, 10.0, 3.5, 2.5)
    frame = Frame("0", 1, np.zeros((6, 8, 3), np.uint8), np.zeros((6, 8), np.float32), camera, np.eye(4))
    blind = [Mask(frame, np.ones((6, 8), bool), 1.0)]
    for route in (ROUTES[EVERY_PIXEL], ROUTES[VOXEL_FILTER]):
        with pytest.raises(NoDepth, match="0 points are left of 1 masks"):
            route(blind)
