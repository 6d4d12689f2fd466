# SPDX-License-Identifier: Apache-2.0
"""Lifting against a block whose every surface is known."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from scene_r1_ros.answer import OrientedBox
from scene_r1_ros.config import LiftConfig
from scene_r1_ros.errors import BadInput, Canceled, NoDepth, NotThere
from scene_r1_ros.evaluation.metrics import box_iou_3d
from scene_r1_ros.geometry import object_cloud
from scene_r1_ros.geometry.box import oriented_box
from scene_r1_ros.geometry.camera import PinholeCamera
from scene_r1_ros.geometry.lift import MAX_VIEWS, lift, spread
from scene_r1_ros.run import Run
from scene_r1_ros.types import Frame, Mask
from test.scenes import BLOCK, CAMERA, around, cast, clip

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


def test_a_view_of_something_else_is_found_and_left_out():
    _, masks = clip(5)
    spoilt = [*masks[:4], replace(masks[4], pixels=~masks[4].pixels)]
    cloud = lift(spoilt, CONFIG)
    assert box_iou_3d(oriented_box(cloud.points_world, "z"), BLOCK) > 0.85
    assert to_surface_m(cloud.points_world).max() < 0.02


def grown(mask: Mask, by_px: int) -> Mask:
    kernel = np.ones((2 * abs(by_px) + 1,) * 2, np.uint8)
    pixels = mask.pixels.astype(np.uint8)
    return replace(mask, pixels=(cv2.dilate(pixels, kernel) if by_px > 0 else cv2.erode(pixels, kernel)).astype(bool))


@pytest.mark.parametrize("by_px", [4, 2, -3])
@pytest.mark.parametrize("n", [1, 2, 8])
def test_masks_that_bleed_or_fall_short_in_every_view_still_give_the_block(by_px, n):
    _, masks = clip(n)
    exact, cloud = (lift(m, CONFIG) for m in (masks, [grown(m, by_px) for m in masks]))
    iou = box_iou_3d(oriented_box(cloud.points_world, "z"), oriented_box(exact.points_world, "z"))
    assert iou > 0.85


def test_each_point_tells_how_the_views_voted():
    _, masks = clip(6)
    cloud = lift(masks, CONFIG)
    assert len(cloud.object_share) == len(cloud.points_world)
    assert cloud.object_share.min() >= 0.5 and cloud.object_share.max() == 1


def test_fusing_in_batches_changes_nothing(monkeypatch):
    _, masks = clip(6)
    whole = lift(masks, CONFIG)
    monkeypatch.setattr(object_cloud, "BATCH", 1000)
    in_batches = lift(masks, CONFIG)
    assert np.allclose(whole.points_world, in_batches.points_world, atol=1e-6)
    assert np.abs(whole.colors.astype(int) - in_batches.colors).max() <= 1  # rounded more than once


def test_more_than_an_object_is_refused(monkeypatch):
    _, masks = clip(4)
    monkeypatch.setattr(object_cloud, "MAX_VOXELS", 1000)
    with pytest.raises(
        NotThere, match=r"more than 1000 voxels of 0\.0\d+ m, too much for one object; use a tighter box"
    ):
        lift(masks, CONFIG)


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


def test_a_leg_three_pixels_wide_is_not_eaten():
    thin = OrientedBox(np.array([0.0, 0.0, 0.25]), np.array([0.025, 0.025, 0.5]), np.eye(3))
    masks = []
    for i, T in enumerate(around(6)):
        depth_m, on_leg = cast(T, block=thin)
        frame = Frame(f"{i:06d}", 10**9 + i, np.zeros((120, 160, 3), np.uint8), depth_m, CAMERA, T)
        masks.append(Mask(frame, on_leg, 1.0))
    size_m = oriented_box(lift(masks, CONFIG).points_world, "z").size_m
    assert size_m[2] > 0.45 and max(size_m[:2]) < 0.05


def cut_by_the_border(mask: Mask) -> Mask:
    frame = replace(
        mask.frame,
        color=mask.frame.color[:, :75],
        depth_m=mask.frame.depth_m[:, :75],
        camera=PinholeCamera(75, 120, 140.0, 140.0, 79.5, 59.5),
    )
    return Mask(frame, mask.pixels[:, :75], 1.0)


def test_an_object_cut_by_the_border_gives_what_is_seen():
    _, masks = clip(1)
    cut = lift([cut_by_the_border(masks[0])], CONFIG)
    whole = lift(masks, CONFIG)
    assert CONFIG.min_points <= len(cut.points_world) < len(whole.points_world)
    assert to_surface_m(cut.points_world).max() < 0.01


def test_holes_of_nan_cannot_reach_the_cloud():
    _, masks = clip(3)
    holed = []
    for mask in masks:
        depth_m = mask.frame.depth_m.copy()
        depth_m[::3, ::3] = np.nan
        holed.append(replace(mask, frame=replace(mask.frame, depth_m=depth_m)))
    cloud = lift(holed, CONFIG)
    assert np.isfinite(cloud.points_world).all() and to_surface_m(cloud.points_world).max() < 0.02


def test_views_too_far_apart_to_number_are_refused():
    _, masks = clip(2)
    masks[1] = replace(masks[1], frame=moved(masks[1].frame, [5000.0, 0, 0]))
    with pytest.raises(BadInput, match=r"lie \d+ m apart, too far for voxels of .* do the poses jump"):
        lift(masks, CONFIG)


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


def test_of_many_masks_those_from_all_around_are_taken():
    _, masks = clip(8)
    many = [*(masks[0],) * MAX_VIEWS, *masks[1:], empty(masks[3])]
    chosen = spread(many)
    assert len(chosen) == MAX_VIEWS
    assert {id(mask) for mask in masks} <= {id(mask) for mask in chosen}
    assert spread(masks) == list(masks)
