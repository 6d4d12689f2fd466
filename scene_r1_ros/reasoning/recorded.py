# SPDX-License-Identifier: Apache-2.0
"""Answers played from a file: a mind for demonstrations and tests that needs no weights.

The file:

    answers:
      - query: the red mug
        temporal: <think>...</think><answer>5s to 10s</answer>
        image:                          # by the stamp of the frame, nanoseconds; every other frame: not present
          1700000007400000000: '<think>...</think><answer>{"bbox_2d": [12, 30, 80, 95], "label": "mug"}</answer>'
      - query: how many chairs are there?
        answer: <think>...</think><answer>three</answer>

Boxes are in pixels of the original image.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scene_r1_ros.config import read_yaml, shown
from scene_r1_ros.errors import BadInput, ModelFailed
from scene_r1_ros.reasoning.protocol import ModelSpec, Reply, Request
from scene_r1_ros.reasoning.sections import MAX_CHARACTERS
from scene_r1_ros.text import clean_text

MAX_BYTES = 2**20
MAX_NAMES = 10  # of recorded queries in a message
EVERY_FRAME = 1_000_000  # frames cost nothing here
ABSENT = "<think>No box is recorded for this frame.</think><answer>not present</answer>"


@dataclass(frozen=True)
class Recording:
    """What is said to one query (``temporal`` and ``image``) or to one question (``answer``)."""

    query: str
    temporal: str = ""
    image: dict[int, str] = field(default_factory=dict)  # stamp of the frame in ns -> reply
    answer: str = ""


class RecordedModel:
    """Replies with what a file says. Queries match without regard to case and spacing.

    Raises:
        BadInput: the file cannot be read or breaks the form above; the message names the entry.
    """

    spec = ModelSpec(
        name="recorded",
        box_convention="pixel",
        max_frames=EVERY_FRAME,
        image_frames=EVERY_FRAME,
        max_pixels=EVERY_FRAME,
        max_new_tokens=EVERY_FRAME,
    )

    def __init__(self, path: Path):
        self.path = path
        self._recordings: dict[tuple[bool, str], Recording] = {}  # by (is it a question?, normalised words)
        for number, entry in enumerate(_entries(path), start=1):
            recording = _recording(entry, f"{path}: answers, entry {number}")
            key = (bool(recording.answer), _normal(recording.query))
            if key in self._recordings:
                raise BadInput(
                    f"{path}: answers, entry {number}: {shown(recording.query)} stands there twice; keep one"
                )
            self._recordings[key] = recording

    def reply(self, request: Request, on_text: Callable[[str], None], should_stop: Callable[[], bool]) -> Reply:
        text = stream(self._text(request), on_text, should_stop)
        return Reply(text, tuple((frame.camera.width, frame.camera.height) for frame in request.frames))

    def _text(self, request: Request) -> str:
        is_question = request.task == "answer"
        recording = self._recordings.get((is_question, _normal(request.query)))
        if recording is None:
            known = [shown(r.query) for (question, _), r in self._recordings.items() if question == is_question]
            raise ModelFailed(
                f"no answer to {shown(request.query)} is recorded in {self.path}; recorded "
                f"{'questions' if is_question else 'queries'}: {_first(known) or 'none'}; "
                "ask one of these, or choose a model that thinks (model.kind: transformers)"
            )
        if request.task == "image":
            return recording.image.get(request.frames[0].stamp_ns, ABSENT)
        return recording.answer if is_question else recording.temporal


def stream(text: str, on_text: Callable[[str], None], should_stop: Callable[[], bool]) -> str:
    """Say ``text`` word by word; what was said before ``should_stop()`` became true."""
    said = ""
    for word in re.findall(r"\s*\S+|\s+", text):
        if should_stop():
            break
        on_text(word)
        said += word
    return said


def _clean(text: str) -> str:
    return clean_text(text, MAX_CHARACTERS + 1)  # the parser refuses what is longer


def _first(names: list[str]) -> str:
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return ", ".join(names[:MAX_NAMES]) + more


def _normal(query: str) -> str:
    return " ".join(query.split()).casefold()


def _entries(path: Path) -> list:
    content = read_yaml(path, "answers", MAX_BYTES)
    if not isinstance(content, dict) or list(content) != ["answers"] or not isinstance(content["answers"], list):
        raise BadInput(f"{path}: expected one key 'answers' with a list of entries")
    return content["answers"]


def _recording(entry: Any, where: str) -> Recording:
    if not isinstance(entry, dict) or set(entry) not in ({"query", "temporal", "image"}, {"query", "answer"}):
        got = shown(list(entry) if isinstance(entry, dict) else entry)
        raise BadInput(
            f"{where}: expected the keys query, temporal, image (or query, answer for a question); got {got}"
        )
    for name in entry.keys() - {"image"}:
        if not isinstance(entry[name], str) or not entry[name].strip():
            raise BadInput(f"{where}: {name} = {shown(entry[name])}; expected text")
    texts = {name: _clean(entry[name]) for name in entry.keys() - {"image"}}
    return Recording(**texts, image=_images(entry.get("image", {}), where))


def _images(images: Any, where: str) -> dict[int, str]:
    if not isinstance(images, dict):
        raise BadInput(
            f"{where}: image = {shown(images)}; expected 'stamp in nanoseconds: text' pairs, or {{}} for none"
        )
    for stamp, text in images.items():
        if not isinstance(text, str) or not text.strip():
            raise BadInput(f"{where}: image: {_stamp_ns(stamp, where)}: {shown(text)}; expected text")
    return {_stamp_ns(stamp, where): _clean(text) for stamp, text in images.items()}


def _stamp_ns(value: Any, where: str) -> int:
    if isinstance(value, str) and re.fullmatch(r"\d{1,19}", value, re.ASCII):
        value = int(value)
    if type(value) is not int or not 0 < value < 2**63:
        raise BadInput(f"{where}: image: {shown(value)}; expected the stamp of a frame in whole nanoseconds")
    return value
