# SPDX-License-Identifier: Apache-2.0
"""The times that a model names while it thinks: "at 3.2 s", "from 00:03 to 00:06", "<5.00 seconds>", "at 3, 5 and 7 s".

Prose is full of numbers, so one counts only with a unit of time or as a clock. Durations ("for 2 s"), metres ("2 m"),
decades ("a 1970s radio") and what a clock or a sign in the picture shows are no times of the clip. Rather none than a
wrong one.
"""

import re
from collections.abc import Iterator
from math import isfinite
from typing import NamedTuple

from scene_r1_ros.reasoning.sections import plain
from scene_r1_ros.reasoning.windows import ALONE, TO, compiled, seconds_in, time_pattern, unit_seconds

CAPTION_BRACKETS = str.maketrans("<>", "  ", "*`")
POINT = compiled(ALONE + time_pattern(1))
RANGE = compiled(TO)
LISTED = compiled(r"\s?(?:,|/|&|,?\s?and|,?\s?or)\s?")
BETWEEN = compiled(r"\bbetween\s(?:about\s|around\s)?\Z")
METRES = compiled(r"\d\s?m(?![a-z])(?!\d)")  # also within "2 m 30", where minutes are as likely
DECADE = compiled(r"(?:1[89]|20)\d0s")
BEFORE_DECADE = compiled(r"(?:\bthe\s|\bearly\s|\bmid-?\s?|\blate\s|')\Z")
BEFORE_DURATION = compiled(
    r"\b(?:for|lasts?|lasting|of|over|takes?|first|last|next|another|every|each|an?)\s(?:about\s|around\s|the\s)?\Z"
)
AFTER_DURATION = compiled(r"\s?(?:later|long|earlier|ago|apart|videos?|clips?|footage|recordings?)(?![a-z])")
# What in the same sentence makes a clock one of the scene, and what before a number makes it one that is read there.
CLOCK_SHOWN = compiled(
    r"\b(?:clocks?|watch|display|alarm|timer|ratio|scale|reads?|reading|hours|schedule|timetable|departs?|arrives?|game"
    r"|score|uhr)\b|\b[ap]\.?m\b|o'clock"
)
SHOWN = compiled(r"\b(?:shows?|showing|says?|saying|displays?|displaying|reads?|reading|lists?|zeigt)\s[\"']?\Z")
SENTENCE_END = compiled(r"[.!?]\s")
# What someone or something says; a quoted caption is a time still.
QUOTED = re.compile(
    r"(?<!\w)([\"'])(?=\S)(?!\s?[\d:.,]{1,12}\s?(?:s|secs?|seconds?)?\s?\1)(?:(?!\1).){1,80}\1(?!\w)", re.IGNORECASE
)
DECIMALS = compiled(r"[.,](\d{1,30})(?:e[-+]?\d{1,3})?\Z")


class NamedTime(NamedTuple):
    """A moment, or a stretch, of a clip as someone named it."""

    text: str
    start_s: float
    end_s: float
    slack_s: float  # one unit of its last digit: "3 s" is said of 2.6 as of 3.4
    at: int = 0  # where its text begins in the ``bare`` words

    def meets(self, start_s: float, end_s: float) -> bool:
        """Whether it may lie in a stretch, or reach into it."""
        return self.start_s - self.slack_s <= end_s and start_s <= self.end_s + self.slack_s

    def within(self, start_s: float, end_s: float) -> bool:
        """Whether all of it may lie in a stretch."""
        return start_s - self.slack_s <= self.start_s and self.end_s <= end_s + self.slack_s


def named_times(text: str) -> list[NamedTime]:
    """All times that ``text``, in any wording, names, in the order they stand there."""
    body = bare(text)
    found: list[NamedTime] = []
    for chain in _chains(QUOTED.sub(lambda quote: " " * len(quote[0]), body)):
        found += _times_of(chain, body)
    return found


def bare(text: str) -> str:
    """The ``plain`` text without emphasis and without the brackets of captions."""
    return " ".join(plain(text).translate(CAPTION_BRACKETS).split())


def without_times(text: str) -> str:
    """The ``bare`` text with the times it names cut out."""
    body, kept, end = bare(text), [], 0
    for named in named_times(text):
        kept.append(body[end : named.at])
        end = named.at + len(named.text)
    return " ".join([*kept, body[end:]])


def _chains(body: str) -> Iterator[list[re.Match]]:
    """Points that belong together: "3, 5 and 7 s", "3 to 6 s". A unit then stands for all before it."""
    chain: list[re.Match] = []
    for point in filter(_may_be_time, POINT.finditer(body)):
        between = body[chain[-1].end() : point.start()] if chain else ""
        if chain and not (RANGE.fullmatch(between) or LISTED.fullmatch(between)):
            yield chain
            chain = []
        chain.append(point)
    if chain:
        yield chain


def _may_be_time(point: re.Match) -> bool:
    said, before = point[0], point.string[max(0, point.start() - 80) : point.start()]
    if METRES.search(said) or DECADE.fullmatch(said) or said.startswith("-"):  # a dash, rather than a time below 0
        return False
    if said.endswith("0s") and said.isalnum() and BEFORE_DECADE.search(before):
        return False
    if SHOWN.search(before):
        return False
    if point["clock1"]:
        behind = point.string[point.end() : point.end() + 40]
        return not CLOCK_SHOWN.search(SENTENCE_END.split(before)[-1] + said + SENTENCE_END.split(behind)[0])
    return not (BEFORE_DURATION.search(before) or AFTER_DURATION.match(point.string, point.end()))


def _times_of(chain: list[re.Match], body: str) -> list[NamedTime]:
    found: list[NamedTime] = []
    points = _with_units(chain)
    for i, point in enumerate(points):
        if found and _is_range(chain[i - 1], chain[i], body) and found[-1].start_s <= point.start_s:
            first = found.pop()
            text = body[chain[i - 1].start() : chain[i].end()]
            point = NamedTime(text, first.start_s, point.end_s, max(first.slack_s, point.slack_s), first.at)
        found.append(point)
    return found


def _with_units(chain: list[re.Match]) -> list[NamedTime]:
    """The points up to the last that has a unit; each without one has that of the next with one. None, if one is
    too large for any clip.
    """
    points: list[NamedTime] = []
    scale_s = 0.0  # of one unit, 0 where there is none yet
    for point in reversed(chain):
        if not (point["clock1"] or point["unit1"] or point["hours1"] or point["minutes1"]):
            if not scale_s:
                continue
            time_s = seconds_in(point, 1) * scale_s
        else:
            time_s = seconds_in(point, 1)
            scale_s = unit_seconds(point["unit1"]) if point["unit1"] else 1.0
        points.append(NamedTime(point[0], time_s, time_s, _slack_s(point, scale_s), point.start()))
    return points[::-1] if all(isfinite(point.start_s) for point in points) else []


def _slack_s(point: re.Match, scale_s: float) -> float:
    decimals = DECIMALS.search(point["clock1"] or point["number1"])
    return scale_s * 10.0 ** -(len(decimals[1]) if decimals else 0)


def _is_range(a: re.Match, b: re.Match, body: str) -> bool:
    between = body[a.end() : b.start()]
    return bool(
        RANGE.fullmatch(between)
        or (between.strip() == "and" and BETWEEN.search(body[max(0, a.start() - 20) : a.start()]))
    )
