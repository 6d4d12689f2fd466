# SPDX-License-Identifier: Apache-2.0
"""Cuts an object from the floor, table or wall that its masks took along."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from scene_r1_ros.geometry.depth import depth_sigma_m
from scene_r1_ros.geometry.mask_view import MaskView
from scene_r1_ros.geometry.plane import Plane
from scene_r1_ros.geometry.pose import transform

POINTS_PER_VIEW = 300  # if a quarter of the crop is background
REACH = 0.3  # of the object's longest edge: what is looked at around it
N_PLANES = 2
MIN_POINTS = 50
MIN_SHARE = 0.15  # of the points around that lie on a plane which counts
SIGMAS, DRIFT_M = 2.7, 0.003  # how thick a plane is, in standard deviations of depth, and more
MIN_OFF = 0.1  # share of the object that must lie off the plane: thin things on it stay whole ...
MIN_HEIGHT = 4.0  # ... and so do those that rise less than so many times half its thickness
MAX_BEHIND = 0.05  # nothing is cut by a plane that more of the object lies behind
MIN_CUT = 0.1  # less is the object's own foot
FOOT_VOXELS = 1.5  # points on the plane so near below others of the object are its own


def off_support(points: NDArray, views: Sequence[MaskView], origin_world: NDArray, voxel_m: float) -> NDArray[np.bool_]:
    """(N,) False for points that lie on planes which go on around the object, and that no other point stands on.

    Args:
        points: (N, 3) of the object, metres, relative to ``origin_world``.
        views: that show it, at least one.
        origin_world: (3,) metres.
        voxel_m: how far apart the points lie.
    """
    kept = np.ones(len(points), bool)
    if len(points) == 0:
        return kept
    cameras = np.array([view.T_world_camera[:3, 3] for view in views]) - origin_world
    half_m = SIGMAS * float(depth_sigma_m(np.median([view.center_camera[2] for view in views]))) + DRIFT_M
    for plane in planes(around(points, views, origin_world), cameras, half_m):
        kept[kept] = ~spread_on(plane, half_m, points[kept], voxel_m)
    return kept


def around(points: NDArray, views: Sequence[MaskView], origin_world: NDArray) -> NDArray[np.float64]:
    """(M, 3) points near the object's (N, 3), N >= 1, that the views say are not the object, metres from
    ``origin_world``.
    """
    low, high = np.percentile(points, [2, 98], axis=0)
    reach_m = REACH * (high - low).max()
    found = np.concatenate([outside(view) for view in views]) - origin_world
    return found[((found > low - reach_m) & (found < high + reach_m)).all(axis=1)]


def outside(view: MaskView) -> NDArray[np.float64]:
    """(M, 3) world points, metres, of some pixels of the crop that are neither in the mask nor near its border."""
    every = max(int(np.sqrt(view.around_m.size / (4 * POINTS_PER_VIEW))), 1)
    depth_m = view.around_m[::every, ::every]
    v, u = np.nonzero(depth_m)
    uv = np.stack([every * u + view.u0, every * v + view.v0], axis=1)
    return transform(view.T_world_camera, view.mask.frame.depth_camera.unproject(uv, depth_m[v, u]))


def planes(points: NDArray, cameras: NDArray, half_m: float) -> list[Plane]:
    """The ``N_PLANES`` largest planes through (M, 3) points, or fewer, the largest first, facing the (V, 3) cameras;
    all metres. ``half_m`` is half the thickness of a plane.
    """
    found: list[Plane] = []
    total = len(points)
    while len(found) < N_PLANES and len(points) >= MIN_POINTS:
        near = np.abs(Plane.dominant(points, np.full(len(points), half_m)).heights(points)) < half_m
        plane = Plane.fitted(points[near]).facing(cameras)
        on = np.abs(plane.heights(points)) < half_m
        if on.sum() < MIN_SHARE * total:
            break
        found.append(plane)
        points = points[~on]
    return found


def spread_on(plane: Plane, half_m: float, points: NDArray, voxel_m: float) -> NDArray[np.bool_]:
    """(N,) True for those of an object's (N, 3) points, metres, N >= 1, that lie on a plane it rises from, but for
    its foot: those below others of it. False for all where they are so few that they may be the foot.
    """
    nothing = np.zeros(len(points), bool)
    heights_m = plane.heights(points)
    off = heights_m >= half_m
    if (~off).mean() < MIN_CUT or not rises(heights_m, half_m):  # the first spares most objects the search below
        return nothing
    flat = points - heights_m[:, None] * plane.normal
    # Quick to build: most points are off the plane, and few ask.
    tree = KDTree(flat[off], balanced_tree=False, compact_nodes=False)
    apart_m = tree.query(flat[~off], distance_upper_bound=FOOT_VOXELS * voxel_m)[0]
    spread = nothing.copy()
    spread[~off] = np.isinf(apart_m)
    return spread if spread.mean() >= MIN_CUT else nothing


def rises(heights_m: NDArray, half_m: float) -> bool:
    """Whether an object with points at (N,) heights, metres, N >= 1, stands in front of a plane, well off it."""
    off, behind = heights_m >= half_m, heights_m < -half_m
    if off.mean() < MIN_OFF or behind.mean() > MAX_BEHIND:
        return False
    return bool(np.percentile(heights_m[off], 90) >= MIN_HEIGHT * half_m)
