# SPDX-License-Identifier: Apache-2.0
"""Which pixels of a silhouette show the wall behind the thing, told by its going on outside and by the gap between."""

import numpy as np
import pytest

from scene_r1_ros.geometry.camera import PinholeCamera
from scene_r1_ros.tracking.crop import Crop
from scene_r1_ros.tracking.geodesic import filled
from scene_r1_ros.tracking.silhouette import silhouette
from scene_r1_ros.tracking.surroundings import planes, seen_past
from scene_r1_ros.types import Box2D, Frame
from test.scenes import clip, tight_box

WALL_COLOR, WOOD_COLOR = (200, 200, 190), (120, 80, 50)
CAMERA = PinholeCamera(96, 72, 90.0, 90.0, 47.5, 35.5)
BOX = Box2D(24, 16, 72, 56)
GAP = np.s_[26:56, 30:66]  # between the legs of a table, whose top is above them


def table(wall_m: float, gap_color: tuple[int, ...] = WALL_COLOR) -> tuple[Frame, np.ndarray]:
    """A table 1.2 m away before a wall, seen from the front, and its exact mask."""
    is_table = np.zeros((72, 96), bool)
    is_table[16:56, 24:72] = True
    is_table[GAP] = False
    color = np.where(is_table[..., None], WOOD_COLOR, WALL_COLOR).astype(np.uint8)
    color[GAP] = gap_color
    depth_m = np.where(is_table, 1.2, wall_m).astype(np.float32)
    return Frame("000000", 1, color, depth_m, CAMERA, np.eye(4)), is_table


def past_of(made: Frame) -> np.ndarray:
    """What of the whole box is seen past the thing, on the pixels of the frame."""
    crop = Crop(made, BOX)
    inside = crop.inside(BOX)
    return crop.to_frame(seen_past(crop, filled(crop.depth_m), inside, ~inside))


@pytest.mark.parametrize("wall_m", [1.4, 2.0, 4.0])
def test_the_wall_between_legs_is_seen_past_the_table(wall_m):
    made, is_table = table(wall_m)
    past = past_of(made)
    assert past[GAP].mean() > 0.9 and not past[is_table].any()
    found = silhouette(made, BOX)
    assert np.count_nonzero(found & is_table) > 0.9 * np.count_nonzero(found | is_table)


def test_a_table_top_before_the_thing_is_seen_past_too():
    """The plane lies nearer than the thing behind it."""
    made, is_table = table(1.0)
    past = past_of(made)
    assert past[GAP].mean() > 0.9 and not past[is_table].any()


def test_what_lies_on_a_plane_without_a_gap_stays():
    """A poster frame on the wall and its middle: no jump of depth is anywhere."""
    made, _ = table(1.2)
    assert not past_of(made).any()


def test_what_has_another_colour_than_the_plane_stays():
    made, _ = table(2.0, gap_color=(40, 60, 200))
    assert not past_of(made).any()


def test_a_thing_that_stands_on_the_floor_keeps_its_foot():
    for truth in clip(3)[1]:
        crop = Crop(truth.frame, tight_box(truth))
        inside = crop.inside(tight_box(truth))
        past = crop.to_frame(seen_past(crop, filled(crop.depth_m), inside, ~inside))
        assert np.count_nonzero(past & truth.pixels) < 0.05 * np.count_nonzero(truth.pixels)


def test_the_planes_around_are_those_that_hold_much_of_it():
    made, _ = table(2.0)
    crop = Crop(made, BOX)
    (wall,) = planes(crop, ~crop.inside(BOX))
    assert np.array_equal(wall, crop.depth_m == 2)
    assert planes(crop, np.zeros_like(wall)) == []
    random = np.random.default_rng(0)
    cluttered = Frame("000001", 2, made.color, random.uniform(1, 4, (72, 96)).astype(np.float32), CAMERA, np.eye(4))
    crop = Crop(cluttered, BOX)
    assert planes(crop, ~crop.inside(BOX)) == []
