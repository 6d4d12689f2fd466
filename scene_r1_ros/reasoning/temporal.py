# SPDX-License-Identifier: Apache-2.0
"""Temporal grounding: in which part of the video is the object seen?"""

from scene_r1_ros.reasoning.asking import ask
from scene_r1_ros.reasoning.clip import Clip
from scene_r1_ros.reasoning.parse import parse_window, reasoning_of
from scene_r1_ros.reasoning.protocol import Model, Request
from scene_r1_ros.run import Run
from scene_r1_ros.types import TimeWindow

MAX_WINDOWS = 8  # of one reply


def ground_in_time(model: Model, query: str, clip: Clip, run: Run) -> tuple[TimeWindow, ...]:
    """The windows of ``clip`` that show what ``query`` names, best first; empty = the model says not present.

    Leaves one step of the rationale per window, in the stage of ``run`` that the caller has entered.

    Raises:
        ParseFailed: the model's words could not be read, twice.
        ModelFailed: it could not run.
        Canceled, DeadlineExceeded: the query should stop.
    """
    shown = clip.thinned(model.spec.max_frames)
    request = Request("temporal", query, shown.frames, shown.times_s)
    named, reply = ask(model, request, run, lambda reply: parse_window(reply.text, clip.end_s))
    reasoning, windows = reasoning_of(reply.text), named[:MAX_WINDOWS]
    if not windows:
        run.note(f"Not present in the video. {reasoning}".strip(), frames=shown.frames)
    for i, window in enumerate(windows):
        span = f"Seen from {window.start_s:.2f} s to {window.end_s:.2f} s."
        text = span if i else f"{reasoning} {span}".strip()
        run.note(text, frames=shown.within(window).frames, window=window)
    if len(named) > len(windows):
        run.note(f"{len(named) - len(windows)} more windows were ignored; at most {MAX_WINDOWS} are used.")
    return windows
