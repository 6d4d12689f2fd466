# SPDX-License-Identifier: Apache-2.0
"""Lifting against a block whose every surface is known."""

from dataclasses import replace

import numpy as np
import pytest

from scene_r1_ros.config import LiftConfig
from scene_r1_ros.errors import BadInput, Canceled, NoDepth, NotThere
from scene_r1_ros.evaluation.metrics import box_iou_3d
from scene_r1_ros.geometry import lift as lifting
from scene_r1_ros.geometry.box import oriented_box
from scene_r1_ros.geometry.lift import fuse, large_parts, lift, lift_mask, vote
from scene_r1_ros.run import Run
from scene_r1_ros.types import Frame, Mask
from test.scenes import BLOCK, clip

CONFIG = LiftConfig()


def to_surface_m(points):
    """Distance of points to the surface of the block, seen from outside or inside."""
    q = np.abs(points - BLOCK.center_world) - BLOCK.size_m / 2
    outside = np.linalg.norm(np.maximum(q, 0), axis=1)
    return np.abs(outside + np.minimum(q.max(axis=1), 0))


# At half the depth resolution a pixel covers 1.8 cm of a block 20 cm wide: one pixel less on each side is 0.8.
@pytest.mark.parametrize(("depth_scale", "least_iou"), [(1, 0.9), (2, 0.8)])
def test_exact_masks_give_the_block(depth_scale, least_iou):
    _, masks = clip(depth_scale=depth_scale)
    cloud = lift(masks, CONFIG)
    assert to_surface_m(cloud.points_world).max() < 0.01
    assert box_iou_3d(oriented_box(cloud.points_world, "z"), BLOCK) > least_iou
    assert (cloud.colors[:, 0] > 150).mean() > 0.95  # the block is red


def test_one_wrong_mask_is_outvoted():
    _, masks = clip(6)
    floor = ~masks[2].pixels & (masks[2].frame.depth_m > 0)
    masks[2] = replace(masks[2], pixels=floor)
    cloud = lift(masks, CONFIG)
    assert (to_surface_m(cloud.points_world) < 0.02).mean() > 0.95


def test_the_order_of_the_views_does_not_matter():
    _, masks = clip(5)
    forward, backward = lift(masks, CONFIG).points_world, lift(masks[::-1], CONFIG).points_world
    assert np.allclose(np.sort(forward, axis=0), np.sort(backward, axis=0), atol=1e-5)


def test_points_in_free_space_get_no_votes():
    _, masks = clip(6)
    floating = BLOCK.center_world + np.array([[0, 0, 0.5]])
    on_top = BLOCK.center_world + np.array([[0, 0, 0.15]])
    assert vote(np.concatenate([on_top, floating]), masks, Run()).tolist()[0]


def test_fusing_keeps_the_mean_of_a_voxel():
    points = np.array([[0.001, 0.001, 0.001], [0.003, 0.003, 0.003], [1.0, 1.0, 1.0]])
    cloud = fuse(points, np.array([[0, 0, 0], [100, 100, 100], [7, 8, 9]]), 0.01)
    assert np.allclose(cloud.points_world, [[0.002] * 3, [1.0] * 3])
    assert cloud.colors.tolist() == [[50, 50, 50], [7, 8, 9]]


def test_fusing_in_batches_changes_nothing(monkeypatch):
    _, masks = clip(6)
    whole = lift(masks, CONFIG)
    monkeypatch.setattr(lifting, "BATCH", 1000)
    in_batches = lift(masks, CONFIG)
    assert np.allclose(whole.points_world, in_batches.points_world, atol=1e-6)
    assert np.abs(whole.colors.astype(int) - in_batches.colors).max() <= 1  # rounded more than once


def test_more_than_an_object_is_refused(monkeypatch):
    _, masks = clip(4)
    monkeypatch.setattr(lifting, "MAX_VOXELS", 1000)
    with pytest.raises(
        NotThere, match=r"more than 1000 voxels of 0\.005 m, too much for one object; use a tighter box"
    ):
        lift(masks, CONFIG)


def test_points_too_far_apart_to_number_are_refused():
    with pytest.raises(
        BadInput, match=r"span 20000 x 20000 x 20000 m, too far for cells of 0\.001 m; do the poses jump"
    ):
        fuse(np.array([[-1e4] * 3, [1e4] * 3]), np.zeros((2, 3)), 0.001)


def test_far_points_of_other_voxels_stay_apart():
    far = np.array([[-1e4, -1e4, 0], [1e4, 1e4, 0], [1e4, 1e4, 0.006]])
    assert len(fuse(far, np.zeros((3, 3)), 0.005).points_world) == 3


class CancelsAtCheck(Run):
    """Canceled from another thread just before the given check."""

    def __init__(self, number: int):
        super().__init__()
        self.left = number

    def check(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.cancel()
        super().check()


@pytest.mark.parametrize("number", [1, 3, 5, 7])  # before the views are lifted, between them, and between the votes
def test_cancel_is_heard_between_the_views(number):
    _, masks = clip(3)
    with pytest.raises(Canceled):
        lift(masks, CONFIG, CancelsAtCheck(number))


def moved(frame: Frame, by_m) -> Frame:
    T = frame.T_world_camera.copy()
    T[:3, 3] += by_m
    return replace(frame, T_world_camera=T)


@pytest.mark.parametrize("up_axis", ["z", "none"])
def test_ten_kilometres_from_the_origin_a_millimetre_is_lost_at_most(up_axis):
    _, masks = clip(6)
    offset = np.array([9990.0, -9990.0, 9990.0])
    here, there = (
        lift(m, CONFIG).points_world for m in (masks, [replace(m, frame=moved(m.frame, offset)) for m in masks])
    )
    assert np.abs(there - offset - np.clip(there - offset, here.min(axis=0) - 2e-3, here.max(axis=0) + 2e-3)).max() == 0
    assert all(len(np.unique(there[:, k])) > 100 for k in range(3))
    boxes = [oriented_box(points, up_axis) for points in (here, there)]
    assert np.allclose(boxes[1].center_world - offset, boxes[0].center_world, atol=5e-3)
    assert np.allclose(boxes[1].size_m, boxes[0].size_m, atol=1e-2)


def test_a_large_cloud_is_one_part_in_bounded_memory():
    """Every point has hundreds of neighbours within reach: a list of the pairs would take gigabytes."""
    points = np.random.default_rng(0).uniform(0, 1, (300_000, 3))
    assert large_parts(points, 0.1).all()


def test_parts_hang_together_across_cells_and_gaps_part_them():
    line = np.stack([np.arange(100) * 0.01, np.zeros(100), np.zeros(100)], axis=1)
    assert large_parts(line, 0.011).all()
    with_gap = np.concatenate([line, line[:5] + np.array([1.05, 0, 0])])
    assert large_parts(with_gap, 0.02).tolist() == [True] * 100 + [False] * 5


def test_loose_parts_leave():
    block = np.random.default_rng(0).uniform(0, 0.1, (1000, 3))
    stray = np.random.default_rng(1).uniform(1, 1.1, (20, 3))
    kept = large_parts(np.concatenate([block, stray]), 0.03)
    assert kept[:1000].all() and not kept[1000:].any()


def test_flying_pixels_at_depth_edges_are_dropped():
    _, masks = clip(1)
    frame = masks[0].frame
    everything = lift_mask(frame, np.ones_like(masks[0].pixels), CONFIG)
    on_block = to_surface_m(everything.points_world) < 0.01
    on_floor = np.abs(everything.points_world[:, 2]) < 0.01
    assert (on_block | on_floor).all()


def empty(mask: Mask) -> Mask:
    return replace(mask, pixels=np.zeros_like(mask.pixels))


def without_depth(mask: Mask) -> Mask:
    return replace(mask, frame=replace(mask.frame, depth_m=np.zeros_like(mask.frame.depth_m)))


def too_far(mask: Mask) -> Mask:
    return replace(mask, frame=replace(mask.frame, depth_m=mask.frame.depth_m + 100))


def one_pixel(mask: Mask) -> Mask:
    pixels = np.zeros_like(mask.pixels)
    pixels[tuple(np.argwhere(mask.pixels)[len(np.argwhere(mask.pixels)) // 2])] = True
    return replace(mask, pixels=pixels)


@pytest.mark.parametrize("spoil", [empty, without_depth, too_far, one_pixel])
def test_nothing_to_lift_is_said_not_invented(spoil):
    _, masks = clip(2)
    with pytest.raises(NoDepth):
        lift([spoil(m) for m in masks], CONFIG)


def test_no_masks_at_all():
    with pytest.raises(NoDepth, match="0 views"):
        lift([], CONFIG)
