# SPDX-License-Identifier: Apache-2.0
"""What a goal gets back: feedback while it runs, a result and a terminal state at its end."""

import time
from collections.abc import Sequence
from typing import Any

from rclpy.action.server import ServerGoalHandle

from scene_r1_ros.action import Ask, Ground
from scene_r1_ros.answer import Answer
from scene_r1_ros.errors import ErrorCode
from scene_r1_ros.ros import messages
from scene_r1_ros.run import Progress
from scene_r1_ros.types import Frame

FEEDBACK_PERIOD_S = 0.1


class FeedbackSender:
    """Publishes progress as action feedback, at most every ``FEEDBACK_PERIOD_S`` within a stage."""

    def __init__(self, goal: ServerGoalHandle, kind: Any):
        self._goal, self._kind = goal, kind
        self._stage, self._sent_s = "", 0.0

    def __call__(self, progress: Progress) -> None:
        now_s = time.monotonic()
        if progress.stage == self._stage and now_s - self._sent_s < FEEDBACK_PERIOD_S:
            return
        self._stage, self._sent_s = progress.stage, now_s
        if self._goal.is_active:
            self._goal.publish_feedback(
                self._kind.Feedback(
                    stage=progress.stage,
                    progress=progress.fraction,
                    partial_rationale=progress.partial_rationale,
                    elapsed=messages.duration_of(progress.elapsed_s),
                )
            )


def result_of(kind: Any, answer: Answer, query_id: str, frames: Sequence[Frame], world_frame: str) -> Any:
    """The result of ``kind`` (Ground or Ask); ``frames`` are those the answer speaks of."""
    result = kind.Result(error_code=int(answer.error_code), error_msg=answer.error_msg, query_id=query_id)
    result.rationale, result.timings = messages.steps_of(answer, frames), messages.timings_of(answer)
    result.checks = messages.checks_of(answer)
    result.objects = [messages.object_of(found, world_frame) for found in answer.objects]
    if kind is Ask:
        result.answer, result.kind = answer.text, answer.kind
    elif kind is Ground and answer.window is not None:
        result.window_start = messages.stamp_of(answer.first_stamp_ns + round(answer.window.start_s * 1e9))
        result.window_end = messages.stamp_of(answer.first_stamp_ns + round(answer.window.end_s * 1e9))
    return result


def end(goal: ServerGoalHandle, error_code: int) -> None:
    """Bring a goal to its terminal state: it has succeeded exactly where there is no error code."""
    if error_code == ErrorCode.NONE:
        goal.succeed()
    elif error_code == ErrorCode.CANCELED and goal.is_cancel_requested:
        goal.canceled()
    else:
        goal.abort()
