# SPDX-License-Identifier: Apache-2.0
"""The two usual ways to lift masks, written from their descriptions, as what a better one is measured against."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.geometry.pose import transform
from scene_r1_ros.types import Frame, Mask

EROSION_SIDE = 15  # pixels of an image ...
EROSION_WIDTH = 1296  # ... as wide as this
LARGEST_PARTS = 2
VOXEL_M = 0.02


def every_pixel(masks: Sequence[Mask]) -> NDArray[np.float64]:
    """(N, 3) world points as VLM-Grounder (Xu et al., CoRL 2024) lifts them, metres.

    Masks are eroded by 15x15 pixels, here in proportion to the width of the image, and keep their two largest parts;
    every pixel of colour gives a point from the depth nearest to it; the points of all views go through Open3D's
    statistical outlier filter with 5 neighbours and 1.0 standard deviations.
    """
    points = [pixels_to_world(mask.frame, largest_parts(eroded(mask.pixels))) for mask in masks]
    return without_outliers(np.concatenate([np.empty((0, 3)), *points]), 0.0, 5, 1.0)


def voxel_and_filter(masks: Sequence[Mask]) -> NDArray[np.float64]:
    """(N, 3) world points, metres: one per pixel of depth, thinned to a voxel grid of 2 cm, without outliers."""
    points = [depth_to_world(mask) for mask in masks]
    return without_outliers(np.concatenate([np.empty((0, 3)), *points]), VOXEL_M, 20, 1.0)


def eroded(pixels: NDArray[np.bool_]) -> NDArray[np.bool_]:
    side = max(1, round(EROSION_SIDE * pixels.shape[1] / EROSION_WIDTH)) | 1
    return cv2.erode(pixels.astype(np.uint8), np.ones((side, side), np.uint8)).astype(bool)


def largest_parts(pixels: NDArray[np.bool_]) -> NDArray[np.bool_]:
    _, parts, stats, _ = cv2.connectedComponentsWithStats(pixels.astype(np.uint8))
    return np.isin(parts, 1 + np.argsort(-stats[1:, cv2.CC_STAT_AREA])[:LARGEST_PARTS])


def pixels_to_world(frame: Frame, pixels: NDArray[np.bool_]) -> NDArray[np.float64]:
    v, u = np.nonzero(pixels)
    height, width = frame.depth_m.shape
    rows = np.minimum(np.rint(v * height / frame.camera.height).astype(int), height - 1)
    columns = np.minimum(np.rint(u * width / frame.camera.width).astype(int), width - 1)
    depth_m = frame.depth_m[rows, columns]
    points_camera = frame.camera.unproject(np.stack([u, v], axis=1), depth_m)[depth_m > 0]
    return transform(frame.T_world_camera, points_camera)


def depth_to_world(mask: Mask) -> NDArray[np.float64]:
    height, width = mask.frame.depth_m.shape
    pixels = cv2.resize(mask.pixels.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    v, u = np.nonzero((pixels > 0) & (mask.frame.depth_m > 0))
    points_camera = mask.frame.depth_camera.unproject(np.stack([u, v], axis=1), mask.frame.depth_m[v, u])
    return transform(mask.frame.T_world_camera, points_camera)


def without_outliers(points_world: NDArray, voxel_m: float, neighbours: int, std_ratio: float) -> NDArray[np.float64]:
    """Thinned where ``voxel_m`` is not 0, then through Open3D's statistical outlier filter."""
    import open3d as o3d  # takes a second to import

    if len(points_world) == 0:
        return points_world
    cloud = o3d.geometry.PointCloud(o3d.utility.Vector3dVector(points_world))
    thinned = cloud.voxel_down_sample(voxel_m) if voxel_m > 0 else cloud
    kept, _ = thinned.remove_statistical_outlier(neighbours, std_ratio)
    return np.asarray(kept.points)
