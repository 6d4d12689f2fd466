# SPDX-License-Identifier: Apache-2.0
"""How many edges lie between pixels: the length of the shortest way over steps of colour and of depth.

Source: geodesic segmentation (Bai and Sapiro, "A Geodesic Framework for Fast Interactive Image and Video Segmentation
and Matting", ICCV 2007), here on colour and depth together.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from scene_r1_ros.color import smooth_lab
from scene_r1_ros.tracking.crop import Crop

COLOR_STEP = 6.0  # a difference of this much in CIELAB (8-bit scale) costs 1 ...
COLOR_NOISE = 2.0  # ... less what pixels differ anyway
DEPTH_STEP = 0.02  # a difference of this share of the depth costs 1 ...
DEPTH_NOISE = 0.006  # ... and less than this nothing
MAX_DEPTH_COST = 4.0  # a jump to the far wall is one edge, not many
PIXEL_COST = 0.005  # where nothing tells two sides apart, the nearer one wins


class Terrain:
    """The costs of going from pixel to pixel of a crop."""

    def __init__(self, crop: Crop):
        self.shape = crop.depth_m.shape
        lab, log_depth = smooth_lab(crop.color), np.log(filled(crop.depth_m))
        self._graph = grid_graph([step_costs(lab, log_depth, axis) for axis in (0, 1)], self.shape)

    def distance(self, seeds: NDArray[np.bool_]) -> NDArray[np.float64]:
        """(h, w) cost of the cheapest way from any of the seeds, of which there is one at least."""
        return dijkstra(self._graph, indices=np.flatnonzero(seeds), min_only=True).reshape(self.shape)

    def nearer(self, a: NDArray[np.bool_], b: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(h, w) True where the seeds ``a`` are cheaper to reach than the seeds ``b``; each has one at least."""
        seeds = np.flatnonzero(a | b)
        _, _, source = dijkstra(self._graph, indices=seeds, min_only=True, return_predecessors=True)
        return a.ravel()[source].reshape(self.shape)


def filled(depth_m: NDArray[np.float32]) -> NDArray[np.float32]:
    """(h, w) depth with holes given the nearest measurement, for finding edges only; ones where nothing is measured."""
    if not (depth_m > 0).any():
        return np.ones_like(depth_m)
    nearest = distance_transform_edt(depth_m <= 0, return_distances=False, return_indices=True)
    return np.asarray(cv2.medianBlur(np.ascontiguousarray(depth_m[tuple(nearest)]), 3), np.float32)


def step_costs(lab: NDArray, log_depth: NDArray[np.float32], axis: int) -> NDArray[np.float64]:
    """Cost of each step to the next pixel along an axis: one less of them than pixels."""
    color = np.sqrt(np.sum(np.diff(lab, axis=axis) ** 2, axis=2))
    depth = np.abs(np.diff(log_depth, axis=axis))
    edge = np.minimum(depth / DEPTH_STEP, MAX_DEPTH_COST) * (depth > DEPTH_NOISE)
    return np.maximum(color - COLOR_NOISE, 0) / COLOR_STEP + edge + PIXEL_COST


def grid_graph(costs: list[NDArray[np.float64]], shape: tuple[int, ...]) -> csr_array:
    """Pixels as nodes, linked to their four neighbours both ways."""
    index = np.arange(shape[0] * shape[1]).reshape(shape)
    a = np.concatenate([index[:-1].ravel(), index[:, :-1].ravel()])
    b = np.concatenate([index[1:].ravel(), index[:, 1:].ravel()])
    cost = np.concatenate([costs[0].ravel(), costs[1].ravel()])
    links = (np.concatenate([cost, cost]), (np.concatenate([a, b]), np.concatenate([b, a])))
    return csr_array(links, shape=(index.size, index.size))
