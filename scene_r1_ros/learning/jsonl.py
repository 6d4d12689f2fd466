# SPDX-License-Identifier: Apache-2.0
"""Samples as a file: one JSON object a line (``learning.schema``), its images in folders beside it."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from scene_r1_ros.config import shown
from scene_r1_ros.errors import BadInput
from scene_r1_ros.learning.atomic import replacing
from scene_r1_ros.learning.sample import Sample
from scene_r1_ros.learning.schema import dict_of, sample_of

MAX_LINE_BYTES = 512 * 2**10  # MAX_FRAMES frames and the longest reasoning fit


def read_samples(path: Path) -> Iterator[Sample]:
    """The samples of a file, one by one, each checked; images are not opened. Empty lines are passed over.

    Raises:
        BadInput: the file cannot be read, or a line breaks a rule; with file, line, field, rule and remedy.
    """
    numbers: dict[str, int] = {}  # the line of each id
    for number, line in lines_of(path):
        try:
            sample = sample_of(parsed(line))
            check_new(sample, number, numbers)
        except BadInput as error:
            raise BadInput(f"{path}, line {number}: {error}") from error
        yield sample


def lines_of(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file with their numbers, from 1, without those that are empty.

    Raises:
        BadInput: the file cannot be read, or a line is longer than ``MAX_LINE_BYTES``.
    """
    try:
        with Path(path).open("rb") as file:
            yield from _lines(file, path)
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        reason = getattr(error, "strerror", None) or error
        raise BadInput(
            f"{path} cannot be read: {reason}; expected a file of samples, one JSON object a line"
        ) from error


def _lines(file: BinaryIO, path: Path) -> Iterator[tuple[int, bytes]]:
    number = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            raise BadInput(
                f"{path}, line {number}: more than {MAX_LINE_BYTES} bytes; expected one sample a line: "
                "is it a file of samples, and is each on a line of its own?"
            )
        if not line.isspace():
            yield number, line


def parsed(line: bytes) -> Any:
    """The JSON of a line.

    Raises:
        BadInput: it is none, is nested too deeply, holds NaN or Infinity, or a key twice.
    """
    try:
        return json.loads(line.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refused)
    except UnicodeDecodeError as error:
        raise BadInput(f"no UTF-8 text: {error}; save the file as UTF-8") from error
    except json.JSONDecodeError as error:
        raise BadInput(f"no JSON at column {error.colno}: {error.msg}; expected one JSON object a line") from error
    except (ValueError, RecursionError) as error:  # ValueError: a whole number of thousands of digits
        raise BadInput(f"no JSON that can be read: {error}; expected one JSON object a line") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in values if names.count(name) > 1)
        raise BadInput(f"the field {shown(twice)} stands there twice; keep one")
    return values


def _refused(constant: str) -> Any:
    raise BadInput(f"{constant} is no number of JSON, and none of a sample; leave the sample out")


def check_new(sample: Sample, number: int, numbers: dict[str, int]) -> None:
    """Note the line of a sample's id.

    Raises:
        BadInput: another line has the same.
    """
    first = numbers.setdefault(sample.sample_id, number)
    if first != number:
        raise BadInput(f"id {shown(sample.sample_id)} stands in line {first} too; each sample needs an id of its own")


def write_samples(path: Path, samples: Iterable[Sample]) -> int:
    """Write samples, one by one, and return how many there were. The file is put in place whole or not at all.

    Raises:
        BadInput: a sample breaks a rule; what is written can always be read.
        NotWritten: the folder cannot be written, or the disk is full; the older file stays as it was.
    """
    numbers: dict[str, int] = {}
    count = 0
    with replacing(Path(path)) as new, new.open("wb") as file:
        for count, sample in enumerate(samples, start=1):
            try:
                check_new(sample, count, numbers)
                file.write(line_of(sample))
            except BadInput as error:
                raise BadInput(f"sample {count}, {shown(sample.sample_id)}: {error}") from error
    return count


def line_of(sample: Sample) -> bytes:
    """
    Raises:
        BadInput: ``read_samples`` would refuse it.
    """
    values = dict_of(sample)
    sample_of(values)
    line = json.dumps(values, ensure_ascii=False).encode("utf-8") + b"\n"
    if len(line) > MAX_LINE_BYTES:
        raise BadInput(f"it takes {len(line)} bytes; at most {MAX_LINE_BYTES} are read: show fewer frames")
    return line
