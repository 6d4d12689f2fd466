# SPDX-License-Identifier: Apache-2.0
"""What a depth image says about points: which of its values to trust, how well, and where it shows a point."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.config import LiftConfig
from scene_r1_ros.geometry.pose import inverse, transform
from scene_r1_ros.geometry.voxels import Cloud
from scene_r1_ros.types import Frame

# A point counts as seen where the depth agrees within this many standard deviations ...
AGREE_SIGMAS = 4.0
# ... plus what poses of consecutive keyframes drift.
AGREE_DRIFT_M = 0.015


def depth_sigma_m(depth_m: Any) -> Any:
    """Standard deviation of a structured-light depth at a distance, metres; of one value or of an array of them.

    It grows with the square of the distance (Nguyen, Izadi and Lovell, "Modeling Kinect Sensor Noise", 3DIMPVT 2012).
    """
    return 0.0012 + 0.0019 * np.square(depth_m - 0.4)


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


def lift_mask(frame: Frame, pixels: NDArray[np.bool_], config: LiftConfig) -> Cloud:
    """Points of one mask, on the depth grid: each measured depth gives one point, whatever the size of the colour."""
    depth_m = frame.depth_m
    usable = trusted_depth(depth_m, config) & on_depth_grid(pixels, frame)
    v, u = np.nonzero(usable)
    points_camera = frame.depth_camera.unproject(np.stack([u, v], axis=1), depth_m[v, u])
    rows, columns = color_pixels(frame)
    points_world = transform(frame.T_world_camera, points_camera)
    return Cloud(points_world, frame.color[rows[v], columns[u]])


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


def measured_at(frame: Frame, u: NDArray[np.intp], v: NDArray[np.intp]) -> NDArray[np.float32]:
    """Depth at pixels of the colour image, columns and rows (N,) each, metres, 0 = no measurement."""
    height, width = frame.depth_m.shape
    return frame.depth_m[v * height // frame.camera.height, u * width // frame.camera.width]
