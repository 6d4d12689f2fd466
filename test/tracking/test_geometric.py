# SPDX-License-Identifier: Apache-2.0
"""The tracker without weights, on a block whose mask is known in every view."""

from dataclasses import replace

import numpy as np
import pytest

from scene_r1_ros.config import LiftConfig, TrackerConfig
from scene_r1_ros.errors import BadBox, BadInput, Canceled, NoDepth
from scene_r1_ros.run import Run
from scene_r1_ros.tracking.crop import Crop
from scene_r1_ros.tracking.geometric import GeometricTracker, seen_share, separated, surface_points, touches_border
from scene_r1_ros.tracking.reference import Reference
from scene_r1_ros.types import Box2D, Frame, Hypothesis, Mask
from test.scenes import BLOCK, around, clip, frame, look_at, tight_box

TRACKER = GeometricTracker(TrackerConfig(), LiftConfig())


def track(frames, prompt, run=None):
    (masks,) = TRACKER.track(frames, [prompt], run or Run())
    return {m.frame.frame_id: m for m in masks}


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return np.count_nonzero(a & b) / np.count_nonzero(a | b)


def ious(masks: dict[str, Mask], truths: list[Mask]) -> list[float]:
    """Of each mask with the true one."""
    return [iou(masks[t.frame.frame_id].pixels, t.pixels) for t in truths if t.frame.frame_id in masks]


def in_frame(truth: Mask) -> Hypothesis:
    return Hypothesis(truth.frame, tight_box(truth), "block", "")


def same(a: dict[str, Mask], b: dict[str, Mask]) -> bool:
    return list(a) == list(b) and all(
        np.array_equal(a[i].pixels, b[i].pixels) and a[i].confidence == b[i].confidence for i in a
    )


def with_depth(frames: list[Frame], change) -> list[Frame]:
    return [replace(f, depth_m=change(f.depth_m.copy())) for f in frames]


@pytest.mark.parametrize("start", [0, 4, 8])
def test_the_block_is_followed_forward_and_backward(start):
    frames, truths = clip(9)
    masks = track(frames, in_frame(truths[start]))
    stamps = [m.frame.stamp_ns for m in masks.values()]
    assert stamps == sorted(stamps)
    assert len(masks) >= 5 and frames[start].frame_id in masks
    assert min(ious(masks, truths)) > 0.7 and np.mean(ious(masks, truths)) > 0.85
    assert all(0 < m.confidence <= 1 for m in masks.values())


def test_a_mask_is_a_prompt_and_comes_back_as_it_is():
    frames, truths = clip(9)
    masks = track(frames, truths[4])
    assert masks["000004"] is truths[4]
    assert len(masks) == 9 and min(ious(masks, truths)) > 0.9


def test_several_objects_are_followed_as_each_alone():
    """In the order of their prompts, and twice the same."""
    frames, truths = clip(5)
    prompts = [in_frame(truths[3]), truths[1], in_frame(truths[1])]
    together = TRACKER.track(frames, prompts, Run())
    for masks, prompt in zip(together, prompts, strict=True):
        assert same({m.frame.frame_id: m for m in masks}, track(frames, prompt))
    assert TRACKER.track(frames, [], Run()) == []


def test_at_most_max_frames_views_are_gone_through_nearest_first():
    frames, truths = clip(7)
    few = GeometricTracker(TrackerConfig(max_frames=3), LiftConfig())
    (masks,) = few.track(frames, [truths[3]], Run())
    assert [m.frame for m in masks] == frames[2:5]
    (alone,) = GeometricTracker(TrackerConfig(max_frames=1), LiftConfig()).track(frames, [truths[3]], Run())
    assert alone == (truths[3],)


def test_a_view_that_looks_away_gets_no_mask():
    frames, truths = clip(3)
    away, _ = frame(look_at((1.2, 0, 0.8), (3, 0, 0.5)), 9)
    assert away.frame_id not in track([*frames, away], in_frame(truths[1]))


def test_a_view_in_which_it_is_hidden_gets_no_mask():
    """Something stands right before the camera: depth says so."""
    frames, truths = clip(5)
    hidden = replace(frames[2], depth_m=np.full_like(frames[2].depth_m, 0.3))
    masks = track([*frames[:2], hidden, *frames[3:]], truths[1])
    assert hidden.frame_id not in masks and len(masks) == 4


def test_a_view_through_its_place_gets_no_mask():
    """The block is taken away: there is only floor."""
    frames, truths = clip(5)
    floor = replace(BLOCK, size_m=np.full(3, 1e-6))
    gone = [frame(T, 10 + i, block=floor)[0] for i, T in enumerate(around(5))]
    assert set(track([*frames, *gone], truths[2])) <= {f.frame_id for f in frames}


def aside(i: int, shift_m: float) -> tuple[Frame, Mask]:
    """A view of the block which looks to the side of it."""
    angle = 0.15 * i
    eye = (1.2 * np.cos(angle), 1.2 * np.sin(angle), 0.8)
    return frame(look_at(eye, np.add(BLOCK.center_world, (0, shift_m, 0))), i)


def test_an_object_cut_by_the_border_grows_in_the_other_views():
    pairs = [aside(0, 0.75), *(aside(i, 0) for i in range(1, 5))]
    frames, truths = [f for f, _ in pairs], [t for _, t in pairs]
    assert touches_border(truths[0]) and not touches_border(truths[1])
    masks = track(frames, truths[0])
    assert len(masks) == 5 and min(ious(masks, truths)) > 0.85


def test_an_object_that_no_view_shows_whole_grows_to_the_border():
    (first, truth), (other, other_truth) = aside(0, 0.9), aside(1, 0.7)
    assert touches_border(truth) and touches_border(other_truth)
    assert np.count_nonzero(other_truth.pixels) > 2 * np.count_nonzero(truth.pixels)
    assert iou(track([first, other], truth)["000001"].pixels, other_truth.pixels) > 0.9


def crop_around(box: Box2D) -> tuple[Crop, np.ndarray]:
    """A picture of one colour and depth, of which the middle is known to be the object, all else unknown."""
    made, _ = frame(around(1)[0])
    plain = replace(made, color=np.full_like(made.color, 90), depth_m=np.full_like(made.depth_m, 1.2))
    crop = Crop(plain, box)
    shown = np.zeros(crop.depth_m.shape, np.int8)
    middle = np.s_[shown.shape[0] // 3 : -shown.shape[0] // 3, shown.shape[1] // 3 : -shown.shape[1] // 3]
    shown[middle] = 1
    return crop, shown


def test_only_what_was_cut_may_reach_the_border():
    crop, shown = crop_around(Box2D(50, 40, 110, 80))
    shown[:3] = -1
    whole, cut = separated(crop, shown, True), separated(crop, shown, False)
    assert whole[shown == 1].all() and cut[shown == 1].all()
    assert not (whole[-1].any() or whole[:, 0].any()) and cut[-1].any()
    assert not whole[0].any() and not cut[0].any()


def test_nothing_is_separated_from_nothing():
    crop, shown = crop_around(Box2D(50, 40, 110, 80))
    assert not separated(crop, np.zeros_like(shown), True).any()
    assert not separated(crop, -shown, False).any()


@pytest.mark.parametrize("n_heard", [1, 3, 6])
def test_cancel_is_heard_between_frames(n_heard):
    frames, truths = clip(5)
    heard = []

    def listen(said):
        heard.append(said.fraction)
        if len(heard) == n_heard:
            run.cancel()

    run = Run(on_progress=listen)
    with pytest.raises(Canceled):
        TRACKER.track(frames, [truths[0], truths[4]], run)
    assert len(heard) == n_heard


def test_progress_goes_forward_over_all_objects():
    frames, truths = clip(4)
    heard = []
    TRACKER.track(frames, [truths[0], in_frame(truths[2])], Run(on_progress=lambda said: heard.append(said.fraction)))
    assert len(heard) == 6 and heard == sorted(set(heard))


def test_an_object_without_depth_is_said_not_followed():
    frames, truths = clip(3)
    blind = with_depth(frames, np.zeros_like)
    with pytest.raises(NoDepth, match=r"0 usable depth points .* frame 000000; at least 20 .* black, glossy or glass"):
        track([blind[0], *frames[1:]], Hypothesis(blind[0], tight_box(truths[0]), "block", ""))
    with pytest.raises(NoDepth):
        track(blind, Mask(blind[1], truths[1].pixels, 1.0))


def test_all_the_points_of_a_mask_count_not_only_those_that_are_followed():
    frames, truths = clip(2)
    n_points = int(np.count_nonzero(truths[0].pixels & (frames[0].depth_m > 0)))
    assert n_points > len(surface_points(Reference(truths[0], np.zeros(3))))
    (masks,) = GeometricTracker(TrackerConfig(), LiftConfig(min_points=n_points)).track(frames, [truths[0]], Run())
    assert len(masks) == 2
    with pytest.raises(NoDepth, match=f"{n_points} usable depth points"):
        GeometricTracker(TrackerConfig(), LiftConfig(min_points=n_points + 1)).track(frames, [truths[0]], Run())


def test_views_without_depth_are_left_out():
    frames, truths = clip(4)
    masks = track([frames[0], *with_depth(frames[1:3], np.zeros_like), frames[3]], truths[0])
    assert list(masks) == ["000000", "000003"]


def test_prompts_that_cannot_be_followed_are_refused():
    frames, truths = clip(3)
    with pytest.raises(BadInput, match="prompt's frame '000000' is not among the 2 frames"):
        TRACKER.track(frames[1:], [truths[1], in_frame(truths[0])], Run())
    with pytest.raises(BadInput, match="mask in frame '000001' has no pixels"):
        track(frames, Mask(frames[1], np.zeros_like(truths[1].pixels), 1.0))


@pytest.mark.parametrize("xyxy", [(160, 10, 200, 50), (-30, -30, -1, 50), (10, 120.5, 20, 130)])
def test_a_box_outside_the_image_is_refused(xyxy):
    frames, _ = clip(2)
    with pytest.raises(BadBox, match="lies outside the image of 160x120 pixels"):
        track(frames, Hypothesis(frames[0], Box2D(*xyxy), "odd", ""))


@pytest.mark.parametrize("xyxy", [(0, 0, 160, 120), (-50, -50, 900, 900), (0, 60, 160, 61), (100, 70, 160, 120)])
def test_odd_boxes_are_followed(xyxy):
    """The whole image and more, one row, a corner."""
    frames, _ = clip(3)
    masks = track(frames, Hypothesis(frames[0], Box2D(*xyxy), "odd", ""))
    assert "000000" in masks and all(m.pixels.any() for m in masks.values())


@pytest.mark.parametrize("xyxy", [(79.2, 59.1, 79.9, 59.8), (0, 0, 0.3, 0.3), (159.7, 119.7, 160, 120), (0, 0, 2, 2)])
def test_boxes_of_next_to_nothing_are_said_to_hold_nothing(xyxy):
    frames, _ = clip(2)
    with pytest.raises(NoDepth, match="at least 20 are needed"):
        track(frames, Hypothesis(frames[0], Box2D(*xyxy), "odd", ""))


def holed(depth_m: np.ndarray) -> np.ndarray:
    depth_m[::4] = depth_m[:, ::4] = 0
    return depth_m


def test_holes_in_every_fourth_row_and_column_do_not_stop_it():
    frames, truths = clip(6)
    frames = with_depth(frames, holed)
    masks = track(frames, Mask(frames[2], truths[2].pixels, 1.0))
    assert len(masks) == 6 and min(ious(masks, truths)) > 0.85


@pytest.mark.parametrize(("depth_scale", "at_least"), [(2, 0.85), (4, 0.6)])
def test_depth_of_another_size_than_the_colour(depth_scale, at_least):
    """80x60 and 40x30 depth pixels of 2 and 4 cm on a block of 20 cm."""
    frames, truths = clip(5, depth_scale=depth_scale)
    masks = track(frames, truths[2])
    assert len(masks) >= 3 and np.mean(ious(masks, truths)) > at_least


def test_poses_off_by_centimetres_do_not_stop_it():
    frames, truths = clip(9)
    random = np.random.default_rng(3)
    for i in {*range(9)} - {4}:
        T_off = frames[i].T_world_camera.copy()
        T_off[:3, 3] += random.uniform(-0.015, 0.015, 3)
        frames[i] = replace(frames[i], T_world_camera=T_off)
    masks = track(frames, truths[4])
    assert len(masks) >= 7 and np.mean(ious(masks, truths)) > 0.85


def test_the_share_that_is_seen_is_that_of_the_points_that_can_be_measured():
    frames, truths = clip(3)
    points_world = surface_points(Reference(truths[1], np.zeros(3)))
    assert seen_share(frames[1], points_world) == 1
    assert seen_share(replace(frames[1], depth_m=holed(frames[1].depth_m.copy())), points_world) == 1
    assert seen_share(replace(frames[1], depth_m=frames[1].depth_m / 2), points_world) == 0
    assert seen_share(frames[1], points_world[:5]) == 0
