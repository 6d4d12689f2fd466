# SPDX-License-Identifier: Apache-2.0
"""The tracker without weights, on a block whose mask is known in every view."""

from dataclasses import replace

import numpy as np
import pytest

from scene_r1_ros.config import LiftConfig, TrackerConfig
from scene_r1_ros.errors import Canceled, NoDepth
from scene_r1_ros.run import Run
from scene_r1_ros.tracking.geometric import GeometricTracker
from scene_r1_ros.tracking.silhouette import silhouette
from scene_r1_ros.types import Box2D, Hypothesis, Mask
from test.scenes import clip, frame, look_at, tight_box

TRACKER = GeometricTracker(TrackerConfig(), LiftConfig())


def track(frames, prompt, run):
    (masks,) = TRACKER.track(frames, [prompt], run)
    return masks


def mask_iou(a: Mask, b: Mask) -> float:
    return (a.pixels & b.pixels).sum() / (a.pixels | b.pixels).sum()


def in_frame(truth: Mask, box: Box2D | None = None) -> Hypothesis:
    return Hypothesis(truth.frame, box or tight_box(truth), "block", "")


def test_a_box_becomes_a_silhouette():
    _, truths = clip(1)
    found = Mask(truths[0].frame, silhouette(truths[0].frame, tight_box(truths[0])), 1.0)
    assert mask_iou(found, truths[0]) > 0.9


def test_a_loose_box_still_finds_the_silhouette():
    _, truths = clip(1)
    b = tight_box(truths[0])
    loose = Box2D(b.x1 - 5, b.y1 - 5, b.x2 + 5, b.y2 + 5)
    assert mask_iou(Mask(truths[0].frame, silhouette(truths[0].frame, loose), 1.0), truths[0]) > 0.85


@pytest.mark.parametrize("start", [0, 4, 8])
def test_the_block_is_followed_forward_and_backward(start):
    frames, truths = clip(9)
    masks = track(frames, in_frame(truths[start]), Run())
    assert [m.frame.stamp_ns for m in masks] == sorted(m.frame.stamp_ns for m in masks)
    by_id = {m.frame.frame_id: m for m in masks}
    assert len(by_id) >= 5 and truths[start].frame.frame_id in by_id
    ious = [mask_iou(by_id[t.frame.frame_id], t) for t in truths if t.frame.frame_id in by_id]
    assert min(ious) > 0.7 and np.mean(ious) > 0.85


def test_a_view_that_looks_away_gets_no_mask():
    frames, truths = clip(3)
    away, _ = frame(look_at((1.2, 0, 0.8), (3, 0, 0.5)), 9)
    masks = track([*frames, away], in_frame(truths[1]), Run())
    assert away.frame_id not in {m.frame.frame_id for m in masks}


def test_a_view_in_which_it_is_hidden_gets_no_mask():
    """Something stands right before the camera: depth says so."""
    frames, truths = clip(5)
    hidden = replace(frames[2], depth_m=np.full_like(frames[2].depth_m, 0.3))
    masks = track([*frames[:2], hidden, *frames[3:]], in_frame(truths[1]), Run())
    assert hidden.frame_id not in {m.frame.frame_id for m in masks}


def test_two_runs_give_the_same():
    frames, truths = clip(4)
    first, second = (track(frames, in_frame(truths[0]), Run()) for _ in range(2))
    assert all((a.pixels == b.pixels).all() for a, b in zip(first, second, strict=True))


def test_cancel_is_heard_between_frames():
    frames, truths = clip(4)
    run = Run()
    run.cancel()
    with pytest.raises(Canceled):
        track(frames, in_frame(truths[0]), run)


def test_an_object_without_depth_is_said_not_followed():
    frames, truths = clip(3)
    blind = replace(frames[0], depth_m=np.zeros_like(frames[0].depth_m))
    with pytest.raises(NoDepth, match="black, glossy or glass"):
        track([blind, *frames[1:]], Hypothesis(blind, tight_box(truths[0]), "block", ""), Run())


@pytest.mark.parametrize("xyxy", [(0, 0, 160, 120), (0, 0, 2, 2), (150, 110, 160, 120), (79.2, 59.1, 79.9, 59.8)])
def test_odd_boxes_do_not_crash(xyxy):
    """The whole image, a corner, the border, less than a pixel."""
    frames, _ = clip(2)
    try:
        masks = track(frames, Hypothesis(frames[0], Box2D(*xyxy), "odd", ""), Run())
    except NoDepth:
        return
    assert masks


def test_depth_of_half_the_size():
    """80x60 depth pixels of 2 cm on a block of 20 cm: losing one pixel around the mask alone costs a quarter."""
    frames, truths = clip(5, depth_scale=2)
    masks = track(frames, in_frame(truths[2]), Run())
    truth_of = {t.frame.frame_id: t for t in truths}
    assert np.mean([mask_iou(m, truth_of[m.frame.frame_id]) for m in masks]) > 0.7
