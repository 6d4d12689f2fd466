# SPDX-License-Identifier: Apache-2.0
"""A crop is a small picture of a box and its surroundings, and finds its way back to the frame."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scene_r1_ros.geometry.camera import PinholeCamera
from scene_r1_ros.tracking.crop import MAX_SIDE, MIN_RING_PX, RING, Crop
from scene_r1_ros.types import Box2D, Frame
from test.scenes import clip


def picture(width: int = 96, height: int = 72, depth_shrink: int = 1) -> Frame:
    """Every pixel tells its place: red its column, green its row; depth grows by a millimetre a depth pixel."""
    rows, columns = np.mgrid[0:height, 0:width]
    color = np.stack([columns % 256, rows % 256, 0 * rows], axis=2).astype(np.uint8)
    h, w = height // depth_shrink, width // depth_shrink
    depth_m = (1 + 0.001 * np.arange(h * w).reshape(h, w) / w).astype(np.float32)
    camera = PinholeCamera(width, height, 90.0, 95.0, width / 2 - 2, height / 2 + 3)
    return Frame("000000", 1, color, depth_m, camera, np.eye(4))


FRAME = picture()


@st.composite
def boxes(draw, width: float = 96.0, height: float = 72.0) -> Box2D:
    """Of any size, down to far less than a pixel, inside an image."""
    x1, y1 = draw(st.floats(0, width - 1)), draw(st.floats(0, height - 1))
    return Box2D(x1, y1, draw(st.floats(x1 + 0.01, width)), draw(st.floats(y1 + 0.01, height)))


def test_a_band_is_left_around_the_box():
    small, large = Crop(FRAME, Box2D(40, 30, 50, 38)), Crop(FRAME, Box2D(30, 30, 70, 40))
    ring = int(MIN_RING_PX)
    assert (small.x1, small.y1, small.x2, small.y2) == (40 - ring, 30 - ring, 50 + ring, 38 + ring)
    ring = int(RING * 40)
    assert (large.x1, large.y1, large.x2, large.y2) == (30 - ring, 30 - ring, 70 + ring, 40 + ring)


@settings(max_examples=60, deadline=None)
@given(boxes())
def test_all_maps_have_one_size_within_the_image(box):
    crop = Crop(FRAME, box)
    shape = crop.size_wh[::-1]
    assert 0 <= crop.x1 < crop.x2 <= 96 and 0 <= crop.y1 < crop.y2 <= 72
    assert crop.color.shape == (*shape, 3) and crop.depth_m.shape == crop.inside(box).shape == shape
    assert crop.points_camera().shape == (*shape, 3)
    assert np.isfinite(crop.points_camera()).all()


@settings(max_examples=60, deadline=None)
@given(boxes(95, 71))
def test_a_box_of_whole_pixels_comes_back_exactly(box):
    whole = Box2D(int(box.x1), int(box.y1), int(box.x2) + 1, int(box.y2) + 1)
    back = Crop(FRAME, whole).to_frame(Crop(FRAME, whole).inside(whole))
    expected = np.zeros((72, 96), bool)
    expected[int(whole.y1) : int(whole.y2), int(whole.x1) : int(whole.x2)] = True
    assert (back == expected).all()


def test_without_shrinking_the_pixels_are_those_of_the_frame():
    crop = Crop(FRAME, Box2D(20, 10, 60, 50))
    assert crop.shrink == 1
    assert (crop.color == FRAME.color[crop.y1 : crop.y2, crop.x1 : crop.x2]).all()
    assert (crop.depth_m == FRAME.depth_m[crop.y1 : crop.y2, crop.x1 : crop.x2]).all()


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (1296, 968)])
def test_large_crops_shrink_and_come_back_in_place(size):
    frame = picture(*size)
    box = Box2D(0.1 * size[0], 0.2 * size[1], 0.8 * size[0], 0.9 * size[1])
    crop = Crop(frame, box)
    assert max(crop.size_wh) == MAX_SIDE and crop.shrink > 1
    assert crop.color.shape[:2] == crop.size_wh[::-1]
    back = crop.to_frame(crop.inside(box))
    ys, xs = np.nonzero(back)
    extent = (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)
    assert np.abs(np.subtract(extent, box.xyxy)).max() <= crop.shrink
    assert np.count_nonzero(back) == pytest.approx(box.area, rel=0.01)


def test_a_whole_image_is_its_own_crop():
    crop = Crop(FRAME, Box2D(0, 0, 96, 72))
    assert crop.size_wh == (96, 72) and crop.inside(Box2D(0, 0, 96, 72)).all()
    assert crop.to_frame(np.ones((72, 96), bool)).all()


@pytest.mark.parametrize("depth_shrink", [1, 2, 4])
def test_points_are_those_of_the_depth_camera(depth_shrink):
    """A colour pixel borrows the depth of the depth pixel it lies in, along its own ray."""
    frame = picture(depth_shrink=depth_shrink)
    crop = Crop(frame, Box2D(8, 4, 80, 60))
    points = crop.points_camera().reshape(-1, 3)
    uv, valid = frame.camera.project(points)
    assert valid.all()
    rows, columns = np.mgrid[crop.y1 : crop.y2, crop.x1 : crop.x2]
    assert np.allclose(uv, np.stack([columns.ravel(), rows.ravel()], axis=1), atol=1e-4)
    expected_m = frame.depth_m[rows // depth_shrink, columns // depth_shrink].ravel()
    assert np.array_equal(points[:, 2].astype(np.float32), expected_m)


def test_no_depth_is_no_point():
    frames, _ = clip(1)
    depth_m = frames[0].depth_m.copy()
    depth_m[50:60, 70:80] = 0
    holed = Frame("000000", 1, frames[0].color, depth_m, frames[0].camera, frames[0].T_world_camera)
    crop = Crop(holed, Box2D(60, 40, 90, 80))
    assert (crop.depth_m == 0).sum() == 100
    assert not crop.points_camera()[crop.depth_m == 0].any()
