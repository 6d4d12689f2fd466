# SPDX-License-Identifier: Apache-2.0
"""How far off the centre of an object may be."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.answer import OrientedBox
from scene_r1_ros.geometry.depth import depth_sigma_m
from scene_r1_ros.geometry.surface import thinned
from scene_r1_ros.geometry.verify import MAX_POINTS, front
from scene_r1_ros.types import Mask

EDGE_PX = 1.5  # how far off a mask's border is, all around
POSE_M = 0.005  # how far off poses are at least; views that disagree by more say how far
UNSEEN_SHARE = 0.12  # of a box's edge: how far off its middle is for an end that no camera has faced


def center_covariance_m2(points_world: NDArray, box: OrientedBox, masks: Sequence[Mask]) -> NDArray[np.float64]:
    """(3, 3) covariance of a box's centre in the world, m^2, positive definite.

    A view at distance z of the object's (N, 3) points tells the centre with a variance, in its camera's frame, of
    ``(EDGE_PX z / f)^2`` across and ``depth_sigma_m(z)^2`` along its axis (the error that neighbouring pixels share;
    that of single pixels averages out), plus the variance of its pose. The pose's is the mean square of what the views'
    measured depths differ from the points, at least ``POSE_M`` squared. Views are independent, so their inverse
    covariances add up: more views help, and views from other sides help most. What no view helps against is added: an
    end of the box that no camera has faced is known only from what can be seen of the sides.
    """
    points = thinned(points_world, MAX_POINTS)
    pose_m2 = max(POSE_M**2, float(np.mean([off_m(points, mask) ** 2 for mask in masks])))
    information = np.zeros((3, 3))
    for mask in masks:
        R, camera = mask.frame.T_world_camera[:3, :3], mask.frame.camera
        away_m = max(float((box.center_world - mask.frame.T_world_camera[:3, 3]) @ R[:, 2]), 0.1)
        across_m2 = (EDGE_PX * away_m / camera.fx) ** 2
        variances = np.array([across_m2, across_m2, depth_sigma_m(np.float64(away_m)) ** 2]) + pose_m2
        information += (R / variances) @ R.T
    unseen_m = UNSEEN_SHARE * box.size_m * np.linalg.norm(blindness(box, masks), axis=1)
    return np.linalg.inv(information) + (box.R_world_box * np.square(unseen_m)) @ box.R_world_box.T


def off_m(points: NDArray, mask: Mask) -> float:
    """How much farther a view measures the points than they are, metres: the median; 0 where nothing is measured."""
    z, measured_m, _ = front(points, mask.frame)
    off = (measured_m - z)[measured_m > 0]
    off = off[np.abs(off) < 0.1]  # more is something before or behind the object
    return float(np.median(off)) if len(off) else 0.0


def blindness(box: OrientedBox, masks: Sequence[Mask]) -> NDArray[np.float64]:
    """(3, 2) how little any camera has faced each end of the box, along its axes: 0 from ahead, 1 from behind.

    It is 1 minus the cosine of the angle between the axis and the way from the end to the camera.
    """
    eyes = np.stack([mask.frame.T_world_camera[:3, 3] for mask in masks])
    along = (eyes - box.center_world) @ box.R_world_box
    ends = np.stack([-box.size_m / 2, box.size_m / 2], axis=1)
    cosines = np.empty((3, 2))
    for axis, side in np.ndindex(3, 2):
        ways = along.copy()
        ways[:, axis] -= ends[axis, side]
        best = np.max((2 * side - 1) * ways[:, axis] / np.maximum(np.linalg.norm(ways, axis=1), 1e-9))
        cosines[axis, side] = max(best, 0.0)
    return 1 - cosines
