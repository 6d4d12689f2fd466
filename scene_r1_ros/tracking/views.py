# SPDX-License-Identifier: Apache-2.0
"""Which views an object is looked for in, and in which order they are gone through."""

from collections.abc import Sequence

import numpy as np

from scene_r1_ros.errors import BadInput
from scene_r1_ros.geometry.pose import distance
from scene_r1_ros.tracking.protocol import Prompt
from scene_r1_ros.types import Frame, Mask

RADIAN_M = 1.0  # views count as equally far apart when turned by a radian or moved by this many metres


def check_prompts(frames: Sequence[Frame], prompts: Sequence[Prompt]) -> None:
    """What every tracker demands before it begins.

    Raises:
        BadInput: a mask without pixels, or a prompt whose frame is not among ``frames``.
    """
    known = {id(frame) for frame in frames}
    for prompt in prompts:
        if id(prompt.frame) not in known:
            raise BadInput(
                f"the prompt's frame {prompt.frame.frame_id!r} is not among the {len(frames)} frames to track in; "
                "hand over the very frame it was drawn in"
            )
        if isinstance(prompt, Mask) and not prompt.pixels.any():
            raise BadInput(f"the mask in frame {prompt.frame.frame_id!r} has no pixels; it must show the object")


def nearest_views(frames: Sequence[Frame], source: Frame) -> list[Frame]:
    """The other frames, nearest view first."""

    def apart(frame: Frame) -> float:
        moved_m, turned_rad = distance(frame.T_world_camera, source.T_world_camera)
        return moved_m + RADIAN_M * turned_rad

    return sorted((frame for frame in frames if frame is not source), key=apart)


def spread(masks: Sequence[Mask], source: Frame, count: int) -> list[Mask]:
    """Of the masks in other frames, so many whose viewpoints lie farthest from the source's and from each other."""
    rest = [mask for mask in masks if mask.frame is not source]
    chosen: list[Mask] = []
    gaps, last = np.full(len(rest), np.inf), source
    for _ in range(min(count, len(rest))):
        moves = [distance(mask.frame.T_world_camera, last.T_world_camera) for mask in rest]
        gaps = np.minimum(gaps, [moved_m + RADIAN_M * turned_rad for moved_m, turned_rad in moves])
        best = int(np.argmax(gaps))
        chosen.append(rest[best])
        gaps[best], last = -np.inf, rest[best].frame
    return chosen
