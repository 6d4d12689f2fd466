# SPDX-License-Identifier: Apache-2.0
"""Cuts off the masks of a track that depth and pose contradict: drift to another object, or a lost one held for seen.

The surface that is known of the object grows outward from the view it was pointed at in. Every further mask is held
against it twice: does the view show the known surface inside the mask, and do the views accepted so far show the
mask's own surface inside theirs? A mask of a side that nobody has seen yet must at least touch the known surface.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from scene_r1_ros.config import LiftConfig
from scene_r1_ros.errors import NotThere
from scene_r1_ros.geometry.depth import depth_sigma_m, lift_mask, measured_at
from scene_r1_ros.geometry.pose import inverse, transform
from scene_r1_ros.geometry.surface import thinned
from scene_r1_ros.geometry.voxels import fuse
from scene_r1_ros.run import Run
from scene_r1_ros.tracking.views import nearest_views
from scene_r1_ros.types import Frame, Mask

# How far two poses may disagree about a place: so many metres, and so many more per metre of distance.
DRIFT_M, DRIFT_RAD = 0.04, 0.02
MIN_SEEN_INSIDE = 0.3  # of the known surface that a view shows, this share is in its mask: a mask may be incomplete ...
MIN_OWN_INSIDE = 0.5  # ... but most of its own surface must be the object's where other views show it
MIN_EVIDENCE = 0.05  # shares of fewer points than this share of them say nothing
CELL_M, MAX_POINTS = 0.01, 800  # the surface is compared by so many points at most, and no closer together
MAX_VIEWS = 5  # of the views accepted so far, those nearest to a mask's own are asked, and the first
# Where else in the image the surface is looked for when it is not in place: half as far as poses drift, and so far, in
# eight directions.
COMPASS = np.array([(0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1)])
SHIFTS = np.concatenate([reach * COMPASS / np.linalg.norm(COMPASS, axis=1, keepdims=True) for reach in (0.5, 1.0)])
IN_PLACE = 0.8  # this share inside the mask needs no shift

# What ``Known.judge`` says of a mask: it belongs to the object, or what speaks against it.
CONNECTED = ""
APART = "its surface touches nothing that is known of the object"
ELSEWHERE = "the frame shows the object outside of the mask"
ANOTHER = "other frames show that what is in the mask is not the object"


class Cut(NamedTuple):
    """A mask that was cut off, and why."""

    mask: Mask
    reason: str


class Checked(NamedTuple):
    """The masks of one object that agree with each other in 3D, in order of time, and those that do not."""

    masks: tuple[Mask, ...]
    cut: tuple[Cut, ...]


class Surface(NamedTuple):
    """A mask and what it shows, (N, 3) world points in metres."""

    mask: Mask
    points_world: NDArray[np.float64]


class Support(NamedTuple):
    """(N,) which points a view shows inside its mask, and which outside of it; the others it does not show."""

    inside: NDArray[np.bool_]
    outside: NDArray[np.bool_]

    def share(self) -> float | None:
        """The share that is inside, None where too few points are shown."""
        shown = int(self.inside.sum() + self.outside.sum())
        return float(self.inside.sum()) / shown if shown > MIN_EVIDENCE * len(self.inside) else None


def consistent(masks: Sequence[Mask], source: Frame, config: LiftConfig, run: Run) -> Checked:
    """Keep the masks of one object that hold in 3D.

    Args:
        source: the frame the object was pointed at in; its mask is what the others are measured by, and always kept.

    Raises:
        NotThere: there is no mask in ``source``.
        Canceled, DeadlineExceeded: the query should stop; asked before each mask.
    """
    by_frame = {id(mask.frame): mask for mask in masks}
    anchor = by_frame.get(id(source))
    if anchor is None:
        raise NotThere("the tracker sees nothing at the place it was shown")
    known = Known(surface(anchor, config))
    if len(known.points_world) == 0:  # too near, too far or black there: nothing to measure the others by
        return Checked(tuple(sorted(masks, key=stamp_ns)), ())
    others = [frame for frame in (mask.frame for mask in masks) if frame is not source]
    waiting = surfaces([by_frame[id(frame)] for frame in nearest_views(others, source)], config, run)
    cut = grown(known, waiting, run)
    return Checked(tuple(sorted((view.mask for view in known.views), key=stamp_ns)), cut)


def surfaces(masks: Sequence[Mask], config: LiftConfig, run: Run) -> list[Surface]:
    """What each mask shows; whether the query should stop is asked before each."""
    lifted = []
    for mask in masks:
        run.check()
        lifted.append(surface(mask, config))
    return lifted


def grown(known: "Known", waiting: list[Surface], run: Run) -> tuple[Cut, ...]:
    """Add to ``known`` all that is connected with it, over one or more steps, and return what does not belong to it."""
    cut: list[Cut] = []
    size = 0
    while size < len(known.views):
        size = len(known.views)
        waiting, contradicted = one_round(known, waiting, run)
        cut += contradicted
    return (*cut, *(Cut(candidate.mask, APART) for candidate in waiting))


def one_round(known: "Known", waiting: Sequence[Surface], run: Run) -> tuple[list[Surface], list[Cut]]:
    """Judge each candidate once. Returns those that touch nothing known yet, and those that are contradicted."""
    undecided, cut = [], []
    for candidate in waiting:
        run.check()
        verdict, agreeing = known.judge(candidate)
        if verdict == CONNECTED:
            known.add(candidate, agreeing)
        elif verdict == APART:
            undecided.append(candidate)
        else:
            cut.append(Cut(candidate.mask, verdict))
    return undecided, cut


class Known:
    """What is known of the object so far."""

    def __init__(self, anchor: Surface):
        self.views = [anchor]
        self.points_world = anchor.points_world

    def judge(self, candidate: Surface) -> tuple[str, NDArray[np.bool_]]:
        """A reason against the candidate or ``CONNECTED``, and which of its points the views do not speak against."""
        points = candidate.points_world
        votes = np.zeros(len(points), int)
        shares = []
        for view in self.nearest(candidate.mask.frame):
            support = supported(points, view.mask)
            votes += support.inside.astype(int) - support.outside
            shares.append(support.share())
        own = [share for share in shares if share is not None]
        seen = supported(self.points_world, candidate.mask).share()
        agreeing = votes >= 0
        if seen is not None and seen < MIN_SEEN_INSIDE:
            return ELSEWHERE, agreeing
        if own and np.mean(own) < MIN_OWN_INSIDE:
            return ANOTHER, agreeing
        if seen is None and not own and not self.touches(points):
            return APART, agreeing
        return CONNECTED, agreeing

    def nearest(self, frame: Frame) -> list[Surface]:
        """The first view, and those nearest to a frame."""
        views = {id(view.mask.frame): view for view in self.views}
        order = nearest_views([view.mask.frame for view in self.views[1:]], frame)
        return [self.views[0], *(views[id(other)] for other in order[: MAX_VIEWS - 1])]

    def touches(self, points_world: NDArray) -> bool:
        if len(points_world) == 0:
            return False
        gap_m, _ = KDTree(self.points_world).query(points_world)
        return bool((gap_m < DRIFT_M).mean() > MIN_EVIDENCE)

    def add(self, view: Surface, agreeing: NDArray[np.bool_]) -> None:
        self.views.append(view)
        self.points_world = one_per_cell(np.concatenate([self.points_world, view.points_world[agreeing]]), CELL_M)


def supported(points_world: NDArray, mask: Mask) -> Support:
    """Where a view shows (N, 3) points, and on which side of its mask.

    The view may be off by what poses drift: the shift in the image that speaks most for the mask is taken.
    """
    frame = mask.frame
    points_camera = transform(inverse(frame.T_world_camera), points_world)
    uv, valid = frame.camera.project(points_camera)
    uv, z = uv[valid], points_camera[valid, 2]
    if len(z) == 0:
        return Support(np.zeros(len(valid), bool), np.zeros(len(valid), bool))
    best = shown(uv, z, mask)
    if (best.share() or 0) < IN_PLACE:
        reach_px = frame.camera.fx * (DRIFT_M / np.median(z) + DRIFT_RAD)
        shifted = (shown(uv + reach_px * shift, z, mask) for shift in SHIFTS)
        best = max([best, *shifted], key=lambda support: int(support.inside.sum()) - int(support.outside.sum()))
    whole = np.zeros((2, len(valid)), bool)
    whole[:, valid] = best
    return Support(whole[0], whole[1])


def shown(uv: NDArray, z: NDArray, mask: Mask) -> Support:
    """What a view shows of points at (N, 2) pixels of its colour image and (N,) depths in metres."""
    frame = mask.frame
    size = np.array([frame.camera.width, frame.camera.height])
    pixel = np.rint(uv).astype(np.intp)
    in_image = np.all((pixel >= 0) & (pixel < size), axis=1)
    u, v = np.where(in_image[:, None], pixel, 0).T
    measured_m = measured_at(frame, u, v)
    tolerance_m = DRIFT_M + DRIFT_RAD * z + 3 * depth_sigma_m(z)
    seen = in_image & (measured_m > 0) & (np.abs(measured_m - z) < tolerance_m)
    inside = mask.pixels[v, u]
    return Support(seen & inside, seen & ~inside)


def surface(mask: Mask, config: LiftConfig) -> Surface:
    points = lift_mask(mask.frame, mask.pixels, config).points_world
    return Surface(mask, one_per_cell(points, max(CELL_M, config.voxel_m)))


def one_per_cell(points_world: NDArray, cell_m: float) -> NDArray[np.float64]:
    """At most ``MAX_POINTS`` of (N, 3) points, one per cell."""
    if len(points_world) == 0:
        return np.empty((0, 3))
    points = fuse(points_world, np.zeros((len(points_world), 3), np.uint8), cell_m).points_world
    return thinned(points, MAX_POINTS)


def stamp_ns(mask: Mask) -> int:
    return mask.frame.stamp_ns
