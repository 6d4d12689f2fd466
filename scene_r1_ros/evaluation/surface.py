# SPDX-License-Identifier: Apache-2.0
"""How near a lifted object is to the surface its views truly showed."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

from scene_r1_ros.answer import OrientedBox
from scene_r1_ros.errors import BadInput
from scene_r1_ros.evaluation.metrics import box_iou_3d, f_score

F_SCORE_M = 0.02
THIN_M = 0.01  # clouds are compared at one point per voxel, so that density buys nothing
EQUALLY_SMALL = 1.02  # upright boxes whose footprints differ by less are all the smallest: round things have no front
TURN_DEG = 1.0  # between the turns that are tried beside those along the edges of the footprint


@dataclass(frozen=True)
class Score:
    """Of one object. The errors are None where nothing was lifted."""

    iou: float  # of the boxes, 0 to 1
    f_score: float  # at 2 cm, 0 to 1
    center_m: float | None
    size_error: float | None  # mean over the three edges of the error as a share of the true edge


NOTHING = Score(0.0, 0.0, None, None)


class TrueSurface:
    """What views truly showed of an object: (N, 3) exact world points, metres, z up.

    Raises:
        BadInput: fewer than three points, or all in one vertical plane.
    """

    def __init__(self, points_world: NDArray):
        self.points_world = points_world
        try:
            self.outline = points_world[ConvexHull(points_world[:, :2]).vertices, :2]
        except (QhullError, ValueError) as error:
            raise BadInput(
                f"{len(points_world)} true points have no footprint, so no box can be right or wrong: "
                "take views that show more of the object"
            ) from error

    @cached_property
    def averaged(self) -> NDArray[np.float64]:
        return averaged(self.points_world)

    @cached_property
    def turns(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Angles in radians that an upright box can have, and the area of its footprint at each, square metres."""
        edges = np.diff(self.outline, axis=0, append=self.outline[:1])
        along_edges = np.arctan2(edges[:, 1], edges[:, 0]) % (np.pi / 2)
        angles = np.concatenate([along_edges, np.deg2rad(np.arange(0, 90, TURN_DEG))])
        along, across = np.stack([np.cos(angles), np.sin(angles)]), np.stack([-np.sin(angles), np.cos(angles)])
        return angles, np.ptp(self.outline @ along, axis=0) * np.ptp(self.outline @ across, axis=0)

    @cached_property
    def box(self) -> OrientedBox:
        """The smallest upright box around all points; nothing is trimmed."""
        angles, areas_m2 = self.turns
        return upright_box(self.points_world, float(angles[np.argmin(areas_m2)]))

    def box_turned_like(self, other: OrientedBox) -> OrientedBox:
        """Of the upright boxes that are equally small, the one turned most like another box."""
        angles, areas_m2 = self.turns
        smallest = angles[areas_m2 <= EQUALLY_SMALL * areas_m2.min()]
        yaw = np.arctan2(other.R_world_box[1, 0], other.R_world_box[0, 0])
        off = np.abs((smallest - yaw + np.pi / 4) % (np.pi / 2) - np.pi / 4)
        return upright_box(self.points_world, float(smallest[np.argmin(off)]))

    def score(self, points_world: NDArray, box: OrientedBox) -> Score:
        """How good (M, 3) lifted points, metres, and their box are."""
        true_box = self.box_turned_like(box)
        size_m = size_along(box, true_box)
        return Score(
            iou=box_iou_3d(box, true_box),
            f_score=f_score(averaged(points_world), self.averaged, F_SCORE_M),
            center_m=float(np.linalg.norm(box.center_world - true_box.center_world)),
            size_error=float(np.mean(np.abs(size_m - true_box.size_m) / true_box.size_m)),
        )


def upright_box(points_world: NDArray, yaw: float) -> OrientedBox:
    """The box around all of (N, 3) points, standing on z and turned by ``yaw`` radians."""
    c, s = np.cos(yaw), np.sin(yaw)
    R = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])
    in_box = points_world @ R
    low, high = in_box.min(axis=0), in_box.max(axis=0)
    return OrientedBox(R @ ((low + high) / 2), np.maximum(high - low, 1e-3), R)


def size_along(box: OrientedBox, like: OrientedBox) -> NDArray[np.float64]:
    """(3,) the edges of a box, each in the place of the axis of another one that it is nearest to."""
    alike = np.abs(np.asarray(box.R_world_box).T @ like.R_world_box)
    return np.asarray(box.size_m)[np.argmax(alike, axis=0)]


def averaged(points: NDArray) -> NDArray[np.float64]:
    """The mean of the (N, 3) points, N >= 1, in each voxel of ``THIN_M``."""
    cells = np.floor(points / THIN_M).astype(np.int64)
    low, high = cells.min(axis=0), cells.max(axis=0)
    keys = np.ravel_multi_index(tuple((cells - low).T), tuple(high - low + 1))
    _, voxel, counts = np.unique(keys, return_inverse=True, return_counts=True)
    sums = np.stack([np.bincount(voxel, points[:, k]) for k in range(3)], axis=1)
    return sums / counts[:, None]
