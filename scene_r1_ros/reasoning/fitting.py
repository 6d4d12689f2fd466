# SPDX-License-Identifier: Apache-2.0
"""Answers held against what was asked: taken out of what models wrap them in, and put into the form a robot can use."""

import json
import re

from scene_r1_ros.answer import AnswerKind
from scene_r1_ros.reasoning.counts import UNCLEAR, count_in
from scene_r1_ros.reasoning.denial import denies
from scene_r1_ros.reasoning.questions import asks_if_there_is, options_of
from scene_r1_ros.reasoning.sections import excerpt, plain

MAX_WRAPS = 6

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

# A yes or no that the answer begins with. "No mug", "no doubt", "correct size", "yes and no" and "yes or no" are none.
YES_NO = re.compile(
    r"\W{0,9}(?:(?P<yes>yes\b|yeah\b|yep\b|(?:true|correct)(?=\W{0,3}\Z|[,.;:!]))"
    r"|(?P<no>no(?=\W{0,3}\Z|\s?[^\w\s]|\s(?:it|there|they|the|that|this|these|those|i|he|she|you|we|not|as|since|because)\b)"
    r"|nope\b|(?:false|incorrect)(?=\W{0,3}\Z|[,.;:!])))"
    r"(?!\W{0,3}(?:and|or|/)\W{0,3}(?:yes|no)\b|/)[\s,.:;!*_-]{0,9}(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)

# One clause that denies and nothing else: "No mug is visible."
NOT_THERE = re.compile(
    r"\W{0,3}(?:no|none|not|nothing|there(?: is|'s| are) no)\b"
    r"(?:(?!\b(?:but|except|only|other|without)\b)[^,;.]){0,80}\W{0,3}",
    re.IGNORECASE,
)
NEGATION = re.compile(r"\b(?:not|no|neither|nor|never|none|nothing|cannot|t|wrong|false|incorrect|except)\b")  # "isn t"
CLAUSE_END = re.compile(r"[,;\n]|[.!](?:\s|\Z)|\s(?:because|as|since|-)\s")

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


def fitted(answer: str, question: str, kind: AnswerKind) -> str:
    """An ``unwrapped`` answer in the form that suits its question: "3", "yes, two of them", "B. blue"; one to a free
    question as it is.

    Raises:
        ValueError: it does not fit the question, with what was expected.
    """
    if kind == "choice":
        return _option(answer, options_of(question))
    if kind == "count":
        if count := count_in(answer):
            return count
        raise ValueError(
            f"no number, or more than one, in {excerpt(answer)}; the question asks how many: expected, e.g., 3"
        )
    return _yes_or_no(answer, question) if kind == "yes_no" else answer


def _yes_or_no(answer: str, question: str) -> str:
    said = YES_NO.fullmatch(answer)
    if said is None and asks_if_there_is(question) and _none_there(plain(answer)):
        return f"no, {answer}"
    if said is None:
        raise ValueError(f"{excerpt(answer)} does not begin with yes or no; begin with one of them")
    word, rest = "yes" if said["yes"] else "no", said["rest"].strip()
    return f"{word}, {rest}" if re.search(r"\w", rest) else word


def _none_there(answer: str) -> bool:
    return bool(NOT_THERE.fullmatch(answer)) and denies(answer) and not UNCLEAR.search(answer)


def _option(answer: str, options: dict[str, str]) -> str:
    if letter := chosen(answer, options):
        return f"{letter}. {options[letter]}"
    raise ValueError(f"{excerpt(answer)} does not name one of the options {', '.join(options)}; name one")


def chosen(answer: str, options: dict[str, str]) -> str:
    """The letter of the one option an answer names and does not deny, by letter, by text, or by both alike; else
    empty.
    """
    letter = _letter(answer, options)
    return letter if letter and not _denied(answer, letter, options[letter]) else ""


def _denied(answer: str, letter: str, text: str) -> bool:
    """Whether it holds a "not" or its like outside of the option, unless it begins with the option and no more: "(B)
    red, not blue".
    """
    option, said, first = (_words(part) for part in (text, answer, CLAUSE_END.split(answer, maxsplit=1)[0]))
    denied = NEGATION.search(f" {said} ".replace(f" {option} ", " "))
    return bool(denied) and first not in {letter.lower(), option, f"{letter.lower()} {option}"} - {""}


def _letter(answer: str, options: dict[str, str]) -> str:
    letters = {next(filter(None, m.groups())).upper() for m in LETTER.finditer(answer)}
    named = _named(answer, options)
    if len(letters) == 1 and (not named or letters <= named):
        return next(iter(letters & options.keys()), "")
    return next(iter(named)) if not letters and len(named) == 1 else ""


def _named(answer: str, options: dict[str, str]) -> set[str]:
    """The options whose text stands in an answer, but for those that are only a part of another that does."""
    said = _words(answer)
    texts = {letter: _words(text) for letter, text in options.items()}
    found = {letter: f" {text} " for letter, text in texts.items() if text and f" {text} " in f" {said} "}
    return {letter for letter, text in found.items() if not any(text != o and text in o for o in found.values())}


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))
