# SPDX-License-Identifier: Apache-2.0
"""Times in a model's words: "5s to 10s", "from 3.2 to 6.0 seconds", "00:03-00:06", "[5, 10]", "between 3 and 6 s".

Rather none than a wrong one: a number that is followed by a word of unknown meaning ("5 to 10 Minuten", "2 to 3
chairs"), cut off, or open to two readings ("1,200" is 1.2 or 1200) is not read at all.
"""

import re
from math import isfinite

SECONDS = {"ms": 0.001, "s": 1.0, "秒": 1.0, "m": 60.0, "分": 60.0, "h": 3600.0, "小": 3600.0}  # by how the name begins

HOUR = r"(?:hours?|hrs?|h)(?![a-z])|小时"
MINUTE = r"(?:minutes?|mins?|m)(?![a-z])|分钟?"
SECOND = r"(?:milliseconds?|msecs?|ms|seconds?|secs?|s)(?![a-z])|秒"

PLAIN = r"\d{1,15}(?:\.\d{1,30})?|\.\d{1,30}"
# A decimal comma, or commas between thousands where they cannot be decimal commas.
COMMA = r"\d{1,3}(?:,\d{3}){2,4}(?:\.\d{1,30})?|\d{1,3},\d{3}\.\d{1,30}|\d{1,15},(?:\d{1,2}|\d{4,30})(?!\d)|0,\d{3}"

LETTER = r"[a-z\u00c0-\u1fff\uac00-\ud7a3]"
# Words that may follow a number without a unit. Any other could be a unit, or what is counted.
CONNECTOR = (
    r"(?:to|until|till|bis|through|thru|and|or|in|of|on|at|is|it|the|this|that|where|when|while|which|with|as|because|for"
    r"|from|then|but|so|start|begin|end|stop|finish|not|inclusive)[a-z_]{0,6}\b"
)


def time_pattern(n: int, comma: bool = False) -> str:
    """The pattern of one point in time; the names of its groups end in ``n``. ``comma``: commas belong to numbers."""
    point = "[.,]" if comma else r"\."
    number = rf"[-+]?(?:{COMMA + '|' if comma else ''}{PLAIN})(?:e[-+]?\d{{1,3}})?(?!{point}?\d)"
    return (
        rf"(?:(?P<clock{n}>\d{{1,4}}:[0-5]\d(?::[0-5]\d)?(?:{point}\d{{1,6}})?)(?!{point}?\d)(?:\s?(?:{MINUTE}|{SECOND}))?"
        rf"|(?:(?P<hours{n}>\d{{1,4}})\s?(?:{HOUR}),?\s?(?:and\s)?(?=\d))?"
        rf"(?:(?P<minutes{n}>\d{{1,6}})\s?(?:{MINUTE}),?\s?(?:and\s)?(?=\d))?"
        rf"(?P<number{n}>{number})(?:\s?(?P<unit{n}>{SECOND}|{MINUTE}|{HOUR})|(?!\s?%|\s?(?!{CONNECTOR}){LETTER})))"
        r"(?![a-z0-9_:])"
    )


def compiled(text: str) -> re.Pattern:
    return re.compile(text, re.IGNORECASE | re.ASCII)


ALONE = r"(?<![a-z0-9_.:])(?<!\d,)"  # not in the middle of a word or of another number
TO = r"\s?(?:up to|to|until|till|bis|through|thru|-{1,3}|={1,2}|~|\.{2,3}|至|到|から)\s?"
TO += r"(?:about\s|around\s|approximately\s|t\s?=\s?|~)?"
START = r"(?<![a-z])(?:start|begin|from)[a-z_ ]{0,12}[:=]?\s?"
END = r"(?:(?<![a-z])(?:end|stop|finish)|\b(?:to|until)\b)[a-z_ ]{0,12}[:=]?\s?"
BETWEEN = r"[^0-9{}]{0,40}?"  # never over the rim of an object: that would join the start of one to the end of another

# Tried in this order; the first that is found anywhere in the answer decides. A decimal comma only where no comma
# separates.
RANGES = (
    compiled(ALONE + time_pattern(1, comma=True) + TO + time_pattern(2, comma=True)),
    # Not the last two of three: "5s, 7s and 9s".
    compiled(
        r"(?<![\dsnmh],\s)(?<![\dsnmh],)"
        + ALONE
        + time_pattern(1, comma=True)
        + r"\s(?:and|&)\s"
        + time_pattern(2, comma=True)
    ),
    compiled(START + time_pattern(1) + BETWEEN + END + time_pattern(2)),
    compiled(END + time_pattern(2) + BETWEEN + START + time_pattern(1)),
    compiled(rf"[\[(]\s?{time_pattern(1)}\s?[,;]\s?{time_pattern(2)}\s?,?\s?[\])]"),
    compiled(rf"\A{time_pattern(1)}\s?[,;]\s?{time_pattern(2)}\Z"),
)
SEEN = (
    r"(?:[a-z]{1,20}\s){1,6}(?:is|was|are)\s(?:best\s|clearly\s)?(?:seen|visible|shown|present)\s"  # not "first seen"
)
MOMENT = compiled(rf"\A(?:(?:{SEEN})?(?:at\s(?:about\s|around\s)?|around\s|about\s))?{time_pattern(1)}\.?\Z")
AMBIGUOUS = (
    # 5-10-15, 2026-05-10
    compiled(ALONE + time_pattern(1, comma=True) + TO + time_pattern(2, comma=True) + TO + r"[-+]?\d"),
    compiled(r"(?<![\d.:])\d{1,3}\s\d{3}(?!\d)(?=\s?(?:s|to|until|till|and|-|~|\]|\)|\Z))"),  # 1 200 s
)
MARKUP = str.maketrans("<>", "  ", "\"'*`\\$")
SETTLED = re.compile(r"\s?[\])};]|[,.]\s")  # after this, a number does not go on


def find_windows(body: str, closed: bool) -> list[tuple[float, float]]:
    """All (start, end) in an answer, in seconds, in the order they stand there, ends not yet swapped or clipped.

    Args:
        body: ``plain`` text.
        closed: False where the reply was cut off inside it: a number that may go on is then not trusted.
    """
    body = " ".join(body.translate(MARKUP).split())
    if any(pattern.search(body) for pattern in AMBIGUOUS):
        return []
    for pattern in RANGES:
        matches = [m for m in pattern.finditer(body) if closed or _whole(m, body)]
        windows = [(seconds_in(m, 1), seconds_in(m, 2)) for m in _surest(matches)]
        if windows := [w for w in windows if isfinite(w[0]) and isfinite(w[1])]:
            return windows
    moment = MOMENT.match(body) if closed else None  # cut off, "5s" may be the beginning of "5s to 10s"
    if moment and (moment["unit1"] or moment["clock1"]) and isfinite(seconds_in(moment, 1)):
        return [(seconds_in(moment, 1), seconds_in(moment, 1))]
    return []


def _whole(match: re.Match, body: str) -> bool:
    """Whether a cut-off reply cannot go on with other times: "10" may be 100, "10." 10.5 and "1 min" 1 min 30 s."""
    units = [match[n] for n in ("unit1", "unit2") if match[n] and match.end() == match.end(n)]
    return any(unit_seconds(unit) <= 1 for unit in units) or bool(SETTLED.match(body, match.end()))


def _surest(matches: list[re.Match]) -> list[re.Match]:
    """Those that name a unit, where any does: "frames 3 - 5, that is 1.2s - 2.0s"."""
    return [m for m in matches if m["unit2"] or m["clock2"] or m["unit1"]] or matches


def seconds_in(match: re.Match, n: int) -> float:
    """The time that a match of ``time_pattern(n)`` names, seconds; infinite where it is too large."""
    if clock := match[f"clock{n}"]:
        return sum(float(part.replace(",", ".")) * 60**i for i, part in enumerate(reversed(clock.split(":"))))
    number = _number(match[f"number{n}"])
    hours, minutes = match[f"hours{n}"], match[f"minutes{n}"]
    unit = match[f"unit{n}"]
    if hours and not minutes and not unit:
        unit = "m"  # "1h 30"
    if not unit and not hours and not minutes:
        unit = match.groupdict().get(f"unit{3 - n}")  # "5 to 10 minutes": the unit stands only once
    return float(hours or 0) * 3600 + float(minutes or 0) * 60 + number * unit_seconds(unit or "s")


def _number(text: str) -> float:
    thousands = text.count(",") > 1 or ("," in text and "." in text)
    return float(text.replace(",", "" if thousands else "."))


def unit_seconds(unit: str) -> float:
    unit = unit.lower()
    return SECONDS["ms" if unit.startswith(("ms", "milli")) else unit[0]]
