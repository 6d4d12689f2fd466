# SPDX-License-Identifier: Apache-2.0
"""The one protocol every tracker stands behind: a box or mask in one frame in, masks in all that see the object out."""

from collections.abc import Sequence
from typing import Protocol

from scene_r1_ros.run import Run
from scene_r1_ros.types import Frame, Hypothesis, Mask

Prompt = Hypothesis | Mask  # an object pointed at in ``prompt.frame``, by ``prompt.box`` or by a mask's pixels


class Tracker(Protocol):
    """``track`` follows the objects of ``prompts`` through ``frames`` (in order of time, every prompt's own frame among
    them), forward and backward. For each prompt, in their order, it returns one mask per frame that sees the object,
    in order of time, with the confidence that the mask is right. It calls ``run.check()`` between frames.

    Raises:
        NoDepth: an object cannot be followed because its own frame measured no depth on it.
        BadBox: a prompt's box lies outside its frame.
        BadInput: a mask without pixels, or a prompt whose frame is not among ``frames``.
    """

    def track(self, frames: Sequence[Frame], prompts: Sequence[Prompt], run: Run) -> list[tuple[Mask, ...]]: ...
