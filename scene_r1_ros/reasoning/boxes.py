# SPDX-License-Identifier: Apache-2.0
"""From the boxes a model writes to boxes in the original image.

Models disagree about coordinates, which is the most common fault of code around them: Qwen2-VL and Qwen3-VL write
thousandths of the image, Qwen2.5-VL pixels of the image after its own resizing.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from scene_r1_ros.reasoning.documents import documents
from scene_r1_ros.reasoning.protocol import BoxConvention
from scene_r1_ros.text import MAX_LABEL, clean_text
from scene_r1_ros.types import Box2D

XYXY = tuple[float, float, float, float]

MAX_COORDINATE = 1e6  # no image is larger; a model that writes more is babbling
MAX_DEPTH = 8  # of nested JSON

DIGITS = r"[-+]?(?:\d{1,15}(?:\.\d{0,30})?|\.\d{1,30})(?:e[-+]?\d{1,3})?"
NUMBER = rf"\s?[\"']?({DIGITS})\s?(?:px|pixels?)?[\"']?\s?"
FOUR = rf"[\[({{]{NUMBER},{NUMBER},{NUMBER},{NUMBER},?\s?[\])}}]"
SPACED = rf"[\[(>]\s?({DIGITS})\s({DIGITS})\s({DIGITS})\s({DIGITS})\s?[\])<]"
PAIR = rf"[\[(]{NUMBER},{NUMBER},?\s?[\])]"
CORNERS = rf"(?<![\])],)(?<![\])], ){PAIR}\s?(?:,|to|-)?\s?{PAIR}(?!\s?,\s?[\[(])"  # no polygon
BARE = rf"(?:<?(?:box|bbox)[\w ]{{0,20}}[>:=]\s?)?{NUMBER}[, ]{NUMBER}[, ]{NUMBER}[, ]{NUMBER}(?:</\w{{1,20}}>|\.)?"
BY_NAME = rf"x_?(?:1|min)[\"']?\s?[:=]{NUMBER},?\s?[\"']?y_?(?:1|min)[\"']?\s?[:=]{NUMBER},?\s?"
BY_NAME += rf"[\"']?x_?(?:2|max)[\"']?\s?[:=]{NUMBER},?\s?[\"']?y_?(?:2|max)[\"']?\s?[:=]{NUMBER}(?=[,;}}\])]|\Z)"
# Tried in this order; the first that is found anywhere decides.
SCANS = (
    re.compile(rf"(?:box|xyxy)[\w ]{{0,20}}[\"']?\s?[:=]\s?{FOUR}", re.IGNORECASE),
    re.compile(FOUR, re.IGNORECASE),
    re.compile(CORNERS, re.IGNORECASE),
    re.compile(SPACED, re.IGNORECASE),
    re.compile(BY_NAME, re.IGNORECASE),
)
ALL = re.compile(BARE, re.IGNORECASE)  # four numbers and nothing else
LABEL = re.compile(r"[\"'](?:label|name|object)[\"']\s?[:=]\s?([\"'])(.{1,200}?)\1", re.IGNORECASE)

# The corners of a box by name, in pairs or one by one.
CORNERS_BY_NAME = (
    ("x1", "y1", "x2", "y2"),
    ("xmin", "ymin", "xmax", "ymax"),
    ("left", "top", "right", "bottom"),
    ("topleft", "bottomright"),
)


class LabeledBox(NamedTuple):
    """A box in the model's own coordinates, corners in order, and what the model calls it (may be empty)."""

    xyxy: XYXY
    label: str


def to_original(xyxy: XYXY, convention: BoxConvention, seen_wh: tuple[int, int], original_wh: tuple[int, int]) -> Box2D:
    """A box in pixels of the original image, not clipped to it.

    Args:
        xyxy: x1, y1, x2, y2 as the model wrote them, x2 and y2 exclusive.
        convention: what they count.
        seen_wh: size of the image as the model saw it, pixels.
        original_wh: size of the original image, pixels.

    Raises:
        BadBox: not finite, or without area.
    """
    unit_wh = {"pixel": original_wh, "resized_pixel": seen_wh, "norm_1000": (1000, 1000)}[convention]
    # Edges of pixels, not their centres: the image spans 0 to its width in every convention, so no half pixels enter.
    sx, sy = original_wh[0] / unit_wh[0], original_wh[1] / unit_wh[1]
    return Box2D(xyxy[0] * sx, xyxy[1] * sy, xyxy[2] * sx, xyxy[3] * sy)


def find_boxes(body: str, closed: bool = True) -> list[LabeledBox] | None:
    """All boxes in an answer, in the order they stand there, each once; None where a box is given as null or empty.

    JSON where it can be read as such, else whatever has the shape of a box: a cut-off list still gives its whole boxes.

    Args:
        body: ``plain`` text.
        closed: False where the reply was cut off inside it: numbers that no bracket closes are then not trusted.
    """
    for document in documents(body):
        found = list(_walk(document, "", MAX_DEPTH))
        if boxes := [box for box in found if box is not None]:
            return list(dict.fromkeys(boxes))
        if found:
            return None
    return list(dict.fromkeys(_scan(body, closed)))


def _walk(value: Any, label: str, levels: int) -> Iterator[LabeledBox | None]:
    """Boxes at any depth; None for one that is empty."""
    if isinstance(value, dict):
        label = _clean(next((value[k] for k in ("label", "name", "object") if isinstance(value.get(k), str)), label))
    if xyxy := _ordered(_four(value)):
        yield LabeledBox(xyxy, label)
    elif isinstance(value, dict) and levels:
        keys = [key for key in value if "box" in key.lower() or "xyxy" in key.lower()]
        for key in keys or value:
            if keys and value[key] in (None, []):
                yield None
            yield from _walk(value[key], label, levels - 1)
    elif isinstance(value, list) and levels:
        for item in value:
            yield from _walk(item, label, levels - 1)


def _four(value: Any) -> list[float]:
    """The four numbers of a box, in any of the shapes models use; an empty list for anything else."""
    if isinstance(value, dict):
        value = _corners(value)
    if isinstance(value, str):
        numbers = ALL.fullmatch(re.sub(r"[\[\](){}]", "", value).strip())
        value = list(numbers.groups()) if numbers else value
    if isinstance(value, list) and len(value) == 1:
        value = value[0]  # [[10, 20, 30, 40]]
    if isinstance(value, list) and len(value) == 2 and all(isinstance(corner, list) for corner in value):
        value = value[0] + value[1]
    if not isinstance(value, list) or len(value) != 4 or not all(type(v) in (int, float, str) for v in value):
        return []
    try:
        return [_number(v) for v in value]
    except (ValueError, OverflowError):
        return []


def _number(value: Any) -> float:
    """A coordinate, also as "10px" or "1,024". ValueError for what Python alone takes for a number, like "1_0"."""
    if not isinstance(value, str):
        return float(value)
    text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", value.strip())
    if not (number := re.fullmatch(rf"({DIGITS})\s?(?:px|pixels?)?", text, re.IGNORECASE)):
        raise ValueError(value)
    return float(number[1])


def _corners(value: dict[str, Any]) -> list[Any]:
    """The corners of a box that names them; x, y, width and height are no corners, but say as much."""
    named = {re.sub(r"[\W_]", "", key.lower()): v for key, v in value.items()}
    for keys in CORNERS_BY_NAME:
        if all(key in named for key in keys):
            return [named[key] for key in keys]
    x, y = named.get("x"), named.get("y")
    width, height = named.get("width", named.get("w")), named.get("height", named.get("h"))
    try:
        left, top, wide, high = (_number(v) for v in (x, y, width, height))
    except (TypeError, ValueError, OverflowError):
        return []
    return [left, top, left + wide, top + high]


def _ordered(numbers: list[float]) -> XYXY | None:
    """A box with its corners in order; None where there is none, or one without area or beyond any image."""
    if not numbers or not all(abs(v) <= MAX_COORDINATE for v in numbers):  # not NaN either
        return None
    (x1, x2), (y1, y2) = sorted(numbers[0::2]), sorted(numbers[1::2])
    return (x1, y1, x2, y2) if x1 < x2 and y1 < y2 else None


def _scan(body: str, closed: bool) -> Iterator[LabeledBox]:
    if closed and (whole := ALL.fullmatch(body.strip("\"' "))):
        if xyxy := _ordered([float(number) for number in whole.groups()]):
            yield LabeledBox(xyxy, "")
        return
    for pattern in SCANS:
        if matches := list(pattern.finditer(body)):
            for match in matches:
                if not closed and match.end() == len(body) and body[-1] not in "])}>":
                    continue
                if xyxy := _ordered([float(number) for number in match.groups()]):
                    yield LabeledBox(xyxy, _label_near(body, match))
            return


def _label_near(body: str, match: re.Match) -> str:
    """The label in the same braces: behind the box, else before it."""
    behind = re.split("[{}]", body[match.end() : match.end() + 300], maxsplit=1)[0]
    before = re.split("[{}]", body[max(0, match.start() - 300) : match.start()])[-1]
    label = LABEL.search(behind) or LABEL.search(before)
    return _clean(label[2]) if label else ""


def _clean(label: str) -> str:
    return clean_text(" ".join(label.split()), MAX_LABEL)
