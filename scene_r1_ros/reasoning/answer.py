# SPDX-License-Identifier: Apache-2.0
"""Answer a question about the scene from the video."""

from scene_r1_ros.reasoning.asking import ask
from scene_r1_ros.reasoning.clip import Clip
from scene_r1_ros.reasoning.parse import parse_answer, reasoning_of
from scene_r1_ros.reasoning.protocol import Model, Request
from scene_r1_ros.run import Run


def answer_question(model: Model, question: str, clip: Clip, run: Run) -> str:
    """The answer in the model's words. Leaves a step of the rationale, in the stage that the caller has entered.

    Raises:
        ParseFailed: the model's words could not be read, twice.
        ModelFailed: it could not run.
        Canceled, DeadlineExceeded: the query should stop.
    """
    shown = clip.thinned(model.spec.max_frames)
    request = Request("answer", question, shown.frames, shown.times_s)
    answer, reply = ask(model, request, run, lambda reply: parse_answer(reply.text, question))
    run.note(reasoning_of(reply.text) or answer, frames=shown.frames)
    return answer
