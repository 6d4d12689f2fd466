# SPDX-License-Identifier: Apache-2.0
"""What a model wrote, as values. "Not there" and "cannot be read" are two different things: the first is an empty
result, the second raises ``ParseFailed``, which keeps the text. Nothing else is ever raised.

The formats are those of Scene-R1 and its lineage: ``<think>...</think><answer>5s to 10s</answer>`` and
``<answer>{"bbox_2d": [x1, y1, x2, y2], "label": "chair"}</answer>`` (arXiv 2506.17545).
"""

from scene_r1_ros.errors import ParseFailed
from scene_r1_ros.reasoning.boxes import LabeledBox, find_boxes
from scene_r1_ros.reasoning.clip import TOLERANCE_S
from scene_r1_ros.reasoning.sections import answer_of, denies, denies_first, excerpt, plain, reasoning_of
from scene_r1_ros.reasoning.windows import find_windows
from scene_r1_ros.text import clean_text
from scene_r1_ros.types import TimeWindow

__all__ = ["LabeledBox", "parse_answer", "parse_boxes", "parse_window", "reasoning_of"]


def parse_window(text: str, duration_s: float) -> tuple[TimeWindow, ...]:
    """The time windows a reply names, clipped to a clip of ``duration_s`` seconds; empty = it says not present.

    The last answer counts. Of several windows in untagged prose only the last does.

    Raises:
        ParseFailed: no window can be read, or all lie outside the clip.
    """
    said = answer_of(text)
    body = plain(said.answer)
    if denies_first(body):
        return ()
    found = find_windows(body, said.closed)
    if not found and denies(body):
        return ()
    if not found:
        raise ParseFailed(f"no time window in {excerpt(body)}; expected '5s to 10s' or 'not present'", text)
    windows = [_clipped(start_s, end_s, duration_s) for start_s, end_s in (found if said.tagged else found[-1:])]
    if inside := tuple(dict.fromkeys(window for window in windows if window)):
        return inside
    raise ParseFailed(
        f"the window {found[-1][0]:g}s to {found[-1][1]:g}s lies outside the clip, which spans 0s to {duration_s:g}s",
        text,
    )


def _clipped(start_s: float, end_s: float, duration_s: float) -> TimeWindow | None:
    start_s, end_s = sorted((start_s, end_s))
    if end_s < -TOLERANCE_S or start_s > duration_s + TOLERANCE_S:
        return None
    return TimeWindow(min(max(start_s, 0.0), duration_s), min(max(end_s, 0.0), duration_s))


def parse_boxes(text: str) -> tuple[LabeledBox, ...]:
    """The boxes of a reply's last answer, in the model's own coordinates; empty = it says not present.

    Raises:
        ParseFailed: no box can be read.
    """
    body = plain(answer_of(text).answer)
    if denies_first(body):
        return ()
    boxes = find_boxes(body)
    if boxes is None or (not boxes and denies(body)):
        return ()
    if not boxes:
        raise ParseFailed(
            f'no box in {excerpt(body)}; expected {{"bbox_2d": [x1, y1, x2, y2], "label": "..."}} or not present', text
        )
    return tuple(boxes)


def parse_answer(text: str) -> str:
    """The answer to a question, in the model's words.

    Raises:
        ParseFailed: there is none, or the reply ends before it does.
    """
    said = answer_of(text)
    if not said.closed:
        raise ParseFailed(f"the reply ends inside the answer {excerpt(said.answer)}; allow more tokens", text)
    if answer := said.answer.strip("` \n\t"):
        return clean_text(answer)
    raise ParseFailed("the answer is empty; expected <answer>...</answer> with the answer in it", text)
