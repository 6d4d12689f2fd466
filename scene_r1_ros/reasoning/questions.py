# SPDX-License-Identifier: Apache-2.0
"""Answers to questions: taken out of what models wrap them in, and held against the options or the count asked for."""

import json
import re

from scene_r1_ros.reasoning.denial import denies

MAX_WRAPS = 6

HOW_MANY = re.compile(r"\bhow many\b", re.IGNORECASE)
COUNT = re.compile(
    r"\d|[〇零一二两三四五六七八九十百]|\b(?:zero|no|none|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
    r"|(?:thir|four|fif|six|seven|eigh|nine)teen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand"
    r"|dozens?|couple|pair|single|once|twice)\b",
    re.IGNORECASE,
)
WRAPS = (
    re.compile(r"(?:`{3,9}|~{3,9})(?:[a-z]{1,12}(?=\s*\n)|json\b)?(.*?)(?:`{3,9}|~{3,9})", re.IGNORECASE | re.DOTALL),
    re.compile(r"\$?\\boxed\{(.*)\}\$?", re.DOTALL),
    re.compile(r"\\text\{([^{}]*)\}"),
    re.compile(
        r"[*_]{0,3}(?:the\s)?(?:(?:final|correct|right)\s)?answer[*_]{0,3}(?:\s?:|\sis\b:?)[*_]{0,3}(.*)",
        re.IGNORECASE | re.DOTALL,
    ),
)
PAIRS = ("**", "__", "*", "`", '"', "'")

MARKER = re.compile(r"(?:(?<=[\s,;:?])|\A)(?:\(([A-H])\)|([A-H])[).:](?=\s))\s?")
# A letter of its own; the article in "A red mug" is none.
LETTER = re.compile(
    r"(?<![\w'])(?:\(([A-Ha-h])\)|\b([B-H])(?![\w'])|\b(A)(?![\w']|\s(?!and\b|or\b|because\b|is\b)[a-z])"
    r"|\A([a-h])(?:[).:]|\Z))"
)


def unwrapped(answer: str) -> str:
    """The answer without fences, quotes, bold, ``\\boxed{}``, "Answer:" and ``{"answer": ...}`` around it."""
    for _ in range(MAX_WRAPS):
        before, answer = answer, _from_json(answer.strip())
        for wrap in WRAPS:
            if inside := wrap.fullmatch(answer):
                answer = inside[1].strip()
        for mark in PAIRS:
            if answer.startswith(mark) and answer.endswith(mark) and answer.count(mark) == 2:
                answer = answer[len(mark) : -len(mark)].strip()
        if answer == before:
            break
    return answer.strip("` \n\t")


def _from_json(answer: str) -> str:
    """The only value of a JSON object, or the one called answer; anything else as it is."""
    if not answer.startswith("{"):
        return answer
    try:
        value = json.loads(answer)
    except (ValueError, RecursionError):
        return answer
    said = value.get("answer", next(iter(value.values())) if len(value) == 1 else None)
    if isinstance(said, bool):
        return "yes" if said else "no"
    return str(said) if isinstance(said, (str, int, float)) else answer


def has_count(answer: str) -> bool:
    """Whether an answer says how many, in digits or words; none at all is zero. Takes ``plain`` text."""
    return bool(COUNT.search(answer)) or denies(answer)


def options_of(question: str) -> dict[str, str]:
    """The options of a multiple choice question by letter: "(A) red (B) blue", "A. red B. blue"; else empty."""
    markers = list(MARKER.finditer(question))
    letters = [marker[1] or marker[2] for marker in markers]
    if len(letters) < 2 or letters != list("ABCDEFGH"[: len(letters)]):
        return {}
    ends = [marker.start() for marker in markers[1:]] + [len(question)]
    texts = [question[m.end() : end].strip(" \n\t,;") for m, end in zip(markers, ends, strict=True)]
    return dict(zip(letters, texts, strict=True))


def chosen(answer: str, options: dict[str, str]) -> str:
    """The letter of the one option an answer names, by letter, by text, or by both alike; else empty."""
    letters = {next(filter(None, m.groups())).upper() for m in LETTER.finditer(answer)}
    named = _named(answer, options)
    if len(letters) == 1 and (not named or letters <= named):
        return next(iter(letters & options.keys()), "")
    return next(iter(named)) if not letters and len(named) == 1 else ""


def _named(answer: str, options: dict[str, str]) -> set[str]:
    """The options whose text stands in an answer, but for those that are only a part of another that does."""
    said = " ".join(re.findall(r"\w+", answer.casefold()))
    texts = {letter: " ".join(re.findall(r"\w+", text.casefold())) for letter, text in options.items()}
    found = {letter: f" {text} " for letter, text in texts.items() if text and f" {text} " in f" {said} "}
    return {letter for letter, text in found.items() if not any(text != o and text in o for o in found.values())}
