# SPDX-License-Identifier: Apache-2.0
"""A tracker without weights: depth and pose tell each view what the others know, edges of colour and depth the rest."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.config import LiftConfig, TrackerConfig
from scene_r1_ros.errors import NoDepth
from scene_r1_ros.geometry.depth import on_depth_grid, seen_at
from scene_r1_ros.geometry.pose import inverse, transform
from scene_r1_ros.geometry.surface import thinned
from scene_r1_ros.geometry.verify import projected_box
from scene_r1_ros.run import Run
from scene_r1_ros.tracking.colors import colored_alike
from scene_r1_ros.tracking.crop import Crop
from scene_r1_ros.tracking.geodesic import Terrain
from scene_r1_ros.tracking.protocol import Prompt
from scene_r1_ros.tracking.reference import Reference, shown_at
from scene_r1_ros.tracking.registration import pose_offset_world
from scene_r1_ros.tracking.silhouette import main_part, silhouette
from scene_r1_ros.tracking.views import check_prompts, nearest_views
from scene_r1_ros.types import Box2D, Frame, Mask

MIN_SEEN_SHARE = 0.25  # a view that shows less than this of the known points is not used
MIN_SEEN_POINTS = 10
MAX_KNOWN = 6000  # points, so that the hundredth view takes no longer than the tenth
MAX_POINTS = 600  # of each view: enough to tell where the object is and whether it is seen
MARGIN, MARGIN_PX = 0.3, 3  # around the place where the object is expected: a share of its size, plus pixels
PURE = 0.85  # pixels start as object, or as background, where this share of what is known around them says so ...
MIN_KNOWN_PIXELS = 1.8  # ... and at least so many pixels of the 3x3 around them are known
MIN_SEED_PIXELS = 5


class GeometricTracker:
    """Follows an object from its first view into the others, nearest first, as long as depth shows that it is there."""

    def __init__(self, config: TrackerConfig, lift_config: LiftConfig):
        self.config = config
        self.lift_config = lift_config

    def track(self, frames: Sequence[Frame], prompts: Sequence[Prompt], run: Run) -> list[tuple[Mask, ...]]:
        check_prompts(frames, prompts)
        return [self._follow(frames, prompts, number, run) for number in range(len(prompts))]

    def _follow(self, frames: Sequence[Frame], prompts: Sequence[Prompt], number: int, run: Run) -> tuple[Mask, ...]:
        first = first_mask(prompts[number])
        references = [Reference(first, np.zeros(3))]
        self._check_depth(first)
        known = surface_points(references[0])
        for i, frame in enumerate(views := nearest_views(frames, first.frame)[: self.config.max_frames - 1]):
            run.check()
            run.report((number + i / len(views)) / len(prompts))
            reference = follow(frame, references, known)
            if reference is not None:
                references.append(reference)
                known = thinned(np.concatenate([known, surface_points(reference)]), MAX_KNOWN)
        return tuple(sorted((r.mask for r in references), key=lambda m: m.frame.stamp_ns))

    def _check_depth(self, mask: Mask) -> None:
        n_points = int(np.count_nonzero(measured(mask)))
        if n_points < self.lift_config.min_points:
            raise NoDepth(
                f"{n_points} usable depth points on the object in frame {mask.frame.frame_id}; at least "
                f"{self.lift_config.min_points} are needed: "
                "is the surface black, glossy or glass, or out of the sensor's range?"
            )


def first_mask(prompt: Prompt) -> Mask:
    """Raises BadBox where the box lies outside its image."""
    if isinstance(prompt, Mask):
        return prompt
    box = prompt.box.clipped(prompt.frame.camera.width, prompt.frame.camera.height)
    return Mask(prompt.frame, silhouette(prompt.frame, box), 1.0)


def measured(mask: Mask) -> NDArray[np.bool_]:
    """(h, w) the pixels of a mask that have depth, on the depth grid."""
    return on_depth_grid(mask.pixels, mask.frame) & (mask.frame.depth_m > 0)


def surface_points(reference: Reference) -> NDArray[np.float64]:
    """(N, 3) world points of a mask, at most ``MAX_POINTS`` spread over it; its outermost pixels show two surfaces."""
    frame, pixels = reference.mask.frame, on_depth_grid(reference.mask.pixels, reference.mask.frame)
    inner = cv2.erode(pixels.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool) & (frame.depth_m > 0)
    v, u = np.nonzero(inner if inner.any() else measured(reference.mask))
    few = slice(None, None, -(-len(v) // MAX_POINTS) or 1)
    points_camera = frame.depth_camera.unproject(np.stack([u[few], v[few]], axis=1), frame.depth_m[v[few], u[few]])
    return transform(frame.T_world_camera, points_camera) + reference.offset_world


def follow(frame: Frame, references: Sequence[Reference], known: NDArray[np.float64]) -> Reference | None:
    """The object in another view; None where it does not show. ``known`` are (N, 3) of its points in the world."""
    share, box = seen_share(frame, known), projected_box(known, frame)
    if box is None or share < MIN_SEEN_SHARE:
        return None
    crop = Crop(frame, widened(box, frame))
    told_by = [references[0], *nearest_reference(references[1:], frame)]
    offset_world = pose_offset_world(crop, told_by)
    shown, _ = shown_at(crop, told_by, offset_world)
    is_whole = not all(touches_border(r.mask) for r in references)
    found = separated(crop, shown, is_whole)
    return Reference(Mask(frame, crop.to_frame(found), share), offset_world) if found.any() else None


def seen_share(frame: Frame, known: NDArray[np.float64]) -> float:
    """Share of the known points that a frame shows, 0 to 1, of those at which it measures depth at all."""
    u, v, seen = seen_at(known, frame)
    _, inside = frame.depth_camera.project(transform(inverse(frame.T_world_camera), known))
    measured = inside & (frame.depth_m[v, u] > 0)
    if np.count_nonzero(seen) < MIN_SEEN_POINTS:
        return 0.0
    return float(min(inside.mean(), np.count_nonzero(seen) / np.count_nonzero(measured)))


def widened(box: Box2D, frame: Frame) -> Box2D:
    pad = MARGIN_PX + MARGIN * max(box.x2 - box.x1, box.y2 - box.y1)
    return Box2D(box.x1 - pad, box.y1 - pad, box.x2 + pad, box.y2 + pad).clipped(
        frame.camera.width, frame.camera.height
    )


def nearest_reference(references: Sequence[Reference], frame: Frame) -> list[Reference]:
    """The one view from where the object looks most like in ``frame``: it knows sides that the first does not."""
    order = nearest_views([r.mask.frame for r in references], frame)[:1]
    return [r for r in references if order and r.mask.frame is order[0]]


def touches_border(mask: Mask) -> bool:
    """The object goes on outside the image."""
    pixels = mask.pixels
    return bool(pixels[0].any() or pixels[-1].any() or pixels[:, 0].any() or pixels[:, -1].any())


def separated(crop: Crop, shown: NDArray[np.int8], is_whole: bool) -> NDArray[np.bool_]:
    """(h, w) the object: what edges separate less from pixels known to be it than from pixels known not to be.

    Args:
        shown: (h, w) 1 object, -1 something else, 0 unknown.
        is_whole: some view shows all of the object, so that what lies far outside the expected place is not it.
    """
    is_object, is_other = seeds(shown > 0, shown < 0), seeds(shown < 0, shown > 0)
    if is_whole or not is_other.any():
        is_other |= border(shown.shape) & (shown <= 0)
    if is_object.sum() < MIN_SEED_PIXELS or not is_other.any():
        return np.zeros(shown.shape, bool)
    found = Terrain(crop).nearer(is_object, is_other)
    return main_part(found & colored_alike(crop.color, found, is_object, is_other))


def seeds(these: NDArray[np.bool_], those: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(h, w) pixels around which next to all that is known is one of ``these``; single holes of depth do not count."""
    a, b = (cv2.boxFilter(m.astype(np.float32), -1, (3, 3), normalize=False) for m in (these, those))
    return (a + b >= MIN_KNOWN_PIXELS) & (a > PURE * (a + b))


def border(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    edge = np.ones(shape, bool)
    edge[1:-1, 1:-1] = False
    return edge
