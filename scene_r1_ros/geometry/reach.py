# SPDX-License-Identifier: Apache-2.0
"""Where a robot can touch an object first."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.answer import SurfacePoint
from scene_r1_ros.geometry.depth import AGREE_DRIFT_M, AGREE_SIGMAS, depth_sigma_m
from scene_r1_ros.geometry.pose import inverse, transform
from scene_r1_ros.geometry.surface import LocalPlanes, thinned
from scene_r1_ros.geometry.verify import facing
from scene_r1_ros.types import Frame, Mask

MAX_POINTS = 1000
MIN_FACING_COS = 0.25  # a surface seen at more than 75 degrees cannot be approached from there


def nearest_point(points_world: NDArray, masks: Sequence[Mask], frames: Sequence[Frame]) -> SurfacePoint:
    """The point of an object's surface nearest to where the robot's camera was last, and that can be seen from there.

    Of (N, 3) points, N >= 1: no other part of the object is before it, its surface is seen at less than 75 degrees from
    the camera of the newest frame (wherever that camera looked), and the depth of the newest frame, if it shows the
    place, measured nothing in front of it. If no point is like this, the camera is that of the newest mask and the
    point only the nearest of what it shows. The point lies on the plane of its neighbours, below the noise of the
    depth; the normal points out of the object, towards the camera.
    """
    points = thinned(points_world, MAX_POINTS).astype(np.float64)
    normals, _, centroids = LocalPlanes(points_world).at(points)
    surface = points - np.sum((points - centroids) * normals, axis=1, keepdims=True) * normals
    eye = frames[-1].T_world_camera[:3, 3]
    usable = seen_from(eye, surface) & (np.abs(cosines(eye, surface, normals)) > MIN_FACING_COS)
    usable &= ~blocked(surface, frames[-1])
    if not usable.any():
        eye = masks[-1].frame.T_world_camera[:3, 3]
        usable = seen_from(eye, surface)
    away_m = np.where(usable, np.linalg.norm(surface - eye, axis=1), np.inf)
    nearest = int(np.argmin(away_m))
    towards = np.sign(cosines(eye, surface, normals)[nearest]) or 1.0
    return SurfacePoint(surface[nearest], towards * normals[nearest])


def cosines(eye: NDArray, points: NDArray, normals: NDArray) -> NDArray[np.float64]:
    """(N,) of the angles between the normals and the ways to the eye."""
    ways = eye - points
    return np.sum(ways * normals, axis=1) / np.maximum(np.linalg.norm(ways, axis=1), 1e-9)


def seen_from(eye: NDArray, points: NDArray) -> NDArray[np.bool_]:
    """(N,) True for the points, (N, 3), N >= 1, that no other one of them hides from an eye."""
    ways = points - eye
    middle = ways.mean(axis=0)
    _, _, axes = np.linalg.svd(middle[None] / max(float(np.linalg.norm(middle)), 1e-9))
    ahead = np.maximum(ways @ (axes[0] * np.sign(axes[0] @ middle)), 1e-3)
    return facing((ways @ axes[1:].T) / ahead[:, None], np.linalg.norm(ways, axis=1))


def blocked(points: NDArray, frame: Frame) -> NDArray[np.bool_]:
    """(N,) True for the points, (N, 3), that a frame measured something in front of."""
    points_camera = transform(inverse(frame.T_world_camera), points)
    uv, valid = frame.depth_camera.project(points_camera)
    u, v = np.where(valid[:, None], np.rint(uv), 0).astype(int).T
    measured_m, z = frame.depth_m[v, u], points_camera[:, 2]
    before_m = AGREE_DRIFT_M + AGREE_SIGMAS * depth_sigma_m(z)
    return valid & (measured_m > 0) & (measured_m < z - before_m)
