# SPDX-License-Identifier: Apache-2.0
"""Frames as a server takes them: resized as the model would, so that it sees exactly what its boxes will count."""

import base64
import math

import numpy as np

from scene_r1_ros.reasoning.protocol import ModelSpec

QUALITY = 90  # of JPEG, 0 to 100: no block of it shows, at a tenth of the bytes


def seen_wh(width: int, height: int, spec: ModelSpec) -> tuple[int, int]:
    """The size in pixels that the image processor of the Qwen VL family gives an image: multiples of
    ``spec.image_multiple``, at most ``spec.max_pixels``, the aspect kept as well as both allow. It leaves an image of
    that size as it is.
    """
    step, low = spec.image_multiple, spec.min_pixels
    wh = round(width / step) * step, round(height / step) * step
    if wh[0] * wh[1] > spec.max_pixels:
        shrink = math.sqrt(width * height / spec.max_pixels)
        return _floor(width / shrink, step), _floor(height / shrink, step)
    if wh[0] * wh[1] < low:
        scale = math.sqrt(low / (width * height))
        return math.ceil(width * scale / step) * step, math.ceil(height * scale / step) * step
    return wh


def _floor(pixels: float, step: int) -> int:
    return max(step, math.floor(pixels / step) * step)  # divided in the processor's order: rims decide by one rounding


def data_url(color: np.ndarray, wh: tuple[int, int]) -> str:
    """An image, (H, W, 3) uint8 RGB, as a JPEG of ``wh`` pixels in a data URL; the same one each time, for a server
    knows by its bytes that it has seen it before.
    """
    import cv2

    smaller = wh[0] * wh[1] < color.shape[0] * color.shape[1]
    resized = cv2.resize(color, wh, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)
    _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(resized, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return "data:image/jpeg;base64," + base64.b64encode(jpeg.tobytes()).decode("ascii")
