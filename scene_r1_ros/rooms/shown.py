# SPDX-License-Identifier: Apache-2.0
"""Which objects of a room some views show, told from their boxes alone: quick, and on the safe side."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.geometry.camera import PinholeCamera
from scene_r1_ros.rooms.room import Room

N_POINTS = 5  # of an object's surface; most must be in sight
CLEAR_SHARE = 0.6


def shown_objects(room: Room, poses: Sequence[NDArray], camera: PinholeCamera, least_px: float) -> NDArray[np.bool_]:
    """(N,) whether some image shows each object at least so large, as the root of its box's area, and not hidden.

    What is within the box of another object counts as hidden, but for the one that it stands on.
    """
    corners = np.concatenate([thing.box.corners_world() for thing in room.objects])  # (8 * N, 3)
    corners = np.column_stack([corners, np.ones(len(corners))])
    large = np.stack([sizes_px(corners, T, camera) >= least_px for T in poses])  # (poses, N)
    pose, thing = np.nonzero(large)
    points = np.stack([thing.samples_world[:N_POINTS] for thing in room.objects]).astype(np.float64)
    eyes = np.array([T[:3, 3] for T in poses])
    clear = in_sight(room, eyes[pose], points[thing], thing)
    seen = np.zeros(len(room.objects), bool)
    seen[thing[clear.mean(axis=1) >= CLEAR_SHARE]] = True
    return seen


def sizes_px(corners: NDArray, T_world_camera: NDArray, camera: PinholeCamera) -> NDArray[np.float64]:
    """(N,) the root of the area of boxes in an image; ``corners`` (8 * N, 4) are homogeneous, in the world."""
    points = corners @ np.linalg.inv(T_world_camera)[:3].T
    uv = points[:, :2] / np.maximum(points[:, 2:], 0.1) * (camera.fx, camera.fy) + (camera.cx + 0.5, camera.cy + 0.5)
    uv = np.clip(uv, 0, (camera.width, camera.height)).reshape(-1, 8, 2)
    ahead = points[:, 2].reshape(-1, 8).min(axis=1) > 0.1
    return np.where(ahead, np.ptp(uv, axis=1).prod(axis=1) ** 0.5, 0)


def in_sight(room: Room, eyes: NDArray, points: NDArray, thing: NDArray[np.intp]) -> NDArray[np.bool_]:
    """(K, P) whether the ways from eyes (K, 3) to points (K, P, 3) of objects ``thing`` (K,) meet no other's box."""
    free = np.ones(points.shape[:2], bool)
    own = {thing.instance_id: i for i, thing in enumerate(room.objects)}
    supports = np.array([own.get(thing.support_id, -1) for thing in room.objects])
    for i, other in enumerate(room.objects):
        box = other.box
        start = (eyes - box.center_world) @ box.R_world_box
        way = (points - box.center_world) @ box.R_world_box - start[:, None]
        hit = meets_box(start[:, None], way, box.size_m / 2)
        free &= ~(hit & ((thing != i) & (supports[thing] != i))[:, None])
    for x1, y1, x2, y2 in room.pillars:
        middle, half = np.array([(x1 + x2) / 2, (y1 + y2) / 2, 0]), np.array([(x2 - x1) / 2, (y2 - y1) / 2, 9])
        free &= ~meets_box((eyes - middle)[:, None], points - eyes[:, None], half)
    return free


def meets_box(start: NDArray, way: NDArray, half: NDArray) -> NDArray[np.bool_]:
    """Whether lines from ``start`` along the whole of ``way`` (..., 3) meet the box of half size (3,) at the origin."""
    slope = 1 / np.where(np.abs(way) < 1e-9, 1e-9, way)
    a, b = (-half - start) * slope, (half - start) * slope
    enter, leave = np.minimum(a, b).max(axis=-1), np.maximum(a, b).min(axis=-1)
    return (enter < leave) & (leave > 0) & (enter < 1)
