# SPDX-License-Identifier: Apache-2.0
"""Samples, made on the spot."""

import copy
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from scene_r1_ros.learning.sample import Sample
from scene_r1_ros.learning.schema import sample_of

IMAGE = {
    "id": "train/7/0",
    "task": "image",
    "scene": "train/7",
    "frames": [{"image": "images/7/000004.jpg", "time_s": 1.6, "size_wh": [224, 168]}],
    "query": "the red mug on the table",
    "target": {"boxes": [{"box_xyxy": [34, 50, 61, 80], "label": "red mug"}]},
    "reasoning": "I see two mugs, a red one at (47, 65) and a blue one at (120, 80). The red one stands on a table.",
    "tags": ["relation", "on"],
}
TEMPORAL = {
    "id": "train/7/1",
    "task": "temporal",
    "scene": "train/7",
    "frames": [{"image": f"images/7/{i:06d}.jpg", "time_s": i * 0.5, "size_wh": [224, 168]} for i in range(11)],
    "query": "the red mug",
    "target": {"windows_s": [[1.0, 2.0]]},
    "reasoning": "From 1s to 2s a red mug is seen.",
}
ANSWER = {
    "id": "train/7/2",
    "task": "answer",
    "scene": "train/7",
    "frames": TEMPORAL["frames"],
    "query": "How many mugs are there?",
    "target": {"answer": "3"},
}
OBJECTS = {**IMAGE, "id": "train/7/3", "task": "objects", "query": "", "tags": []}


def changed(values: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with another value at a path such as "frames.0.time_s"; the value ``del`` (the string) removes it."""
    values = copy.deepcopy(values)
    *above, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place: Any = values
    for step in above:
        place = place[step]
    if value == "del":
        del place[last]
    else:
        place[last] = value
    return values


def sample(values: dict[str, Any], **paths: Any) -> Sample:
    for path, value in paths.items():
        values = changed(values, path.replace("__", "."), value)
    return sample_of(values)


def write_images(folder: Path, *samples: Sample) -> None:
    for shot in (shot for one in samples for shot in one.shots):
        path = folder / shot.image
        path.parent.mkdir(parents=True, exist_ok=True)
        width, height = shot.size_wh
        _, data = cv2.imencode(path.suffix, np.full((height, width, 3), 90, np.uint8))
        path.write_bytes(data.tobytes())


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """As on a full disk, no file of this process can grow beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
