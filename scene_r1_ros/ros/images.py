# SPDX-License-Identifier: Apache-2.0
"""Image messages of topics: decoded as those of a recording are, with cv_bridge where one is installed that works."""

import logging
import os
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.sequences import decoding
from scene_r1_ros.sequences.decoding import Decoder, by_rosbags, plain_image

log = logging.getLogger(__name__)


def decode_color(msg: Any) -> NDArray[np.uint8]:
    """``decoding.color_of`` with the library that ``decoder`` chose."""
    return decoding.color_of(msg, _convert)


def decode_depth(msg: Any) -> NDArray[np.float32]:
    """``decoding.depth_of`` with the library that ``decoder`` chose."""
    return decoding.depth_of(msg, _convert)


def _convert(msg: Any, encoding: str) -> NDArray:
    return decoder()(msg, encoding)  # compressed pictures need no library, and so no choice


@cache
def decoder() -> Decoder:
    """cv_bridge where it decodes a probe rightly, else rosbags-image. Chosen once."""
    if find_spec("cv_bridge"):
        fault = _cv_bridge_fault()
        if not fault:
            from cv_bridge import CvBridge

            return CvBridge().imgmsg_to_cv2
        log.warning("the cv_bridge installed here does not work (%s); using rosbags-image instead", fault)
    return by_rosbags


def _cv_bridge_fault() -> str:
    """Why cv_bridge cannot be used; empty if it can.

    Asked in a process of its own: a cv_bridge built for NumPy 1 may crash, not raise, under NumPy 2
    (ros-perception/vision_opencv#535).
    """
    command = [sys.executable, "-c", f"from {__name__} import probe_cv_bridge as probe; probe()"]
    paths = os.pathsep.join(p or "." for p in sys.path)
    try:
        done = subprocess.run(  # noqa: S603 - the interpreter and the code are our own
            command, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, timeout=60
        )
    except subprocess.TimeoutExpired:
        return "it did not answer within 60 s"
    said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
    return said[-1] if done.returncode else ""


def probe_cv_bridge() -> None:
    """Raises unless cv_bridge reads a 16-bit depth image and turns bgr8 into rgb8. Meant for a process of its own."""
    from cv_bridge import CvBridge

    depth = np.array([[0, 1, 500], [1000, 4660, 65535]], np.uint16)
    got = CvBridge().imgmsg_to_cv2(plain_image("16UC1", 3, 2, 6, depth.tobytes()), "passthrough")
    if got.dtype != np.uint16 or not np.array_equal(got, depth):
        raise ValueError(f"16UC1 {depth.tolist()} was read as {got.tolist()} {got.dtype}")
    got = CvBridge().imgmsg_to_cv2(plain_image("bgr8", 1, 1, 3, b"\x01\x02\x03"), "rgb8")
    if got.tolist() != [[[3, 2, 1]]]:
        raise ValueError(f"bgr8 [1, 2, 3] became {got.tolist()} in rgb8")
