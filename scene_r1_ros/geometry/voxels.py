# SPDX-License-Identifier: Apache-2.0
"""Points in a grid of cells: one mean per cell, and which cells hang together."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from scene_r1_ros.errors import BadInput


class Cloud(NamedTuple):
    """Points of one object."""

    points_world: NDArray  # (N, 3) metres
    colors: NDArray[np.uint8]  # (N, 3) RGB


def fuse(points_world: NDArray, colors: NDArray, voxel_m: float) -> Cloud:
    """One point per voxel: the mean of the (N, 3) points, N >= 1, and of their colours."""
    order, starts = grouped(cell_keys(points_world, voxel_m)[0])
    counts = np.diff(starts, append=len(order))[:, None]
    points, shades = (
        np.add.reduceat(values[order], starts) / counts for values in (points_world, colors.astype(float))
    )
    return Cloud(points, shades.round().astype(np.uint8))


def grouped(keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """``(order, starts)``: rows by rising key, and where in ``order`` each new key begins.

    Key and row share one integer where they fit: numpy sorts plain integers several times faster than it sorts
    indirectly.
    """
    bits = max(int(len(keys) - 1).bit_length(), 1)
    if int(keys.max()) >= 2 ** (63 - bits):
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
    else:
        packed = np.sort(keys << bits | np.arange(len(keys)))
        order, ordered = packed & ((1 << bits) - 1), packed >> bits
    return order, np.flatnonzero(np.diff(ordered, prepend=ordered[0] - 1))


def cell_keys(points: NDArray, cell_m: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A number for the cell of each of (N, 3) points, N >= 1, and the (3,) steps to the next cell along each axis.

    The outermost layers of cells are empty, so that a neighbour's number is never that of a cell elsewhere.

    Raises:
        BadInput: the points lie so far apart that there are more cells than numbers.
    """
    cells = np.floor(points * (1 / cell_m))
    low, high = cells.min(axis=0) - 1, cells.max(axis=0) + 1
    nx, ny, nz = (int(n) for n in high - low + 1)
    if nx * ny * nz >= 2**63:
        raise BadInput(
            f"the points of one object span {' x '.join(f'{n * cell_m:.0f}' for n in (nx, ny, nz))} m, too far for "
            f"cells of {cell_m} m; do the poses jump? Otherwise raise lift.voxel_m"
        )
    steps = np.array([ny * nz, nz, 1])
    return (cells - low).astype(np.int64) @ steps, steps


def parts(points: NDArray, cell_m: float) -> NDArray[np.intp]:
    """(N,) number of the connected part each of (N, 3) points, N >= 1, belongs to.

    Points are connected when the cells of ``cell_m`` they lie in are the same or share a face. Time and memory grow
    with the number of points only, not with that of their neighbours.
    """
    keys, steps = cell_keys(points, cell_m)
    order, starts = grouped(keys)
    cells = keys[order[starts]]
    cell_of_point = np.empty(len(points), np.intp)
    cell_of_point[order] = np.repeat(np.arange(len(cells)), np.diff(starts, append=len(order)))
    pairs = np.concatenate([touching(cells, step) for step in steps], axis=1)
    links = coo_matrix((np.ones(pairs.shape[1], bool), pairs), shape=(len(cells),) * 2)
    return connected_components(links, directed=False)[1][cell_of_point]


def touching(cells: NDArray[np.int64], step: np.int64) -> NDArray[np.intp]:
    """(2, M) which of the sorted cells have another one ``step`` further, and which one that is."""
    at = np.minimum(np.searchsorted(cells, cells + step), len(cells) - 1)
    found = np.flatnonzero(cells[at] == cells + step)
    return np.stack([found, at[found]])
