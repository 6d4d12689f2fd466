# SPDX-License-Identifier: Apache-2.0
"""Image grounding: where in a frame of the window is the object?"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace

from scene_r1_ros.errors import BadBox, ModelFailed, OutOfTokens, ParseFailed
from scene_r1_ros.reasoning.asking import ask
from scene_r1_ros.reasoning.best_frames import best_frames
from scene_r1_ros.reasoning.boxes import LabeledBox, to_original
from scene_r1_ros.reasoning.clip import Clip, named
from scene_r1_ros.reasoning.crop import enlarged
from scene_r1_ros.reasoning.parse import parse_boxes, reasoning_of
from scene_r1_ros.reasoning.protocol import Model, ModelSpec, Reply, Request
from scene_r1_ros.run import Run
from scene_r1_ros.text import counted
from scene_r1_ros.types import Box2D, Frame, Hypothesis, TimeWindow

MIN_GAIN = 1.25  # a second look that shows no more than this is none
SAME_IOU = 0.1  # a box of a second look that covers the first one less is of another thing
MAX_BOXES = 8  # of one reply: each that does not hold costs a track through all views
UNREADABLE = "The reply about"  # how the step of the rationale begins, see ``unseen``

log = logging.getLogger(__name__)

LabeledPixels = Sequence[tuple[Box2D, str]]  # boxes in pixels of the original image, and what the model calls them


def hypotheses(model: Model, query: str, clip: Clip, windows: Sequence[TimeWindow], run: Run) -> Iterator[Hypothesis]:
    """Boxes of what ``query`` names in frames of ``windows``, best frame first.

    Lazy: a frame is asked only when the caller wants one more hypothesis. At most ``spec.image_frames`` are asked.
    A box that is small at the model's input (``spec.second_look_px``) is looked at a second time, enlarged, which moves
    it. Each look leaves a step of the rationale, in the stage of ``run`` that the caller has entered; frames that do
    not show the object or whose reply cannot be read are noted and passed over. A box whose second look fails, or for
    which no tokens are left, stays as it is.

    Raises:
        ParseFailed: no reply names a box, and more could not be read than say that there is none.
        ModelFailed: the model could not run.
        Canceled, DeadlineExceeded: the query should stop.
    """
    unreadable: list[ParseFailed] = []
    asked = shown = 0
    for time_s, frame in best_frames(clip, windows, model.spec.image_frames):
        asked += 1
        try:
            found, seen_wh = _ground_in_frame(model, query, frame, time_s, run)
        except ParseFailed as error:
            log.warning("frame %s: %s", frame.frame_id, error)
            unreadable.append(error)
            continue
        shown += bool(found)
        for place in found:
            yield _looked_at_twice(model, query, place, time_s, seen_wh, run)
    if not shown and 2 * len(unreadable) > asked:
        last = unreadable[-1]
        no_reply = f"{len(unreadable)} of {counted(asked, 'frame')} that were asked got no reply that can be read"
        raise ParseFailed(f"{no_reply}; the last: {last}", last.text)


def _ground_in_frame(
    model: Model, query: str, frame: Frame, time_s: float, run: Run
) -> tuple[list[Hypothesis], tuple[int, int]]:
    """The places that the model names, and the size (w, h) in pixels at which it saw the frame."""
    request, name = Request("image", query, (frame,), (time_s,)), named(frame, time_s)
    try:
        boxes, reply = ask(model, request, run, lambda reply: _boxes_in(reply, frame, model.spec))
    except ParseFailed as error:
        run.note(f"{UNREADABLE} {name} could not be read: {error}", frames=(frame,))
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
    places = [Hypothesis(frame, box, label or query, reasoning, len(tried)) for box, label in tried]
    return places, reply.image_sizes_wh[0]


def _looked_at_twice(
    model: Model, query: str, place: Hypothesis, time_s: float, seen_wh: tuple[int, int], run: Run
) -> Hypothesis:
    """The place with the box of a second look at it, enlarged, if it was too small for the model to be sure of it."""
    spec, frame, box = model.spec, place.frame, place.box
    sx, sy = seen_wh[0] / frame.camera.width, seen_wh[1] / frame.camera.height
    if min((box.x2 - box.x1) * sx, (box.y2 - box.y1) * sy) >= spec.second_look_px:
        return place
    crop = enlarged(frame, box, spec.max_pixels)
    if (gain := crop.scale_xy[0] / sx) < MIN_GAIN:
        return place
    look = f"second look at {named(frame, time_s)}, enlarged {gain:.1f} times around the box"
    request = Request("image", query, (crop.frame,), (time_s,))
    try:
        boxes, reply = ask(model, request, run, lambda reply: _boxes_in(reply, crop.frame, spec))
    except ParseFailed as error:
        run.note(f"The reply to a {look} could not be read; the first box stays. {error}", frames=(frame,))
        return place
    except (OutOfTokens, ModelFailed) as error:
        run.note(f"There was no {look}; the first box stays. {error}", frames=(frame,))
        return place
    reasoning = reasoning_of(reply.text)
    if not boxes:
        run.note(f"Not present in a {look}; the first box stays. {reasoning}".strip(), frames=(frame,))
        return place
    return _replaced(place, [(crop.to_original(pixels), label) for pixels, label in boxes], look, reasoning, run)


def _replaced(place: Hypothesis, boxes: LabeledPixels, look: str, reasoning: str, run: Run) -> Hypothesis:
    """The place with that of the boxes which covers its first one best; as it is where none is of the same thing."""
    box, label = max(boxes, key=lambda labeled: labeled[0].iou(place.box))
    if box.iou(place.box) < SAME_IOU:
        other = f"A {look}, names another place (IoU {box.iou(place.box):.2f}); the first box stays. {reasoning}"
        run.note(other.strip(), frames=(place.frame,))
        return place
    told = f"A {look}, moves it (IoU {box.iou(place.box):.2f} with the first). {reasoning}".strip()
    run.note(told, frames=(place.frame,), boxes=((place.frame.frame_id, box),))
    return replace(place, box=box, label=label or place.label, reasoning=f"{place.reasoning} {reasoning}".strip())


def unseen(run: Run) -> str:
    """For people: what became of the frames that were asked for a box, of which no reply names one."""
    unreadable = sum(step.text.startswith(UNREADABLE) for step in run.rationale if step.stage == "image")
    if unreadable:
        return f"no reply names a place in its time window, and of {counted(unreadable, 'frame')} it could not be read"
    return "no frame of its time window that was asked shows it"


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
