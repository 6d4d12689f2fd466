# SPDX-License-Identifier: Apache-2.0
"""What goes wrong in ``scene-r1 bench masks``: each case spoils masks, depth or poses in one way."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from scene_r1_ros.evaluation import mask_errors
from scene_r1_ros.evaluation.room_clips import LARGE_COLOR, MIN_PIXELS, SMALL_DEPTH, STEREO, STRUCTURED, RoomClip
from scene_r1_ros.evaluation.sensor_errors import drifted, shaken
from scene_r1_ros.rooms.room import RoomObject
from scene_r1_ros.types import Frame, Mask

SHAKE = (0.03, 1.0)  # metres and degrees that each pose is off
DRIFT = (0.06, 1.0)  # ... and that poses drift over the walk


@dataclass(frozen=True)
class Case:
    """Masks are spoilt in pixels of the colour image."""

    name: str
    sensor: str = STRUCTURED
    bleed_px: int = 0
    erosion_px: int = 0
    max_views: int = 8
    wrong_view: bool = False  # one mask shows another object
    drop_every: int = 0  # one of so many masks is missing
    poses: str = "exact"  # or "shaken" or "drifted"


CLEAN, BLEED_4, WRONG, SHAKEN = (
    Case("clean, structured light"),
    Case("bleed 4 px", bleed_px=4),
    Case("one of 5 views wrong", max_views=5, wrong_view=True),
    Case("poses off 3 cm, 1 deg", poses="shaken"),
)
CASES = (
    CLEAN,
    Case("clean, stereo", sensor=STEREO),
    Case("bleed 2 px", bleed_px=2),
    BLEED_4,
    Case("bleed 8 px", bleed_px=8),
    Case("erosion 2 px", erosion_px=2),
    Case("erosion 4 px", erosion_px=4),
    WRONG,
    Case("one of 4 views dropped", drop_every=4),
    SHAKEN,
    Case("poses drift 6 cm, 1 deg", poses="drifted"),
    Case("colour 1296x968", sensor=LARGE_COLOR),
    Case("depth 320x240", sensor=SMALL_DEPTH),
    Case("bleed 4 px, poses off 3 cm", bleed_px=4, poses="shaken"),
)


def posed(clip: RoomClip, case: Case) -> list[Frame]:
    """The frames of the case's sensor with the poses that the robot believes."""
    frames = [shot.frame for shot in clip.shots[case.sensor]]
    poses, rng = [f.T_world_camera for f in frames], np.random.default_rng([clip.room.seed, 4])
    if case.poses == "shaken":
        poses = shaken(poses, *SHAKE, rng)
    elif case.poses == "drifted":
        poses = drifted(poses, *DRIFT, rng)
    return [replace(frame, T_world_camera=pose) for frame, pose in zip(frames, poses, strict=True)]


def chosen_views(clip: RoomClip, case: Case, thing: RoomObject) -> list[int]:
    """The frames in which the object is masked: of those that show it well, some evenly over the walk."""
    views = clip.well_seen(thing)
    picks = np.unique(np.linspace(0, len(views) - 1, min(case.max_views, len(views))).round().astype(int))
    return [views[i] for i in picks]


def spoilt(clip: RoomClip, case: Case, frames: Sequence[Frame], thing: RoomObject, views: Sequence[int]) -> list[Mask]:
    """The masks of one object with the case's errors; one that they leave empty is no view."""
    rng = np.random.default_rng([clip.room.seed, 5, thing.instance_id])
    wrong = views[int(rng.integers(len(views)))] if case.wrong_view else None
    masks = []
    for i in mask_errors.dropped(views, case.drop_every) if case.drop_every else views:
        instances = clip.shots[case.sensor][i].instances
        pixels = instances == thing.instance_id
        other = mask_errors.neighbour(instances, thing.instance_id, MIN_PIXELS) if i == wrong else None
        pixels = pixels if other is None else other
        pixels = mask_errors.erosion(mask_errors.bleed(pixels, case.bleed_px), case.erosion_px)
        if pixels.any():
            masks.append(Mask(frames[i], pixels, 1.0))
    return masks
