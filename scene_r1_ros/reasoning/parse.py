# SPDX-License-Identifier: Apache-2.0
"""What a model wrote, as values. "Not there" and "cannot be read" are two different things: the first is an empty
result, the second raises ``ParseFailed``, which keeps the text. Nothing else is ever raised.

The formats are those of Scene-R1 and its lineage: ``<think>...</think><answer>5s to 10s</answer>`` and
``<answer>{"bbox_2d": [x1, y1, x2, y2], "label": "chair"}</answer>`` (arXiv 2506.17545).
"""

import re

from scene_r1_ros.errors import ParseFailed
from scene_r1_ros.reasoning.boxes import LabeledBox, find_boxes
from scene_r1_ros.reasoning.clip import TOLERANCE_S
from scene_r1_ros.reasoning.denial import contradicts, denies
from scene_r1_ros.reasoning.fitting import fitted, unwrapped
from scene_r1_ros.reasoning.questions import kind_of
from scene_r1_ros.reasoning.sections import answer_of, excerpt, plain, reasoning_of
from scene_r1_ros.reasoning.windows import find_windows
from scene_r1_ros.text import clean_text
from scene_r1_ros.types import TimeWindow

__all__ = ["LabeledBox", "parse_answer", "parse_boxes", "parse_window", "reasoning_of"]

# "5s to the end", but not "to the end of the table".
TO_THE_END = re.compile(
    r"\b(?:to|until|till)\sthe\s(?:very\s)?end(?:\sof\sthe\s(?:video|clip|footage|recording))?(?=\s?(?:[.,;)\]\"'<]|\Z))",
    re.I,
)
QUOTED = re.compile(r"(?<=[:,\[{])\s?([\"'])(?:(?!\1).){1,300}\1")  # strings of JSON; a label may deny anything


def parse_window(text: str, end_s: float, start_s: float = 0.0) -> tuple[TimeWindow, ...]:
    """The time windows a reply names, clipped to what was shown, ``start_s`` to ``end_s``; empty = it says not present.

    The last answer counts. Of several windows in untagged prose only the last does.

    Raises:
        ParseFailed: no window can be read, all lie outside the clip, or the answer also says not present.
    """
    said = answer_of(text)
    body = plain(said.answer)
    timed = TO_THE_END.sub(f"to {end_s:.6f}s", body) if said.closed else body
    found = find_windows(timed, said.closed)
    if not found and denies(body, said.closed):
        return ()
    if not found:
        raise ParseFailed(f"no time window in {excerpt(body)}; expected '5s to 10s' or 'not present'", text)
    shown = TimeWindow(start_s, end_s)
    windows = [_clipped(first_s, last_s, shown) for first_s, last_s in (found if said.tagged else found[-1:])]
    if contradicts(body):
        if all(_covers(window, shown) for window in windows):  # "not present in 0s to 30s"
            return ()
        raise ParseFailed(f"{excerpt(body)} names a time window and says that it is not there; say only one", text)
    if inside := tuple(dict.fromkeys(window for window in windows if window)):
        return inside
    raise ParseFailed(
        f"the window {found[-1][0]:g}s to {found[-1][1]:g}s lies outside the clip, which spans {start_s:g}s to "
        f"{end_s:g}s",
        text,
    )


def _covers(window: TimeWindow | None, shown: TimeWindow) -> bool:
    """Whether a window is all that was shown, but for what times lose in hundredths of a second."""
    if window is None:
        return False
    return max(window.start_s - shown.start_s, shown.end_s - window.end_s) <= TOLERANCE_S


def _clipped(start_s: float, end_s: float, shown: TimeWindow) -> TimeWindow | None:
    start_s, end_s = sorted((start_s, end_s))
    if end_s < shown.start_s - TOLERANCE_S or start_s > shown.end_s + TOLERANCE_S:
        return None
    return TimeWindow(*(min(max(time_s, shown.start_s), shown.end_s) for time_s in (start_s, end_s)))


def parse_boxes(text: str) -> tuple[LabeledBox, ...]:
    """The boxes of a reply's last answer, in the model's own coordinates; empty = it says not present.

    Raises:
        ParseFailed: no box can be read, they are fractions of the image, or the answer also says not present.
    """
    said = answer_of(text)
    body = plain(said.answer)
    boxes = find_boxes(body, said.closed)
    if boxes is None or (not boxes and denies(body, said.closed)):
        return ()
    if not boxes:
        raise ParseFailed(
            f'no box in {excerpt(body)}; expected {{"bbox_2d": [x1, y1, x2, y2], "label": "..."}} or not present', text
        )
    if contradicts(QUOTED.sub('""', body)) or any(denies(box.label, closed=False) for box in boxes):
        raise ParseFailed(f"{excerpt(body)} names a box and says that it is not there; say only one", text)
    if any(max(map(abs, box.xyxy)) <= 1 and any(v % 1 for v in box.xyxy) for box in boxes):
        raise ParseFailed(f"the box in {excerpt(body)} counts in fractions of the image; expected whole units", text)
    return tuple(boxes)


def parse_answer(text: str, question: str = "") -> str:
    """The answer to a question, in the form of its kind (see ``questions.kind_of``): "B. blue" to one with options,
    "3" to how many, "yes" or "no" and what the model said behind it, else the model's words.

    Args:
        text: the reply.
        question: what was asked.

    Raises:
        ParseFailed: there is none, the reply ends before it does, or it does not fit the question.
    """
    said = answer_of(text)
    if not said.closed:
        raise ParseFailed(f"the reply ends inside the answer {excerpt(said.answer)}; allow more tokens", text)
    if not (answer := unwrapped(said.answer)):
        raise ParseFailed("the answer is empty; expected <answer>...</answer> with the answer in it", text)
    try:
        return clean_text(fitted(answer, question, kind_of(question)))
    except ValueError as error:
        raise ParseFailed(str(error), text) from error
