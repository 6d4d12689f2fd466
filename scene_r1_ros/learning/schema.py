# SPDX-License-Identifier: Apache-2.0
"""A sample as a JSON object, and back. The set of keys is closed, so that nothing 3D can slip in::

    {"id": "train/000123/17", "task": "image", "scene": "train/000123",
     "frames": [{"image": "images/000123/000004.jpg", "time_s": 1.6, "size_wh": [224, 168]}],
     "query": "the red mug on the table",
     "target": {"boxes": [{"box_xyxy": [34, 50, 61, 80], "label": "red mug"}]},
     "reasoning": "...", "tags": ["relation", "on"]}

Other targets: ``{"windows_s": [[1.2, 3.4]]}`` and ``{"answer": "3"}``; an empty list says that it is not there. The
keys ``reasoning`` and ``tags`` may be left out. What each field means stands in ``learning.sample``.
"""

import re
from functools import lru_cache
from itertools import pairwise
from math import isfinite
from typing import Any

from scene_r1_ros.config import shown
from scene_r1_ros.errors import BadInput
from scene_r1_ros.learning.places import PLACE
from scene_r1_ros.learning.sample import LearningTask, NamedBox, Sample, Shot, Target
from scene_r1_ros.reasoning.clip import TOLERANCE_S
from scene_r1_ros.reasoning.fitting import fitted
from scene_r1_ros.reasoning.questions import kind_of
from scene_r1_ros.text import MAX_LABEL, MAX_TEXT, clean_text
from scene_r1_ros.types import Box2D, TimeWindow

NEEDED = ("id", "task", "scene", "frames", "query", "target")
KEYS = frozenset({*NEEDED, "reasoning", "tags"})
FRAME_KEYS = frozenset({"image", "time_s", "size_wh"})
BOX_KEYS = frozenset({"box_xyxy", "label"})
TARGET_OF: dict[LearningTask, str] = {"temporal": "windows_s", "image": "boxes", "answer": "answer", "objects": "boxes"}

# How the names of what only 3D labels give begin or read, in the words of other data sets.
NAMES_3D = re.compile(
    r"depth|pose|t_world|extrinsic|intrinsic|camera|point|cloud|xyz|3d|mesh|voxel|normal|rotation|translation|quaternion"
    r"|center|size_m|obb|lidar|world|instance|odom",
    re.IGNORECASE,
)
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png")

MAX_FRAMES = 1_000
MAX_PLACES = 1_000  # boxes or windows of one sample
MAX_TAGS = 32
MAX_QUERY = 2_000  # characters, as everywhere in the package
MAX_NAME = 300  # ... of an id, a scene or a path
MAX_SIDE = 20_000  # pixels
MAX_TIME_S = 1e6


def sample_of(values: Any) -> Sample:
    """The sample that a JSON object describes.

    Raises:
        BadInput: the first field that breaks a rule, with its value, the rule and the remedy.
    """
    check_keys(values, "a sample", KEYS, NEEDED)
    if not isinstance(values["task"], str) or values["task"] not in TARGET_OF:
        raise BadInput(f"task = {shown(values['task'])}; expected one of {', '.join(TARGET_OF)}")
    task: LearningTask = values["task"]
    shots = _shots(values["frames"], task)
    query = text(values["query"], "query", MAX_QUERY, may_be_empty=task == "objects")
    if task == "objects" and query:
        raise BadInput(f"query = {shown(query)}; the task objects asks for everything that has a name: leave it empty")
    sample_id, scene = (text(values[name], name, MAX_NAME) for name in ("id", "scene"))
    target = _target(values["target"], task, query, shots)
    reasoning = _reasoning(values.get("reasoning", ""), shots)
    tags = tuple(text(tag, "tags", MAX_LABEL) for tag in _list(values.get("tags", []), "tags", MAX_TAGS))
    return Sample(sample_id, task, scene, shots, query, target, reasoning, tags)


def dict_of(sample: Sample) -> dict[str, Any]:
    """The JSON object of a sample; whole numbers without a point."""
    values: dict[str, Any] = {
        "id": sample.sample_id,
        "task": sample.task,
        "scene": sample.scene,
        "frames": [{"image": s.image, "time_s": _short(s.time_s), "size_wh": list(s.size_wh)} for s in sample.shots],
        "query": sample.query,
        "target": _target_dict(sample.target),
    }
    if sample.reasoning:
        values["reasoning"] = sample.reasoning
    if sample.tags:
        values["tags"] = list(sample.tags)
    return values


def _target_dict(target: Target) -> dict[str, Any]:
    """One key for each field that is not None; a sample has one, and ``sample_of`` refuses any other number."""
    values: dict[str, Any] = {}
    if target.windows is not None:
        values["windows_s"] = [[_short(w.start_s), _short(w.end_s)] for w in target.windows]
    if target.boxes is not None:
        values["boxes"] = [{"box_xyxy": [_short(v) for v in b.box.xyxy], "label": b.label} for b in target.boxes]
    if target.answer is not None:
        values["answer"] = target.answer
    return values


def _short(value: float) -> float:
    return int(value) if isfinite(value) and value == int(value) else float(value)


def check_keys(values: Any, where: str, known: frozenset[str], needed: tuple[str, ...] | frozenset[str]) -> None:
    """
    Raises:
        BadInput: no object, a key that is missing, or one that is not known; 3D is refused with the reason.
    """
    if not isinstance(values, dict):
        raise BadInput(f"{where} is {shown(values)}; expected a JSON object with the keys {', '.join(needed)}")
    if not values.keys() <= known:
        raise BadInput(_unknown(next(name for name in values if name not in known), where, known))
    for name in needed:
        if name not in values:
            raise BadInput(f"{where} has no field {name!r}; add it")


def _unknown(name: str, where: str, known: frozenset[str]) -> str:
    if NAMES_3D.search(name):
        return (
            f"{where} has a field {shown(name)}; nothing 3D may be there: the model learns from images, times, 2D "
            "boxes, windows and text alone, so that it never needs 3D labels; remove the field"
        )
    return f"{where} has an unknown field {shown(name)}; known are {', '.join(sorted(known))}: remove or rename it"


def text(value: Any, where: str, limit: int, may_be_empty: bool = False) -> str:
    """A text that can be shown, sent and encoded.

    Raises:
        BadInput: no text, an empty one, one that is too long, or one with control characters.
    """
    if not isinstance(value, str):
        raise BadInput(f"{where} = {shown(value)}; expected text")
    if not may_be_empty and not value.strip():
        raise BadInput(f"{where} is empty; expected text")
    if len(value) > limit:
        raise BadInput(f"{where} has {len(value)} characters; at most {limit} are allowed: shorten it")
    if not value.isprintable() and clean_text(value, limit) != value:
        raise BadInput(f"{where} = {shown(value)} holds control characters or halves of a surrogate pair; remove them")
    return value


def number(value: Any, where: str, high: float) -> float:
    """A number from 0 to ``high``.

    Raises:
        BadInput: anything else, NaN too.
    """
    if type(value) not in (int, float) or not 0 <= value <= high:
        raise BadInput(f"{where} = {shown(value)}; expected a number from 0 to {high:g}")
    return float(value)


def _list(value: Any, where: str, limit: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > limit:
        got = f"a list of {len(value)}" if isinstance(value, list) else shown(value)
        raise BadInput(f"{where} is {got}; expected a list of at most {limit}")
    return value


def _shots(frames: Any, task: LearningTask) -> tuple[Shot, ...]:
    shots = tuple(_shot(frame, f"frames[{i}]") for i, frame in enumerate(_list(frames, "frames", MAX_FRAMES)))
    if not shots:
        raise BadInput("frames is empty; a sample shows at least one image: name it")
    if task in ("image", "objects") and len(shots) != 1:
        raise BadInput(f"frames has {len(shots)} images; the task {task} is about exactly one: keep that one")
    for i, (before, after) in enumerate(pairwise(shots), start=1):
        if after.time_s <= before.time_s:
            raise BadInput(
                f"frames[{i}].time_s = {after.time_s:g} follows {before.time_s:g}; times must rise: sort the frames"
            )
    return shots


def _shot(frame: Any, where: str) -> Shot:
    check_keys(frame, where, FRAME_KEYS, FRAME_KEYS)
    size = frame["size_wh"]
    if not isinstance(size, list) or len(size) != 2 or any(type(v) is not int or not 1 <= v <= MAX_SIDE for v in size):
        raise BadInput(f"{where}.size_wh = {shown(size)}; expected [width, height] in whole pixels, 1 to {MAX_SIDE}")
    time_s = number(frame["time_s"], f"{where}.time_s", MAX_TIME_S)
    return Shot(_image(frame["image"], f"{where}.image"), time_s, (size[0], size[1]))


def _image(value: Any, where: str) -> str:
    name = text(value, where, MAX_NAME)
    if name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/"):
        raise BadInput(
            f"{where} = {shown(name)}; expected a path with / below the folder of this file, without '..': "
            "copy the image there"
        )
    if not name.lower().endswith(IMAGE_SUFFIXES):
        raise BadInput(f"{where} = {shown(name)}; expected a file that ends with {', '.join(IMAGE_SUFFIXES)}")
    return name


def _target(values: Any, task: LearningTask, query: str, shots: tuple[Shot, ...]) -> Target:
    name = TARGET_OF[task]
    if isinstance(values, dict) and name not in values and (other := set(values) & set(TARGET_OF.values())):
        raise BadInput(f"target has {', '.join(sorted(other))}; the task {task} is answered by {name}: change one")
    check_keys(values, "target", frozenset({name}), (name,))
    value = values[name]
    if name == "windows_s":
        windows = _list(value, "target.windows_s", MAX_PLACES)
        return Target(windows=tuple(_window(w, f"target.windows_s[{i}]", shots) for i, w in enumerate(windows)))
    if name == "boxes":
        boxes = _list(value, "target.boxes", MAX_PLACES)
        return Target(boxes=tuple(_box(b, f"target.boxes[{i}]", shots[0]) for i, b in enumerate(boxes)))
    return Target(answer=_answer(text(value, "target.answer", MAX_TEXT), query))


def _window(value: Any, where: str, shots: tuple[Shot, ...]) -> TimeWindow:
    if not isinstance(value, list) or len(value) != 2:
        raise BadInput(f"{where} = {shown(value)}; expected [start, end] in seconds")
    start_s, end_s = (number(v, where, MAX_TIME_S) for v in value)
    if end_s < start_s:
        raise BadInput(f"{where} = {shown(value)} ends before it starts; expected [start, end]: swap them")
    first_s, last_s = shots[0].time_s, shots[-1].time_s
    if start_s < first_s - TOLERANCE_S or end_s > last_s + TOLERANCE_S:
        raise BadInput(
            f"{where} = {shown(value)} is not inside the clip, whose frames are from {first_s:g} s to {last_s:g} s: "
            "cut it to them"
        )
    return TimeWindow(start_s, end_s)


def _box(value: Any, where: str, shot: Shot) -> NamedBox:
    check_keys(value, where, BOX_KEYS, BOX_KEYS)
    corners, (width, height) = value["box_xyxy"], shot.size_wh
    if not isinstance(corners, list) or len(corners) != 4 or any(type(v) not in (int, float) for v in corners):
        raise BadInput(f"{where}.box_xyxy = {shown(corners)}; expected [x1, y1, x2, y2] in pixels")
    x1, y1, x2, y2 = corners
    if not (min(x1, y1) >= 0 and x2 <= width and y2 <= height):  # not NaN either
        raise BadInput(
            f"{where}.box_xyxy = {shown(corners)} is not inside its image of {width}x{height} pixels: cut it"
        )
    if not (x1 < x2 and y1 < y2):
        raise BadInput(f"{where}.box_xyxy = {shown(corners)} has no area; expected x1 < x2 and y1 < y2")
    return NamedBox(text(value["label"], f"{where}.label", MAX_LABEL), Box2D(*map(float, corners)))


@lru_cache(maxsize=2**16)  # many samples share few questions
def _answer(answer: str, question: str) -> str:
    try:
        fitted(answer, question, kind_of(question))
    except ValueError as error:
        raise BadInput(f"target.answer does not fit the query {shown(question)}: {error}") from error
    return answer


def _reasoning(value: Any, shots: tuple[Shot, ...]) -> str:
    reasoning = text(value, "reasoning", MAX_TEXT, may_be_empty=True)
    if "<" in reasoning:
        raise BadInput("reasoning holds '<', with which the tags of a reply begin; say it in words")
    for place in PLACE.finditer(reasoning):
        width, height = (max(shot.size_wh[i] for shot in shots) for i in (0, 1))
        if float(place["x"]) > width or float(place["y"]) > height:
            raise BadInput(
                f"reasoning names the place {place[0]}, which is outside of {width}x{height} pixels; mend it"
            )
    return reasoning
