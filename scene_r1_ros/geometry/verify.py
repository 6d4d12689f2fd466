# SPDX-License-Identifier: Apache-2.0
"""Does the lifted object project back to where it was seen?"""

import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.config import VerifyConfig
from scene_r1_ros.errors import NotThere
from scene_r1_ros.geometry.pose import inverse, transform
from scene_r1_ros.types import Box2D, Frame, Hypothesis

# The box around a projected cloud leaves out this share of the points on each side: a few strays must not decide.
TRIM = 0.02


def verify(points_world: NDArray, hypothesis: Hypothesis, config: VerifyConfig) -> float:
    """Box IoU of the lifted (N, 3) points with the box they came from, in the frame it was drawn in.

    Raises:
        NotThere: less than ``min_reprojection_iou``.
    """
    back = projected_box(points_world, hypothesis.frame)
    iou = back.iou(hypothesis.box) if back else 0.0
    if iou < config.min_reprojection_iou:
        raise NotThere(
            f"its points cover the box in frame {hypothesis.frame.frame_id} with IoU {iou:.2f}, "
            f"less than verify.min_reprojection_iou = {config.min_reprojection_iou:.2f}"
        )
    return iou


def projected_box(points_world: NDArray, frame: Frame) -> Box2D | None:
    """The box of (N, 3) world points in a frame's image, None where fewer than three of them are inside it."""
    uv, valid = frame.camera.project(transform(inverse(frame.T_world_camera), points_world))
    if valid.sum() < 3:
        return None
    (x1, y1), (x2, y2) = np.quantile(uv[valid], [TRIM, 1 - TRIM], axis=0)
    return Box2D(float(x1), float(y1), float(x2) + 1, float(y2) + 1)
