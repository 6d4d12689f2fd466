# SPDX-License-Identifier: Apache-2.0
"""Encoded images to arrays and back. The size is read from the header first, so that no file can fill the memory."""

import struct
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.errors import BadInput
from scene_r1_ros.sequences.files import read_file
from scene_r1_ros.types import describe

MAX_PIXELS = 64_000_000
MAX_FILE_BYTES = 256 * 2**20  # 64 megapixels of RGB, uncompressed, and some
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
JPEG_START = b"\xff\xd8"
# Start-of-frame markers hold the size; C4, C8 and CC share the range but are tables (ITU-T T.81, table B.1).
JPEG_FRAME_MARKERS = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def read_bytes(path: Path) -> bytes:
    """The content of an image file.

    Raises:
        BadInput: it cannot be read, is no regular file or far too large for an image.
    """
    return read_file(path, MAX_FILE_BYTES, "an image")


def image_size_wh(data: bytes) -> tuple[int, int]:
    """Width and height from the header of a PNG or JPEG.

    Raises:
        BadInput: neither of the two, cut off, or of more than ``MAX_PIXELS``.
    """
    try:
        if data[:8] == PNG_MAGIC:
            width, height = struct.unpack(">II", data[16:24])
        elif data[:2] == JPEG_START:
            width, height = jpeg_size_wh(data)
        else:
            raise BadInput(f"an image starts with bytes {data[:4].hex(' ')!r}; expected a PNG or JPEG")
    except (struct.error, IndexError) as error:
        raise BadInput(f"an image of {len(data)} bytes is cut off in its header; copy it again") from error
    return check_pixels(width, height)


def jpeg_size_wh(data: bytes) -> tuple[int, int]:
    at = 2
    while data[at + 1] not in JPEG_FRAME_MARKERS:
        if data[at] != 0xFF:  # decoders skip such bytes; a reader that does not would see another size than they
            raise BadInput(f"a JPEG has byte {data[at]:#x} where a marker must start; copy it again")
        # FF may be repeated as padding before a marker; every other segment tells its own length
        at += 1 if data[at + 1] == 0xFF else 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
    height, width = struct.unpack(">HH", data[at + 5 : at + 9])
    return width, height


def check_pixels(width: int, height: int) -> tuple[int, int]:
    if not 0 < width * height <= MAX_PIXELS:
        raise BadInput(f"an image of {width}x{height} pixels; expected 1 to {MAX_PIXELS} pixels: shrink it")
    return width, height


def decode_color(data: bytes) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB of a JPEG or PNG. A turn noted in EXIF is ignored: the intrinsics belong to stored pixels.

    Raises:
        BadInput: not an image, too large, or damaged.
    """
    bgr = decode(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def decode_depth(data: bytes) -> NDArray[np.uint16]:
    """(h, w) uint16 of a 16-bit PNG, in the unit of the file.

    Raises:
        BadInput: not an image, too large, damaged, or not 16-bit with one channel.
    """
    depth = decode(data, cv2.IMREAD_UNCHANGED)
    if depth.ndim != 2 or depth.dtype != np.uint16:
        raise BadInput(f"a depth image is {describe(depth)}; expected one 16-bit channel")
    return depth


def decode(data: bytes, flags: int) -> NDArray:
    width, height = image_size_wh(data)
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        image = None
    if image is None:
        raise BadInput(f"an image of {width}x{height} pixels in {len(data)} bytes is damaged; copy it again")
    return np.asarray(image)


def encode_jpeg(color: NDArray[np.uint8], quality: int) -> bytes:
    """JPEG of (H, W, 3) uint8 RGB."""
    return encode(".jpg", color[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])


def encode_png(image: NDArray) -> bytes:
    """PNG of (H, W, 3) uint8 RGB or (H, W) uint8 or uint16."""
    return encode(".png", image[:, :, ::-1] if image.ndim == 3 else image, [])


def encode(suffix: str, image: NDArray, parameters: list[int]) -> bytes:
    done, data = cv2.imencode(suffix, np.ascontiguousarray(image), parameters)
    if not done:
        raise BadInput(f"an image of {describe(image)} cannot be encoded as {suffix}")
    return data.tobytes()
