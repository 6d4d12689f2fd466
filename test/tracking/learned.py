# SPDX-License-Identifier: Apache-2.0
"""What every learned tracker must do, whatever its checkpoint."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from scene_r1_ros.errors import BadInput, Canceled
from scene_r1_ros.run import Progress, Run
from scene_r1_ros.tracking.video import LearnedTracker, Pixels
from scene_r1_ros.types import Box2D, Frame, Hypothesis, Mask
from test.scenes import clip, tight_box

torch = pytest.importorskip("torch")


def in_box(truth: Mask) -> Hypothesis:
    return Hypothesis(truth.frame, tight_box(truth), "block", "")


def many_frames(n: int) -> list[Frame]:
    """The same picture from the same place again and again."""
    (frame,), _ = clip(1)
    return [
        Frame(f"{i:06d}", frame.stamp_ns + i, frame.color, frame.depth_m, frame.camera, frame.T_world_camera)
        for i in range(n)
    ]


def same(a: Sequence[Mask], b: Sequence[Mask]) -> bool:
    """Frame for frame the same pixels and confidences."""
    return len(a) == len(b) and all(
        x.frame is y.frame and np.array_equal(x.pixels, y.pixels) and x.confidence == y.confidence
        for x, y in zip(a, b, strict=True)
    )


@dataclass
class Spy:
    """Stands between a tracker and its session: which frames are made into pixels, what comes out, what is kept."""

    tracker: LearnedTracker
    encoded: list[int] = field(default_factory=list)
    logits: dict[tuple[int, int], Any] = field(default_factory=dict)  # (object, frame) -> (h, w) tensor
    session: Any = None

    def install(self, monkeypatch: pytest.MonkeyPatch) -> "Spy":
        make, pixels = self.tracker._session, Pixels.__getitem__

        def session(frames):
            self.session = make(frames)
            for name in ("prompt", "follow"):
                monkeypatch.setattr(self.session, name, self.watched(getattr(self.session, name)))
            return self.session

        monkeypatch.setattr(self.tracker, "_session", session)
        monkeypatch.setattr(Pixels, "__getitem__", lambda p, i: (self.encoded.append(i), pixels(p, i))[1])
        return self

    def watched(self, step):
        def watch(number, index, *rest):
            seen = step(number, index, *rest)
            self.logits[number, index] = seen.mask_logits.clone()
            return seen

        return watch

    def kept_bytes(self) -> int:
        """Of all tensors that the session can reach, without the model."""
        found: dict[int, int] = {}
        gather(self.session, found, {id(self.session.model)})
        return sum(found.values())


def gather(value: Any, found: dict[int, int], visited: set[int]) -> None:
    if id(value) in visited:
        return
    visited.add(id(value))
    if isinstance(value, torch.Tensor):
        storage = value.untyped_storage()
        found[storage.data_ptr()] = storage.nbytes()
    elif isinstance(value, dict):
        for item in value.values():
            gather(item, found, visited)
    elif isinstance(value, list | tuple):
        for item in value:
            gather(item, found, visited)
    elif type(value).__module__.startswith(("scene_r1_ros.tracking", "transformers.models")):
        gather(vars(value), found, visited)


def follows_a_box_and_a_mask(tracker: LearnedTracker) -> None:
    """Forward and backward, at the size of the image, each with a confidence; a drawn mask comes back as it is."""
    frames, truths = clip(6)
    boxed, drawn = tracker.track(frames, [in_box(truths[2]), truths[4]], Run())
    for masks in (boxed, drawn):
        assert [m.frame for m in masks] == frames
        assert all(m.pixels.any() and 0 < m.confidence <= 1 for m in masks)
    assert drawn[4] is truths[4]
    assert len({m.pixels.tobytes() for m in boxed}) > 1  # no two views look the same


def objects_do_not_disturb_each_other(tracker: LearnedTracker) -> None:
    """Each gets what it gets alone, and twice the same."""
    frames, truths = clip(4)
    prompts = [in_box(truths[3]), truths[1], in_box(truths[1])]
    together = tracker.track(frames, prompts, Run())
    alone = [masks for prompt in prompts for masks in tracker.track(frames, [prompt], Run())]
    assert all(same(a, b) for a, b in zip(together, alone, strict=True))
    assert not same(together[0], together[2])


def sees_each_frame_once_in_each_direction(tracker: LearnedTracker, monkeypatch: pytest.MonkeyPatch) -> None:
    frames, truths = clip(6)
    spy = Spy(tracker).install(monkeypatch)
    tracker.track(frames, [in_box(truths[2])], Run())
    assert spy.encoded == [2, 3, 4, 5, 1, 0]
    spy.encoded.clear()
    tracker.track(frames, [in_box(truths[1]), truths[4]], Run())
    assert spy.encoded == [1, 2, 3, 4, 5, 3, 2, 1, 0]


def keeps_to_the_nearest_views(tracker: LearnedTracker, monkeypatch: pytest.MonkeyPatch) -> None:
    frames, truths = clip(6)
    monkeypatch.setattr(tracker, "config", type(tracker.config)(max_frames=3))
    (masks,) = tracker.track(frames, [in_box(truths[4])], Run())
    assert [m.frame for m in masks] == frames[3:]


def memory_is_bounded(tracker: LearnedTracker, monkeypatch: pytest.MonkeyPatch, n_frames: int) -> None:
    """What is kept after many frames is what was kept once the memory bank was full, forward and backward."""
    frames = many_frames(n_frames)
    monkeypatch.setattr(tracker, "config", type(tracker.config)(max_frames=n_frames))
    spy, kept = Spy(tracker).install(monkeypatch), []
    source = n_frames // 2
    prompt = Hypothesis(frames[source], Box2D(60, 40, 110, 90), "block", "")
    (masks,) = tracker.track(frames, [prompt], Run(on_progress=lambda _: kept.append(spy.kept_bytes())))
    assert len(masks) == n_frames
    full = source + 2 * spy.session.reach + 1
    assert 0 < kept[source] < kept[full]  # it is really measured
    assert max(kept[full:]) <= kept[full]


def cancel_is_heard_between_frames(tracker: LearnedTracker, monkeypatch: pytest.MonkeyPatch) -> None:
    frames, truths = clip(6)
    spy, progress = Spy(tracker).install(monkeypatch), []

    def listen(said: Progress) -> None:
        progress.append(said.fraction)
        if len(progress) == 3:
            run.cancel()

    run = Run(on_progress=listen)
    with pytest.raises(Canceled):
        tracker.track(frames, [in_box(truths[0])], run)
    assert spy.encoded == [0, 1, 2]
    assert progress == sorted(set(progress))


def refuses_bad_prompts(tracker: LearnedTracker) -> None:
    frames, truths = clip(3)
    with pytest.raises(BadInput, match="prompt's frame '000002' is not among the 2 frames"):
        tracker.track(frames[:2], [in_box(truths[2])], Run())
    with pytest.raises(BadInput, match="mask in frame '000001' has no pixels"):
        tracker.track(frames, [Mask(frames[1], np.zeros_like(truths[1].pixels), 1.0)], Run())


def a_speck_of_a_mask_is_followed(tracker: LearnedTracker) -> None:
    """One pixel of the image is less than one of the model's."""
    frames, truths = clip(2)
    speck = np.zeros_like(truths[0].pixels)
    speck[60, 80] = True
    (masks,) = tracker.track(frames, [Mask(frames[0], speck, 1.0)], Run())
    assert [m.frame for m in masks] == frames


def an_absent_object_has_no_mask(tracker: LearnedTracker) -> None:
    """For a checkpoint that says so of every object; what was drawn stays."""
    frames, truths = clip(3)
    assert tracker.track(frames, [in_box(truths[1]), truths[1]], Run()) == [(), (truths[1],)]
