# SPDX-License-Identifier: Apache-2.0
"""From the boxes a model writes to boxes in the original image.

Models disagree about coordinates, which is the most common fault of code around them: Qwen2-VL and Qwen3-VL write
thousandths of the image, Qwen2.5-VL pixels of the image after its own resizing.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from scene_r1_ros.reasoning.protocol import BoxConvention
from scene_r1_ros.text import MAX_LABEL, clean_text
from scene_r1_ros.types import Box2D

XYXY = tuple[float, float, float, float]

MAX_COORDINATE = 1e6  # no image is larger; a model that writes more is babbling
MAX_DEPTH = 8  # of nested JSON

NUMBER = r"\s?[\"']?([-+]?\d{1,9}(?:\.\d{0,12})?)\s?(?:px)?[\"']?\s?"
FOUR = rf"[\[(]{NUMBER},{NUMBER},{NUMBER},{NUMBER},?\s?[\])]"
CORNERS = rf"[\[(]{NUMBER},{NUMBER}[\])]\s?,?\s?[\[(]{NUMBER},{NUMBER}[\])]"
# Tried in this order; the first that is found anywhere decides.
SCANS = (
    re.compile(rf"(?:box|xyxy)[\w ]{{0,20}}[\"']?\s?[:=]\s?{FOUR}", re.IGNORECASE),
    re.compile(FOUR),
    re.compile(CORNERS),
)
LABEL = re.compile(r"[\"'](?:label|name|object)[\"']\s?[:=]\s?([\"'])(.{1,200}?)\1", re.IGNORECASE)
TRAILING_COMMA = re.compile(r",(?=\s?[}\]])")


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


def find_boxes(body: str) -> list[LabeledBox] | None:
    """All boxes in an answer, in the order they stand there, each once; None where a box is given as null or empty.

    JSON where it can be read as such, else whatever has the shape of a box: a cut-off list still gives its whole boxes.

    Args:
        body: ``plain`` text.
    """
    for document in _documents(body):
        found = list(_walk(document, "", MAX_DEPTH))
        if boxes := [box for box in found if box is not None]:
            return list(dict.fromkeys(boxes))
        if found:
            return None
    return list(dict.fromkeys(_scan(body)))


def _documents(body: str) -> Iterator[Any]:
    """The JSON in an answer, as it stands or with the usual slips repaired; nothing where neither can be read."""
    start = min((i for i in (body.find("{"), body.find("[")) if i >= 0), default=0)
    if body[:start].rstrip().endswith(":"):
        return  # the value of a key that stands outside: the braces are missing
    text = body[start : max(body.rfind("}"), body.rfind("]")) + 1]
    for attempt in (text, TRAILING_COMMA.sub("", text.replace("'", '"'))):
        try:
            yield json.loads(attempt)
            return
        except (ValueError, RecursionError):
            continue


def _walk(value: Any, label: str, levels: int) -> Iterator[LabeledBox | None]:
    """Boxes at any depth; None for one that is empty."""
    if xyxy := _ordered(_four(value)):
        yield LabeledBox(xyxy, label)
    elif isinstance(value, dict) and levels:
        name = next((value[k] for k in ("label", "name", "object") if isinstance(value.get(k), str)), label)
        keys = [key for key in value if "box" in key.lower() or "xyxy" in key.lower()]
        for key in keys or value:
            if keys and value[key] in (None, []):
                yield None
            yield from _walk(value[key], _clean(name), levels - 1)
    elif isinstance(value, list) and levels:
        for item in value:
            yield from _walk(item, label, levels - 1)


def _four(value: Any) -> list[float]:
    """The four numbers of a box, in any of the shapes models use; an empty list for anything else."""
    if isinstance(value, dict):
        value = [value.get(key) for key in ("x1", "y1", "x2", "y2")]
    if isinstance(value, list) and len(value) == 2 and all(isinstance(corner, list) for corner in value):
        value = value[0] + value[1]
    if not isinstance(value, list) or len(value) != 4 or not all(type(v) in (int, float, str) for v in value):
        return []
    try:
        return [float(v) for v in value]
    except (ValueError, OverflowError):
        return []


def _ordered(numbers: list[float]) -> XYXY | None:
    """A box with its corners in order; None where there is none, or one without area or beyond any image."""
    if not numbers or not all(abs(v) <= MAX_COORDINATE for v in numbers):  # not NaN either
        return None
    (x1, x2), (y1, y2) = sorted(numbers[0::2]), sorted(numbers[1::2])
    return (x1, y1, x2, y2) if x1 < x2 and y1 < y2 else None


def _scan(body: str) -> Iterator[LabeledBox]:
    for pattern in SCANS:
        if matches := list(pattern.finditer(body)):
            for match in matches:
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
