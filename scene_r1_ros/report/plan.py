# SPDX-License-Identifier: Apache-2.0
"""The scene from above, with the objects coloured."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.answer import SceneObject
from scene_r1_ros.config import LiftConfig
from scene_r1_ros.geometry.depth import lift_mask
from scene_r1_ros.geometry.gravity import Z_UP, level_axes, up_world
from scene_r1_ros.geometry.voxels import fuse
from scene_r1_ros.report.overlay import labelled, numbered
from scene_r1_ros.types import Frame

SIDE = 800  # pixels of the longer side
CELL_M = 0.02  # the background cloud need not be finer than a pixel of a room-sized picture
MAX_VIEWS = 30
OBJECT_COLOR = (255, 64, 32)
BACKGROUND = 245


def plan(frames: Sequence[Frame], objects: Sequence[SceneObject], config: LiftConfig) -> NDArray[np.uint8]:
    """(H, W, 3) RGB orthographic view from above (see ``up_world``; z is up where nothing is), with a 1 m bar."""
    up = up_world(frames, config.up_axis)
    axes = level_axes(Z_UP if up is None else up)
    points, colors = scene_cloud(frames, config)
    points, colors = without_ceiling(points @ axes, colors)
    view = View(points[:, :2])
    image = view.blank()
    view.splat(image, points[:, :2], colors, points[:, 2])
    for i, found in enumerate(objects):
        level = found.points_world @ axes
        tones = np.tile(np.array(OBJECT_COLOR, np.uint8), (len(level), 1))
        view.splat(image, level[:, :2], tones, level[:, 2])
        corners = view.pixels((found.box.corners_world() @ axes)[:, :2])
        hull = cv2.convexHull(corners.astype(np.int32))
        cv2.polylines(image, [hull], True, (0, 140, 40), 2)
        left, top = corners.min(axis=0).astype(int)
        image = labelled(image, numbered(objects, i), (int(left), int(top)))
    return view.with_scale_bar(image)


def scene_cloud(frames: Sequence[Frame], config: LiftConfig) -> tuple[NDArray, NDArray]:
    chosen = [frames[i] for i in np.unique(np.linspace(0, len(frames) - 1, MAX_VIEWS).astype(int))]
    lifted = [lift_mask(f, np.ones(f.color.shape[:2], bool), config) for f in chosen]
    points, colors = (np.concatenate(parts) for parts in zip(*lifted, strict=True))
    return fuse(points, colors, CELL_M) if len(points) else (points, colors)


def without_ceiling(points: NDArray, colors: NDArray) -> tuple[NDArray, NDArray]:
    if len(points) == 0:
        return points, colors
    below = points[:, 2] < np.quantile(points[:, 2], 0.02) + 2.0  # furniture ends at 2 m above the floor
    return points[below], colors[below]


class View:
    """World metres in a plane to pixels of a picture; the first axis points right, the second up."""

    def __init__(self, flat: NDArray, side: int = SIDE, margin_m: float = 0.1, cell_m: float = CELL_M):
        """A picture of (N, 2) points, ``side`` pixels along its longer side; points are ``cell_m`` large."""
        low, high = (flat.min(axis=0), flat.max(axis=0)) if len(flat) else (np.zeros(2), np.ones(2))
        self.low, self.high, self.cell_m = low - margin_m, high + margin_m, cell_m
        self.pixels_per_m = side / float(np.max(self.high - self.low))
        width, height = np.ceil((self.high - self.low) * self.pixels_per_m).astype(int)
        self.shape = (int(height), int(width), 3)

    def blank(self) -> NDArray[np.uint8]:
        return np.full(self.shape, BACKGROUND, np.uint8)

    def pixels(self, flat: NDArray) -> NDArray[np.float64]:
        return (flat - self.low) * (1, -1) * self.pixels_per_m + (0, self.shape[0])

    def splat(self, image: NDArray[np.uint8], flat: NDArray, colors: NDArray, height: NDArray) -> None:
        """Paint points bottom up, so that what is on top stays visible."""
        order = np.argsort(height, kind="stable")
        radius = max(1, round(self.cell_m * self.pixels_per_m / 2))
        square = np.mgrid[-radius : radius + 1, -radius : radius + 1].reshape(2, 1, -1)
        # Point by point, so that the whole square of a higher point lies over those below.
        x, y = (self.pixels(flat[order]).astype(int).T[:, :, None] + square).reshape(2, -1)
        ok = (x >= 0) & (x < self.shape[1]) & (y >= 0) & (y < self.shape[0])
        image[y[ok], x[ok]] = np.repeat(colors[order], square.shape[2], axis=0)[ok]

    def with_scale_bar(self, image: NDArray[np.uint8], length_m: float = 1.0) -> NDArray[np.uint8]:
        y = self.shape[0] - 12
        end = (10 + int(self.pixels_per_m * length_m), y)
        if end[0] < self.shape[1]:
            cv2.line(image, (10, y), end, (20, 20, 20), 3)
            text = f"{length_m:g} m" if length_m >= 1 else f"{100 * length_m:g} cm"
            image = labelled(image, text, (10, y - 4), 12)
        return image
