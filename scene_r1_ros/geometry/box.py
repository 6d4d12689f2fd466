# SPDX-License-Identifier: Apache-2.0
"""The oriented box around a cloud: upright where the world has an up, minimal where it has none."""

import cv2
import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.types import OrientedBox

# A cloud of noisy points is wider than its object: this share of the points may stick out on each side.
TRIM = 0.005


def oriented_box(points_world: NDArray, up_axis: str) -> OrientedBox:
    """The smallest box around (N, 3) points, metres, N >= 1.

    Args:
        up_axis: "x", "y" or "z": the box stands upright along this world axis (its own z), turned to the smallest
            footprint. "none": the axes of least spread, for worlds without gravity.
    """
    middle = points_world.mean(axis=0, dtype=np.float64)  # a sum of float32 far from the origin would drift
    centered = points_world - middle
    R = principal_axes(centered) if up_axis == "none" else upright_axes(centered, "xyz".index(up_axis))
    low, high = np.quantile(centered @ R, [TRIM, 1 - TRIM], axis=0)
    return OrientedBox(middle + R @ ((low + high) / 2), np.maximum(high - low, 1e-3), R)


def upright_axes(centered: NDArray, up: int) -> NDArray[np.float64]:
    """(3, 3) rotation whose z is world axis ``up`` and whose x runs along the smallest rectangle around the footprint.

    Source: rotating calipers (Toussaint 1983), through OpenCV.
    """
    flat = [(up + 1) % 3, (up + 2) % 3]
    _, _, angle_deg = cv2.minAreaRect(centered[:, flat].astype(np.float32))
    angle = np.deg2rad(angle_deg)
    R = np.zeros((3, 3))
    R[flat, 0] = np.cos(angle), np.sin(angle)
    R[flat, 1] = -np.sin(angle), np.cos(angle)
    R[up, 2] = 1.0
    return R


def principal_axes(centered: NDArray) -> NDArray[np.float64]:
    """(3, 3) rotation along the directions of largest, middle and least spread."""
    _, _, vt = np.linalg.svd(centered.T @ centered)
    R = vt.T.astype(np.float64)
    return R if np.linalg.det(R) > 0 else R * (1, 1, -1)
