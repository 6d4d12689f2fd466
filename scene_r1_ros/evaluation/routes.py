# SPDX-License-Identifier: Apache-2.0
"""From masks to points and a box: the product's way, and the two naive ones it is measured against."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.answer import OrientedBox
from scene_r1_ros.config import LiftConfig
from scene_r1_ros.errors import BadInput, NoDepth
from scene_r1_ros.evaluation import naive
from scene_r1_ros.evaluation.surface import TrueSurface
from scene_r1_ros.geometry.box import oriented_box
from scene_r1_ros.geometry.lift import lift
from scene_r1_ros.types import Mask

Route = Callable[[Sequence[Mask]], tuple[NDArray, OrientedBox]]

OURS, EVERY_PIXEL, VOXEL_FILTER = "scene_r1", "every pixel", "voxel + filter"


def ours(masks: Sequence[Mask]) -> tuple[NDArray, OrientedBox]:
    """
    Raises:
        NoDepth, NotThere: there is no object.
    """
    points_world = lift(masks, LiftConfig())[0]
    return points_world, oriented_box(points_world, "z")  # rooms stand upright


def boxed(route: Callable[[Sequence[Mask]], NDArray[np.float64]]) -> Route:
    """A naive route with the box of the truth: upright around all its points, kinder than one along the world's axes.

    Raises:
        NoDepth: its points have no box.
    """

    def lifted(masks: Sequence[Mask]) -> tuple[NDArray, OrientedBox]:
        points_world = route(masks)
        try:
            return points_world, TrueSurface(points_world).box
        except BadInput as error:
            raise NoDepth(f"{len(points_world)} points are left of {len(masks)} masks") from error

    return lifted


ROUTES: dict[str, Route] = {
    OURS: ours,
    EVERY_PIXEL: boxed(naive.every_pixel),
    VOXEL_FILTER: boxed(naive.voxel_and_filter),
}
