# SPDX-License-Identifier: Apache-2.0
"""The file ``camera.json``: one pinhole camera for colour and registered depth, and the stamps of the frames."""

import json
from decimal import Decimal
from math import inf, isfinite
from pathlib import Path
from typing import Any

from scene_r1_ros.errors import BadInput
from scene_r1_ros.geometry.camera import PinholeCamera
from scene_r1_ros.sequences.files import read_file

MAX_JSON_BYTES = 64 * 2**20


def load_calibration(path: Path) -> dict[str, Any]:
    """The content of a ``camera.json``, with every fraction as a Decimal so that stamps keep their digits.

    Raises:
        BadInput: unreadable, too large, or not a JSON object.
    """
    try:
        text = read_file(path, MAX_JSON_BYTES, "the intrinsics as JSON").decode("utf-8")
        values = json.loads(text, parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise BadInput(f"{path}: {error}; it must hold the intrinsics and stamps of the sequence as JSON") from error
    if not isinstance(values, dict):
        raise BadInput(f"{path} holds a {type(values).__name__}; expected an object with width, height, fx, fy, cx, cy")
    return values


def camera_of(values: dict[str, Any], where: str) -> PinholeCamera:
    """The camera that a ``camera.json`` describes.

    Raises:
        BadInput: a value is missing or not a finite number, a size not whole, or the camera is impossible.
    """
    size = [whole_number(values, name, where) for name in ("width", "height")]
    focal = [number(values, name, where) for name in ("fx", "fy", "cx", "cy")]
    return PinholeCamera(size[0], size[1], *focal)


def number(values: dict[str, Any], name: str, where: str) -> float:
    value = values.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise BadInput(f"{where}: {name} = {value!r}; expected a number")
    try:
        found = float(value)
    except OverflowError:  # an integer of hundreds of digits
        found = inf
    if not isfinite(found):
        raise BadInput(f"{where}: {name} = {value!s:.40} is out of range; expected a finite number")
    return found


def whole_number(values: dict[str, Any], name: str, where: str) -> int:
    found = number(values, name, where)
    if not found.is_integer():
        raise BadInput(f"{where}: {name} = {found}; expected whole pixels, as the image has")
    return int(found)
