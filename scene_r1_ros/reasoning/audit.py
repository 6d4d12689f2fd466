# SPDX-License-Identifier: Apache-2.0
"""Checks of a rationale: what the model said is held against the clip, the query, its own answer and the world in 3D.

Each is one rule that holds or fails, with what was compared; one that does not apply is left out. A contradiction does
not prove an answer wrong, so it is shown and lowers the confidence, and the answer stands.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from scene_r1_ros.answer import DOUBTFUL, Answer, Check, SceneObject
from scene_r1_ros.reasoning.clip import TOLERANCE_S, Clip
from scene_r1_ros.reasoning.denial import contradicts
from scene_r1_ros.reasoning.nouns import head_nouns, names_one
from scene_r1_ros.reasoning.questions import asked_thing
from scene_r1_ros.reasoning.sections import plain
from scene_r1_ros.reasoning.times import NamedTime, named_times
from scene_r1_ros.run import Run, Thought
from scene_r1_ros.text import counted
from scene_r1_ros.types import TimeWindow

# A contradiction divides the odds that an object is right by this: a step of log(3) = 1.1 in the logit that
# ``geometry.confidence`` adds up. An estimate, not a fit: that takes the answers of many real models.
ODDS_PER_CONTRADICTION = 3.0
MAX_QUOTED = 5  # times in one text
CLAUSE = re.compile(r"(?<=[.!?;])\s|,?\s(?:but|however|while|whereas|then)\s", re.IGNORECASE)

# The names of the rules, and in words what it is that speaks against an answer where one fails.
TIMES, WINDOW, BOX = "times in the clip", "window answers the reasoning", "box in the window"
LABEL, IN_3D = "label names the query", "verified in 3D"
CONTRADICTIONS = {
    TIMES: "the reasoning names times outside the clip",
    WINDOW: "the window does not answer the reasoning",
    BOX: "the box is not in the window",
    LABEL: "the label does not name what is looked for",
}


def audited(answer: Answer, clip: Clip, run: Run) -> Answer:
    """The answer with its checks, and with the confidence of its objects lowered where one fails; its text and the
    rationale in ``run`` then say so.

    A failed check of the times, the window or the box speaks against all objects, one of a label against its own. What
    speaks against an object in 3D is part of its confidence already: that check is shown and lowers nothing.

    Args:
        clip: all keyframes of the query.
        run: of the query, over but for this.
    """
    if answer.status == "error":
        return answer
    checks = shared = [
        *check_times(run.thoughts, clip.end_s),
        *check_window(answer.window, run.thoughts, clip.end_s),
        *check_box(answer, clip),
    ]
    objects, told = [], [answer.text]
    for found in answer.objects:
        label = check_label(asked_thing(answer.query) or answer.query, found.label)
        checks = [*checks, *label, check_in_3d(found)]
        against = [CONTRADICTIONS[check.name] for check in (*shared, *label) if not check.holds]
        objects.append(replace(found, score=lowered(found.score, len(against))))
        if against:
            told.append(lowering_text(found, objects[-1].score, against))
            run.note(told[-1])
    text = (
        " ".join(told) if answer.status == "found" else answer.text
    )  # an answer to a question stays as it was asked for
    return replace(answer, text=text, objects=tuple(objects), checks=tuple(checks))


def lowered(score: float, contradictions: int) -> float:
    """The chance, 0 to 1, that an object is right after so many contradictions; never above ``score``."""
    return score / (score + (1 - score) * ODDS_PER_CONTRADICTION**contradictions) if contradictions else score


def lowering_text(found: SceneObject, score: float, against: Iterable[str]) -> str:
    doubt = " I am not sure of it." if score < DOUBTFUL <= found.score else ""
    return f"Confidence lowered from {found.score:.2f} to {score:.2f}: {'; '.join(against)}.{doubt}"


def check_times(thoughts: Sequence[Thought], end_s: float) -> list[Check]:
    """Whether every time that the reasoning names lies in a clip from 0 to ``end_s``."""
    named = [time for thought in thoughts for time in named_times(thought.text)]
    outside = [time for time in named if not in_clip(time, end_s)]
    if outside:
        return [Check(TIMES, False, f"the reasoning names {quoted(outside)}, but the clip ends at {end_s:.2f} s")]
    return [Check(TIMES, True, f"the reasoning names {quoted(named)}; the clip ends at {end_s:.2f} s")] if named else []


def in_clip(time: NamedTime, end_s: float) -> bool:
    return time.within(-TOLERANCE_S, end_s + TOLERANCE_S)


def check_window(window: TimeWindow | None, thoughts: Sequence[Thought], end_s: float) -> list[Check]:
    """Whether the window meets one of the times at which the reasoning about time does not deny the object. Times
    outside a clip from 0 to ``end_s`` are held against it by ``check_times``, and once is enough.
    """
    texts = [plain(thought.text) for thought in thoughts if thought.stage == "temporal"]
    clauses = [clause for text in texts for clause in CLAUSE.split(text)]
    affirmed = [time for clause in clauses if not contradicts(clause) for time in named_times(clause)]
    named = [time for time in affirmed if in_clip(time, end_s)]
    if window is None or not named:
        return []
    met = [time for time in named if time.meets(window.start_s - TOLERANCE_S, window.end_s + TOLERANCE_S)]
    if met:
        return [Check(WINDOW, True, f"the reasoning names {quoted(met)}; the window is {span(window)}")]
    return [Check(WINDOW, False, f"the reasoning names {quoted(named)}, but the window is {span(window)}")]


def check_box(answer: Answer, clip: Clip) -> list[Check]:
    """Whether the best object was found in a frame of the window named for it, or in the nearest if it holds none."""
    if answer.window is None or not answer.objects:
        return []
    source = answer.objects[0].source
    holds = source in clip.within(answer.window).frames
    return [Check(BOX, holds, f"the box is in {clip.name(source)}, the window is {span(answer.window)}")]


def check_label(query: str, label: str) -> list[Check]:
    """Whether a label shares the noun that the query is about. A label that is the query itself says nothing."""
    nouns = head_nouns(query)
    holds = None if label.casefold() == query.casefold() else names_one(label, nouns)
    if holds is None:
        return []
    verb = "names" if holds else "does not name"
    return [Check(LABEL, holds, f"the label '{label}' {verb} what is looked for: {' or '.join(sorted(nouns))}")]


def check_in_3d(found: SceneObject) -> Check:
    """Whether other keyframes show an object where it is, and more of them than see through its place."""
    seen = found.evidence
    text = (
        f"'{found.label}': {counted(seen.visible, 'other keyframe')} {'shows' if seen.visible == 1 else 'show'} it, in "
        f"{seen.hidden} it is hidden, {seen.absent} see through its place"
    )
    return Check(IN_3D, seen.visible > seen.absent, text)


def quoted(times: Sequence[NamedTime]) -> str:
    texts = list(dict.fromkeys(time.text for time in times))
    more = f" and {len(texts) - MAX_QUOTED} more" if len(texts) > MAX_QUOTED else ""
    return ", ".join(texts[:MAX_QUOTED]) + more


def span(window: TimeWindow) -> str:
    return f"{window.start_s:.2f} s to {window.end_s:.2f} s"
