# SPDX-License-Identifier: Apache-2.0
"""One mask on the depth grid, its border held against the edges in depth."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from scene_r1_ros.config import LiftConfig
from scene_r1_ros.geometry.mask_view import MaskCrop, common_offset
from test.scenes import clip

CONFIG = LiftConfig()


def grown(mask, by_px):
    kernel = np.ones((2 * abs(by_px) + 1,) * 2, np.uint8)
    change = cv2.dilate if by_px > 0 else cv2.erode
    return replace(mask, pixels=change(mask.pixels.astype(np.uint8), kernel).astype(bool))


@pytest.mark.parametrize("by_px", [-3, 0, 4])
def test_the_common_offset_is_what_the_masks_are_off(by_px):
    _, masks = clip(6)
    crops = [MaskCrop.of(grown(mask, by_px) if by_px else mask, CONFIG) for mask in masks]
    assert common_offset(crops) == by_px


def test_an_empty_mask_has_no_crop():
    _, (mask,) = clip(1)
    assert MaskCrop.of(replace(mask, pixels=np.zeros_like(mask.pixels)), CONFIG) is None


def test_a_view_has_the_masks_pixels_where_they_are_in_the_image():
    _, (mask,) = clip(1)
    view = MaskCrop.of(mask, CONFIG).view(mask.frame.T_world_camera, 0)
    height, width = view.inside.shape
    assert np.array_equal(view.inside, mask.pixels[view.v0 : view.v0 + height, view.u0 : view.u0 + width])
    assert not (view.unsure & view.inside).any()
    assert abs(view.center_camera[2] - np.median(mask.frame.depth_m[mask.pixels])) < 0.02


def test_holes_in_the_surface_are_completed_and_told_apart_from_measurements():
    _, (mask,) = clip(1)
    depth_m = mask.frame.depth_m.copy()
    depth_m[::4] = 0
    holed = replace(mask, frame=replace(mask.frame, depth_m=depth_m))
    view = MaskCrop.of(holed, CONFIG).view(mask.frame.T_world_camera, 0)
    filled = view.filled_m > 0
    assert filled.any() and not (filled & view.solid).any()
    v, u = np.nonzero(filled)
    off_m = np.abs(view.filled_m[v, u] - mask.frame.depth_m[v + view.v0, u + view.u0])
    assert np.percentile(off_m, 95) < 0.02
