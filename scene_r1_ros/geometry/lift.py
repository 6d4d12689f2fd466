# SPDX-License-Identifier: Apache-2.0
"""Masks + depth + pose -> one cloud of the object in the world, voted over views."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from scene_r1_ros.config import LiftConfig
from scene_r1_ros.errors import BadInput, NoDepth, NotThere
from scene_r1_ros.geometry.pose import inverse, transform
from scene_r1_ros.run import Run
from scene_r1_ros.types import Frame, Mask

# Depth noise grows with the square of the distance: sigma = 1.2 mm + 1.9 mm/m^2 (z - 0.4 m)^2 for structured light
# (Nguyen, Izadi and Lovell 2012). A point counts as seen where the depth agrees within this many of those sigmas.
AGREE_SIGMAS = 4.0
# ... plus what poses of consecutive keyframes drift.
AGREE_DRIFT_M = 0.015
# Points hang together when the cells they lie in share a face; a cell is this many voxels wide, or depth pixels where
# those are farther apart.
LINK = 2.5
# Parts of an object that hold less than this share of its largest part are taken for noise.
MIN_PART_SHARE = 0.1
# Points are fused once so many of them wait, so that memory does not grow with the number of views.
BATCH = 500_000
# More voxels are no object: at 5 mm these are 50 square metres of surface.
MAX_VOXELS = 2_000_000


class Cloud(NamedTuple):
    """Points of one object."""

    points_world: NDArray  # (N, 3) metres
    colors: NDArray[np.uint8]  # (N, 3) RGB


def lift(masks: Sequence[Mask], config: LiftConfig, run: Run | None = None) -> Cloud:
    """Fuse the masks of one object into a cloud: lift each, fuse in voxels, vote over the views, drop loose parts.

    Computes in float64; the points that leave are float32, which resolves 1 mm within the 10 km of ``checked_pose``.

    Args:
        run: is asked between the steps whether the query should stop.

    Raises:
        NoDepth: no mask pixel has usable depth, or fewer than ``min_points`` voxels hold together.
        NotThere: more than ``MAX_VOXELS``: whole rooms are no object.
        Canceled, DeadlineExceeded: the query should stop.
    """
    run = run or Run()
    cloud = fuse_masks(masks, config, run)
    if len(cloud.points_world) == 0:
        raise NoDepth(
            f"none of {sum(int(m.pixels.sum()) for m in masks)} mask pixels in {len(masks)} views has depth within "
            f"{config.min_depth_m} to {config.max_depth_m} m; look at the object from another side or distance"
        )
    cloud = keep(cloud, vote(cloud.points_world, masks, run))
    run.check()
    cloud = keep(cloud, large_parts(cloud.points_world, LINK * max(config.voxel_m, sample_spacing_m(masks))))
    if len(cloud.points_world) < config.min_points:
        raise NoDepth(
            f"only {len(cloud.points_world)} voxels of {config.voxel_m} m hold together over {len(masks)} views; "
            f"at least lift.min_points = {config.min_points} make an object"
        )
    return Cloud(cloud.points_world.astype(np.float32), cloud.colors)


def fuse_masks(masks: Sequence[Mask], config: LiftConfig, run: Run) -> Cloud:
    """One point per voxel of all masks, empty where no mask has usable depth."""
    fused, counts = Cloud(np.empty((0, 3)), np.empty((0, 3), np.uint8)), np.empty(0)
    waiting: list[Cloud] = []
    for i, mask in enumerate(masks, start=1):
        run.check()
        waiting.append(lift_mask(mask.frame, mask.pixels, config))
        n = sum(len(cloud.points_world) for cloud in waiting)
        if n > 0 and (i == len(masks) or n > BATCH + len(counts)):
            points, colors = (np.concatenate(parts) for parts in zip(fused, *waiting, strict=True))
            fused, counts = mean_per_voxel(points, colors, np.concatenate([counts, np.ones(n)]), config.voxel_m)
            waiting = []
        if len(counts) > MAX_VOXELS:
            raise NotThere(
                f"its masks cover more than {MAX_VOXELS} voxels of {config.voxel_m} m, too much for one object; "
                "use a tighter box, raise lift.voxel_m or lower lift.max_depth_m"
            )
    return fused


def lift_mask(frame: Frame, pixels: NDArray[np.bool_], config: LiftConfig) -> Cloud:
    """Points of one mask, on the depth grid: each measured depth gives one point, whatever the size of the colour."""
    depth_m = frame.depth_m
    usable = trusted_depth(depth_m, config) & on_depth_grid(pixels, frame)
    v, u = np.nonzero(usable)
    points_camera = frame.depth_camera.unproject(np.stack([u, v], axis=1), depth_m[v, u])
    rows, columns = color_pixels(frame)
    points_world = transform(frame.T_world_camera, points_camera)
    return Cloud(points_world, frame.color[rows[v], columns[u]])


def trusted_depth(depth_m: NDArray[np.float32], config: LiftConfig) -> NDArray[np.bool_]:
    """(h, w) True where the depth is in range and not at a jump, where sensors invent points between two surfaces."""
    in_range = (depth_m >= config.min_depth_m) & (depth_m <= config.max_depth_m)
    jump = np.zeros_like(in_range)
    for near, far in ((np.s_[:, 1:], np.s_[:, :-1]), (np.s_[1:], np.s_[:-1])):
        a, b = depth_m[near], depth_m[far]
        apart = (np.abs(a - b) > config.edge_ratio * np.minimum(a, b)) & (a > 0) & (b > 0)
        jump[near] |= apart
        jump[far] |= apart
    return in_range & ~jump


def color_pixels(frame: Frame) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Row and column of the colour image for each row and column of the depth image."""

    def scaled(n_depth: int, n_color: int) -> NDArray[np.intp]:
        return ((np.arange(n_depth) + 0.5) * n_color / n_depth).astype(np.intp)

    return scaled(frame.depth_m.shape[0], frame.color.shape[0]), scaled(frame.depth_m.shape[1], frame.color.shape[1])


def on_depth_grid(pixels: NDArray[np.bool_], frame: Frame) -> NDArray[np.bool_]:
    """A mask of the colour image on the depth image: a depth pixel is inside where nearly all of its area is."""
    height, width = frame.depth_m.shape
    if pixels.shape == (height, width):
        return pixels
    return cv2.resize(pixels.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA) > 0.75


def fuse(points_world: NDArray, colors: NDArray, voxel_m: float) -> Cloud:
    """One point per voxel: the mean of the (N, 3) points, N >= 1, and of their colours."""
    return mean_per_voxel(points_world, colors, np.ones(len(points_world)), voxel_m)[0]


def mean_per_voxel(points_world: NDArray, colors: NDArray, counts: NDArray, voxel_m: float) -> tuple[Cloud, NDArray]:
    """One point per voxel, and the sum of ``counts`` in it; a point counts as so many measurements."""
    _, voxel = np.unique(cell_keys(points_world, voxel_m)[0], return_inverse=True)
    sums = np.bincount(voxel, counts)
    points, shades = (
        np.stack([np.bincount(voxel, values[:, k] * counts) / sums for k in range(3)], axis=1)
        for values in (points_world, colors)
    )
    return Cloud(points, shades.round().astype(np.uint8)), sums


def cell_keys(points: NDArray, cell_m: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A number for the cell of each of (N, 3) points, N >= 1, and the (3,) steps to the next cell along each axis.

    The outermost layers of cells are empty, so that a neighbour's number is never that of a cell elsewhere.

    Raises:
        BadInput: the points lie so far apart that there are more cells than numbers.
    """
    cells = np.floor(points / cell_m)
    low, high = cells.min(axis=0) - 1, cells.max(axis=0) + 1
    nx, ny, nz = (int(n) for n in high - low + 1)
    if nx * ny * nz >= 2**63:
        raise BadInput(
            f"the points of one object span {' x '.join(f'{n * cell_m:.0f}' for n in (nx, ny, nz))} m, too far for "
            f"cells of {cell_m} m; do the poses jump? Otherwise raise lift.voxel_m"
        )
    steps = np.array([ny * nz, nz, 1])
    return (cells - low).astype(np.int64) @ steps, steps


def keep(cloud: Cloud, chosen: NDArray[np.bool_]) -> Cloud:
    return Cloud(cloud.points_world[chosen], cloud.colors[chosen])


def depth_sigma_m(depth_m: NDArray) -> NDArray:
    """Standard deviation of a structured-light depth at a distance, metres."""
    return 0.0012 + 0.0019 * np.square(depth_m - 0.4)


def seen_at(points_world: NDArray, frame: Frame) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.bool_]]:
    """Where a frame shows points: ``(u, v, seen)`` on the depth grid, each (N,).

    ``seen`` is True where the measured depth agrees with the point, so neither behind something nor in free space.
    """
    points_camera = transform(inverse(frame.T_world_camera), points_world)
    uv, inside = frame.depth_camera.project(points_camera)
    u, v = np.where(inside[:, None], np.rint(uv), 0).astype(np.intp).T
    measured_m, z = frame.depth_m[v, u], points_camera[:, 2]
    agrees = np.abs(measured_m - z) < AGREE_SIGMAS * depth_sigma_m(z) + AGREE_DRIFT_M
    return u, v, inside & (measured_m > 0) & agrees


def vote(points_world: NDArray, masks: Sequence[Mask], run: Run) -> NDArray[np.bool_]:
    """(N,) True for points that are inside the mask in at least half of the views that see them."""
    seen_as_object, seen_as_other = np.zeros((2, len(points_world)))
    for mask in masks:
        run.check()
        u, v, seen = seen_at(points_world, mask.frame)
        inside = on_depth_grid(mask.pixels, mask.frame)[v, u]
        seen_as_object += mask.confidence * (seen & inside)
        seen_as_other += mask.confidence * (seen & ~inside)
    return seen_as_object >= seen_as_other


def sample_spacing_m(masks: Sequence[Mask]) -> float:
    """How far apart neighbouring depth pixels lie on the object, metres: the median over the views."""
    spacings = []
    for mask in masks:
        depth_m = mask.frame.depth_m[on_depth_grid(mask.pixels, mask.frame)]
        if (depth_m > 0).any():
            spacings.append(float(np.median(depth_m[depth_m > 0])) / mask.frame.depth_camera.fx)
    return float(np.median(spacings)) if spacings else 0.0


def large_parts(points: NDArray, cell_m: float) -> NDArray[np.bool_]:
    """(N,) True for points of connected parts that are not small beside the largest one.

    Points are connected when the cells of ``cell_m`` they lie in are the same or share a face. Time and memory grow
    with the number of points only, not with that of their neighbours.
    """
    if len(points) == 0:
        return np.zeros(0, bool)
    keys, steps = cell_keys(points, cell_m)
    cells, cell_of_point = np.unique(keys, return_inverse=True)
    pairs = np.concatenate([touching(cells, step) for step in steps], axis=1)
    links = coo_matrix((np.ones(pairs.shape[1], bool), pairs), shape=(len(cells),) * 2)
    _, part_of_cell = connected_components(links, directed=False)
    part = part_of_cell[cell_of_point]
    sizes = np.bincount(part)
    return sizes[part] >= MIN_PART_SHARE * sizes.max()


def touching(cells: NDArray[np.int64], step: np.int64) -> NDArray[np.intp]:
    """(2, M) which of the sorted cells have another one ``step`` further, and which one that is."""
    at = np.minimum(np.searchsorted(cells, cells + step), len(cells) - 1)
    found = np.flatnonzero(cells[at] == cells + step)
    return np.stack([found, at[found]])
