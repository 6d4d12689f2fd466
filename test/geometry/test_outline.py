# SPDX-License-Identifier: Apache-2.0
"""How much of masks' outlines lies at edges: all of a thing that stands free, none of a piece of wall."""

from dataclasses import replace

import numpy as np
import pytest

from scene_r1_ros.geometry.camera import PinholeCamera
from scene_r1_ros.geometry.depth import depth_sigma_m
from scene_r1_ros.geometry.outline import edge_share, outline
from scene_r1_ros.types import Frame, Mask

CAMERA = PinholeCamera(640, 480, 525.0, 525.0, 319.5, 239.5)
THING = np.s_[160:320, 200:400]


def mask(depth_m, at=THING, camera=CAMERA, red=np.s_[0:0, 0:0]):
    color = np.full((camera.height, camera.width, 3), 90, np.uint8)
    color[red] = (200, 20, 20)
    pixels = np.zeros(color.shape[:2], bool)
    pixels[at] = True
    return Mask(Frame("0", 1, color, depth_m.astype(np.float32), camera, np.eye(4)), pixels, 1.0)


def wall(near=(), wall_m=2.0, near_m=1.5):
    """A wall with things before it."""
    depth_m = np.full((480, 640), wall_m)
    for at in near:
        depth_m[at] = near_m
    return depth_m


def test_a_thing_that_stands_free_has_edges_all_around():
    assert edge_share([mask(wall([THING]))]) == 1


def test_a_piece_of_wall_has_none():
    assert edge_share([mask(wall())]) == 0 and outline(mask(wall()))[1] == 2 * (160 + 200)


def test_a_part_of_a_thing_has_edges_where_the_thing_ends():
    upper = np.s_[160:240, 200:400]  # one of its two long sides, and both short ones
    assert edge_share([mask(wall([THING]), upper)]) == pytest.approx((200 + 80 + 80) / (2 * (200 + 80)))


@pytest.mark.parametrize("noise", [0, 1])
@pytest.mark.parametrize("row", [330, 370, 460])  # 8, 5.6 and 3.3 m away
def test_a_piece_of_floor_has_no_edges(row, noise):
    """A camera 1.4 m above the floor that looks straight ahead."""
    v = np.arange(480.0)[:, None] - CAMERA.cy
    depth_m = np.repeat(np.where(v > 1, 1.4 * CAMERA.fy / np.maximum(v, 1), 0), 640, axis=1)
    depth_m += noise * depth_sigma_m(depth_m) * np.random.default_rng(0).standard_normal(depth_m.shape)
    assert edge_share([mask(depth_m, np.s_[row - 20 : row + 10, 200:400])]) < 0.02


def test_a_thing_on_a_floor_far_away_has_edges():
    v = np.arange(480.0)[:, None] - CAMERA.cy
    depth_m = np.repeat(np.where(v > 1, 1.4 * CAMERA.fy / np.maximum(v, 1), 0), 640, axis=1)
    box = np.s_[340:380, 300:340]  # its foot 5.2 m away
    depth_m[box] = depth_m[380, 0]
    edges, length = outline(mask(depth_m, box))
    assert edges / length == pytest.approx(0.75, abs=0.15)  # all but where it touches the floor


def test_a_scrap_counts_for_little():
    scrap = mask(wall(), np.s_[5:8, 5:8])
    assert edge_share([scrap, mask(wall([THING]))]) > 0.95


def test_where_depth_is_missing_colour_tells():
    holes = wall([THING])
    holes[:160] = 0
    assert outline(mask(holes)) == (200 + 160 + 160, 2 * (200 + 160))
    assert outline(mask(holes, red=THING)) == (2 * (200 + 160), 2 * (200 + 160))


def test_a_flat_thing_ends_where_its_colour_does():
    assert edge_share([mask(wall(), red=THING)]) == 1
    left = np.s_[160:320, 200:300]
    assert edge_share([mask(wall(), left, red=THING)]) == pytest.approx((100 + 100 + 160) / (2 * (100 + 160)))


def test_noise_of_the_colour_is_no_edge():
    clean = mask(wall())
    noise = np.random.default_rng(0).integers(0, 10, clean.frame.color.shape, np.uint8)
    assert edge_share([replace(clean, frame=replace(clean.frame, color=clean.frame.color + noise))]) < 0.01


def test_the_border_of_the_image_is_no_outline():
    left = np.s_[160:320, 0:200]
    assert outline(mask(wall([left]), left)) == (160 + 2 * 200, 160 + 2 * 200)
    everything = np.s_[:, :]
    assert outline(mask(wall(), everything)) == (0, 0)


def test_depth_may_be_smaller_than_colour():
    small = wall([THING])[::2, ::2]
    edges, measured = outline(mask(small))
    assert edges == measured == 80 + 80 + 100 + 100


def test_an_empty_mask_has_no_outline():
    assert outline(mask(wall(), np.s_[0:0, 0:0])) == (0, 0) and edge_share([]) == 0
