# SPDX-License-Identifier: Apache-2.0
"""Frames with boxes and masks drawn in: everything lies where it is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scene_r1_ros.report.overlay import BOX_COLOR, MASK_COLOR
from scene_r1_ros.report.views import CROSS_COLOR, Views, mask_view, source_view, surroundings
from scene_r1_ros.tracking.views import spread
from scene_r1_ros.types import Mask
from test.scenes import CAMERA, clip, tight_box

FRAMES, TRUTHS = clip(8)
SIZE_WH = (300, 200)
VIEWS = Views(FRAMES[2], tight_box(TRUTHS[2]), tuple(TRUTHS[:-1]), (TRUTHS[-1],), FRAMES[0].stamp_ns)


def where(image: np.ndarray, color: tuple[int, int, int]) -> np.ndarray:
    """(N, 2) pixels x, y of a colour."""
    return np.argwhere((image == color).all(axis=2))[:, ::-1]


def test_the_prompts_box_is_drawn_where_it_was_given():
    image = source_view(VIEWS)
    scale = image.shape[1] / CAMERA.width
    pixels = where(image[40:], BOX_COLOR) + np.array([0, 40])  # below the label
    assert np.allclose([*pixels.min(axis=0), *pixels.max(axis=0)], np.array(tight_box(TRUTHS[2]).xyxy) * scale, atol=3)


def test_a_mask_that_was_cut_off_is_crossed_out():
    assert len(where(VIEWS.row(), CROSS_COLOR)) > 200
    crossed = mask_view(TRUTHS[-1], SIZE_WH, "frame", is_cut=True)
    assert tuple(crossed[SIZE_WH[1] // 2, SIZE_WH[0] // 2]) == CROSS_COLOR
    assert len(where(mask_view(TRUTHS[-1], SIZE_WH, "frame", is_cut=False), CROSS_COLOR)) == 0


def test_a_place_without_a_mask_shows_its_box():
    row = Views(FRAMES[2], tight_box(TRUTHS[2]), (), (), FRAMES[0].stamp_ns).row()
    assert len(where(row, BOX_COLOR)) > 200 and len(where(row, MASK_COLOR)) == 0


def test_the_views_shown_are_spread_over_the_way():
    source = FRAMES[2]
    order = [mask.frame.frame_id for mask in spread(TRUTHS, source, 3)]
    assert order[:2] == [FRAMES[7].frame_id, FRAMES[0].frame_id] and order[2] in {f.frame_id for f in FRAMES[4:6]}
    assert len(spread(TRUTHS, source, 20)) == len(TRUTHS) - 1
    assert spread(TRUTHS[2:3], source, 6) == [] and spread((), source, 6) == []


@given(
    x=st.integers(0, 150), y=st.integers(0, 110), w=st.integers(1, 160), h=st.integers(1, 120),
    aspect=st.sampled_from([0.5, 4 / 3, 3.0]),
)  # fmt: skip
def test_a_view_lies_in_its_image_and_around_its_mask(x, y, w, h, aspect):
    pixels = np.zeros((CAMERA.height, CAMERA.width), bool)
    pixels[y : y + h, x : x + w] = True
    mask = Mask(FRAMES[0], pixels, 1.0)
    x1, y1, x2, y2 = surroundings(mask, aspect)
    assert 0 <= x1 < x2 <= CAMERA.width and 0 <= y1 < y2 <= CAMERA.height
    assert (x2 - x1) / (y2 - y1) == pytest.approx(aspect, rel=0.1)
    box = tight_box(mask)
    if box.x2 - box.x1 < 0.9 * (x2 - x1) and box.y2 - box.y1 < 0.9 * (y2 - y1):
        assert x1 <= box.x1 and y1 <= box.y1 and box.x2 <= x2 + 1 and box.y2 <= y2 + 1


def test_an_outline_runs_around_its_mask():
    image = mask_view(TRUTHS[2], SIZE_WH, "frame", is_cut=False)
    outline = where(image, MASK_COLOR)
    x1, y1, x2, y2 = surroundings(TRUTHS[2], SIZE_WH[0] / SIZE_WH[1])
    scale = np.array(SIZE_WH) / (x2 - x1, y2 - y1)
    corners = np.reshape(tight_box(TRUTHS[2]).xyxy, (2, 2)) * scale - np.array([x1, y1]) * scale
    assert np.allclose([outline.min(axis=0), outline.max(axis=0)], corners, atol=4)
