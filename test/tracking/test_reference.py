# SPDX-License-Identifier: Apache-2.0
"""What one view tells the pixels of another, against a block and a floor whose visibility is known."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from scene_r1_ros.geometry.pose import inverse, transform
from scene_r1_ros.tracking.crop import Crop
from scene_r1_ros.tracking.reference import GREY, Reference, shown_at
from scene_r1_ros.types import Box2D, Frame, Mask
from test.scenes import CAMERA, clip

FRAMES, TRUTHS = clip(9)
HERE = np.zeros(3)
MIDDLE = Box2D(40, 20, 120, 100)  # its crop is 120x120 pixels as they are


def points_of(frame: Frame) -> np.ndarray:
    """(N, 3) world points of all pixels of a frame, row by row."""
    v, u = np.mgrid[0 : CAMERA.height, 0 : CAMERA.width]
    points_camera = CAMERA.unproject(np.stack([u.ravel(), v.ravel()], axis=1), frame.depth_m.ravel())
    return transform(frame.T_world_camera, points_camera)


def near_an_edge(mask: np.ndarray, reach_px: int = 2) -> np.ndarray:
    """Where so many pixels more or less decide between object and background."""
    kernel = np.ones((2 * reach_px + 1, 2 * reach_px + 1), np.uint8)
    return cv2.dilate(mask.astype(np.uint8), kernel) != cv2.erode(mask.astype(np.uint8), kernel)


def behind_m(points_world: np.ndarray, frame: Frame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How far points lie behind the surface a frame shows, whether they are in its image, and near its block's edge."""
    points_camera = transform(inverse(frame.T_world_camera), points_world)
    uv, inside = frame.camera.project(points_camera)
    u, v = np.where(inside[:, None], np.rint(uv), 0).astype(int).T
    truth = TRUTHS[int(frame.frame_id)]
    return points_camera[:, 2] - frame.depth_m[v, u], inside, near_an_edge(truth.pixels)[v, u]


@pytest.mark.parametrize(("of", "asked"), [(0, 1), (1, 0), (2, 4), (4, 2), (3, 6), (0, 8)])
def test_object_other_and_unknown_are_as_in_the_scene(of, asked):
    points_world = points_of(FRAMES[asked])
    shown, _ = Reference(TRUTHS[of], HERE).look_up(points_world)
    behind, inside, unsure = behind_m(points_world, FRAMES[of])
    is_near = np.abs(points_world).max(axis=1) < 2  # far away the floor is seen so flat that pixels are decimetres
    clear = ~unsure & ~near_an_edge(TRUTHS[asked].pixels).ravel() & is_near & (FRAMES[asked].depth_m.ravel() > 0)
    on_block = TRUTHS[asked].pixels.ravel()
    seen, hidden = inside & (np.abs(behind) < 0.01), inside & (behind > 0.1)
    assert (shown[clear & on_block & seen] == 1).all()
    assert (shown[clear & ~on_block & seen] == -1).all()
    assert (shown[clear & hidden] == 0).all() and (shown[~inside] == 0).all()
    assert np.count_nonzero(clear & ~on_block & seen) > 1000 and np.count_nonzero(clear & hidden) > 100


def test_a_view_knows_all_of_itself():
    shown, grey = Reference(TRUTHS[2], HERE).look_up(points_of(FRAMES[2]))
    assert np.array_equal(shown.reshape(120, 160), np.where(TRUTHS[2].pixels, 1, -1))
    assert np.allclose(grey.reshape(120, 160), FRAMES[2].color @ GREY)


def test_grey_of_white_is_white():
    assert np.full(3, 255, np.float32) @ GREY == pytest.approx(255)


def test_an_offset_moves_what_a_view_measures():
    """A view whose pose is off by the offset shows what it would show with the right pose."""
    offset_world = np.array([0.05, -0.03, 0.04])
    T_off = FRAMES[2].T_world_camera.copy()
    T_off[:3, 3] -= offset_world
    moved = Mask(replace(FRAMES[2], T_world_camera=T_off), TRUTHS[2].pixels, 1.0)
    points = points_of(FRAMES[3])
    right, _ = Reference(TRUTHS[2], HERE).look_up(points)
    mended, _ = Reference(moved, offset_world).look_up(points)
    assert np.mean(right == mended) > 0.999
    assert np.mean(right == Reference(moved, HERE).look_up(points)[0]) < 0.9


def test_points_behind_the_camera_and_in_free_space_are_unknown():
    T = FRAMES[0].T_world_camera
    points = T[:3, 3] + np.array([[-0.5], [0.3]]) * T[:3, 2]
    assert Reference(TRUTHS[0], HERE).look_up(points)[0].tolist() == [0, 0]
    assert Reference(TRUTHS[0], HERE).look_up(np.zeros((0, 3)))[0].shape == (0,)


def test_a_view_without_depth_knows_nothing():
    blind = Mask(replace(FRAMES[2], depth_m=np.zeros_like(FRAMES[2].depth_m)), TRUTHS[2].pixels, 1.0)
    assert not Reference(blind, HERE).look_up(points_of(FRAMES[2]))[0].any()


@pytest.mark.parametrize("depth_scale", [2, 4])
def test_depth_of_another_size_than_the_colour(depth_scale):
    """Masks and grey are of the colour image, whatever the size of the depth."""
    _, truths = clip(9, depth_scale=depth_scale)
    crop = Crop(FRAMES[3], MIDDLE)
    shown, _ = shown_at(crop, [Reference(truths[2], HERE)], HERE)
    on_block = TRUTHS[3].pixels[crop.y1 : crop.y2, crop.x1 : crop.x2]
    clear = ~near_an_edge(on_block, 2 * depth_scale)
    known = clear & (shown != 0)
    assert np.mean((shown == 1)[known] == on_block[known]) > 0.995
    assert np.count_nonzero(known & on_block) > 0.5 * np.count_nonzero(clear & on_block)


def test_the_first_view_that_sees_a_pixel_counts():
    nothing = Mask(FRAMES[3], np.zeros_like(TRUTHS[3].pixels), 1.0)
    crop = Crop(FRAMES[4], MIDDLE)
    right, denied = Reference(TRUTHS[3], HERE), Reference(nothing, HERE)
    first_right, _ = shown_at(crop, [right, denied], HERE)
    first_denied, _ = shown_at(crop, [denied, right], HERE)
    assert np.array_equal(first_right, shown_at(crop, [right], HERE)[0])
    assert (first_right == 1).any() and not (first_denied == 1).any()


def test_a_second_view_fills_in_what_the_first_does_not_see():
    crop = Crop(FRAMES[4], MIDDLE)
    one, _ = shown_at(crop, [Reference(TRUTHS[0], HERE)], HERE)
    two, _ = shown_at(crop, [Reference(TRUTHS[0], HERE), Reference(TRUTHS[5], HERE)], HERE)
    assert np.array_equal(two[one != 0], one[one != 0])
    assert np.count_nonzero(two) > np.count_nonzero(one)


def test_pixels_without_depth_and_no_views_are_unknown():
    depth_m = FRAMES[2].depth_m.copy()
    depth_m[::4] = depth_m[:, ::4] = 0
    crop = Crop(replace(FRAMES[2], depth_m=depth_m), MIDDLE)
    shown, grey = shown_at(crop, [Reference(TRUTHS[1], HERE)], HERE)
    assert not shown[crop.depth_m == 0].any() and not grey[crop.depth_m == 0].any() and shown.any()
    assert not shown_at(crop, [], HERE)[0].any()
