# SPDX-License-Identifier: Apache-2.0
"""The tracker without weights in a rendered room, against the exact masks of things of each size."""

import numpy as np
import pytest

from scene_r1_ros.config import LiftConfig, TrackerConfig
from scene_r1_ros.rooms import build_room, render, walk
from scene_r1_ros.rooms.render import CAMERA
from scene_r1_ros.run import Run
from scene_r1_ros.tracking.geometric import GeometricTracker
from scene_r1_ros.types import Hypothesis, Mask
from test.scenes import tight_box

TRACKER = GeometricTracker(TrackerConfig(), LiftConfig())


def iou(a: Mask, b: Mask) -> float:
    return np.count_nonzero(a.pixels & b.pixels) / np.count_nonzero(a.pixels | b.pixels)


@pytest.fixture(scope="module")
def room_frames():
    """The room of seed 1, in four views of a walk at 320x240 pixels."""
    room = build_room(1)
    return room, list(render(room, walk(room, 1, 4, 1.4), 1.4, CAMERA.resized(320, 240)))


def in_room(room_frames, label: str) -> tuple[list[Mask], Mask]:
    """The exact masks of a thing, and the largest of them."""
    room, shots = room_frames
    (thing,) = (o for o in room.objects if o.label == label)
    truths = [Mask(s.frame, s.instances == thing.instance_id, 1.0) for s in shots]
    return truths, max(truths, key=lambda t: np.count_nonzero(t.pixels))


def elsewhere(prompt: Hypothesis | Mask, truths: list[Mask], source: Mask) -> float:
    """Mean IoU in the other views, in all of which the thing is followed."""
    frames = [t.frame for t in truths]
    (masks,) = TRACKER.track(frames, [prompt], Run())
    assert [m.frame for m in masks] == frames
    return float(np.mean([iou(m, t) for m, t in zip(masks, truths, strict=True) if t is not source]))


@pytest.mark.parametrize(
    ("label", "at_least"),
    [("green mug", 0.88), ("white book", 0.9), ("blue ball", 0.9), ("red armchair", 0.78), ("wooden bookcase", 0.45)],
)
def test_a_thing_in_a_room_is_followed_from_its_box(room_frames, label, at_least):
    truths, source = in_room(room_frames, label)
    assert elsewhere(Hypothesis(source.frame, tight_box(source), label, ""), truths, source) > at_least


@pytest.mark.parametrize(
    ("label", "at_least"),
    [("green mug", 0.88), ("white book", 0.92), ("blue ball", 0.92), ("red armchair", 0.88), ("wooden table", 0.7)],
)
def test_a_thing_in_a_room_is_followed_from_its_mask(room_frames, label, at_least):
    truths, source = in_room(room_frames, label)
    assert elsewhere(source, truths, source) > at_least


def test_no_view_that_does_not_show_a_thing_gets_a_mask(room_frames):
    _, shots = room_frames
    shown = {label: in_room(room_frames, label) for label in ("green sofa", "white floor lamp", "green plant")}
    results = TRACKER.track([s.frame for s in shots], [source for _, source in shown.values()], Run())
    for masks, (truths, _) in zip(results, shown.values(), strict=True):
        showing = {t.frame.frame_id for t in truths if t.pixels.any()}
        assert {m.frame.frame_id for m in masks} <= showing < {s.frame.frame_id for s in shots}
