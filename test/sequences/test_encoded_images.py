# SPDX-License-Identifier: Apache-2.0
"""Encoded images: what they say of their size, and files made to harm."""

import os
import struct
from contextlib import suppress

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scene_r1_ros.errors import BadInput
from scene_r1_ros.sequences.images import (
    decode_color,
    decode_depth,
    encode_jpeg,
    encode_png,
    image_size_wh,
    read_bytes,
)  # fmt: skip

RGB = np.random.default_rng(0).integers(0, 255, (20, 30, 3)).astype(np.uint8)
JPEG, PNG = encode_jpeg(RGB, 90), encode_png(RGB)


def test_size_is_read_from_the_header():
    assert image_size_wh(PNG) == image_size_wh(JPEG) == (30, 20)
    progressive = cv2.imencode(".jpg", RGB, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    assert image_size_wh(progressive) == (30, 20)


def test_grey_images_become_rgb():
    grey = encode_png(RGB[:, :, 0])
    np.testing.assert_array_equal(decode_color(grey), np.repeat(RGB[:, :, :1], 3, axis=2))


def test_a_turn_noted_in_exif_is_ignored():
    exif = b"Exif\0\0" + b"II*\0\x08\0\0\0" + struct.pack("<H", 1) + struct.pack("<HHIHH", 0x112, 3, 1, 6, 0) + bytes(4)
    turned = JPEG[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + JPEG[2:]
    assert decode_color(turned).shape == (20, 30, 3)


def test_an_image_that_would_fill_the_memory_is_refused_by_its_header():
    bomb = PNG[:16] + struct.pack(">II", 60_000, 60_000) + PNG[24:]
    with pytest.raises(BadInput, match="60000x60000 pixels; expected 1 to 64000000"):
        decode_color(bomb)
    marker = JPEG.index(b"\xff\xc0") + 5
    with pytest.raises(BadInput, match="65535x65535 pixels"):
        decode_color(JPEG[:marker] + b"\xff" * 4 + JPEG[marker + 4 :])


def test_a_huge_file_is_not_read(tmp_path):
    path = tmp_path / "0.color.jpg"
    with path.open("wb") as file:
        file.truncate(2**29)
    with pytest.raises(BadInput, match=r"0\.color\.jpg has more than 268435456 bytes; expected an image"):
        read_bytes(path)


@pytest.mark.parametrize("name", ["/dev/zero", "pipe", "folder"])
def test_what_is_no_regular_file_is_not_read(tmp_path, name):
    """A list of images may name anything; a device or a pipe never ends."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    with pytest.raises(BadInput, match=r"is no regular file; expected an image: put the file itself there"):
        read_bytes(tmp_path / name)


@pytest.mark.parametrize("name", ["a" * 5000, "nul\0.png"])
def test_a_name_that_no_file_can_have_is_refused(tmp_path, name):
    with pytest.raises(BadInput, match=r"cannot be read: .*expected an image"):
        read_bytes(tmp_path / name)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "expected a PNG or JPEG"),
        (b"GIF89a", "expected a PNG or JPEG"),
        (PNG[:20], "cut off in its header"),
        (JPEG[:10], "cut off in its header"),
        (b"\xff\xd8" + bytes(100), "where a marker must start"),
        (PNG[:60], "is damaged; copy it again"),
    ],
)
def test_damaged_images_are_refused(data, reason):
    with pytest.raises(BadInput, match=reason):
        decode_color(data)


def test_depth_must_be_16_bit():
    with pytest.raises(BadInput, match=r"a depth image is \(20, 30, 3\) uint8; expected one 16-bit channel"):
        decode_depth(PNG)


def one_byte_changed(data: bytes):
    places, values = st.integers(0, len(data) - 1), st.integers(0, 255)
    return st.builds(lambda at, value: data[:at] + bytes([value]) + data[at + 1 :], places, values)


noise = st.binary(max_size=64)


@settings(deadline=None)
@example(JPEG[:200])
@given(noise | noise.map(lambda tail: b"\xff\xd8\xff" + tail) | one_byte_changed(JPEG) | one_byte_changed(PNG))
def test_any_bytes_give_an_image_or_a_bad_input(data):
    with suppress(BadInput):
        assert decode_color(data).dtype == np.uint8
