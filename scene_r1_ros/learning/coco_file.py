# SPDX-License-Identifier: Apache-2.0
"""Boxes that a person drew, from a file in COCO's format (https://cocodataset.org/#format-data).

Of the file are read: ``images`` (id, file_name, width, height; frame_id if there), ``categories`` (id, name) and
``annotations`` (image_id, category_id, bbox [x, y, width, height] in pixels; query or caption and track_id if there).
All else, masks too, is passed over.
"""

from dataclasses import dataclass
from math import isfinite
from pathlib import Path, PurePosixPath
from typing import Any

from scene_r1_ros.config import shown
from scene_r1_ros.errors import BadBox, BadInput
from scene_r1_ros.learning.fields import text
from scene_r1_ros.learning.jsonl import parsed
from scene_r1_ros.learning.schema import IMAGE_SUFFIXES, MAX_QUERY
from scene_r1_ros.sequences.files import read_file
from scene_r1_ros.text import MAX_LABEL
from scene_r1_ros.types import Box2D

MAX_BYTES = 256 * 2**20
MAX_SIDE = 20_000  # pixels
Key = int | str


@dataclass(frozen=True)
class DrawnImage:
    """An image of the file."""

    name: str  # of its frame, id or stamp: frame_id, else the file's name without folder and suffix
    size_wh: tuple[int, int]


@dataclass(frozen=True)
class DrawnBox:
    """An annotation of the file."""

    image: Key
    label: str  # name of its category
    box: Box2D  # pixels, cut to the image
    query: str  # in the annotator's own words; empty where there are none
    track: Key | None  # the same for one thing in all its images


@dataclass(frozen=True)
class Drawn:
    """All that a file holds."""

    images: dict[Key, DrawnImage]
    boxes: tuple[DrawnBox, ...]


def read_coco(path: Path) -> Drawn:
    """
    Raises:
        BadInput: it cannot be read or breaks a rule; with file, entry, field, rule and remedy.
    """
    try:
        values = parsed(read_file(path, MAX_BYTES, "COCO annotations"))
        images = {_key(v, "id", w): _image(v, w) for v, w in _entries(values, "images")}
        labels = {
            _key(v, "id", w): text(_get(v, "name", w), f"{w}.name", MAX_LABEL)
            for v, w in _entries(values, "categories")
        }
        boxes = tuple(_box(v, w, images, labels) for v, w in _entries(values, "annotations"))
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from error
    return Drawn(images, boxes)


def _entries(values: Any, name: str) -> list[tuple[Any, str]]:
    entries = values.get(name) if isinstance(values, dict) else None
    if not isinstance(entries, list) or not entries:
        raise BadInput(f"{name} = {shown(entries)}; COCO annotations have lists images, categories and annotations")
    ids = [entry.get("id") for entry in entries if isinstance(entry, dict)]
    if name != "annotations" and len({repr(i) for i in ids}) < len(ids):
        raise BadInput(f"{name} holds an id twice; give each its own")
    return [(entry, f"{name}[{i}]") for i, entry in enumerate(entries)]


def _get(entry: Any, name: str, where: str) -> Any:
    if not isinstance(entry, dict) or name not in entry:
        raise BadInput(f"{where} has no field {name!r}; add it")
    return entry[name]


def _key(entry: Any, name: str, where: str) -> Key:
    value = _get(entry, name, where)
    if type(value) not in (int, str):
        raise BadInput(f"{where}.{name} = {shown(value)}; expected a whole number or text")
    return value


def _image(entry: Any, where: str) -> DrawnImage:
    field = "frame_id" if isinstance(entry, dict) and "frame_id" in entry else "file_name"
    name = str(_key(entry, field, where))
    if field == "file_name":
        path = PurePosixPath(name.replace("\\", "/"))
        name = (path.stem if path.suffix.lower() in IMAGE_SUFFIXES else path.name).removesuffix(".color")
    size = [_get(entry, side, where) for side in ("width", "height")]
    if any(type(v) is not int or not 1 <= v <= MAX_SIDE for v in size):
        raise BadInput(f"{where}: width, height = {shown(size)}; expected whole pixels, 1 to {MAX_SIDE}")
    return DrawnImage(name, (size[0], size[1]))


def _box(entry: Any, where: str, images: dict[Key, DrawnImage], labels: dict[Key, str]) -> DrawnBox:
    image, category = _key(entry, "image_id", where), _key(entry, "category_id", where)
    for name, key, known in (("image_id", image, images), ("category_id", category, labels)):
        if key not in known:
            raise BadInput(f"{where}.{name} = {shown(key)} is no id of the file; name one that is")
    if entry.get("iscrowd"):
        raise BadInput(f"{where} is a crowd (iscrowd); a box must hold one thing: draw one for each, or leave it out")
    words = next((entry[name] for name in ("query", "caption") if entry.get(name)), "")
    return DrawnBox(
        image=image,
        label=labels[category],
        box=_corners(_get(entry, "bbox", where), images[image].size_wh, f"{where}.bbox"),
        query=text(words, f"{where}.query", MAX_QUERY, may_be_empty=True),
        track=_key(entry, "track_id", where) if entry.get("track_id") is not None else None,
    )


def _corners(bbox: Any, size_wh: tuple[int, int], where: str) -> Box2D:
    """The box, cut to the image: a person draws a little over its rim."""
    if not isinstance(bbox, list) or len(bbox) != 4 or any(type(v) not in (int, float) for v in bbox):
        raise BadInput(f"{where} = {shown(bbox)}; expected [x, y, width, height] in pixels")
    x, y, width, height = bbox
    if not all(isfinite(v) for v in bbox if type(v) is float) or not (0 < width < 1e9 and 0 < height < 1e9):
        raise BadInput(f"{where} = {shown(bbox)} has no area; expected [x, y, width, height] in pixels")
    try:
        return Box2D(float(x), float(y), float(x + width), float(y + height)).clipped(*size_wh)
    except (BadBox, OverflowError) as error:
        raise BadInput(f"{where} = {shown(bbox)} is outside its image of {size_wh[0]}x{size_wh[1]} pixels") from error
