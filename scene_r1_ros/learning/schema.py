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

from functools import lru_cache
from itertools import pairwise
from math import isfinite
from typing import Any

from scene_r1_ros.config import shown
from scene_r1_ros.errors import BadInput
from scene_r1_ros.learning.fields import check_keys, listed, number, text
from scene_r1_ros.learning.places import PLACE
from scene_r1_ros.learning.sample import LearningTask, NamedBox, Sample, Shot, Target
from scene_r1_ros.reasoning.clip import TOLERANCE_S
from scene_r1_ros.reasoning.denial import denies
from scene_r1_ros.reasoning.fitting import fitted, unwrapped
from scene_r1_ros.reasoning.questions import kind_of
from scene_r1_ros.reasoning.sections import plain
from scene_r1_ros.text import MAX_LABEL, MAX_TEXT
from scene_r1_ros.types import Box2D, TimeWindow

NEEDED, OPTIONAL = ("id", "task", "scene", "frames", "query", "target"), ("reasoning", "tags")
FRAME_KEYS = ("image", "time_s", "size_wh")
BOX_KEYS = ("box_xyxy", "label")
TARGET_OF: dict[LearningTask, str] = {"temporal": "windows_s", "image": "boxes", "answer": "answer", "objects": "boxes"}

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png")

NUMBERS = frozenset({int, float})  # not bool
PLAIN = NUMBERS | {str}

MAX_FRAMES = 1_000
MAX_PLACES = 250  # boxes or windows of one sample
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
    check_keys(values, "a sample", NEEDED, OPTIONAL)
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
    tags = tuple(text(tag, "tags", MAX_LABEL) for tag in listed(values.get("tags", []), "tags", MAX_TAGS))
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


def _shots(frames: Any, task: LearningTask) -> tuple[Shot, ...]:
    shots = tuple(_shot(frame, f"frames[{i}]") for i, frame in enumerate(listed(frames, "frames", MAX_FRAMES)))
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
    check_keys(frame, where, FRAME_KEYS)
    values = (frame["image"], frame["time_s"], *(frame["size_wh"] if isinstance(frame["size_wh"], list) else ()))
    make = _made_shot if len(values) == 4 and PLAIN.issuperset(map(type, values)) else _made_shot.__wrapped__
    try:
        return make(frame["image"], frame["time_s"], *values[2:])
    except BadInput as error:
        raise BadInput(f"{where}.{error}") from error


@lru_cache(maxsize=2**16, typed=True)  # many samples share few frames
def _made_shot(image: Any, time_s: Any, *size_wh: Any) -> Shot:
    if len(size_wh) != 2 or any(type(v) is not int or not 1 <= v <= MAX_SIDE for v in size_wh):
        got = shown(list(size_wh))
        raise BadInput(f"size_wh = {got}; expected [width, height] in whole pixels, 1 to {MAX_SIDE}")
    return Shot(_image(image), number(time_s, "time_s", MAX_TIME_S), (size_wh[0], size_wh[1]))


def _image(value: Any) -> str:
    name = text(value, "image", MAX_NAME)
    if name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/"):
        raise BadInput(
            f"image = {shown(name)}; expected a path with / below the folder of this file, without '..': "
            "copy the image there"
        )
    if not name.lower().endswith(IMAGE_SUFFIXES):
        raise BadInput(f"image = {shown(name)}; expected a file that ends with {', '.join(IMAGE_SUFFIXES)}")
    return name


def _target(values: Any, task: LearningTask, query: str, shots: tuple[Shot, ...]) -> Target:
    name = TARGET_OF[task]
    if isinstance(values, dict) and name not in values and (other := set(values) & set(TARGET_OF.values())):
        raise BadInput(f"target has {', '.join(sorted(other))}; the task {task} is answered by {name}: change one")
    check_keys(values, "target", (name,))
    value = values[name]
    if name == "windows_s":
        windows = listed(value, "target.windows_s", MAX_PLACES)
        return Target(windows=tuple(_window(w, f"target.windows_s[{i}]", shots) for i, w in enumerate(windows)))
    if name == "boxes":
        listed_boxes = listed(value, "target.boxes", MAX_PLACES)
        boxes = tuple(_box(b, f"target.boxes[{i}]", shots[0]) for i, b in enumerate(listed_boxes))
        if len(boxes) > 1 and len(set(boxes)) < len(boxes):
            twice = next(i for i, box in enumerate(boxes) if box in boxes[:i])
            raise BadInput(f"target.boxes[{twice}] stands there twice; keep one")
        return Target(boxes=boxes)
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
    check_keys(value, where, BOX_KEYS)
    corners, (width, height) = value["box_xyxy"], shot.size_wh
    if not isinstance(corners, list) or len(corners) != 4 or not NUMBERS.issuperset(map(type, corners)):
        raise BadInput(f"{where}.box_xyxy = {shown(corners)}; expected [x1, y1, x2, y2] in pixels")
    x1, y1, x2, y2 = corners
    if not (min(x1, y1) >= 0 and x2 <= width and y2 <= height):
        raise BadInput(
            f"{where}.box_xyxy = {shown(corners)} is not inside its image of {width}x{height} pixels: cut it"
        )
    if not (x1 < x2 and y1 < y2):
        raise BadInput(f"{where}.box_xyxy = {shown(corners)} has no area; expected x1 < x2 and y1 < y2")
    return NamedBox(_label(text(value["label"], f"{where}.label", MAX_LABEL)), Box2D(*map(float, corners)))


@lru_cache(maxsize=2**16)
def _label(label: str) -> str:
    if denies(plain(label), closed=False):
        raise BadInput(f"label {shown(label)} says that nothing is there; name the thing, or leave the list empty")
    return label


@lru_cache(maxsize=2**16)  # many samples share few questions
def _answer(answer: str, question: str) -> str:
    if "<" in answer:
        raise BadInput("target.answer holds '<', with which the tags of a reply begin; say it in words")
    try:
        fitted(unwrapped(answer), question, kind_of(question))
    except ValueError as error:
        raise BadInput(f"target.answer does not fit the query {shown(question)}: {error}") from error
    return answer


def _reasoning(value: Any, shots: tuple[Shot, ...]) -> str:
    reasoning = text(value, "reasoning", MAX_TEXT, may_be_empty=True)
    if "<" in reasoning:
        raise BadInput("reasoning holds '<', with which the tags of a reply begin; say it in words")
    for place in PLACE.finditer(reasoning):
        width, height = map(max, zip(*(shot.size_wh for shot in shots), strict=True))
        if float(place["x"]) > width or float(place["y"]) > height:
            raise BadInput(
                f"reasoning names the place {place[0]}, which is outside of {width}x{height} pixels; mend it"
            )
    return reasoning
