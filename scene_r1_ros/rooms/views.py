# SPDX-License-Identifier: Apache-2.0
"""Which objects of a room a walk shows, where and how well: read off the exact instance maps."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.rooms.render import RenderedFrame

MIN_SHARE = 0.0005  # of the picture's pixels: 154 at 640x480
WELL_SEEN = 0.4  # of the most pixels the object has anywhere in the clip


@dataclass(frozen=True)
class View:
    """One object in one frame."""

    frame_id: str
    stamp_ns: int
    time_s: float  # since the first frame
    box_xyxy: tuple[int, int, int, int]  # visible extent in pixels, x2 and y2 exclusive
    pixels: int
    whole: bool  # not cut by the border of the picture
    width: int  # of the picture


def views_in(rendered: RenderedFrame, first_stamp_ns: int) -> dict[int, View]:
    """instance_id -> what the frame shows of the object, for all it shows enough of."""
    frame, instances = rendered.frame, rendered.instances
    counts = np.bincount(instances.ravel())
    views = {}
    for instance_id in np.flatnonzero(counts >= MIN_SHARE * instances.size):
        if instance_id > 0:
            x1, y1, x2, y2 = extent(instances == instance_id)
            views[int(instance_id)] = View(
                frame_id=frame.frame_id,
                stamp_ns=frame.stamp_ns,
                time_s=(frame.stamp_ns - first_stamp_ns) * 1e-9,
                box_xyxy=(x1, y1, x2, y2),
                pixels=int(counts[instance_id]),
                whole=x1 > 0 and y1 > 0 and x2 < instances.shape[1] and y2 < instances.shape[0],
                width=instances.shape[1],
            )
    return views


def extent(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    xs, ys = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    return int(xs[0]), int(ys[0]), int(xs[-1]) + 1, int(ys[-1]) + 1


def by_object(frames: Sequence[Mapping[int, View]]) -> dict[int, list[View]]:
    """instance_id -> its views in order of time."""
    grouped: dict[int, list[View]] = defaultdict(list)
    for views in frames:
        for instance_id, view in views.items():
            grouped[instance_id].append(view)
    return dict(grouped)


def well_seen(views: Sequence[View]) -> list[View]:
    """Those that show the object uncut and nearly as large as any: what a person would point at it in."""
    most = max((view.pixels for view in views if view.whole), default=0)
    return [view for view in views if view.whole and view.pixels >= WELL_SEEN * most]


def longest_run(views: Sequence[View], step_s: float) -> list[View]:
    """The longest stretch of views without a frame missing between them; of equal ones the first."""
    runs: list[list[View]] = []
    for view in views:
        if runs and view.time_s - runs[-1][-1].time_s < 1.5 * step_s:
            runs[-1].append(view)
        else:
            runs.append([view])
    return max(runs, key=len, default=[])
