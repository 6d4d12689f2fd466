# SPDX-License-Identifier: Apache-2.0
"""Answer a question about the scene from the video, with the frames that support the answer."""

import re

from scene_r1_ros.answer import Answer
from scene_r1_ros.reasoning.asking import ask
from scene_r1_ros.reasoning.clip import BEHIND_S, TOLERANCE_S, Clip
from scene_r1_ros.reasoning.denial import contradicts
from scene_r1_ros.reasoning.parse import parse_answer, reasoning_of
from scene_r1_ros.reasoning.protocol import Model, Request
from scene_r1_ros.reasoning.questions import kind_of
from scene_r1_ros.reasoning.sections import clauses_of
from scene_r1_ros.reasoning.spread import spread
from scene_r1_ros.reasoning.times import NamedTime, named_times
from scene_r1_ros.run import Run
from scene_r1_ros.text import MAX_TEXT, clean_text
from scene_r1_ros.types import Frame

MAX_EVIDENCE = 8  # frames; the times that are named first count
NOTHING = re.compile(r"[:,]\s?(?:nothing|none|no)\W{0,3}\Z", re.IGNORECASE)  # "At 2 s: nothing."


def answer_question(model: Model, question: str, clip: Clip, run: Run) -> Answer:
    """The answer in the form of its kind, see ``parse_answer``. Leaves a step of the rationale, in the stage that the
    caller has entered, with the frames that support it.

    Raises:
        ParseFailed: the model's words could not be read, twice.
        ModelFailed: it could not run.
        Canceled, DeadlineExceeded: the query should stop.
    """
    shown = clip.thinned(model.spec.max_frames)
    request = Request("answer", question, shown.frames, shown.times_s)
    text, reply = ask(model, request, run, lambda reply: parse_answer(reply.text, question))
    reasoning = reasoning_of(reply.text)
    support = evidence(f"{reasoning} {text}", shown)
    why = support_text(support, shown, clip)
    words = clean_text(reasoning or text, MAX_TEXT - len(why) - 1)
    run.note(f"{words} {why}", frames=support or shown.frames)
    return Answer(question, "answered", text=text, kind=kind_of(question))


def evidence(words: str, shown: Clip) -> tuple[Frame, ...]:
    """The frames at or nearest to the times that words name, in order of time: ``MAX_EVIDENCE`` at most.

    Moments go before stretches of time, which share what is left, each evenly spread. One that holds all that was shown
    tells nothing, unless nothing else is named.
    """
    times_s, near, telling = shown.times_s, list[int](), list[list[int]]()
    for named in supporting_times(words, times_s[-1] + BEHIND_S):
        start_s, end_s = named.start_s - TOLERANCE_S, named.end_s + TOLERANCE_S
        inside = [i for i, time_s in enumerate(times_s) if start_s <= time_s <= end_s]
        if len(inside) > 1:
            telling.append(inside)
        else:
            near += inside or [min(range(len(times_s)), key=lambda i: abs(times_s[i] - named.start_s))]
    stretches = [inside for inside in telling if len(inside) < len(times_s)] or ([] if near else telling[:1])
    chosen = dict.fromkeys(list(dict.fromkeys(near))[:MAX_EVIDENCE])
    for k, inside in enumerate(stretches):
        share = -(-(MAX_EVIDENCE - len(chosen)) // (len(stretches) - k))
        chosen |= dict.fromkeys(inside[i] for i in spread(len(inside), share))
    return tuple(shown.frames[i] for i in sorted(chosen))


def supporting_times(words: str, end_s: float) -> list[NamedTime]:
    """The times up to ``end_s`` that words name, but not those at which they deny something, unless they only deny."""
    clauses = clauses_of(words)
    denied = [clause for clause in clauses if contradicts(clause) or NOTHING.search(clause)]
    for some in ([clause for clause in clauses if clause not in denied], denied):
        if named := [time for clause in some for time in named_times(clause) if time.start_s <= end_s]:
            return named
    return []


def support_text(support: tuple[Frame, ...], shown: Clip, clip: Clip) -> str:
    """Which frames stand for an answer and why, and how many the model was shown."""
    of_all = f" of {len(clip.frames)} keyframes" if len(shown.frames) < len(clip.frames) else ""
    count = f"{len(shown.frames)}{of_all}"
    if support:
        return f"(Evidence: the frames nearest to the times it names; it was shown {count}.)"
    return f"(Evidence: all that it was shown, {count}, as it names no time in the video.)"
