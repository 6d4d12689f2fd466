# SPDX-License-Identifier: Apache-2.0
"""Every encoding, with row padding and either byte order, gives the same picture; what is unknown is refused."""

import array
import re
import struct
import sys
import warnings
from contextlib import suppress

import cv2
import numpy as np
import pytest

from scene_r1_ros.errors import BadInput
from scene_r1_ros.ros import images
from scene_r1_ros.sequences import decoding

sensor_msgs = pytest.importorskip("sensor_msgs.msg")
RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (6, 8, 3), np.uint8)
GREY = RNG.integers(0, 256, (6, 8), np.uint8)
DEPTH_MM = RNG.integers(0, 2**16, (6, 8)).astype(np.uint16)
DEPTH_M = np.array([[0.5, np.nan, -1.0], [np.inf, 0.0, 3.25]], np.float32)


def image(encoding, pixels, padding=0, big=False, **changes):
    """A ``sensor_msgs/Image`` of (H, W[, C]) pixels as a driver would send it."""
    pixels = pixels.astype(pixels.dtype.newbyteorder(">" if big else "<"))
    rows = pixels.reshape(len(pixels), -1).view(np.uint8)
    rows = np.pad(rows, ((0, 0), (0, padding)), constant_values=77)
    msg = sensor_msgs.Image(encoding=encoding, height=pixels.shape[0], width=pixels.shape[1], step=rows.shape[1])
    msg.is_bigendian = int(big)
    msg.data = array.array("B", rows.tobytes())
    for name, value in changes.items():
        setattr(msg, name, value)
    return msg


def mosaic(pattern):
    """What a sensor behind a colour filter sees of RGB: one colour per pixel, by its 2x2 pattern such as "rggb"."""
    tile = np.array(["rgb".index(c) for c in pattern]).reshape(2, 2)
    channel = np.tile(tile, (RGB.shape[0] // 2, RGB.shape[1] // 2))
    return np.take_along_axis(RGB, channel[..., None], axis=2)[..., 0]


# OpenCV names a mosaic by its second row: rggb is its "BG" (docs.opencv.org, Bayer to RGB).
BAYER = {"rggb": cv2.COLOR_BayerBG2RGB, "bggr": cv2.COLOR_BayerRG2RGB,
         "gbrg": cv2.COLOR_BayerGR2RGB, "grbg": cv2.COLOR_BayerGB2RGB}  # fmt: skip
YUV = RNG.integers(0, 256, (6, 8, 2), np.uint8)
COLORS = {
    "rgb8": (RGB, RGB),
    "bgr8": (RGB[..., ::-1], RGB),
    "rgba8": (np.dstack([RGB, GREY]), RGB),
    "bgra8": (np.dstack([RGB[..., ::-1], GREY]), RGB),
    "mono8": (GREY, np.repeat(GREY[..., None], 3, axis=2)),
    **{f"bayer_{p}8": (mosaic(p), cv2.cvtColor(mosaic(p), code)) for p, code in BAYER.items()},
    **dict.fromkeys(("uyvy", "yuv422"), (YUV, cv2.cvtColor(YUV, cv2.COLOR_YUV2RGB_UYVY))),
    **dict.fromkeys(("yuyv", "yuv422_yuy2"), (YUV, cv2.cvtColor(YUV, cv2.COLOR_YUV2RGB_YUYV))),
}


def test_the_table_covers_every_encoding():
    assert set(COLORS) == set(decoding.COLOR_BYTES)


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("padding", [0, 5])
@pytest.mark.parametrize("encoding", COLORS)
def test_colour(encoding, padding, big):
    sent, expected = COLORS[encoding]
    for decode in (images.decode_color, decoding.color_of):  # of a topic, of a recording
        got = decode(image(encoding, sent, padding, big))
        assert got.dtype == np.uint8
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("padding", [0, 6])
@pytest.mark.parametrize("encoding", ["16UC1", "mono16"])
def test_integer_depth_is_millimetres(encoding, padding, big):
    for decode in (images.decode_depth, decoding.depth_of):
        got = decode(image(encoding, DEPTH_MM, padding, big))
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, DEPTH_MM * 1e-3, rtol=1e-6)


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("padding", [0, 4])
def test_float_depth_is_metres_and_what_is_no_measurement_is_0(padding, big):
    got = images.decode_depth(image("32FC1", DEPTH_M, padding, big))
    np.testing.assert_array_equal(got, np.array([[0.5, 0, 0], [0, 0, 3.25]], np.float32))


def test_bytes_after_the_last_row_are_ignored():
    msg = image("rgb8", RGB)
    msg.data = array.array("B", msg.data.tobytes() + b"tail")
    np.testing.assert_array_equal(images.decode_color(msg), RGB)


def compressed(fmt, picture, extension=".png", header=b""):
    msg = sensor_msgs.CompressedImage(format=fmt)
    msg.data = array.array("B", header + cv2.imencode(extension, picture)[1].tobytes())
    return msg


def bomb(fmt):
    """A small message whose PNG says that it is 60000x60000 pixels."""
    msg = compressed(fmt, RGB)
    data = msg.data.tobytes()
    msg.data = array.array("B", data[:16] + struct.pack(">II", 60_000, 60_000) + data[24:])
    return msg


def test_a_turn_noted_in_exif_is_ignored():
    """camera_info belongs to the pixels as they are stored."""
    exif = b"Exif\0\0" + b"II*\0\x08\0\0\0" + struct.pack("<H", 1) + struct.pack("<HHIHH", 0x112, 3, 1, 6, 0) + bytes(4)
    msg = compressed("jpeg", RGB, ".jpg")
    data = msg.data.tobytes()
    turned = data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]
    assert cv2.imdecode(np.frombuffer(turned, np.uint8), cv2.IMREAD_COLOR).shape == (8, 6, 3)  # the note is understood
    msg.data = array.array("B", turned)
    assert images.decode_color(msg).shape == decoding.color_of(msg).shape == (6, 8, 3)


@pytest.mark.parametrize("header", [b"", bytes(12), struct.pack("<iff", 0, np.nan, np.inf), bytes(5)])
@pytest.mark.parametrize("fmt", ["png", "16UC1; compressedDepth png", "32FC1; compressedDepth png", ""])
def test_any_header_before_compressed_depth_gives_depth_or_a_refusal(fmt, header):
    with suppress(BadInput), warnings.catch_warnings():
        warnings.simplefilter("error")
        depth = images.decode_depth(compressed(fmt, DEPTH_MM, header=header))
        assert depth.shape == (6, 8) and np.isfinite(depth).all() and (depth >= 0).all()


def test_compressed_colour_and_grey():
    msg = compressed("rgb8; png compressed bgr8", RGB[..., ::-1])
    np.testing.assert_array_equal(images.decode_color(msg), RGB)
    grey = images.decode_color(compressed("mono8; png compressed", GREY))
    np.testing.assert_array_equal(grey, COLORS["mono8"][1])


def test_compressed_depth_with_and_without_the_transports_header():
    header = struct.pack("<iff", 0, 0.0, 0.0)
    for msg in (
        compressed("16UC1; png compressed", DEPTH_MM),
        compressed("16UC1; compressedDepth png", DEPTH_MM, header=header),
    ):
        np.testing.assert_allclose(images.decode_depth(msg), DEPTH_MM * 1e-3, rtol=1e-6)


def test_compressed_float_depth_is_coded_as_inverse_depth():
    a, b = 100.0, -10.0
    truth = np.array([[0.5, 1.0, 2.0]], np.float32)
    coded = np.round(a / truth + b).astype(np.uint16)
    coded[0, 2] = 0  # no measurement
    msg = compressed("32FC1; compressedDepth png", coded, header=struct.pack("<iff", 0, a, b))
    np.testing.assert_allclose(images.decode_depth(msg), [[0.5, 1.0, 0.0]], rtol=1e-2)


@pytest.mark.parametrize(
    ("decode", "msg", "said"),
    [
        (images.decode_color, image("8UC3", RGB), "encoding '8UC3'; expected one of rgb8"),  # order unknown
        (images.decode_color, image("16UC1", DEPTH_MM), "check that this is not the depth topic"),
        (images.decode_color, image("", RGB), "encoding ''"),
        (images.decode_color, image("mono16", DEPTH_MM), "colour image with encoding 'mono16'"),
        (images.decode_color, image("rgb16", RGB.astype(np.uint16)), "colour image with encoding 'rgb16'"),
        (images.decode_color, image("rgb8", RGB, width=2**20, height=2**20), "expected 1 to 64000000 pixels"),
        (images.decode_color, bomb("png"), "an image of 60000x60000 pixels; expected 1 to 64000000 pixels"),
        (images.decode_depth, bomb("16UC1; png compressed"), "an image of 60000x60000 pixels"),
        (images.decode_depth, compressed("32FC1; png", DEPTH_MM), "has 0 bytes before its PNG; floats need the 12"),
        (images.decode_depth, image("rgb8", RGB), "use the driver's aligned depth topic"),
        (images.decode_color, image("rgb8", RGB, height=7), "144 bytes; a row needs 24 bytes and the image"),
        (images.decode_color, image("rgb8", RGB, step=23), "step 23"),
        (images.decode_depth, image("16UC1", DEPTH_MM, width=9), "a row needs 18 bytes"),
        (images.decode_depth, image("16UC1", DEPTH_MM, width=0), "0x6"),
        (
            images.decode_color,
            sensor_msgs.CompressedImage(format="jpeg"),
            "format 'jpeg': an image starts with bytes ''; expected a PNG or JPEG",
        ),
        (
            images.decode_color,
            sensor_msgs.CompressedImage(format="jpeg", data=b"\xff\xd8no"),
            "where a marker must start; copy it again; check the publisher's image_transport",
        ),
        (images.decode_depth, compressed("rgb8; jpeg", RGB, ".jpg"), "JPEG cannot carry depth"),
        (images.decode_color, image("uyvy", YUV[:, :7]), "uyvy image of 7x6 cannot be decoded"),  # odd width
    ],
)
def test_what_cannot_be_decoded_is_refused_with_its_remedy(decode, msg, said):
    with pytest.raises(BadInput, match=said.replace("(", r"\(")):
        decode(msg)


# Which library decodes ------------------------------------------------------------------------------------------------

GOOD = """
from rosbags.image import message_to_cvimage
class CvBridge:
    def imgmsg_to_cv2(self, msg, desired_encoding="passthrough"):
        return message_to_cvimage(msg, None if desired_encoding == "passthrough" else desired_encoding)
"""
READS_DEPTH_AS_BYTES = """
import numpy as np
class CvBridge:
    def imgmsg_to_cv2(self, msg, desired_encoding="passthrough"):
        return np.frombuffer(msg.data, np.uint8).reshape(msg.height, -1)
"""


@pytest.fixture
def fake_cv_bridge(tmp_path, monkeypatch):
    """Installs a FAKE cv_bridge, to see what is chosen. Its decoding says nothing about a real one."""

    def install(code):
        (tmp_path / "cv_bridge.py").write_text(code)
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delitem(sys.modules, "cv_bridge", raising=False)
        images.decoder.cache_clear()

    yield install
    images.decoder.cache_clear()
    sys.modules.pop("cv_bridge", None)


def test_a_cv_bridge_that_works_is_used(fake_cv_bridge):
    fake_cv_bridge(GOOD)
    assert type(images.decoder().__self__).__module__ == "cv_bridge"
    for encoding, (sent, expected) in COLORS.items():
        np.testing.assert_array_equal(images.decode_color(image(encoding, sent, padding=3)), expected)


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        (READS_DEPTH_AS_BYTES, "16UC1 .* was read as"),  # as the port on PyPI does
        ("raise ImportError('numpy.core.multiarray failed to import')", "multiarray failed to import"),
        ("import os; os.abort()", "exit code -6"),  # a crash takes nothing with it
    ],
)
def test_a_cv_bridge_that_does_not_work_is_recognised(fake_cv_bridge, caplog, code, fault):
    fake_cv_bridge(code)
    np.testing.assert_array_equal(images.decode_color(image("bgr8", RGB[..., ::-1])), RGB)
    assert "using rosbags-image instead" in caplog.text
    assert re.search(fault, caplog.text)


def test_without_any_library_the_message_names_both(fake_cv_bridge, monkeypatch):
    fake_cv_bridge("raise ImportError('broken')")
    monkeypatch.setitem(sys.modules, "rosbags.image", None)
    with pytest.raises(BadInput, match="pip install rosbags-image"):
        images.decode_color(image("rgb8", RGB))
