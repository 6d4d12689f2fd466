# SPDX-License-Identifier: Apache-2.0
"""The images of samples: files below the folder of the file of samples, and nowhere else."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.errors import BadInput, NotWritten
from scene_r1_ros.learning.sample import Shot
from scene_r1_ros.sequences.images import decode_color, image_size_wh, read_bytes

JPEG_END, PNG_END = b"\xff\xd9", b"IEND"
TAIL_BYTES = 4096  # some cameras write a little behind the end of a JPEG


def image_file(folder: Path, name: str) -> Path:
    """Where an image of a sample is.

    Args:
        folder: of the file of samples.
        name: ``Shot.image``.

    Raises:
        BadInput: no such file, or a link leads out of the folder.
    """
    path = folder / name
    try:
        inside, there = path.resolve().is_relative_to(folder.resolve()), path.is_file()
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: links in a circle
        raise BadInput(f"image {name} cannot be found: {error}; put it into {folder}") from error
    if not inside:
        raise BadInput(f"image {name} is a link out of {folder}; copy the image there")
    if not there:
        raise BadInput(f"image {name} is missing in {folder}; copy it there")
    return path


def read_image(folder: Path, shot: Shot) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB of a frame of a sample.

    Raises:
        BadInput: it is missing, damaged, or of another size than the sample says.
    """
    color = decode_color(read_bytes(image_file(folder, shot.image)))
    check_size(shot, (color.shape[1], color.shape[0]))
    return color


def check_image(folder: Path, shot: Shot) -> None:
    """Whether an image is there, whole, and of the size that the sample says; from its header and its end, undecoded.

    Raises:
        BadInput: it is not.
    """
    data = read_bytes(image_file(folder, shot.image))
    try:
        size_wh = image_size_wh(data)
    except BadInput as error:
        raise BadInput(f"image {shot.image}: {error}") from error
    if (JPEG_END if data[:2] == b"\xff\xd8" else PNG_END) not in data[-TAIL_BYTES:]:
        raise BadInput(f"image {shot.image} of {len(data)} bytes is cut off; copy it again")
    check_size(shot, size_wh)


def check_size(shot: Shot, size_wh: tuple[int, int]) -> None:
    """
    Raises:
        BadInput: the sample says another size; its boxes would count other pixels.
    """
    if size_wh != shot.size_wh:
        said, real = ("x".join(map(str, wh)) for wh in (shot.size_wh, size_wh))
        raise BadInput(
            f"image {shot.image} has {real} pixels, and size_wh says {said}; boxes count real pixels: mend it"
        )


def write_image(folder: Path, name: str, data: bytes) -> None:
    """
    Raises:
        NotWritten: the folder cannot be written, or the disk is full.
    """
    path = folder / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise NotWritten(f"cannot write {path}: {error.strerror}; make room there or choose another folder") from error


def new_folder(folder: Path) -> None:
    """
    Raises:
        BadInput: it holds samples already.
    """
    if (folder / "samples.jsonl").exists():
        raise BadInput(f"{folder} holds samples already; choose a new folder, or remove that one")
