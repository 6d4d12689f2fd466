# SPDX-License-Identifier: Apache-2.0
"""How near an answer is to the truth: overlap of boxes, windows and points. Every metric is between 0 and 1.

The overlap of two boxes in an image is ``Box2D.iou``.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, KDTree, QhullError

from scene_r1_ros.answer import OrientedBox
from scene_r1_ros.errors import BadInput
from scene_r1_ros.types import TimeWindow

# Faces this near, relative to the larger box, are one face. Without it, equal boxes would miss each other by rounding.
SAME_FACE = 1e-9
# The 12 edges of a box as pairs of ``corners_world``: corners whose numbers differ in one bit.
EDGES = np.array([(i, i | 1 << k) for i in range(8) for k in range(3) if not i >> k & 1])


def temporal_iou(a: TimeWindow, b: TimeWindow) -> float:
    """Length of the intersection over the length of the union. Two equal moments match: 1."""
    overlap_s = min(a.end_s, b.end_s) - max(a.start_s, b.start_s)
    if overlap_s <= 0:
        return float(a == b)
    return overlap_s / (max(a.end_s, b.end_s) - min(a.start_s, b.start_s))  # they overlap, so the union has no gap


def box_iou_3d(a: OrientedBox, b: OrientedBox) -> float:
    """Volume of the intersection over the volume of the union, exact for any two orientations.

    Boxes that only touch give 0, and so does a box without volume.

    Raises:
        BadInput: a size that is negative or a value that is not finite.
    """
    check_box(a)
    check_box(b)
    common_m3 = intersection_volume(a, b)
    union_m3 = float(np.prod(a.size_m) + np.prod(b.size_m)) - common_m3
    return float(np.clip(common_m3 / union_m3, 0.0, 1.0)) if union_m3 > 0 else 0.0


def check_box(box: OrientedBox) -> None:
    values = np.concatenate([box.center_world, box.size_m, np.ravel(box.R_world_box)])
    if not np.isfinite(values).all() or (np.asarray(box.size_m) < 0).any():
        raise BadInput(
            f"box of size {np.asarray(box.size_m).tolist()} at {np.asarray(box.center_world).tolist()}: "
            "sizes must be 0 or more and all values finite"
        )


def intersection_volume(a: OrientedBox, b: OrientedBox) -> float:
    """Cubic metres that two boxes share.

    Every vertex of the intersection of two convex bodies lies on an edge of one of them, so it is the convex hull of
    the edges of each that lie inside the other.
    """
    points = np.concatenate([edges_inside(a, b), edges_inside(b, a)])
    if len(points) < 4:
        return 0.0
    try:
        return float(ConvexHull(points - points.mean(axis=0)).volume)
    except QhullError:  # all in one plane: the boxes touch
        return 0.0


def edges_inside(a: OrientedBox, b: OrientedBox) -> NDArray[np.float64]:
    """(N, 3) ends of the parts of the edges of ``a`` that lie inside ``b``, metres, by slabs (Kay and Kajiya 1986)."""
    corners = (a.corners_world() - b.center_world) @ b.R_world_box  # in the frame of b
    start, step = corners[EDGES[:, 0]], corners[EDGES[:, 1]] - corners[EDGES[:, 0]]
    half = np.asarray(b.size_m) / 2 + SAME_FACE * max(np.max(a.size_m), np.max(b.size_m))
    parallel = np.abs(step) < 1e-12
    safe = np.where(parallel, 1.0, step)
    low, high = np.sort([(-half - start) / safe, (half - start) / safe], axis=0)
    beside = (parallel & (np.abs(start) > half)).any(axis=1)
    enter = np.where(parallel, 0.0, low).max(axis=1).clip(min=0.0)
    leave = np.where(parallel, 1.0, high).min(axis=1).clip(max=1.0)
    inside = ~beside & (enter <= leave)
    ends = [start[inside] + t[inside, None] * step[inside] for t in (enter, leave)]
    return np.concatenate(ends) @ np.asarray(b.R_world_box).T + b.center_world


def f_score(points: NDArray, truth: NDArray, threshold_m: float) -> float:
    """Harmonic mean of precision and recall of (N, 3) points against (M, 3) true ones, metres in one frame.

    Precision is the share of ``points`` within ``threshold_m`` of ``truth``, recall the reverse (Knapitsch et al.,
    "Tanks and Temples", SIGGRAPH 2017). Without points on either side it is 0.

    Raises:
        BadInput: a threshold that is not positive.
    """
    if not threshold_m > 0:
        raise BadInput(f"threshold_m = {threshold_m}; expected metres above 0")
    if len(points) == 0 or len(truth) == 0:
        return 0.0
    precision = np.mean(KDTree(truth).query(points)[0] <= threshold_m)
    recall = np.mean(KDTree(points).query(truth)[0] <= threshold_m)
    return float(2 * precision * recall / (precision + recall)) if precision + recall > 0 else 0.0
