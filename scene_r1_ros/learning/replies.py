# SPDX-License-Identifier: Apache-2.0
"""The right reply to a sample in a model's own words and units, and the messages that ask for it: the robot's."""

import json
from collections.abc import Iterable
from typing import Any

from scene_r1_ros.errors import BadInput
from scene_r1_ros.learning.places import scaled, timed
from scene_r1_ros.learning.rewards import scale_of
from scene_r1_ros.learning.sample import NamedBox, Sample
from scene_r1_ros.reasoning.parse import parse_answer
from scene_r1_ros.reasoning.prompting import messages, quoted
from scene_r1_ros.reasoning.protocol import ModelSpec, Request
from scene_r1_ros.reasoning.several import names_several
from scene_r1_ros.types import TimeWindow

NOT_PRESENT = "not present"  # as the prompts ask for it


def reply_of(sample: Sample, spec: ModelSpec, seen_wh: tuple[int, int]) -> str:
    """``<think>...</think>`` and ``<answer>...</answer>`` as ``reasoning/prompts`` ask for them.

    Boxes, and places in the reasoning, are whole numbers in the model's convention; times have the hundredths that the
    captions of the frames have.

    Args:
        seen_wh: size of the image as the model sees it, pixels.
    """
    sx, sy = scale_of(spec.box_convention, seen_wh, sample.shots[0].size_wh)
    units_xy = (1 / sx, 1 / sy)
    reasoning = timed(scaled(sample.reasoning, units_xy))
    return f"<think>{reasoning}</think>\n<answer>{_answer(sample, units_xy)}</answer>"


def _answer(sample: Sample, units_xy: tuple[float, float]) -> str:
    target = sample.target
    if target.answer is not None:
        return parse_answer(f"<answer>{target.answer}</answer>", sample.query)
    if target.windows is not None:
        return ", ".join(map(_window, target.windows)) or NOT_PRESENT
    listed = sample.task == "objects" or names_several(sample.query)
    return _boxes(target.boxes or (), units_xy, listed) if target.boxes else NOT_PRESENT


def _window(window: TimeWindow) -> str:
    return f"{window.start_s:.2f}s to {window.end_s:.2f}s"


def _boxes(boxes: Iterable[NamedBox], units_xy: tuple[float, float], listed: bool) -> str:
    texts = [f'{{"bbox_2d": {json.dumps(_units(b, units_xy))}, "label": {quoted(b.label)}}}' for b in boxes]
    return f"[{', '.join(texts)}]" if listed or len(texts) > 1 else texts[0]


def _units(named: NamedBox, units_xy: tuple[float, float]) -> list[int]:
    """The corners in the model's units; a box thinner than one unit keeps one."""
    (x1, y1, x2, y2), (sx, sy) = named.box.xyxy, units_xy
    left, top = round(x1 * sx), round(y1 * sy)
    return [left, top, max(round(x2 * sx), left + 1), max(round(y2 * sy), top + 1)]


def request_of(sample: Sample) -> Request:
    """What the robot would ask a model, without the frames: their words and times are all that messages need.

    Raises:
        BadInput: a sample of the task objects, which the robot never asks.
    """
    if sample.task == "objects":
        raise BadInput(f"sample {sample.sample_id!r}: the robot has no request for everything in a frame; ask in words")
    return Request(sample.task, sample.query, (), tuple(shot.time_s for shot in sample.shots))


def messages_of(sample: Sample, spec: ModelSpec) -> list[dict[str, Any]]:
    """The conversation for a chat template, the very one that the robot sends to this model.

    Raises:
        BadInput: as ``request_of``.
    """
    return messages(request_of(sample), spec.prompts, spec.time_format)
