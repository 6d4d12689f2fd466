# SPDX-License-Identifier: Apache-2.0
"""From a box to a silhouette, on a block whose silhouette is known."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scene_r1_ros.tracking.crop import Crop
from scene_r1_ros.tracking.silhouette import main_part, silhouette, tightness
from scene_r1_ros.types import Box2D, Frame, Mask
from test.scenes import BLOCK, BLOCK_COLOR, CAMERA, FLOOR_COLOR, clip, frame, look_at, tight_box

FRAMES, TRUTHS = clip(5)


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return np.count_nonzero(a & b) / np.count_nonzero(a | b)


def of_its_box(frame: Frame, truth: Mask, pad_px: float = 0) -> float:
    """IoU of the silhouette from the true box, widened on each side, with the true mask."""
    x1, y1, x2, y2 = tight_box(truth).xyxy
    found = silhouette(frame, Box2D(x1 - pad_px, y1 - pad_px, x2 + pad_px, y2 + pad_px))
    return iou(found, truth.pixels)


@pytest.mark.parametrize("pad_px", [0, 2, 5])
def test_a_box_becomes_a_silhouette_also_where_it_is_loose(pad_px):
    """In pictures without noise; five pixels on each side nearly double the box of a block of 26 to 40 pixels."""
    for truth in TRUTHS:
        color = np.where(truth.pixels[..., None], BLOCK_COLOR, FLOOR_COLOR).astype(np.uint8)
        assert of_its_box(replace(truth.frame, color=color), truth, pad_px) > 0.85


@pytest.mark.parametrize(("pad_px", "at_least"), [(0, 0.84), (2, 0.78), (5, 0.58), (-2, 0.78)])
def test_noise_of_five_percent_leaves_most_of_it(pad_px, at_least):
    """Noise is edges everywhere: the more of it lies between the box and the block, the more of it is kept."""
    assert np.mean([of_its_box(t.frame, t, pad_px) for t in TRUTHS]) > at_least


def test_colours_without_depth_suffice():
    for truth in TRUTHS:
        blind = replace(truth.frame, depth_m=np.zeros_like(truth.frame.depth_m))
        assert of_its_box(blind, truth) > 0.9


def disc(wall_m: float, holes: bool = False) -> tuple[Frame, Mask]:
    """A disc 1.2 m away before a wall, all of one colour."""
    v, u = np.mgrid[0:120, 0:160]
    inside = (u - 80) ** 2 + (v - 60) ** 2 < 25**2
    depth_m = np.where(inside, 1.2, wall_m).astype(np.float32)
    if holes:
        depth_m[::4] = depth_m[:, ::4] = 0
    made = Frame("000000", 1, np.full((120, 160, 3), 128, np.uint8), depth_m, CAMERA, np.eye(4))
    return made, Mask(made, inside, 1.0)


@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize("wall_m", [1.3, 2.0, 5.0])
def test_depth_without_colours_suffices_where_it_jumps(wall_m, holes):
    made, truth = disc(wall_m, holes)
    for pad_px in (0, 4):
        assert of_its_box(made, truth, pad_px) > 0.85


@pytest.mark.parametrize("depth_scale", [2, 4])
def test_depth_of_another_size_than_the_colour(depth_scale):
    _, truths = clip(3, depth_scale=depth_scale)
    assert np.mean([of_its_box(t.frame, t) for t in truths]) > 0.84


def test_an_object_cut_by_the_border():
    at = np.add(BLOCK.center_world, (0, 0.75, 0))
    cut_frame, truth = frame(look_at((1.2, 0, 0.8), at), 3)
    assert truth.pixels[:, 0].any() or truth.pixels[:, -1].any()
    assert of_its_box(cut_frame, truth) > 0.75


def test_two_runs_give_the_same():
    box = tight_box(TRUTHS[1])
    assert np.array_equal(silhouette(FRAMES[1], box), silhouette(FRAMES[1], box))


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 159), st.floats(0, 119), st.floats(0.01, 160), st.floats(0.01, 120))
def test_nothing_sticks_out_of_the_box_by_more_than_a_pixel(x1, y1, width, height):
    box = Box2D(x1, y1, min(x1 + width, 160), min(y1 + height, 120))
    found = silhouette(FRAMES[2], box)
    assert found.shape == (120, 160) and found.dtype == np.bool_
    ys, xs = np.nonzero(found)
    if len(ys):
        assert xs.min() >= round(box.x1 - 1) and xs.max() < max(round(box.x2 + 1), box.x1 + 1)
        assert ys.min() >= round(box.y1 - 1) and ys.max() < max(round(box.y2 + 1), box.y1 + 1)


def test_the_whole_image_is_all_of_it():
    assert silhouette(FRAMES[0], Box2D(0, 0, 160, 120)).all()


def test_a_box_between_pixel_centres_shows_nothing():
    assert not silhouette(FRAMES[0], Box2D(79.6, 59.1, 79.9, 59.8)).any()


def test_a_box_of_one_pixel_is_that_pixel_and_its_neighbours_at_most():
    found = silhouette(FRAMES[0], Box2D(79, 59, 80, 60))
    assert found[59, 79] and found.sum() == found[58:61, 78:81].sum()


def test_tightness_is_the_overlap_of_extents():
    box = Box2D(60, 40, 100, 80)
    crop = Crop(FRAMES[0], box)
    assert tightness(crop.inside(box), crop, box) == pytest.approx(1, abs=0.05)
    assert tightness(crop.inside(Box2D(60, 40, 80, 80)), crop, box) == pytest.approx(0.5, abs=0.05)
    assert tightness(np.zeros_like(crop.inside(box)), crop, box) == 0


def test_small_parts_go_and_gaps_of_a_pixel_close():
    parts = np.zeros((40, 40), bool)
    parts[5:15, 5:15] = parts[5:15, 20:26] = parts[30:33, 30:33] = True
    parts[10, 9] = False
    kept = main_part(parts)
    assert kept[5:15, 5:15].all() and kept[5:15, 20:26].all() and not kept[28:].any()


def test_of_nothing_nothing_is_the_main_part():
    assert not main_part(np.zeros((9, 9), bool)).any()
