# SPDX-License-Identifier: Apache-2.0
"""Masks + depth + pose -> one cloud of the object in the world, voted over views."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.config import LiftConfig
from scene_r1_ros.errors import NoDepth
from scene_r1_ros.geometry.align import align
from scene_r1_ros.geometry.depth import depth_sigma_m
from scene_r1_ros.geometry.mask_view import VOXELS_ACROSS, MaskCrop, MaskView, common_offset
from scene_r1_ros.geometry.object_cloud import MIN_JUDGES, ObjectCloud, Votes
from scene_r1_ros.geometry.pose import transform
from scene_r1_ros.geometry.support import off_support
from scene_r1_ros.geometry.voxels import parts
from scene_r1_ros.run import Run
from scene_r1_ros.types import Mask

# Points hang together when the cells they lie in share a face; a cell is this many voxels wide.
LINK = 2.5
# ... but not narrower than so many standard deviations of depth, which tear far surfaces into sheets.
LINK_SIGMAS = 3.0
# Parts of an object that hold less than this share of its largest part are taken for noise.
MIN_PART_SHARE = 0.1
# ... and so are those farther from it than this share of its longest edge.
MAX_GAP = 0.5
# Not so if no view denies any of so many points that lie near, and they have this share of the support that points of
# the largest part have: a lamp's foot, seen below a table from one side, but not what one doubtful mask took along.
MIN_UNDENIED, MAX_UNDENIED_GAP, MIN_UNDENIED_SUPPORT = 10, 0.2, 0.1
# Of more views of one object the rest only take time.
MAX_VIEWS = 14


class Lifted(NamedTuple):
    """One object in the world."""

    points_world: NDArray[np.float32]  # (N, 3) metres
    colors: NDArray[np.uint8]  # (N, 3) RGB
    object_share: NDArray[np.float32]  # (N,) share of the votes that say it is the object, 0.5 to 1


def lift(masks: Sequence[Mask], config: LiftConfig, run: Run | None = None) -> Lifted:
    """Fuse the masks of one object into a cloud.

    Masks' borders are put where depth shows the object's edges, the views' poses are aligned, the points of all views
    are averaged in voxels, and all views vote on each voxel. A view that the others contradict leaves with its points;
    so do loose parts. Of one or two views none can be outvoted: then the edges in depth alone clean the mask. Of many
    masks ``spread`` takes some, so that time and memory do not grow with their number.

    Args:
        run: is asked between the views whether the query should stop.

    Raises:
        NoDepth: no mask pixel has usable depth, or fewer than ``min_points`` voxels hold together.
        NotThere: more than ``MAX_VOXELS``: whole rooms are no object.
        BadInput: points farther apart than voxels can be numbered.
        Canceled, DeadlineExceeded: the query should stop.
    """
    run = run or Run()
    views = aligned(cleaned(spread(masks), config, run), run)
    check_depth(views, masks, config)
    cloud, votes = agreed(views, config, run)
    points, colors = cloud.means()
    kept = judged(points, cloud, votes)
    check_size(int(kept.sum()), cloud, masks, config)
    points_world = (points[kept] + cloud.origin_world).astype(np.float32)
    return Lifted(points_world, colors[kept], votes.object_share[kept])


def check_depth(views: Sequence[MaskView], masks: Sequence[Mask], config: LiftConfig) -> None:
    """Raises NoDepth where none of the masks gave a view."""
    if not views:
        raise NoDepth(
            f"none of {sum(int(m.pixels.sum()) for m in masks)} mask pixels in {len(masks)} views has depth within "
            f"{config.min_depth_m} to {config.max_depth_m} m; look at the object from another side or distance"
        )


def check_size(n_voxels: int, cloud: ObjectCloud, masks: Sequence[Mask], config: LiftConfig) -> None:
    """Raises NoDepth where fewer than ``min_points`` voxels are left."""
    if n_voxels < config.min_points:
        raise NoDepth(
            f"only {n_voxels} voxels of {cloud.voxel_m:.3g} m hold together over {len(masks)} views; "
            f"at least lift.min_points = {config.min_points} make an object"
        )


def spread(masks: Sequence[Mask]) -> list[Mask]:
    """The masks that are not empty; of more than ``MAX_VIEWS`` those whose cameras stand and look most apart from each
    other: what looks from nearly the same place hardly adds to the object (farthest point sampling, Gonzalez 1985).
    """
    shown = [mask for mask in masks if mask.pixels.any()]
    if len(shown) <= MAX_VIEWS:
        return shown
    poses = np.array([mask.frame.T_world_camera for mask in shown])
    at = np.concatenate([poses[:, :3, 3], poses[:, :3, 2]], axis=1)
    chosen = [int(np.argmax([mask.confidence for mask in shown]))]
    apart = np.full(len(shown), np.inf)
    while len(chosen) < MAX_VIEWS:
        apart = np.minimum(apart, np.linalg.norm(at - at[chosen[-1]], axis=1))
        apart[chosen] = -1  # also where two cameras stand at the same place
        chosen.append(int(np.argmax(apart)))
    return [shown[i] for i in sorted(chosen)]


def cleaned(masks: Sequence[Mask], config: LiftConfig, run: Run) -> list[MaskView]:
    """The masks that have pixels with depth, their borders put where depth shows the object's edges."""
    crops = []
    for mask in masks:
        run.check()
        crops.append(MaskCrop.of(mask, config))
    shown = [crop for crop in crops if crop is not None]
    off_px = common_offset(shown)
    views = (crop.view(crop.mask.frame.T_world_camera, off_px) for crop in shown)
    return [view for view in views if view.pixels_across > 0]


def aligned(views: Sequence[MaskView], run: Run) -> list[MaskView]:
    """The views with their poses corrected, so that they agree about the place around the object."""
    if not views:
        return []
    poses = align([view.mask.frame for view in views], middle(views), run)
    return [view.at(T) for view, T in zip(views, poses, strict=True)]


def agreed(views: Sequence[MaskView], config: LiftConfig, run: Run) -> tuple[ObjectCloud, Votes]:
    """The points of the views, but for those that the others contradict, and the votes on them; most views stay."""
    left, majority = list(views), len(views) // 2 + 1
    cloud, votes = fused(left, config, run)
    while len(left) > majority and (wrong := votes.wrong_view()) is not None:
        left.remove(cloud.jury()[wrong])
        cloud, votes = fused(left, config, run)
    return cloud, votes


def fused(views: Sequence[MaskView], config: LiftConfig, run: Run) -> tuple[ObjectCloud, Votes]:
    """The points of all views and the votes on them."""
    voxel_m = voxel_size_m(views, config)
    cloud = ObjectCloud(voxel_m, np.floor(middle(views)))
    for view in views:
        run.check()
        cloud.add(view)
    return cloud, cloud.vote(run)


def middle(views: Sequence[MaskView]) -> NDArray[np.float64]:
    """(3,) about where the object is in the world: the median over the views of what each says."""
    return np.median([transform(view.T_world_camera, view.center_camera) for view in views], axis=0)


def voxel_size_m(views: Sequence[MaskView], config: LiftConfig) -> float:
    """So large that no view has many more voxels than ``VOXELS_ACROSS`` squared, but not below ``voxel_m``, nor below
    what lies between two pixels.
    """
    sizes = [view.spacing_m * max(view.pixels_across / VOXELS_ACROSS, 1.0) for view in views]
    return max(config.voxel_m, float(np.median(sizes)))


def link_size_m(views: Sequence[MaskView], voxel_m: float) -> float:
    """How far apart neighbouring points of one surface may lie, metres."""
    distance_m = float(np.median([view.center_camera[2] for view in views]))
    return max(LINK * voxel_m, LINK_SIGMAS * float(depth_sigma_m(distance_m)))


def judged(points: NDArray, cloud: ObjectCloud, votes: Votes) -> NDArray[np.bool_]:
    """(N,) True for the cloud's (N, 3) points that the votes say are the object, that stand off what it stands on, and
    that hang together.
    """
    kept = votes.seen_as_object >= votes.seen_as_other
    kept[kept] = off_support(points[kept], cloud.views, cloud.origin_world, cloud.voxel_m)
    doubt = votes.seen_as_other if len(cloud.views) >= MIN_JUDGES else np.ones_like(votes.seen_as_other)
    link_m = link_size_m(cloud.views, cloud.voxel_m)
    kept[kept] = firm_parts(points[kept], votes.seen_as_object[kept], doubt[kept], link_m)
    return kept


def firm_parts(points: NDArray, support: NDArray, doubt: NDArray, link_m: float) -> NDArray[np.bool_]:
    """(N,) True for points of connected parts that have not little support beside the best supported one, or that
    nobody denies, and that are not far from it beside its size.

    Args:
        points: (N, 3) metres.
        support: (N,) votes for each of them, so that a part that many views show holds against one that a single wrong
            view adds.
        doubt: (N,) votes against each of them.
    """
    if len(points) == 0:
        return np.zeros(0, bool)
    part = parts(points, link_m)
    sizes = np.bincount(part, support)
    main = points[part == np.argmax(sizes)]
    low, high = main.min(axis=0), main.max(axis=0)
    longest_m = float((high - low).max())
    limits_m = np.where(sizes >= MIN_PART_SHARE * sizes.max(), max(MAX_GAP * longest_m, link_m), -1)
    counts = np.bincount(part)
    undenied = (counts >= MIN_UNDENIED) & (np.bincount(part, doubt) == 0)
    undenied &= sizes / counts >= MIN_UNDENIED_SUPPORT * sizes.max() / len(main)
    limits_m[undenied] = np.maximum(limits_m[undenied], MAX_UNDENIED_GAP * longest_m)
    gaps_m = np.full(len(sizes), np.inf)
    np.minimum.at(gaps_m, part, outside_m(points, low, high))
    return np.asarray((gaps_m <= limits_m)[part], bool)


def outside_m(points: NDArray, low: NDArray, high: NDArray) -> NDArray[np.float64]:
    """(N,) how far (N, 3) points are from a box along the axes, metres; 0 in it."""
    return np.linalg.norm(np.maximum(np.maximum(low - points, points - high), 0), axis=1)
