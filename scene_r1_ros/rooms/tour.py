# SPDX-License-Identifier: Apache-2.0
"""The way of a robot's camera through a furnished room: it goes from stop to stop, where it can see things from near,
and turns all the time, one to one and a half times in all, so that each thing is in view for a short while.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.errors import BadInput
from scene_r1_ros.rooms.room import Room
from scene_r1_ros.rooms.walk import looking_at

CELL_M = 0.05
CLEAR_M = 0.22  # from the camera to whatever stands
TURNS = (1.0, 1.5)
STOPS_PER_TURN = 9
HEIGHT_M = (0.55, 1.5)
N_CANDIDATES = 60  # places looked at for each stop
HALF_VIEW_RAD = 0.5  # what counts as in view, to either side
NEAR_M = 0.55  # nearer things do not fit into the picture
LARGE_RAD = 0.3  # a larger thing is not seen better
STEP_M = 0.22  # of way are worth as much as a thing that is seen well


@dataclass(frozen=True, eq=False)
class Ground:
    """Where the camera may go: the part of the floor that hangs together and is clear of furniture."""

    clear: NDArray[np.bool_]  # (rows, columns) along y and x
    corner: NDArray[np.float64]  # (2,) x, y of the first cell's corner, metres

    def cells(self, points: NDArray) -> NDArray[np.bool_]:
        """Whether points (..., 2) are clear."""
        column, row = np.moveaxis(((points - self.corner) / CELL_M).astype(int), -1, 0)
        rows, columns = self.clear.shape
        return self.clear[np.clip(row, 0, rows - 1), np.clip(column, 0, columns - 1)]

    def reached_from(self, start: NDArray, ends: NDArray) -> NDArray[np.bool_]:
        """(N,) whether the straight way from (2,) to each of (N, 2) is clear."""
        t = np.linspace(0, 1, 40)[:, None, None]
        return np.all(self.cells(start + t * (ends - start)), axis=0)

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """(n, 2) clear places."""
        rows, columns = np.nonzero(self.clear)
        pick = rng.integers(len(rows), size=n)
        return np.stack([columns[pick] + 0.5, rows[pick] + 0.5], axis=1) * CELL_M + self.corner


def tour(room: Room, seed: int, n_frames: int) -> list[NDArray[np.float64]]:
    """``T_world_camera`` (4, 4) of each frame; the camera is level and 0.5 to 1.5 m high, and looks a little down.

    Raises:
        BadInput: no frames, or a room without a place to stand.
    """
    if n_frames < 1:
        raise BadInput(f"a tour of {n_frames} frames; it needs at least one")
    rng = np.random.default_rng([seed, 11])
    ground = clear_ground(room)
    turns = rng.uniform(*TURNS)
    yaws = rng.uniform(0, 2 * np.pi) + rng.choice([-1, 1]) * turned(round(turns * STOPS_PER_TURN) + 1, turns, rng)
    places, heights, drops = stops(room, ground, yaws, rng)
    at = np.linspace(0, len(yaws) - 1, n_frames)
    xy = np.stack([np.interp(at, np.arange(len(yaws)), places[:, k]) for k in (0, 1)], axis=1)
    yaw, height, drop = (np.interp(at, np.arange(len(yaws)), values) for values in (yaws, heights, drops))
    eyes = np.column_stack([xy, height])
    ahead = np.stack([np.cos(yaw), np.sin(yaw), -np.tan(drop)], axis=1)
    return [looking_at(eye, eye + way) for eye, way in zip(eyes, ahead, strict=True)]


def turned(n_stops: int, turns: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """(n_stops,) how far the camera has turned at each stop, radians: at an uneven pace."""
    steps = rng.uniform(0.6, 1.4, n_stops - 1)
    return np.concatenate([[0], np.cumsum(steps)]) * (2 * np.pi * turns / steps.sum())


def clear_ground(room: Room) -> Ground:
    """What is at least ``CLEAR_M`` from all that stands, the largest part of it.

    Raises:
        BadInput: there is none.
    """
    width, depth, _ = room.size_m
    corner = np.array([-width / 2, -depth / 2])
    free = np.zeros((int(depth / CELL_M) + 2, int(width / CELL_M) + 2), np.uint8)
    free[1:-2, 1:-2] = 1
    for x1, y1, x2, y2 in [*room.pillars, *footprints(room)]:
        low = np.maximum(np.floor((np.array([x1, y1]) - corner) / CELL_M), 0).astype(int)
        high = np.maximum(np.ceil((np.array([x2, y2]) - corner) / CELL_M), 0).astype(int)
        free[low[1] : high[1], low[0] : high[0]] = 0
    away_m = cv2.distanceTransform(free, cv2.DIST_L2, 3) * CELL_M
    count, parts, stats, _ = cv2.connectedComponentsWithStats((away_m >= CLEAR_M).astype(np.uint8), connectivity=4)
    if count < 2:
        raise BadInput(f"the room of seed {room.seed} has no place for a camera {CLEAR_M} m clear of its furniture")
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return Ground(parts == largest, corner)


def footprints(room: Room) -> list[tuple[float, float, float, float]]:
    """x1, y1, x2, y2 of what stands on the floor."""
    rects = []
    for thing in room.objects:
        corners = thing.box.corners_world()[:, :2]
        rects.append((*corners.min(axis=0).tolist(), *corners.max(axis=0).tolist()))
    return rects


def stops(
    room: Room, ground: Ground, yaws: NDArray, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Where the camera is, (N, 2) metres, how high, (N,) metres, and how far it looks down, (N,) radians, at each stop.

    Each is the place, of some that a straight way leads to, from where most is seen well in the stop's direction.
    """
    centers = np.array([thing.box.center_world for thing in room.objects])
    sizes = np.array([np.sort(thing.box.size_m)[1:].prod() ** 0.5 for thing in room.objects])
    place, seen = ground.draw(1, rng)[0], np.zeros(len(sizes))
    places: list[NDArray[np.float64]] = []
    heights, drops = [], []
    for yaw in yaws:
        options = np.concatenate([[place], ground.draw(N_CANDIDATES, rng)])
        worth = shown(options, yaw, centers, sizes) / (1 + seen)  # (options, objects)
        way_m = np.linalg.norm(options - place, axis=1)
        score = worth.sum(axis=1) - way_m * LARGE_RAD / 2 / STEP_M * 0.5
        score[~ground.reached_from(place, options) | ((way_m > 1.5) & bool(places))] = -np.inf
        best = int(np.argmax(score))
        place, seen = options[best], seen + (worth[best] > LARGE_RAD / 2)
        height, drop = look(place, worth[best], centers, rng)
        places.append(place)
        heights.append(height)
        drops.append(drop)
    return np.array(places), np.array(heights), np.array(drops)


def shown(places: NDArray, yaw: float, centers: NDArray, sizes: NDArray) -> NDArray[np.float64]:
    """(P, N) how large objects appear from places (P, 2), radians, at most ``LARGE_RAD``; 0 beside the view."""
    way = centers[None, :, :2] - places[:, None]
    distance_m = np.linalg.norm(way, axis=2)
    aside = np.abs((np.arctan2(way[..., 1], way[..., 0]) - yaw + np.pi) % (2 * np.pi) - np.pi)
    in_view = (aside < HALF_VIEW_RAD) & (distance_m > NEAR_M + sizes / 2)
    return np.where(in_view, np.minimum(sizes / np.maximum(distance_m, NEAR_M), LARGE_RAD), 0)


def look(place: NDArray, worth: NDArray, centers: NDArray, rng: np.random.Generator) -> tuple[float, float]:
    """How high the camera is and how far it looks down, so that what is worth seeing is in the picture."""
    height = float(rng.uniform(*HEIGHT_M))
    if worth.sum() == 0:
        return height, 0.15
    z = float(worth @ centers[:, 2] / worth.sum())
    away_m = float(worth @ np.linalg.norm(centers[:, :2] - place, axis=1) / worth.sum())
    height = float(np.clip(max(height, z + 0.25), *HEIGHT_M))
    return height, float(np.clip(np.arctan2(height - z, away_m), 0.03, 0.6))
