# SPDX-License-Identifier: Apache-2.0
"""Image grounding: where in a frame of the window is the object?"""

import logging
from collections.abc import Iterator, Sequence
from itertools import zip_longest

import numpy as np

from scene_r1_ros.errors import BadBox, ParseFailed
from scene_r1_ros.memory.sharpness import sharpness
from scene_r1_ros.reasoning.asking import ask
from scene_r1_ros.reasoning.boxes import LabeledBox, to_original
from scene_r1_ros.reasoning.clip import Clip, named
from scene_r1_ros.reasoning.parse import parse_boxes, reasoning_of
from scene_r1_ros.reasoning.protocol import Model, ModelSpec, Reply, Request
from scene_r1_ros.run import Run
from scene_r1_ros.types import Box2D, Frame, Hypothesis, TimeWindow

MAX_BOXES = 8  # of one reply: each that does not hold costs a track through all views

log = logging.getLogger(__name__)

LabeledPixels = tuple[tuple[Box2D, str], ...]  # boxes in pixels of the original image, and what the model calls them


def hypotheses(model: Model, query: str, clip: Clip, windows: Sequence[TimeWindow], run: Run) -> Iterator[Hypothesis]:
    """Boxes of what ``query`` names in frames of ``windows``, best frame first.

    Lazy: a frame is asked only when the caller wants one more hypothesis. At most ``spec.image_frames`` are asked.
    Each leaves a step of the rationale, in the stage of ``run`` that the caller has entered; frames that do not show
    the object or whose reply cannot be read are noted and passed over.

    Raises:
        ParseFailed: not one reply could be read.
        ModelFailed: the model could not run.
        Canceled, DeadlineExceeded: the query should stop.
    """
    unreadable: list[ParseFailed] = []
    frames = best_frames(clip, windows, model.spec.image_frames)
    for frame, time_s in zip(frames.frames, frames.times_s, strict=True):
        try:
            found = _ground_in_frame(model, query, frame, time_s, run)
        except ParseFailed as error:
            log.warning("frame %s: %s", frame.frame_id, error)
            unreadable.append(error)
            continue
        yield from found
    if unreadable and len(unreadable) == len(frames.frames):
        raise unreadable[-1]


def _ground_in_frame(model: Model, query: str, frame: Frame, time_s: float, run: Run) -> list[Hypothesis]:
    request, name = Request("image", query, (frame,), (time_s,)), named(frame, time_s)
    try:
        boxes, reply = ask(model, request, run, lambda reply: _boxes_in(reply, frame, model.spec))
    except ParseFailed as error:
        run.note(f"The reply about {name} could not be read: {error}", frames=(frame,))
        raise
    reasoning = reasoning_of(reply.text)
    if not boxes:
        run.note(f"Not present in {name}. {reasoning}".strip(), frames=(frame,))
    tried = boxes[:MAX_BOXES]
    for box, label in tried:
        text = reasoning or f"Here: {label or query}."
        run.note(text, frames=(frame,), boxes=((frame.frame_id, box),))
    if len(boxes) > len(tried):
        more = f"{len(boxes) - len(tried)} more boxes in {name} were ignored"
        run.note(f"{more}; at most {MAX_BOXES} are tried.", frames=(frame,))
    return [Hypothesis(frame, box, label or query, reasoning) for box, label in tried]


def _boxes_in(reply: Reply, frame: Frame, spec: ModelSpec) -> LabeledPixels:
    """Boxes in pixels of the frame, clipped to it; those wholly outside it are left out.

    Raises:
        ParseFailed: no box can be read, or all lie outside.
    """
    said, seen_wh = parse_boxes(reply.text), reply.image_sizes_wh[0]
    kept = tuple(pixels for box in said if (pixels := _pixels(box, frame, seen_wh, spec)))
    if said and not kept:
        raise ParseFailed(
            f"the box {list(said[0].xyxy)} lies outside the image of {seen_wh[0]}x{seen_wh[1]} pixels "
            f"({spec.box_convention} coordinates)",
            reply.text,
        )
    return kept


def _pixels(said: LabeledBox, frame: Frame, seen_wh: tuple[int, int], spec: ModelSpec) -> tuple[Box2D, str] | None:
    width, height = frame.camera.width, frame.camera.height
    try:
        return to_original(said.xyxy, spec.box_convention, seen_wh, (width, height)).clipped(width, height), said.label
    except BadBox:
        return None


def best_frames(clip: Clip, windows: Sequence[TimeWindow], count: int) -> Clip:
    """At most ``count`` frames of the windows, best first: the windows take turns; within each, the sharpest frame of
    every stretch, the middle stretches before the rims, where the object is just coming into view or leaving it.
    """
    turns = zip_longest(*(_best_of(clip.within(window), count) for window in windows))
    ranked = {moment[0]: moment for turn in turns for moment in turn if moment}  # overlapping windows share frames
    chosen = list(ranked.values())[:count]
    return Clip(tuple(frame for _, frame in chosen), tuple(time_s for time_s, _ in chosen))


def _best_of(part: Clip, count: int) -> list[tuple[float, Frame]]:
    moments = list(zip(part.times_s, part.frames, strict=True))
    stretches = np.array_split(np.arange(len(moments)), min(count, len(moments)))
    middle_first = sorted(range(len(stretches)), key=lambda i: abs(i - (len(stretches) - 1) / 2))
    return [
        max((moments[k] for k in stretches[i]), key=lambda moment: sharpness(moment[1].color)) for i in middle_first
    ]
