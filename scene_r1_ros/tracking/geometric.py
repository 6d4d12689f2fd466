# SPDX-License-Identifier: Apache-2.0
"""A tracker without weights: depth and pose carry the object from view to view, colour refines each silhouette."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.config import LiftConfig, TrackerConfig
from scene_r1_ros.errors import NoDepth
from scene_r1_ros.geometry.lift import fuse, lift_mask, seen_at
from scene_r1_ros.geometry.pose import distance, inverse, transform
from scene_r1_ros.geometry.verify import projected_box
from scene_r1_ros.run import Run
from scene_r1_ros.tracking.protocol import Prompt
from scene_r1_ros.tracking.silhouette import (
    BACKGROUND,
    MAYBE_BACKGROUND,
    MAYBE_OBJECT,
    OBJECT,
    Crop,
    cut,
    main_part,
    silhouette,
)
from scene_r1_ros.types import Box2D, Frame, Mask

MIN_SEEN_SHARE = 0.25  # a view that shows less than this of the known points is not used
GROWTH = 0.15  # a view may add surface this far outside the known object, as a share of its size ...
GROWTH_M = 0.03  # ... plus this
RADIAN_M = 1.0  # views count as equally far apart when turned by a radian or moved by this many metres


class GeometricTracker:
    """Follows an object through views in the order of their distance from the one it was boxed in."""

    def __init__(self, config: TrackerConfig, lift_config: LiftConfig):
        self.config = config
        self.lift_config = lift_config

    def track(self, frames: Sequence[Frame], prompts: Sequence[Prompt], run: Run) -> list[tuple[Mask, ...]]:
        return [self._follow(frames, prompt, run) for prompt in prompts]

    def _follow(self, frames: Sequence[Frame], prompt: Prompt, run: Run) -> tuple[Mask, ...]:
        source = prompt.frame
        first = prompt if isinstance(prompt, Mask) else Mask(source, silhouette(source, prompt.box), 1.0)
        known = self._points(first)
        if len(known) < self.lift_config.min_points:
            raise NoDepth(
                f"{len(known)} usable depth points on the object in frame {source.frame_id}; at least "
                f"{self.lift_config.min_points} are needed: "
                "is the surface black, glossy or glass, or out of the sensor's range?"
            )
        masks, limits = [first], grown_limits(known)
        for frame in nearest_views(frames, source)[: self.config.max_frames - 1]:
            run.check()
            mask = follow(frame, known)
            if mask is not None:
                masks.append(mask)
                known = add_points(known, self._points(mask), limits, self.lift_config.voxel_m)
        return tuple(sorted(masks, key=lambda m: m.frame.stamp_ns))

    def _points(self, mask: Mask) -> NDArray[np.float64]:
        """(N, 3) fused world points of one mask, the outermost pixel left out: it belongs to two surfaces."""
        inner = cv2.erode(mask.pixels.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
        points, colors = lift_mask(mask.frame, inner, self.lift_config)
        return fuse(points, colors, self.lift_config.voxel_m).points_world if len(points) else points


def nearest_views(frames: Sequence[Frame], source: Frame) -> list[Frame]:
    """The other frames, nearest view first."""

    def apart(frame: Frame) -> float:
        moved_m, turned_rad = distance(frame.T_world_camera, source.T_world_camera)
        return moved_m + RADIAN_M * turned_rad

    return sorted((f for f in frames if f is not source), key=apart)


def grown_limits(points_world: NDArray) -> tuple[NDArray, NDArray]:
    """(low, high) corners of the space in which later views may add surface, metres."""
    low, high = np.quantile(points_world, [0.02, 0.98], axis=0)
    margin = GROWTH * float(np.max(high - low)) + GROWTH_M
    return low - margin, high + margin


def add_points(known: NDArray, new: NDArray, limits: tuple[NDArray, NDArray], voxel_m: float) -> NDArray[np.float64]:
    new = new[np.all((new >= limits[0]) & (new <= limits[1]), axis=1)]
    points = np.concatenate([known, new])
    return fuse(points, np.zeros_like(points), voxel_m).points_world


def follow(frame: Frame, known: NDArray[np.float64]) -> Mask | None:
    """The silhouette in another view of an object with (N, 3) known world points; None where it does not show."""
    _, _, seen = seen_at(known, frame)
    box = projected_box(known, frame)
    if box is None or seen.mean() < MIN_SEEN_SHARE:
        return None
    box = widened(box, frame)
    crop = Crop(frame, box)
    hint = splat(crop, known[seen], frame)
    labels = np.where(crop.inside(box), MAYBE_BACKGROUND, BACKGROUND).astype(np.uint8)
    labels[crop.inside(box) & near(hint, 2)] = MAYBE_OBJECT
    labels[apart_in_depth(crop, known)] = BACKGROUND
    labels[cv2.erode(hint.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)] = OBJECT
    found = main_part(cut(crop.color, labels))
    return Mask(frame, crop.to_frame(found), float(seen.mean())) if found.any() else None


def widened(box: Box2D, frame: Frame) -> Box2D:
    pad = 3 + 0.08 * max(box.x2 - box.x1, box.y2 - box.y1)
    return Box2D(box.x1 - pad, box.y1 - pad, box.x2 + pad, box.y2 + pad).clipped(
        frame.camera.width, frame.camera.height
    )


def splat(crop: Crop, points_world: NDArray, frame: Frame) -> NDArray[np.bool_]:
    """(h, w) of the crop: where the points project, closed so that the gaps between them disappear."""
    uv, valid = frame.camera.project(transform(inverse(frame.T_world_camera), points_world))
    scale = crop.size_wh[0] / (crop.x2 - crop.x1), crop.size_wh[1] / (crop.y2 - crop.y1)
    x = ((uv[valid, 0] + 0.5 - crop.x1) * scale[0]).astype(int)
    y = ((uv[valid, 1] + 0.5 - crop.y1) * scale[1]).astype(int)
    hint = np.zeros(crop.size_wh[::-1], np.uint8)
    ok = (x >= 0) & (x < crop.size_wh[0]) & (y >= 0) & (y < crop.size_wh[1])
    hint[y[ok], x[ok]] = 1
    gap = scale[0] * frame.camera.width / frame.depth_m.shape[1]  # between neighbouring depth pixels
    side = 2 * int(np.ceil(2 * gap)) + 3
    return cv2.morphologyEx(hint, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8)).astype(bool)


def near(pixels: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    return cv2.dilate(pixels.astype(np.uint8), np.ones((2 * radius + 1,) * 2, np.uint8)).astype(bool)


def apart_in_depth(crop: Crop, known: NDArray) -> NDArray[np.bool_]:
    """(h, w) True where the measured point lies outside the space the object can fill."""
    low, high = grown_limits(known)
    points_world = transform(crop.frame.T_world_camera, crop.points_camera())
    return (crop.depth_m > 0) & ~np.all((points_world >= low) & (points_world <= high), axis=2)
