# SPDX-License-Identifier: Apache-2.0
"""Which frames of a window are asked for a box: those that show the object large, central, sharp, and from all sides.

Before anything is known of the object, it lies on the surface that the frames of its window have in common.
"""

from collections.abc import Iterator, Sequence
from itertools import chain, islice, zip_longest

import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.memory.sharpness import sharpness
from scene_r1_ros.reasoning.clip import Clip
from scene_r1_ros.reasoning.coverage import SAMPLES_WH, VOXEL_M, coarse_points, voxel_keys
from scene_r1_ros.reasoning.spread import spread
from scene_r1_ros.types import Frame, TimeWindow

Moment = tuple[float, Frame]  # seconds since the clip's first frame

MAX_RANKED = 300  # frames of a window; more lie so close that it does not matter which is asked
COMMON = 4  # the power of the share of frames that see a piece of surface which tells whether the object lies there
RIM = 0.6  # a frame at the rim of a window counts so much less than one in its middle: the object comes or goes there
CENTRAL = 0.7  # of the half width and height: from there on, a pixel counts less
ANGLE_DEG = 45.0  # two views this far apart have nothing of each other ...
SAME_VIEW = 0.05  # ... and one that was seen before counts so much
TIME_SHARE = 0.1  # what two views of one direction at both ends of a window have of two that are far apart
NEARLY = 0.7  # of the best: as good, if sharper
NEAR = 3  # frames before and after the best; sharpness only compares between frames of one place


def best_frames(clip: Clip, windows: Sequence[TimeWindow], count: int) -> Iterator[Moment]:
    """At most ``count`` frames of the windows with their times, best first; the windows take turns. Lazy."""
    turns = zip_longest(*(_ranked(clip.within(window)) for window in windows))
    moments = (moment for moment in chain.from_iterable(turns) if moment)
    return islice(_once(moments), count)


def _once(moments: Iterator[Moment]) -> Iterator[Moment]:
    """Overlapping windows share frames."""
    seen = set()
    for time_s, frame in moments:
        if id(frame) not in seen:
            seen.add(id(frame))
            yield time_s, frame


def _ranked(part: Clip) -> Iterator[Moment]:
    """All frames of a window, best first."""
    chosen = spread(len(part.frames), MAX_RANKED)
    ranked = part.part(chosen)
    for i in _ranking(ranked.frames):
        yield ranked.times_s[i], ranked.frames[i]
    for i in sorted(set(range(len(part.frames))) - set(chosen)):
        yield part.times_s[i], part.frames[i]


def _ranking(frames: Sequence[Frame]) -> Iterator[int]:
    """One frame after the other: the best view of what all share, whose direction differs from those before it; of
    neighbours nearly as good, the sharpest.
    """
    left, sharp = np.ones(len(frames), bool), dict[int, float]()
    quality, directions = shared_views(frames)
    times = np.linspace(0, 1, len(frames))
    apart = np.ones(len(frames))
    while left.any():
        value = np.where(left, quality * (SAME_VIEW + (1 - SAME_VIEW) * apart), -1.0)
        best = int(value.argmax())
        near = [i for i in range(max(best - NEAR, 0), min(best + NEAR + 1, len(frames)))
                if left[i] and value[i] >= NEARLY * value[best]]  # fmt: skip
        sharp.update((i, sharpness(frames[i].color)) for i in near if i not in sharp)
        best = max(near, key=lambda i: (sharp[i], value[i]))
        yield best
        left[best] = False
        angles_deg = np.degrees(np.arccos(np.clip(directions @ directions[best], -1, 1)))
        apart = np.minimum(apart, angles_deg / ANGLE_DEG + TIME_SHARE * np.abs(times - times[best]))


def shared_views(frames: Sequence[Frame]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How large and central each frame shows the surface that they have in common, (N,), and the unit direction (N, 3)
    in the world from there to its camera. Where there is no depth, the middle of the window counts, and where a camera
    looks from.
    """
    middle = 1 - RIM * np.abs(np.linspace(-1, 1, len(frames))) if len(frames) > 1 else np.ones(1)
    seen = [coarse_points(frame) for frame in frames]
    points_world = np.concatenate([points for points, _ in seen])
    if len(points_world) == 0:
        return middle, np.stack([-f.T_world_camera[:3, 2] for f in frames])
    frame = np.repeat(np.arange(len(frames)), [len(points) for points, _ in seen])
    weight = _common(points_world, frame, middle) * _centrality()[np.concatenate([pixels for _, pixels in seen])]
    quality = middle * np.bincount(frame, weight, minlength=len(frames))
    to_camera = np.stack([f.T_world_camera[:3, 3] for f in frames]) - weight @ points_world / weight.sum()
    return quality, to_camera / np.maximum(np.linalg.norm(to_camera, axis=1, keepdims=True), 1e-9)


def _common(points_world: NDArray, frame: NDArray, middle: NDArray) -> NDArray[np.float64]:
    """(N,) how likely each point (N, 3), seen in ``frame`` (N,), is on what the window is about, 0 to 1."""
    voxels, voxel = np.unique(voxel_keys(points_world, VOXEL_M), return_inverse=True)
    frame_of, voxel_of = np.divmod(np.unique(frame * len(voxels) + voxel.ravel()), len(voxels))
    share = np.bincount(voxel_of, middle[frame_of]) / middle.sum()
    return share[voxel.ravel()] ** COMMON


def _centrality() -> NDArray[np.float64]:
    """(768,) weights of the pixels of ``coarse_points``, 1 in the middle of the image."""
    x, y = (2 * (np.arange(n) + 0.5) / n - 1 for n in SAMPLES_WH)
    return np.exp(-(x[None] ** 2 + y[:, None] ** 2) / (2 * CENTRAL**2)).ravel()
