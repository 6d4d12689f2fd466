# SPDX-License-Identifier: Apache-2.0
"""Times in a model's words: "5s to 10s", "from 3.2 to 6.0 seconds", "00:03-00:06", "[5, 10]", "between 3 and 6 s"."""

import re
from math import isfinite

SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0}  # per unit, by how its name begins


def _time(n: int, decimal: str = ".") -> str:
    """The pattern of one point in time; the names of its groups end in ``n``."""
    number = rf"[-+]?(?:\d{{1,12}}(?:[{decimal}]\d{{1,12}})?|\.\d{{1,12}})(?:e[-+]?\d{{1,3}})?(?!\d)"
    unit = r"(?:milliseconds?|msecs?|ms|seconds?|secs?|s|minutes?|mins?|m)(?![a-z])|秒|分"
    return (
        rf"(?:(?P<clock{n}>\d{{1,3}}:\d\d(?::\d\d)?(?:\.\d{{1,6}})?)"
        rf"|(?:(?P<minutes{n}>\d{{1,6}})\s?(?:minutes?|mins?|m|分)\s?(?:and\s)?)?(?P<number{n}>{number}))"
        rf"(?:\s?(?P<unit{n}>{unit}))?(?![a-z0-9_:])(?!\s(?:hours?|frames?)\b)"
    )


def _pattern(text: str) -> re.Pattern:
    return re.compile(text, re.IGNORECASE | re.ASCII)


ALONE = r"(?<![a-z0-9_.:])(?<!\d,)"  # not in the middle of a word or of another number
TO = r"\s?(?:to|until|till|through|-{1,3}|~|至|到)\s?(?:about\s|around\s|approximately\s)?"

# Tried in this order; the first that is found anywhere in the answer decides. A decimal comma only where no comma
# separates.
RANGES = (
    _pattern(ALONE + _time(1, ".,") + TO + _time(2, ".,")),
    _pattern(ALONE + _time(1, ".,") + r"\s(?:and|&)\s" + _time(2, ".,")),
    _pattern(
        rf"(?:start|begin|from)[a-z_ ]{{0,12}}[:=]?\s?{_time(1)}[^0-9]{{0,40}}?"
        rf"(?:end|to|until)[a-z_ ]{{0,12}}[:=]?\s?{_time(2)}"
    ),
    _pattern(rf"[\[(]\s?{_time(1)}\s?[,;]\s?{_time(2)}\s?[\])]"),
    _pattern(rf"\A{_time(1)}\s?[,;]\s?{_time(2)}\Z"),
)
MOMENT = _pattern(rf"\A(?:at\s|around\s|about\s)?{_time(1)}\.?\Z")
MARKUP = str.maketrans("", "", "\"'<>*`\\")


def find_windows(body: str, closed: bool) -> list[tuple[float, float]]:
    """All (start, end) in an answer, in seconds, in the order they stand there, ends not yet swapped or clipped.

    Args:
        body: ``plain`` text.
        closed: False where the reply was cut off inside it: a number at its very end is then not trusted.
    """
    body = body.translate(MARKUP).strip()
    for pattern in RANGES:
        matches = [m for m in pattern.finditer(body) if closed or m.end() < len(body) or not body[-1].isdigit()]
        windows = [(_seconds(m, 1), _seconds(m, 2)) for m in _surest(matches)]
        if windows := [w for w in windows if isfinite(w[0]) and isfinite(w[1])]:
            return windows
    moment = MOMENT.match(body) if closed else None  # cut off, "5s" may be the beginning of "5s to 10s"
    if moment and (moment["unit1"] or moment["clock1"]) and isfinite(_seconds(moment, 1)):
        return [(_seconds(moment, 1), _seconds(moment, 1))]
    return []


def _surest(matches: list[re.Match]) -> list[re.Match]:
    """Those that name a unit, where any does: "frames 3 - 5, that is 1.2s - 2.0s"."""
    return [m for m in matches if m["unit2"] or m["clock2"]] or matches


def _seconds(match: re.Match, n: int) -> float:
    if clock := match[f"clock{n}"]:
        return sum(float(part) * 60**i for i, part in enumerate(reversed(clock.split(":"))))
    number = float(match[f"number{n}"].replace(",", "."))
    if minutes := match[f"minutes{n}"]:
        return float(minutes) * 60 + number
    # "5 to 10 minutes": the unit stands only once
    unit = match[f"unit{n}"] or (n == 1 and "unit2" in match.re.groupindex and match["unit2"]) or "s"
    return number * _unit_seconds(unit.lower())


def _unit_seconds(unit: str) -> float:
    if unit in ("分", "秒"):
        return 60.0 if unit == "分" else 1.0
    return SECONDS["ms" if unit.startswith(("ms", "milli")) else unit[0]]
