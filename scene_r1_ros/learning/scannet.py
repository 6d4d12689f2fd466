# SPDX-License-Identifier: Apache-2.0
"""A scene of ScanNet with descriptions of its objects as samples. No 3D file is opened: no depth, pose or mesh.

What is read::

    SCENE/color/N.jpg               the pictures; N, the number of the frame, tells the time: N / fps
    SCENE/instance-filt/N.png       or instance/N.png; of each pixel object_id + 1, 0 for none, 8 or 16 bit. Needed only
                                    where an entry has no boxes. Of any size with the same shape as the picture.
    ANNOTATIONS.json                a list as ScanRefer has it, of one or many scenes: [{"scene_id": "scene0000_00",
                                    "object_id": "39", "object_name": "cabinet", "description": "a brown cabinet ..."}];
                                    "boxes" may tell where it is seen: {"N": [x1, y1, x2, y2]}, pixels of color/N.jpg
"""

import re
from collections import defaultdict
from collections.abc import Container, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.config import shown
from scene_r1_ros.errors import BadBox, BadInput
from scene_r1_ros.learning.fields import text
from scene_r1_ros.learning.images import new_folder, write_image
from scene_r1_ros.learning.jsonl import parsed, write_samples
from scene_r1_ros.learning.sample import NamedBox, Shot
from scene_r1_ros.learning.schema import MAX_QUERY
from scene_r1_ros.learning.sightings import Sighting, samples_of
from scene_r1_ros.reasoning.spread import spread
from scene_r1_ros.sequences.files import read_file
from scene_r1_ros.sequences.images import decode, image_size_wh, read_bytes
from scene_r1_ros.text import MAX_LABEL
from scene_r1_ros.types import ASPECT_TOLERANCE, Box2D, describe

MAX_BYTES = 256 * 2**20
MIN_SHARE = 0.001  # of the picture's pixels: an object that shows less is not seen
NUMBER = re.compile(r"\d{1,9}", re.ASCII)
INSTANCES = ("instance-filt", "instance")

Boxes = dict[int, dict[int, Box2D]]  # by object_id, then by index of the frame


def import_scannet(scene: Path, annotations: Path, out: Path, fps: float = 30.0, max_frames: int = 64) -> int:
    """Write ``samples.jsonl`` and ``images/`` to a new folder and return how many samples there are. Objects that none
    of the chosen pictures shows are left out.

    Args:
        max_frames: pictures of the clip, evenly spread over all.

    Raises:
        BadInput: the folder or the file is not laid out as above, or they do not fit together.
        NotWritten: the folder cannot be written.
    """
    pictures = pictures_of(scene)
    numbers = [list(pictures)[i] for i in spread(len(pictures), max_frames)]
    entries = entries_of(annotations, scene.name)
    new_folder(out)
    shots = [_shot(pictures[n], scene.name, (n - numbers[0]) / fps, out) for n in numbers]
    visible = visible_boxes(scene, numbers, shots) if any("boxes" not in entry for entry, _ in entries) else {}
    sightings = [_sighting(entry, where, pictures, numbers, shots, visible) for entry, where in entries]
    seen = [sighting for sighting in sightings if sighting.boxes]
    if not seen:
        raise BadInput(
            f"{annotations}: none of the objects of {scene.name} is seen in {len(shots)} pictures; choose more"
        )
    return write_samples(out / "samples.jsonl", samples_of(scene.name, shots, seen))


def pictures_of(scene: Path) -> dict[int, Path]:
    """color/N.jpg by N, in order.

    Raises:
        BadInput: there are none, or a number twice.
    """
    folder = scene / "color"
    paths = [path for path in folder.glob("*.jpg") if NUMBER.fullmatch(path.stem)] if folder.is_dir() else []
    pictures = dict(sorted((int(path.stem), path) for path in paths))
    if not pictures:
        raise BadInput(f"{folder} holds no N.jpg, N a whole number; extract the pictures of the scene there")
    if len(pictures) < len(paths):
        raise BadInput(f"{folder} holds a number twice, as 7.jpg and 007.jpg; remove one")
    return pictures


def entries_of(annotations: Path, scene: str) -> list[tuple[dict[str, Any], str]]:
    """The entries of a scene, each with where it stands.

    Raises:
        BadInput: the file cannot be read, is no list of objects, or has none of this scene.
    """
    try:
        values = parsed(read_file(annotations, MAX_BYTES, "a list of descriptions"))
    except BadInput as error:
        raise BadInput(f"{annotations}: {error}") from error
    if not isinstance(values, list) or not all(isinstance(entry, dict) for entry in values):
        raise BadInput(f"{annotations} is {shown(values)}; expected a list of objects, as ScanRefer has it")
    entries = [(e, f"{annotations}: entry {i}") for i, e in enumerate(values) if e.get("scene_id") == scene]
    if not entries:
        raise BadInput(f"{annotations} has no entry with scene_id {shown(scene)}, the name of the folder; rename one")
    return entries


def _shot(picture: Path, scene: str, time_s: float, out: Path) -> Shot:
    name, data = f"images/{scene}/{picture.name}", read_bytes(picture)
    try:
        size_wh = image_size_wh(data)
    except BadInput as error:
        raise BadInput(f"{picture}: {error}") from error
    write_image(out, name, data)
    return Shot(name, round(time_s, 6), size_wh)


def visible_boxes(scene: Path, numbers: Sequence[int], shots: Sequence[Shot]) -> Boxes:
    """Where each object is seen, from the instance images.

    Raises:
        BadInput: there is none for a picture, it is damaged, or has another shape than the picture.
    """
    folder = next((scene / name for name in INSTANCES if (scene / name).is_dir()), None)
    if folder is None:
        raise BadInput(
            f"{scene} has no folder {' or '.join(INSTANCES)}, and entries have no boxes; extract the 2D instance "
            "images there, or give each entry boxes"
        )
    boxes: Boxes = defaultdict(dict)
    for i, (number, shot) in enumerate(zip(numbers, shots, strict=True)):
        path = folder / f"{number}.png"
        try:
            instances = decode(read_bytes(path), cv2.IMREAD_UNCHANGED)
        except BadInput as error:
            raise BadInput(f"{path}: {error}") from error
        for object_id, box in boxes_in(instances, shot.size_wh, path).items():
            boxes[object_id][i] = box
    return boxes


def boxes_in(instances: NDArray, size_wh: tuple[int, int], path: Path) -> dict[int, Box2D]:
    """Tight boxes, pixels of the picture, of the objects that cover at least ``MIN_SHARE`` of an instance image.

    Raises:
        BadInput: several channels, or another shape than the picture's.
    """
    height, width = instances.shape[:2]
    if instances.ndim != 2 or abs(width / height / (size_wh[0] / size_wh[1]) - 1) > ASPECT_TOLERANCE:
        raise BadInput(f"{path} is {describe(instances)}; expected one channel, shaped like the picture of {size_wh}")
    sx, sy = size_wh[0] / width, size_wh[1] / height
    boxes = {}
    for value in np.flatnonzero(np.bincount(instances.ravel()) >= max(MIN_SHARE * instances.size, 1)):
        if value > 0:
            ys, xs = np.nonzero(instances == value)
            x1, y1, x2, y2 = xs.min() * sx, ys.min() * sy, (xs.max() + 1) * sx, (ys.max() + 1) * sy
            boxes[int(value) - 1] = Box2D(float(x1), float(y1), float(x2), float(y2)).clipped(*size_wh)
    return boxes


def _sighting(
    entry: dict[str, Any],
    where: str,
    pictures: Container[int],
    numbers: Sequence[int],
    shots: Sequence[Shot],
    visible: Boxes,
) -> Sighting:
    """Where what an entry describes is seen."""
    for name in ("object_id", "object_name", "description"):
        if name not in entry:
            raise BadInput(f"{where} has no field {name!r}; add it")
    object_id = str(entry["object_id"])
    if not NUMBER.fullmatch(object_id):
        raise BadInput(f"{where}: object_id = {shown(entry['object_id'])}; expected a whole number")
    label = text(entry["object_name"], f"{where}: object_name", MAX_LABEL).replace("_", " ")
    query = text(entry["description"], f"{where}: description", MAX_QUERY)
    if "boxes" in entry:
        boxes = _given_boxes(entry["boxes"], f"{where}: boxes", pictures, numbers, shots)
    else:
        boxes = visible.get(int(object_id), {})
    return Sighting(query, {i: (NamedBox(label, box),) for i, box in boxes.items()}, ("words",))


def _given_boxes(
    given: Any, where: str, pictures: Container[int], numbers: Sequence[int], shots: Sequence[Shot]
) -> dict[int, Box2D]:
    """The boxes of an entry by index of the frame, cut to the image; without those of pictures not chosen."""
    if not isinstance(given, dict):
        raise BadInput(f"{where} = {shown(given)}; expected {{number of the picture: [x1, y1, x2, y2]}}")
    index = {number: i for i, number in enumerate(numbers)}
    boxes = {}
    for number, corners in given.items():
        if not NUMBER.fullmatch(number) or int(number) not in pictures:
            raise BadInput(f"{where} names the picture {shown(number)}, which is not in color/; name one that is")
        if not isinstance(corners, list) or len(corners) != 4 or any(type(v) not in (int, float) for v in corners):
            raise BadInput(f"{where}, picture {number}: {shown(corners)}; expected [x1, y1, x2, y2] in pixels")
        if (i := index.get(int(number))) is not None:
            try:
                boxes[i] = Box2D(*map(float, corners)).clipped(*shots[i].size_wh)
            except (BadBox, OverflowError) as error:
                raise BadInput(f"{where}, picture {number}: {error}") from error
    return boxes
