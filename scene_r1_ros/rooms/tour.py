# SPDX-License-Identifier: Apache-2.0
"""The way of a robot's camera through a furnished room: it goes from stop to stop, where it can see things from near,
and turns all the time, one to one and a half times in all, so that each thing is in view for a short while.
"""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.errors import BadInput
from scene_r1_ros.rooms.room import Room

CELL_M = 0.05
CLEAR_M = 0.22  # from the camera to whatever stands
TURNS = (1.1, 1.7)
STEPS_RAD = np.array([0.35, 0.7, 1.05])  # from one stop to the next
HEIGHT_M = (0.55, 1.5)
N_FIRST, N_CANDIDATES = 80, 60  # places looked at for the first stop, and for each later one
HALF_VIEW_RAD = 0.42  # what counts as in view, to either side
NEAR_M = 0.5  # nearer things do not fit into the picture
LARGE_RAD = 0.5  # a larger thing is not seen better
SEEN = 0.3  # as a share of that: seen well
WAY_COST = 0.12  # a metre of way is worth as much as such a part of a thing seen well
LEAST_PACE = 0.25  # time for turning past nothing, beside 1 for a thing seen well


@dataclass(frozen=True, eq=False)
class Ground:
    """Where the camera may go: the part of the floor that hangs together and is clear of furniture."""

    clear: NDArray[np.bool_]  # (rows, columns) along y and x
    corner: NDArray[np.float64]  # (2,) x, y of the first cell's corner, metres

    def cells(self, points: NDArray) -> NDArray[np.bool_]:
        """Whether points (..., 2) are clear."""
        at = ((points - self.corner) / CELL_M).astype(np.intp)
        rows, columns = self.clear.shape
        return self.clear.take(np.clip(at[..., 1], 0, rows - 1) * columns + np.clip(at[..., 0], 0, columns - 1))

    def reached_from(self, start: NDArray, ends: NDArray) -> NDArray[np.bool_]:
        """(N,) whether the straight way from (2,) to each of (N, 2) is clear."""
        t = np.linspace(0, 1, 30)[:, None, None]
        return np.all(self.cells(start + t * (ends - start)), axis=0)

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """(n, 2) clear places."""
        rows, columns = np.nonzero(self.clear)
        pick = rng.integers(len(rows), size=n)
        return np.stack([columns[pick] + 0.5, rows[pick] + 0.5], axis=1) * CELL_M + self.corner


@dataclass(frozen=True)
class Stop:
    """Where the camera is for a moment, and where it looks."""

    place: NDArray[np.float64]  # (2,) x, y, metres
    height_m: float
    yaw: float  # radians; goes on counting over turns
    drop: float  # how far it looks down, radians
    worth: float  # what there is to see


def tour(room: Room, seed: int, n_frames: int) -> list[NDArray[np.float64]]:
    """``T_world_camera`` (4, 4) of each frame; the camera is level and 0.5 to 1.5 m high, and looks a little down.

    Raises:
        BadInput: no frames, or a room without a place to stand.
    """
    if n_frames < 1:
        raise BadInput(f"a tour of {n_frames} frames; it needs at least one")
    rng = np.random.default_rng([seed, 11])
    way = stops(room, clear_ground(room), rng)
    if rng.random() < 0.5:  # the first stops are the best ones; what they show must not always come first
        way.reverse()
    # The camera lingers where there is much to see, and turns past bare walls.
    pace = np.array([LEAST_PACE + min((a.worth + b.worth) / 2, 1) for a, b in pairwise(way)])
    at = np.interp(np.linspace(0, 1, n_frames), np.append(0, np.cumsum(pace / pace.sum())), np.arange(len(way)))
    values = np.array([(*stop.place, stop.height_m, stop.yaw, stop.drop) for stop in way])
    x, y, height, yaw, drop = (np.interp(at, np.arange(len(way)), column) for column in values.T)
    return list(level_cameras(np.stack([x, y, height], axis=1), yaw, drop))


def level_cameras(eyes: NDArray, yaw: NDArray, drop: NDArray) -> NDArray[np.float64]:
    """``T_world_camera`` (N, 4, 4) at eyes (N, 3), metres, turned by ``yaw`` from +x and looking down by ``drop``."""
    (c, s), (cd, sd), zero = (np.cos(yaw), np.sin(yaw)), (np.cos(drop), np.sin(drop)), np.zeros_like(yaw)
    T_world_camera = np.tile(np.eye(4), (len(eyes), 1, 1))
    axes = [(s, -c, zero), (-c * sd, -s * sd, -cd), (c * cd, s * cd, -sd)]  # right, down and ahead
    T_world_camera[:, :3, :3] = np.array(axes).transpose(2, 1, 0)
    T_world_camera[:, :3, 3] = eyes
    return T_world_camera


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


def stops(room: Room, ground: Ground, rng: np.random.Generator) -> list[Stop]:
    """Each is the place and direction, of some, from where most is seen well that was not seen well before."""
    centers = np.array([thing.box.center_world for thing in room.objects])
    sizes = np.array([np.sort(thing.box.size_m)[1:].prod() ** 0.5 for thing in room.objects])
    sense = rng.choice([-1, 1])
    yaw = end = rng.uniform(0, 2 * np.pi)
    end += sense * 2 * np.pi * rng.uniform(*TURNS)
    places, fresh = ground.draw(N_FIRST, rng), np.ones(len(sizes))
    way: list[Stop] = []
    while (end - yaw) * sense > 0:
        yaws = yaw + sense * STEPS_RAD * rng.uniform(0.85, 1.15)
        worth = shown(places, yaws, centers, sizes)  # (yaws, places, objects)
        score = (worth * fresh).sum(axis=2)
        if way:
            away_m = np.linalg.norm(places - way[-1].place, axis=1)
            score -= away_m * WAY_COST + np.where(ground.reached_from(way[-1].place, places), 0, np.inf)
        which, where = np.unravel_index(np.argmax(score), score.shape)
        yaw, seen = float(yaws[which]), worth[which, where]
        fresh = np.where(seen > SEEN, fresh * 0.3, fresh)
        height_m, drop = look(places[where], seen, centers, rng)
        way.append(Stop(places[where], height_m, yaw, drop, float(seen.sum())))
        places = np.concatenate([places[where : where + 1], ground.draw(N_CANDIDATES, rng)])
    return way


def shown(places: NDArray, yaws: NDArray, centers: NDArray, sizes: NDArray) -> NDArray[np.float64]:
    """(Y, P, N) how well objects are seen from places (P, 2): 1 for a large one ahead, 0 beside the view."""
    x, y = (centers[None, :, :2] - places[:, None]).transpose(2, 0, 1)
    distance_m = np.sqrt(x * x + y * y)
    fit = np.where(distance_m > NEAR_M + sizes / 2, np.minimum(sizes / distance_m / LARGE_RAD, 1), 0)
    ahead = x * np.cos(yaws)[:, None, None] + y * np.sin(yaws)[:, None, None]
    return fit * (ahead > distance_m * np.cos(HALF_VIEW_RAD))


def look(place: NDArray, worth: NDArray, centers: NDArray, rng: np.random.Generator) -> tuple[float, float]:
    """How high the camera is and how far it looks down, so that what is worth seeing is in the picture."""
    height = float(rng.uniform(*HEIGHT_M))
    if worth.sum() == 0:
        return height, 0.15
    z = float(worth @ centers[:, 2] / worth.sum())
    away_m = float(worth @ np.linalg.norm(centers[:, :2] - place, axis=1) / worth.sum())
    height = float(np.clip(max(height, z + 0.25), *HEIGHT_M))
    return height, float(np.clip(np.arctan2(height - z, away_m), 0.03, 0.6))
