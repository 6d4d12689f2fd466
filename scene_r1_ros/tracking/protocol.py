# SPDX-License-Identifier: Apache-2.0
"""The one protocol every tracker stands behind: a box in one frame in, masks in every frame that sees it out."""

from collections.abc import Sequence
from typing import Protocol

from scene_r1_ros.run import Run
from scene_r1_ros.types import Frame, Hypothesis, Mask


class Tracker(Protocol):
    """``track`` follows the object of a hypothesis through ``frames`` (in order of time, the hypothesis's own frame
    among them) and returns one mask per frame that sees it, in order of time. It calls ``run.check()`` between frames.

    Raises:
        NoDepth: the object cannot be followed because its own frame measured no depth on it.
    """

    def track(self, frames: Sequence[Frame], hypothesis: Hypothesis, run: Run) -> tuple[Mask, ...]: ...
