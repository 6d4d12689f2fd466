# SPDX-License-Identifier: Apache-2.0
"""The one place where image messages become arrays, those of a recording and those of a topic alike.

Nothing of ROS is needed: a message is whatever has the fields of a ``sensor_msgs`` Image or CompressedImage. Nothing is
guessed: an encoding without a known unit or order of colours is refused. So are 16-bit colours, which libraries round
each in their own way, and of which mono16 is what some drivers call their depth.

Raw pixels are converted by a library, cv_bridge or rosbags-image. Both ignore or mistreat some of what a message may
say (row padding, byte order), so rows are unpadded and bytes put into the machine's order before either sees them: that
is what makes the two agree. A path of our own for the plain encodings is not worth its lines: for 640x480,
rosbags-image takes 2 us for rgb8 (a view) and 70 us for bgr8. ``images`` reads compressed pictures, and bounds them.
"""

import struct
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.errors import BadInput
from scene_r1_ros.sequences import images
from scene_r1_ros.types import clean_depth

# Bytes per pixel. The order of the colours must be known: 8UC3 leaves it open, so it is not here.
COLOR_BYTES = {
    **dict.fromkeys(("rgb8", "bgr8"), 3),
    **dict.fromkeys(("rgba8", "bgra8"), 4),
    **dict.fromkeys(("mono8", "bayer_rggb8", "bayer_bggr8", "bayer_gbrg8", "bayer_grbg8"), 1),
    **dict.fromkeys(("uyvy", "yuv422", "yuyv", "yuv422_yuy2"), 2),
}
DEPTH_TYPES = {"16UC1": np.uint16, "mono16": np.uint16, "32FC1": np.float32}
DEPTH_UNIT_M = {np.uint16: 0.001, np.float32: 1.0}  # REP 118: integers are millimetres, floats metres
DEPTH_HEADER_BYTES = 12  # of the compressedDepth transport, before the PNG: an enum and two floats

Decoder = Callable[[Any, str], NDArray]  # (message, desired encoding) -> array


def by_rosbags(msg: Any, encoding: str) -> NDArray:
    """Convert with rosbags-image.

    Raises:
        BadInput: it is not installed.
    """
    try:
        from rosbags.image import message_to_cvimage
    except ImportError as error:
        raise BadInput(
            f"no library to decode images: {error}; pip install rosbags-image[opencv-headless], "
            "or install a cv_bridge built for this NumPy (apt install ros-$ROS_DISTRO-cv-bridge)"
        ) from error
    return message_to_cvimage(msg, None if encoding == "passthrough" else encoding)


def color_of(msg: Any, decoder: Decoder = by_rosbags) -> NDArray[np.uint8]:
    """An Image or CompressedImage as (H, W, 3) uint8 RGB. May share the message's memory.

    A turn noted in EXIF is ignored: camera_info belongs to the pixels as they are stored.

    Raises:
        BadInput: an encoding whose colours are not known, sizes that do not fit the data, too large, or damaged.
    """
    if is_compressed(msg):
        try:
            return images.decode_color(bytes(msg.data))
        except BadInput as error:
            raise BadInput(
                f"compressed image with format {msg.format!r}: {error}; check the publisher's image_transport"
            ) from error
    if msg.encoding not in COLOR_BYTES:
        raise BadInput(
            f"colour image with encoding {msg.encoding!r}; expected one of {', '.join(COLOR_BYTES)}: "
            "set the driver's colour format, or check that this is not the depth topic"
        )
    return _converted(_tight(msg, COLOR_BYTES[msg.encoding]), "rgb8", decoder)


def depth_of(msg: Any, decoder: Decoder = by_rosbags) -> NDArray[np.float32]:
    """An Image or CompressedImage as (h, w) float32 metres along z, 0 where nothing was measured.

    The unit follows from the encoding (REP 118): 16-bit integers are millimetres, floats are metres. Compressed depth
    may be a plain 16-bit PNG or come from the compressedDepth transport.

    Raises:
        BadInput: an encoding that is not depth, sizes that do not fit the data, too large, or damaged.
    """
    if is_compressed(msg):
        return _compressed_depth(msg)
    if msg.encoding not in DEPTH_TYPES:
        raise BadInput(
            f"depth image with encoding {msg.encoding!r}; expected one of {', '.join(DEPTH_TYPES)}: "
            "use the driver's aligned depth topic, not a picture or a disparity"
        )
    kind = DEPTH_TYPES[msg.encoding]
    tight = _tight(msg, np.dtype(kind).itemsize, swap=bool(msg.is_bigendian))
    return clean_depth(_converted(tight, "passthrough", decoder), DEPTH_UNIT_M[kind])


def check_registered(color_frame: str, depth_frame: str) -> None:
    """Raises BadInput where the headers say that depth is seen from another camera than colour."""
    if color_frame != depth_frame:
        raise BadInput(
            f"depth is in frame {depth_frame!r} and colour in {color_frame!r}; depth must be registered to colour: "
            "use the driver's aligned or registered depth topic"
        )


def encoding_of(msg: Any) -> str:
    """Encoding of an Image, format of a CompressedImage, for people to read."""
    return msg.format if is_compressed(msg) else msg.encoding


def is_compressed(msg: Any) -> bool:
    return hasattr(msg, "format")


def plain_image(encoding: str, width: int, height: int, step: int, data: bytes) -> SimpleNamespace:
    """What the libraries read of a ``sensor_msgs/Image``, in this machine's byte order."""
    big = int(sys.byteorder == "big")
    return SimpleNamespace(encoding=encoding, width=width, height=height, step=step, data=data, is_bigendian=big)


def _tight(msg: Any, pixel_bytes: int, swap: bool = False) -> Any:
    """The same image without row padding and, with ``swap``, in this machine's byte order; itself where it is so."""
    images.check_pixels(msg.width, msg.height)
    row_bytes = msg.width * pixel_bytes
    if msg.step < row_bytes or len(msg.data) < msg.step * msg.height:
        raise BadInput(
            f"{msg.encoding} image of {msg.width}x{msg.height} with step {msg.step} and {len(msg.data)} bytes; a row "
            f"needs {row_bytes} bytes and the image step * height = {msg.step * msg.height}: the driver fills the "
            "message wrongly"
        )
    swap = swap if sys.byteorder == "little" else not swap
    if msg.step == row_bytes and len(msg.data) == row_bytes * msg.height and not swap:
        return msg
    rows = np.frombuffer(msg.data, np.uint8, msg.step * msg.height).reshape(msg.height, msg.step)[:, :row_bytes]
    if swap:
        rows = rows.reshape(msg.height, msg.width, pixel_bytes)[..., ::-1]
    return plain_image(msg.encoding, msg.width, msg.height, row_bytes, rows.tobytes())


def _converted(msg: Any, encoding: str, decoder: Decoder) -> NDArray:
    try:
        return decoder(msg, encoding)
    except BadInput:
        raise
    except Exception as error:  # each library has errors of its own
        raise BadInput(
            f"{msg.encoding} image of {msg.width}x{msg.height} cannot be decoded: {error}; "
            "set the driver to rgb8 or bgr8 for colour, 16UC1 or 32FC1 for depth"
        ) from error


def _compressed_depth(msg: Any) -> NDArray[np.float32]:
    data = bytes(msg.data)
    start = max(data.find(images.PNG_MAGIC, 0, DEPTH_HEADER_BYTES + len(images.PNG_MAGIC)), 0)
    try:
        depth = images.decode_depth(data[start:])
    except BadInput as error:
        raise BadInput(
            f"compressed depth with format {msg.format!r}: {error}; JPEG cannot carry depth: "
            "use the compressedDepth transport with PNG, or the raw topic"
        ) from error
    if msg.format.split(";")[0].strip() != "32FC1":
        return clean_depth(depth, DEPTH_UNIT_M[np.uint16])
    if start != DEPTH_HEADER_BYTES:
        raise BadInput(
            f"compressed depth with format {msg.format!r} has {start} bytes before its PNG; floats need the "
            f"{DEPTH_HEADER_BYTES} bytes of the compressedDepth transport, which say how they were coded: use it"
        )
    return _from_inverse_depth(depth, *struct.unpack_from("<ff", data, 4))


def _from_inverse_depth(coded: NDArray[np.uint16], a: float, b: float) -> NDArray[np.float32]:
    """The compressedDepth transport stores metres as a / metres + b, and 0 for no measurement."""
    inverse = coded.astype(np.float32) - np.float32(b)
    with np.errstate(over="ignore", invalid="ignore"):  # a damaged header gives infinities, which are no measurement
        metres = np.divide(np.float32(a), inverse, out=np.zeros_like(inverse), where=(coded > 0) & (inverse > 0))
    return clean_depth(metres, 1.0)
