# SPDX-License-Identifier: Apache-2.0
"""Colour in which distances mean what they mean to people."""

import cv2
import numpy as np
from numpy.typing import NDArray


def smooth_lab(color: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(h, w, 3) CIELAB, on OpenCV's 8-bit scale, of an RGB image, with the noise of single pixels blurred."""
    lab = cv2.cvtColor(color, cv2.COLOR_RGB2LAB).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(lab, (3, 3), 0.8), np.float32)
