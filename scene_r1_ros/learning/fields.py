# SPDX-License-Identifier: Apache-2.0
"""Values of JSON that somebody else wrote, checked one by one; every message names the field."""

import re
from typing import Any

from scene_r1_ros.config import shown
from scene_r1_ros.errors import BadInput
from scene_r1_ros.text import clean_text

# How the names of what only 3D labels give begin or read, in the words of other data sets.
NAMES_3D = re.compile(
    r"depth|pose|t_world|extrinsic|intrinsic|camera|point|cloud|xyz|3d|mesh|voxel|normal|rotation|translation|quaternion"
    r"|center|size_m|obb|lidar|world|instance|odom",
    re.IGNORECASE,
)


def check_keys(values: Any, where: str, needed: tuple[str, ...], optional: tuple[str, ...] = ()) -> None:
    """
    Raises:
        BadInput: no object, a key that is missing, or one that is not known; 3D is refused with the reason.
    """
    if not isinstance(values, dict):
        raise BadInput(f"{where} is {shown(values)}; expected a JSON object with the keys {', '.join(needed)}")
    for name in values:
        if name not in needed and name not in optional:
            raise BadInput(_unknown(name, where, needed + optional))
    for name in needed:
        if name not in values:
            raise BadInput(f"{where} has no field {name!r}; add it")


def _unknown(name: str, where: str, known: tuple[str, ...]) -> str:
    if NAMES_3D.search(name):
        return (
            f"{where} has a field {shown(name)}; nothing 3D may be there: the model learns from images, times, 2D "
            "boxes, windows and text alone, so that it never needs 3D labels; remove the field"
        )
    return f"{where} has an unknown field {shown(name)}; known are {', '.join(known)}: remove or rename it"


def text(value: Any, where: str, limit: int, may_be_empty: bool = False) -> str:
    """A text that can be shown, sent and encoded.

    Raises:
        BadInput: no text, an empty one, one that is too long, or one with control characters.
    """
    if isinstance(value, str) and len(value) <= limit and value.isprintable() and (may_be_empty or value.strip()):
        return value
    if not isinstance(value, str):
        raise BadInput(f"{where} = {shown(value)}; expected text")
    if not may_be_empty and not value.strip():
        raise BadInput(f"{where} is empty; expected text")
    if len(value) > limit:
        raise BadInput(f"{where} has {len(value)} characters; at most {limit} are allowed: shorten it")
    if clean_text(value, limit) != value:
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


def listed(value: Any, where: str, limit: int) -> list[Any]:
    """A list of at most ``limit`` values.

    Raises:
        BadInput: anything else.
    """
    if not isinstance(value, list) or len(value) > limit:
        got = f"a list of {len(value)}" if isinstance(value, list) else shown(value)
        raise BadInput(f"{where} is {got}; expected a list of at most {limit}")
    return value
