# SPDX-License-Identifier: Apache-2.0
"""A part of a frame, enlarged: what it shows, and where boxes in it lie in the original."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scene_r1_ros.reasoning.boxes import to_original
from scene_r1_ros.reasoning.crop import CONTEXT, MAX_SCALE, MIN_SIDE_PX, enlarged
from scene_r1_ros.types import Box2D
from test.reasoning.scripted import make_frame
from test.reasoning.test_box_conventions import ODD_SIZES, as_the_model_sees, box_of

BUDGET = 401_408


def drawn(wh, box, depth_wh=None):
    """A white box on black, 2 m away on 3 m; depth may have another size."""
    x1, y1, x2, y2 = box
    color = np.zeros((wh[1], wh[0], 3), np.uint8)
    color[y1:y2, x1:x2] = 255
    w, h = depth_wh or wh
    depth_m = np.full((h, w), 3.0, np.float32)
    depth_m[y1 * h // wh[1] : y2 * h // wh[1], x1 * w // wh[0] : x2 * w // wh[0]] = 2.0
    return replace(make_frame(color=color), depth_m=depth_m)


@pytest.mark.parametrize("wh", ODD_SIZES)
@pytest.mark.parametrize("max_pixels", [BUDGET, 28 * 28 * 40])
def test_a_box_comes_back_through_crop_and_resizing(wh, max_pixels):
    box = (wh[0] // 2, wh[1] // 3, wh[0] // 2 + 23, wh[1] // 3 + 17)
    crop = enlarged(drawn(wh, box), Box2D(*(v + 2 for v in box)), max_pixels)
    seen = as_the_model_sees(crop.frame.color, max_pixels)
    seen_wh, crop_wh = seen.shape[::-1], (crop.frame.camera.width, crop.frame.camera.height)
    found = box_of(seen)
    said = {
        "resized_pixel": found,
        "norm_1000": [v / size * 1000 for v, size in zip(found, seen_wh * 2, strict=True)],
        "pixel": [v / size * c for v, size, c in zip(found, seen_wh * 2, crop_wh * 2, strict=True)],
    }
    # What is found is whole pixels of the seen image, and interpolation moves an edge by less than an original one.
    tolerance = np.tile(np.divide(crop_wh, np.multiply(seen_wh, crop.scale_xy)), 2) + 0.5
    for convention, xyxy in said.items():
        back = crop.to_original(to_original(xyxy, convention, seen_wh, crop_wh))
        assert (np.abs(np.subtract(back.xyxy, box)) <= tolerance).all(), (convention, back, box)


def test_by_hand():
    frame = make_frame(wh=(640, 480))
    crop = enlarged(frame, Box2D(300, 200, 340, 250), BUDGET)
    assert (crop.corner_xy, crop.scale_xy) == ((260, 150), (4, 4))
    assert (crop.frame.camera.width, crop.frame.camera.height) == (480, 600)
    assert crop.to_original(Box2D(160, 200, 320, 400)).xyxy == (300, 200, 340, 250)
    assert (crop.frame.frame_id, crop.frame.stamp_ns) == (frame.frame_id, frame.stamp_ns)


@settings(max_examples=60, deadline=None)
@given(
    wh=st.tuples(st.integers(4, 700), st.integers(4, 500)),
    corner=st.tuples(st.floats(0, 0.95), st.floats(0, 0.95)),
    size=st.tuples(st.floats(0.01, 1), st.floats(0.01, 1)),
    max_pixels=st.integers(1, BUDGET),
    half=st.booleans(),
)
def test_any_box_gives_a_valid_frame_that_holds_it(wh, corner, size, max_pixels, half):
    (w, h), (x, y) = wh, (corner[0] * wh[0], corner[1] * wh[1])
    box = Box2D(x, y, x + max(size[0] * (w - x), 0.01), y + max(size[1] * (h - y), 0.01))
    depth_m = np.ones((h // 2, w // 2) if half and w % 2 == h % 2 == 0 else (h, w), np.float32)
    crop = enlarged(replace(make_frame(wh=wh), depth_m=depth_m), box, max_pixels)
    width, height = crop.frame.camera.width, crop.frame.camera.height
    part = crop.to_original(Box2D(0, 0, width, height))
    assert np.allclose(part.clipped(w, h).xyxy, part.xyxy)
    assert box.clipped(w, h).iou(box) == 1 and (np.subtract(part.xyxy, box.xyxy) * (1, 1, -1, -1) <= 0.51).all()
    assert part.x2 - part.x1 >= min(w, CONTEXT * (box.x2 - box.x1), MIN_SIDE_PX) - 1e-6
    assert all(1 <= scale <= MAX_SCALE + 1 for scale in crop.scale_xy)
    assert crop.frame.depth_m.shape == (height, width)


@pytest.mark.parametrize("depth_wh", [(640, 480), (320, 240), (160, 120)])
def test_a_point_stays_where_it_is_in_the_world(depth_wh):
    """Centre of the box through the camera and depth of the crop, and through those of the original."""
    box = (400, 120, 440, 160)
    frame = drawn((640, 480), box, depth_wh)
    crop = enlarged(frame, Box2D(*box), BUDGET)
    inside = np.argwhere(crop.frame.depth_m == 2.0)
    (v1, u1), (v2, u2) = inside.min(axis=0), inside.max(axis=0) + 1
    back = crop.to_original(Box2D(u1, v1, u2, v2))
    assert back.xyxy == pytest.approx(box, abs=0.3)
    for camera, xyxy in ((frame.camera, back.xyxy), (crop.frame.camera, (u1, v1, u2, v2))):
        center = np.array([[(xyxy[0] + xyxy[2]) / 2 - 0.5, (xyxy[1] + xyxy[3]) / 2 - 0.5]])
        ray = camera.unproject(center, np.array([2.0]))
        expected = frame.camera.unproject(np.array([[419.5, 139.5]]), np.array([2.0]))
        assert ray == pytest.approx(expected, abs=0.02)


def test_a_large_part_is_not_enlarged_nor_shrunk():
    crop = enlarged(make_frame(wh=(640, 480)), Box2D(10, 10, 600, 470), 1000)
    assert (crop.corner_xy, crop.scale_xy) == ((0, 0), (1, 1)) and crop.frame.color.shape == (480, 640, 3)
