# SPDX-License-Identifier: Apache-2.0
"""Masks that belong to the object survive, whatever the poses are worth; those of anything else are cut."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from scene_r1_ros.config import LiftConfig
from scene_r1_ros.errors import Canceled, NotThere
from scene_r1_ros.rooms import build_room, render, walk
from scene_r1_ros.rooms.render import CAMERA
from scene_r1_ros.run import Run
from scene_r1_ros.tracking import consistency
from scene_r1_ros.tracking.consistency import ANOTHER, APART, ELSEWHERE, consistent, surface
from scene_r1_ros.types import Mask
from test.scenes import clip, frame, look_at

MIN_PIXELS = 40  # of an object in the small pictures of the room


def check(masks, anchor, run=None):
    return consistent(masks, anchor.frame, LiftConfig(), run or Run())


def shaken(T_world_camera, seed, moved_m=0.03, turned_deg=1.0):
    """Moved and turned by just so much, in random directions."""
    random = np.random.default_rng(seed)
    ways = random.normal(size=(2, 3))
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    T = np.eye(4)
    T[:3, :3] = Rotation.from_rotvec(np.deg2rad(turned_deg) * ways[0]).as_matrix()
    T[:3, 3] = moved_m * ways[1]
    return T_world_camera @ T


def with_pose_noise(masks, seed=0):
    frames = [replace(m.frame, T_world_camera=shaken(m.frame.T_world_camera, [seed, i])) for i, m in enumerate(masks)]
    return [Mask(f, m.pixels, m.confidence) for f, m in zip(frames, masks, strict=True)]


def floor_of(mask: Mask) -> Mask:
    """As large a piece of the floor, at the border of the same view."""
    pixels = np.zeros_like(mask.pixels)
    pixels[-30:, :50] = True
    return Mask(mask.frame, pixels & ~mask.pixels, 0.99)


@pytest.mark.parametrize("noise", [False, True])
@pytest.mark.parametrize("start", [0, 4, 8])
def test_clean_masks_all_survive(start, noise):
    """Also those of the far side, which the first view does not show."""
    _, masks = clip(9)
    masks = with_pose_noise(masks) if noise else masks
    assert check(masks, masks[start]) == (tuple(masks), ())


def test_the_far_side_alone_hangs_together_with_the_near_one():
    _, masks = clip(2)  # half a turn apart
    assert len(check(masks, masks[0]).masks) == 2


@pytest.mark.parametrize("noise", [False, True])
def test_a_mask_on_something_else_is_cut(noise):
    _, truths = clip(9)
    truths = with_pose_noise(truths) if noise else truths
    masks = [floor_of(m) if i in (1, 6) else m for i, m in enumerate(truths)]
    checked = check(masks, truths[3])
    assert [m.frame.frame_id for m in checked.masks] == [f"{i:06d}" for i in (0, 2, 3, 4, 5, 7, 8)]
    assert {cut.mask.frame.frame_id: cut.reason for cut in checked.cut} == {"000001": ELSEWHERE, "000006": ELSEWHERE}


def test_a_lost_object_with_a_high_score_is_cut():
    """The camera looks away from the block, once at floor that no other view shows, once at floor that others show."""
    _, masks = clip(5)
    away, _ = frame(look_at((1.2, 0, 0.8), (3, 0, 0)), 90)
    beside, _ = frame(look_at((0.3, 0.3, 0.9), (0.45, 0.45, 0)), 91)
    lost = [Mask(f, np.ones(f.color.shape[:2], bool) & (f.depth_m > 0), 0.99) for f in (away, beside)]
    checked = check([*masks, *lost], masks[2])
    assert checked.masks == tuple(masks)
    assert {cut.mask.frame.frame_id: cut.reason for cut in checked.cut} == {"000090": APART, "000091": ANOTHER}


def test_the_first_mask_is_never_cut():
    _, truths = clip(5)
    masks = [floor_of(truths[0]), *truths[1:]]
    assert check(masks, masks[0]).masks[0] is masks[0]


def test_a_mask_without_depth_is_cut():
    _, masks = clip(3)
    blind = replace(masks[1].frame, depth_m=np.zeros_like(masks[1].frame.depth_m))
    checked = check([masks[0], Mask(blind, masks[1].pixels, 0.9), masks[2]], masks[0])
    assert [cut.reason for cut in checked.cut] == [APART]


def test_without_depth_on_the_first_mask_nothing_is_judged():
    _, masks = clip(3)
    blind = replace(masks[0].frame, depth_m=np.zeros_like(masks[0].frame.depth_m))
    masks = [Mask(blind, masks[0].pixels, 1.0), masks[1], floor_of(masks[2])]
    assert check(masks, masks[0]) == (tuple(masks), ())


def test_no_mask_where_it_was_shown():
    frames, masks = clip(3)
    with pytest.raises(NotThere, match="sees nothing at the place it was shown"):
        consistent([masks[0], masks[2]], frames[1], LiftConfig(), Run())


def test_cancel_is_heard():
    _, masks = clip(3)
    run = Run()
    run.cancel()
    with pytest.raises(Canceled):
        check(masks, masks[0], run)


def test_cancel_is_heard_while_the_masks_are_lifted(monkeypatch):
    _, masks = clip(6)
    run, lifted = Run(), []

    def cancelling(mask, config):
        lifted.append(mask)
        run.cancel() if len(lifted) == 3 else None
        return surface(mask, config)

    monkeypatch.setattr(consistency, "surface", cancelling)
    with pytest.raises(Canceled):
        check(masks, masks[0], run)
    assert len(lifted) == 3


@pytest.fixture(scope="module")
def room():
    """Every object of a rendered room that several views show, with its exact masks, through a noisy depth camera."""
    made = build_room(1)
    shots = list(render(made, walk(made, 1, 8, 2.0), 2.0, CAMERA.resized(240, 180)))
    tracks = []
    for thing in made.objects:
        masks = [Mask(s.frame, s.instances == thing.instance_id, 1.0) for s in shots]
        seen = [m for m in masks if m.pixels.sum() >= MIN_PIXELS]
        if len(seen) >= 4:
            tracks.append(seen)
    assert len(tracks) >= 10
    return tracks


def largest(masks):
    return max(masks, key=lambda m: m.pixels.sum())


@pytest.mark.parametrize("noise", [False, True])
def test_a_room_keeps_every_clean_mask(room, noise):
    for masks in room:
        masks = with_pose_noise(masks) if noise else masks
        assert check(masks, largest(masks)).cut == ()


@pytest.mark.parametrize("noise", [False, True])
def test_a_room_cuts_masks_swapped_to_another_object(room, noise):
    """Every third mask shows the next object of the room that the view shows too."""
    n_swapped = 0
    for k, truths in enumerate(room):
        anchor = largest(truths)
        masks, swapped = list(truths), set()
        others = {m.frame.frame_id: m for track in room[k + 1 :] + room[:k] for m in track}
        for i, mask in enumerate(truths):
            if i % 3 == 1 and mask is not anchor and mask.frame.frame_id in others:
                masks[i] = Mask(mask.frame, others[mask.frame.frame_id].pixels, 0.99)
                swapped.add(i)
        tried = with_pose_noise(masks) if noise else masks
        checked = check(tried, tried[truths.index(anchor)])
        assert {tried.index(cut.mask) for cut in checked.cut} == swapped
        n_swapped += len(swapped)
    assert n_swapped > 20
