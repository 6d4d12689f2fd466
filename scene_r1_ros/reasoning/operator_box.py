# SPDX-License-Identifier: Apache-2.0
"""The operator's own box in place of a mind: a click on a screen grounds without any language model."""

import json
from collections.abc import Callable

from scene_r1_ros.errors import BadBox, ModelFailed
from scene_r1_ros.reasoning.clip import named
from scene_r1_ros.reasoning.prompting import quoted
from scene_r1_ros.reasoning.protocol import ModelSpec, Reply, Request
from scene_r1_ros.types import Box2D, Frame

EVERY_FRAME = 1_000_000  # frames cost nothing here


class OperatorBox:
    """Replies with one box in one frame, named by its stamp or its id."""

    spec = ModelSpec(
        name="operator's box",
        box_convention="pixel",
        max_frames=EVERY_FRAME,
        image_frames=EVERY_FRAME,
        max_pixels=EVERY_FRAME,
        max_new_tokens=EVERY_FRAME,
    )

    def __init__(self, frame: int | str, box: Box2D):
        """``frame``: ``stamp_ns`` as an int, or ``frame_id`` as a string. ``box``: pixels of the original image."""
        self.frame = frame
        self.box = box

    def reply(self, request: Request, on_text: Callable[[str], None], should_stop: Callable[[], bool]) -> Reply:
        """
        Raises:
            BadBox: no keyframe is the one the box was drawn in, or the box lies outside of it.
            ModelFailed: a question, which a box cannot answer.
        """
        text = {"temporal": self._window, "image": self._answer, "answer": self._refuse}[request.task](request)
        on_text(text)
        return Reply(text, tuple((frame.camera.width, frame.camera.height) for frame in request.frames))

    def _is_mine(self, frame: Frame) -> bool:
        return self.frame == (frame.stamp_ns if isinstance(self.frame, int) else frame.frame_id)

    def _window(self, request: Request) -> str:
        for frame, time_s in zip(request.frames, request.times_s, strict=True):
            if self._is_mine(frame):
                self.box.clipped(frame.camera.width, frame.camera.height)
                return (
                    f"<think>The operator drew a box in {quoted(named(frame, time_s))[1:-1]}.</think>"
                    f"<answer>{time_s:.3f}s to {time_s:.3f}s</answer>"
                )
        name = f"stamp {self.frame} ns" if isinstance(self.frame, int) else f"id {self.frame!r}"
        first, last = request.frames[0], request.frames[-1]
        raise BadBox(
            f"the box was drawn in the frame of {name}, which is none of the {len(request.frames)} keyframes "
            f"{first.frame_id!r} (stamp {first.stamp_ns}) to {last.frame_id!r} (stamp {last.stamp_ns}); "
            "draw it in a keyframe"
        )

    def _answer(self, request: Request) -> str:
        if not self._is_mine(request.frames[0]):
            return "<answer>not present</answer>"
        corners = json.dumps([float(v) for v in self.box.xyxy])
        return (
            "<think>The operator drew this box.</think>"
            f'<answer>{{"bbox_2d": {corners}, "label": {quoted(request.query)}}}</answer>'
        )

    def _refuse(self, request: Request) -> str:
        raise ModelFailed(
            f"a box cannot answer the question {request.query!r}; choose a model that thinks "
            "(model.kind: transformers) or recorded answers (model.kind: recorded)"
        )
