# SPDX-License-Identifier: Apache-2.0
"""Checks of a rationale: what the model said is held against the clip, the query, its own answer and the world in 3D.

Each is one rule that holds or fails, with what was compared; one that does not apply is left out. A contradiction does
not prove an answer wrong, so it is shown and lowers the confidence, and the answer stands.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from math import inf
from typing import NamedTuple

from scene_r1_ros.answer import DOUBTFUL, Answer, Check, SceneObject
from scene_r1_ros.reasoning.clip import BEHIND_S, TOLERANCE_S, Clip, span
from scene_r1_ros.reasoning.denial import contradicts
from scene_r1_ros.reasoning.nouns import Subject, head_nouns, names_one, speaks_of, subject_of
from scene_r1_ros.reasoning.questions import asked_thing
from scene_r1_ros.reasoning.sections import clauses_of
from scene_r1_ros.reasoning.times import NamedTime, named_times
from scene_r1_ros.run import Run, Thought
from scene_r1_ros.text import counted
from scene_r1_ros.types import TimeWindow

# A contradiction divides the odds that an object is right by this: a step of log(3) = 1.1 in the logit that
# ``geometry.confidence`` adds up. An estimate, not a fit: that takes the answers of many real models.
ODDS_PER_CONTRADICTION = 3.0
LABEL_STEP = 0.5  # of such a step: one thing has many names, and ``nouns`` knows few of them
MAX_QUOTED = 5  # times in one text
IT = re.compile(r"\bit\b|\A(?:best |clearly |only )?(?:seen|visible)\b", re.IGNORECASE)
# Clauses of another thing, of frames that they do not name, of a glimpse, or of what is only concluded.
ELSEWHERE = re.compile(
    r"\b(?:similar|another|others?|different|instead|wrong|remaining|rest|following|should|must|might|may|could"
    r"|probably|likely|perhaps|part(?:ly|ially)|barely|hardly)\b|(?:\bnot|n't|\bno)\smatch",
    re.IGNORECASE,
)
# What is seen at a time may be seen after it, too, or before it.
AFTER = re.compile(
    r"\b(?:appear(?:s|ed|ing|ance)?|first(?=\s(?:seen|visible|shown))|enters?|entering|comes?|coming|starting|onwards?"
    r"|from(?=\s\W{0,3}\d)|since|after|afterwards?|later|follows?|remain(?:s|ing)?|stays?|staying|keeps?|continues?"
    r"|still|again|reveal(?:s|ed|ing)?)\b",
    re.IGNORECASE,
)
BEFORE = re.compile(
    r"\b(?:(?:until|till)(?!\sthe\send)|last(?=\s(?:seen|visible|shown|at|appear))|disappear(?:s|ed|ing)?|before"
    r"|earlier|previously|already|leaves|leaving|has left|gone|again)\b",
    re.IGNORECASE,
)

# The names of the rules, and in words what it is that speaks against an answer where one fails.
TIMES, WINDOW = "times in the clip", "window answers the reasoning"
LABEL, IN_3D = "label names the query", "verified in 3D"
CONTRADICTIONS = {
    TIMES: "the reasoning names times outside the clip",
    WINDOW: "the window does not answer the reasoning",
    LABEL: "the label does not name what is looked for",
}
STEPS = {TIMES: 1.0, WINDOW: 1.0, LABEL: LABEL_STEP}


def audited(answer: Answer, clip: Clip, run: Run) -> Answer:
    """The answer with its checks, and with the confidence of its objects lowered where one fails; the rationale in
    ``run`` then says so, and the text, unless it is the option, the number, or the yes or no of a question.

    A failed check of the times or the window speaks against all objects, one of a label against its own. What speaks
    against an object in 3D is part of its confidence already: that check is shown and lowers nothing.

    Args:
        clip: all keyframes of the query.
        run: of the query, over but for this.
    """
    if answer.status == "error":
        return answer
    query = asked_thing(answer.query) or answer.query
    shared = check_times(run.thoughts, clip.end_s) + check_window(query, answer.window, run.thoughts, clip.end_s)
    labels = [check_label(query, found.label) for found in answer.objects]
    doubts = [doubt_of(answer.objects, i, shared + label) for i, label in enumerate(labels)]
    note(doubts, answer.objects, run)
    objects = tuple(replace(found, score=doubt.after) for found, doubt in zip(answer.objects, doubts, strict=True))
    own = [label + check_in_3d(found) for label, found in zip(labels, objects, strict=True)]
    return replace(answer, text=told(answer, doubts), objects=objects, checks=(*shared, *chain.from_iterable(own)))


class Doubt(NamedTuple):
    """What speaks against an object, and what it does to its score."""

    name: str  # of the object, empty where it is the only one
    before: float
    after: float
    against: tuple[str, ...]  # rules

    @property
    def text(self) -> str:
        of = f" of {self.name}" if self.name else ""
        why = "; ".join(CONTRADICTIONS[name] for name in self.against)
        return f"Confidence{of} lowered from {self.before:.2f} to {self.after:.2f}: {why}.{self.not_sure}"

    @property
    def not_sure(self) -> str:
        return f" I am not sure of {self.name or 'it'}." if self.after < DOUBTFUL <= self.before else ""


def doubt_of(objects: Sequence[SceneObject], i: int, checks: Sequence[Check]) -> Doubt:
    found, against = objects[i], tuple(check.name for check in checks if not check.holds)
    name = f"'{found.label}' ({i + 1} of {len(objects)})" if len(objects) > 1 else ""
    return Doubt(name, found.score, lowered(found.score, sum(STEPS[rule] for rule in against)), against)


def lowered(score: float, steps: float) -> float:
    """The chance, 0 to 1, that an object is right after contradictions of so many steps; never above ``score``."""
    return score / (score + (1 - score) * ODDS_PER_CONTRADICTION**steps) if steps else score


def note(doubts: Sequence[Doubt], objects: Sequence[SceneObject], run: Run) -> None:
    """Steps of the rationale. They show what the last step before them shows, which supports the answer."""
    support = run.rationale[-1].frames if run.rationale else ()
    for doubt, found in zip(doubts, objects, strict=True):
        if doubt.against:
            run.note(doubt.text, frames=support or (found.source,))


def told(answer: Answer, doubts: Sequence[Doubt]) -> str:
    """The text of an answer with its doubts; of a place behind the answer to a question, whether one is not sure of it.
    An option, a number, yes and no stay as they were asked for.
    """
    if answer.status == "found":
        return " ".join([answer.text, *(doubt.text for doubt in doubts if doubt.against)])
    return answer.text + "".join(doubt.not_sure for doubt in doubts) if answer.kind == "free" else answer.text


def check_times(thoughts: Sequence[Thought], end_s: float) -> list[Check]:
    """Whether every time that the reasoning names lies in a clip from 0 to ``end_s``."""
    named = [time for thought in thoughts for time in named_times(thought.text)]
    outside = [time for time in named if not in_clip(time, end_s)]
    if outside:
        return [Check(TIMES, False, f"the reasoning names {quoted(outside)}, but the clip ends at {end_s:.2f} s")]
    return [Check(TIMES, True, f"the reasoning names {quoted(named)}; the clip ends at {end_s:.2f} s")] if named else []


def in_clip(time: NamedTime, end_s: float) -> bool:
    return time.within(-TOLERANCE_S, end_s + BEHIND_S)


def check_window(query: str, window: TimeWindow | None, thoughts: Sequence[Thought], end_s: float) -> list[Check]:
    """Whether the window lies where the reasoning about time sees what ``query`` names: neither before all times at
    which it sees it, nor after all. Times outside a clip from 0 to ``end_s`` are held against it by ``check_times``,
    and once is enough.
    """
    texts, subject = [thought.text for thought in thoughts if thought.stage == "temporal"], subject_of(query)
    clauses = [clause for text in texts for clause in sightings(subject, text)]
    named = [time for clause in clauses for time in named_times(clause) if in_clip(time, end_s)]
    if window is None or not named:
        return []
    too_late = all(is_before(time, window) for time in named)
    too_early = all(is_after(time, window) for time in named)
    if not too_late and not too_early:
        return [Check(WINDOW, True, f"the reasoning names {quoted(named)}; the window is {span(window)}")]
    if may_go_on(clauses, AFTER if too_late else BEFORE):
        return []
    return [Check(WINDOW, False, f"the reasoning names {quoted(named)}, but the window is {span(window)}")]


def sightings(subject: Subject, text: str) -> list[str]:
    """The clauses that see the subject of a query, or "it" right behind such a clause or at the beginning."""
    found, of_it = [], True
    for clause in clauses_of(text):
        of_it = not ELSEWHERE.search(clause) and (speaks_of(clause, subject) or (of_it and bool(IT.search(clause))))
        if of_it and not contradicts(clause):
            found.append(clause)
    return found


def is_before(time: NamedTime, window: TimeWindow) -> bool:
    return not as_coarse(time, window.start_s).meets(window.start_s - TOLERANCE_S, inf)


def is_after(time: NamedTime, window: TimeWindow) -> bool:
    return not as_coarse(time, window.end_s).meets(0.0, window.end_s + TOLERANCE_S)


def as_coarse(time: NamedTime, rim_s: float) -> NamedTime:
    """A time that is known no better than the rim of a window, which a model rounds: "5s" of 4.8 s."""
    return time._replace(slack_s=max(time.slack_s, rounding_s(rim_s)))


def rounding_s(time_s: float) -> float:
    """One unit of the last digit of a time: 1 of 5 s, 0.1 of 4.8 s."""
    return next((unit_s for unit_s in (1.0, 0.1) if abs(time_s - round(time_s / unit_s) * unit_s) < 1e-9), 0.0)


def may_go_on(clauses: Sequence[str], direction: re.Pattern) -> bool:
    """Whether a thing may be seen beyond the times that clauses name: "it first appears at 3 s". Not where they name
    both ends.
    """
    timed = [clause for clause in clauses if named_times(clause)]
    if any(direction.search(clause) for clause in clauses if clause not in timed):
        return True
    said, times = " ".join(timed), [time for clause in timed for time in named_times(clause)]
    ends = len(times) > 1 and AFTER.search(said) and BEFORE.search(said)
    return bool(direction.search(said)) and not ends and all(time.start_s == time.end_s for time in times)


def check_label(query: str, label: str) -> list[Check]:
    """Whether a label shares the noun that the query is about. A label that is the query itself says nothing."""
    nouns = head_nouns(query)
    holds = None if label.casefold() == query.casefold() else names_one(label, nouns)
    if holds is None:
        return []
    verb = "names" if holds else "does not name"
    return [Check(LABEL, holds, f"the label '{label}' {verb} what is looked for: {' or '.join(sorted(nouns))}")]


def check_in_3d(found: SceneObject) -> list[Check]:
    """Whether more of the other keyframes show an object where it is than see through its place; nothing is told where
    none looks there.
    """
    seen = found.evidence
    if not seen.visible + seen.absent:
        return []
    text = (
        f"'{found.label}': {counted(seen.visible, 'other keyframe')} {'shows' if seen.visible == 1 else 'show'} it, in "
        f"{seen.hidden} it is hidden, {seen.absent} see through its place"
    )
    return [Check(IN_3D, seen.visible > seen.absent, text)]


def quoted(times: Sequence[NamedTime]) -> str:
    texts = list(dict.fromkeys(time.text for time in times))
    more = f" and {len(texts) - MAX_QUOTED} more" if len(texts) > MAX_QUOTED else ""
    return ", ".join(texts[:MAX_QUOTED]) + more
