# SPDX-License-Identifier: Apache-2.0
"""Reading what a robot sees before anyone asks about it, so that even the first query is answered soon."""

from collections.abc import Callable, Sequence

from scene_r1_ros.reasoning.clip import Clip
from scene_r1_ros.reasoning.protocol import Foresighted, Request
from scene_r1_ros.types import Frame


def read_ahead(model: Foresighted, frames: Sequence[Frame], should_stop: Callable[[], bool]) -> None:
    """Let a model look at the frames that a query would show it first, and read them.

    Args:
        frames: keyframes in order of time, at least one.
        should_stop: polled often; what was read until then is kept.
    """
    shown = Clip.of(frames).thinned(model.spec.max_frames)
    model.prepare(Request("temporal", "", shown.frames, shown.times_s), should_stop)
