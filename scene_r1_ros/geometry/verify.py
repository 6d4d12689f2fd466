# SPDX-License-Identifier: Apache-2.0
"""Does the lifted object hold against everything that was seen: its own box, its masks, and the depth of all views?"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.answer import Evidence, Verdict
from scene_r1_ros.config import VerifyConfig
from scene_r1_ros.errors import NotThere
from scene_r1_ros.geometry.depth import AGREE_SIGMAS, depth_sigma_m
from scene_r1_ros.geometry.outline import edge_share
from scene_r1_ros.geometry.pose import inverse, transform
from scene_r1_ros.geometry.surface import thinned
from scene_r1_ros.types import Box2D, Frame, Hypothesis, Mask

# The box around a projected cloud leaves out this share of the points on each side: a few strays must not decide.
TRIM = 0.02
MAX_POINTS = 1000  # of the object that are looked for in each view
MAX_FRAMES = 60  # views that are looked at, spread over the clip
CELLS = 16  # a view of the object in so many columns and rows, in each of which the front hides the back
FRONT_M = 0.04
DRIFT_M = 0.03  # how far poses drift between views that lie far apart
MIN_MEASURED = 8  # points with depth in a view: fewer say nothing
MIN_INSIDE = 0.3  # nor does a view with a smaller share of the object in its image
MIN_SEEN = 0.3  # a view shows an object of which it sees this share
MIN_FREE = 0.5  # a view sees through the place of an object of which this share is missing


def verify(
    points_world: NDArray, masks: Sequence[Mask], frames: Sequence[Frame], hypothesis: Hypothesis, config: VerifyConfig
) -> Evidence:
    """What speaks for an object, (N, 3) points, metres.

    Raises:
        NotThere: it covers the box it came from with less than ``min_reprojection_iou``, or more than
            ``max_absent_share`` of the views that show it or see through its place see through.
    """
    points = thinned(points_world, MAX_POINTS)
    iou = iou_with(projected_box(points, hypothesis.frame), hypothesis.box)
    if iou < config.min_reprojection_iou:
        raise NotThere(
            f"its points cover the box they came from with IoU {iou:.2f}, less than "
            f"verify.min_reprojection_iou = {config.min_reprojection_iou:.2f}"
        )
    verdicts = [verdict(points, frame) for frame in spread(frames, hypothesis.frame)]
    visible, hidden, absent = (verdicts.count(kind) for kind in ("visible", "hidden", "absent"))
    if absent > config.max_absent_share * (visible + absent):
        raise NotThere(
            f"{absent} of {visible + absent} views that should show it see through its place, more than "
            f"verify.max_absent_share = {config.max_absent_share:.2f}"
        )
    overlaps = [iou_with(projected_box(points, mask.frame), mask.box) for mask in masks]
    shares = depth_share(masks, hypothesis.frame), edge_share(masks)
    return Evidence(iou, float(np.mean(overlaps)), *shares, visible, hidden, absent)


def verdict(points_world: NDArray, frame: Frame) -> Verdict:
    """What the depth of one view says about an object, (N, 3) points, N >= 1, of which only the near side counts.

    "visible": enough of it is measured where it should be. "absent": instead, most of it is seen through. "hidden":
    something stands in front. "out of view": it is not in the image, or there is no depth to tell.
    """
    z, measured_m, inside = front(points_world, frame)
    measured = measured_m > 0
    if inside < MIN_INSIDE or measured.sum() < MIN_MEASURED:
        return "out of view"
    behind_m = (measured_m - z)[measured]
    tolerance_m = DRIFT_M + AGREE_SIGMAS * depth_sigma_m(z[measured])
    if np.mean(np.abs(behind_m) <= tolerance_m) >= MIN_SEEN:
        return "visible"
    return "absent" if np.mean(behind_m > tolerance_m) > MIN_FREE else "hidden"


def front(points_world: NDArray, frame: Frame) -> tuple[NDArray[np.float64], NDArray[np.float32], float]:
    """The near side of an object in a view: its depths (M,) and the measured ones (M,), metres, 0 = no measurement;
    and which share of the (N, 3) points is in the image.
    """
    points_camera = transform(inverse(frame.T_world_camera), points_world)
    uv, valid = frame.depth_camera.project(points_camera)
    uv, z = uv[valid], points_camera[valid, 2]
    if len(z) == 0:
        return z, np.empty(0, np.float32), 0.0
    near = facing(uv, z)
    u, v = np.rint(uv[near]).astype(int).T
    return z[near], frame.depth_m[v, u], float(valid.mean())


def facing(uv: NDArray, distance_m: NDArray) -> NDArray[np.bool_]:
    """(N,) True for the points of an image, (N, 2), N >= 1, that no other one of them hides."""
    low, high = uv.min(axis=0), uv.max(axis=0)
    cell = np.minimum((uv - low) / np.maximum(high - low, 1e-9) * CELLS, CELLS - 1).astype(int) @ (CELLS, 1)
    nearest_m = np.full(CELLS * CELLS, np.inf)
    np.minimum.at(nearest_m, cell, distance_m)
    return distance_m <= nearest_m[cell] + FRONT_M


def depth_share(masks: Iterable[Mask], frame: Frame) -> float:
    """Which share of the object's pixels has depth, in the frame it was grounded in."""
    for mask in masks:
        if mask.frame is frame and mask.box is not None:
            rows, columns = (
                ((np.arange(n) + 0.5) * n_depth / n).astype(int)
                for n, n_depth in zip(mask.pixels.shape, frame.depth_m.shape, strict=True)
            )
            v, u = np.nonzero(mask.pixels)
            return float(np.mean(frame.depth_m[rows[v], columns[u]] > 0))
    return 0.0


def spread(frames: Sequence[Frame], source: Frame) -> list[Frame]:
    """At most ``MAX_FRAMES`` frames, evenly over the clip, without the one the object was grounded in."""
    others = [frame for frame in frames if frame is not source]
    return [others[i] for i in np.unique(np.linspace(0, len(others) - 1, MAX_FRAMES).astype(int))] if others else []


def iou_with(box: Box2D | None, other: Box2D | None) -> float:
    return box.iou(other) if box and other else 0.0


def projected_box(points_world: NDArray, frame: Frame) -> Box2D | None:
    """The box of (N, 3) world points in a frame's image, None where fewer than three of them are inside it."""
    uv, valid = frame.camera.project(transform(inverse(frame.T_world_camera), points_world))
    if valid.sum() < 3:
        return None
    # A point stands in the middle of its depth pixel, which covers so much to each side of it in the colour image.
    reach = np.array([frame.camera.width, frame.camera.height]) / frame.depth_m.shape[::-1] / 2
    low, high = np.quantile(uv[valid], [TRIM, 1 - TRIM], axis=0)
    (x1, y1), (x2, y2) = low + 0.5 - reach, high + 0.5 + reach
    return Box2D(float(x1), float(y1), float(x2), float(y2))
