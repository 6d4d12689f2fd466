# SPDX-License-Identifier: Apache-2.0
"""Where in a model's reply the reasoning ends and the answer begins, also when it forgot half of the tags.

Every regular expression that meets a model's text has bounded repetitions only, so that no text makes it slow.
"""

import re
import unicodedata
from dataclasses import dataclass

from scene_r1_ros.errors import ParseFailed
from scene_r1_ros.text import clean_text

MAX_CHARACTERS = 100_000

TAG = re.compile(r"<\s{0,3}(?P<close>/?)\s{0,3}(?P<name>think|answer)(?:ing)?\s{0,3}>", re.IGNORECASE)
FENCE = re.compile(r"```(?:json)?")
SPECIAL_TOKEN = re.compile(r"<\|\w{1,30}\|>")

# Ways to say that it is not there. "not sure whether it is visible" and "no doubt it is visible" must not match.
IN_IT = (
    r"in (?:the |this |these |any |either )?(?:of )?(?:the )?(?:video|clip|frames?|images?|pictures?|scene|room|view)"
)
SEEN = (
    r"(?:present|visible|found|find|seen|see|shown|there|appear(?:s|ing)?|detected?|exist(?:s|ing)?|located?"
    rf"|{IN_IT})\b"
)
ABSENT = re.compile(
    rf"(?:\bnot|n't|\bcannot|\bnever|\bunable)(?:\s(?:be|been|to|seem|appear|able|actually|currently)){{0,3}}\s{SEEN}"
    rf"|\bno\s(?!doubt|question|problem)[\w-]{{1,30}}(?:\s[\w-]{{1,30}}){{0,3}}?\s(?:is|are)\s{SEEN}"
    r"|\bno such\b|\bthere (?:is|are) no\b(?! doubt| question| problem| need| way)|(?<!not )\babsent\b|\bnowhere\b"
    r"|\bdoes(?: not|n't) contain\b|不存在|未出现|没有出现|不在",
    re.IGNORECASE,
)
ABSENT_WORD = re.compile(r"\W{0,9}(?:none|null|nothing|no|n/?a|absent)\W{0,9}", re.IGNORECASE)
ABSENT_FIRST = re.compile(r"\W{0,9}not present\b", re.IGNORECASE)

# Quotes, dashes, arrows and the ideographic comma as models write them. Full-width forms are shifted in ``_ascii``.
PUNCTUATION = {
    **dict.fromkeys(map(ord, "\u201c\u201d\u201e\u00ab\u00bb"), '"'),
    **dict.fromkeys(map(ord, "\u2018\u2019\u201a"), "'"),
    **dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2192\u301c"), "-"),
    ord("\u3001"): ",",
}


@dataclass(frozen=True)
class Said:
    """The part of a reply that answers."""

    answer: str
    tagged: bool  # it stood inside <answer>
    closed: bool  # False: the reply ends inside it


def answer_of(text: str) -> Said:
    """The last answer of a reply that holds anything; without the tag, all that follows the reasoning.

    Raises:
        ParseFailed: too long, no answer, or cut off while thinking.
    """
    if len(text) > MAX_CHARACTERS:
        raise ParseFailed(f"the reply has {len(text)} characters; at most {MAX_CHARACTERS} are read", text)
    bare = SPECIAL_TOKEN.sub(" ", text)
    tags = list(TAG.finditer(bare))
    starts = [i for i, tag in enumerate(tags) if _kind(tag) == "answer"]
    for i in reversed(starts):
        end = tags[i + 1].start() if i + 1 < len(tags) else len(bare)
        if body := bare[tags[i].end() : end].strip():
            return Said(body, tagged=True, closed=i + 1 < len(tags))
    kinds = [_kind(tag) for tag in tags]
    if "think" in kinds and not {"/think", "answer"} & set(kinds):
        raise ParseFailed("the reply ends while still thinking; allow more tokens, or think shorter", text)
    after = max((tag.end() for tag in tags if _kind(tag) == "/think"), default=0)
    rest = TAG.sub(" ", bare[after:]).strip()
    if starts or not rest:
        raise ParseFailed("the reply holds no answer; expected <answer>...</answer> after the reasoning", text)
    return Said(rest, tagged=False, closed=True)


def _kind(tag: re.Match) -> str:
    return tag["close"] + tag["name"].lower()


def reasoning_of(text: str) -> str:
    """What the model thought before it answered; empty where it did not say."""
    text = SPECIAL_TOKEN.sub(" ", text[:MAX_CHARACTERS])
    tags = list(TAG.finditer(text))
    opening = next((tag for tag in tags if _kind(tag) == "think"), None)
    start = opening.end() if opening else 0  # some templates write <think> themselves: the reply then begins inside
    after = [tag for tag in tags if tag.start() >= start]
    closing = next((tag for tag in after if _kind(tag) in ("/think", "answer")), None)
    if closing:
        return clean_text(text[start : closing.start()].strip())
    return clean_text(text[start:].strip()) if opening else ""


def plain(text: str) -> str:
    """The same text with digits, signs and full-width forms of other scripts in ASCII, no fences, single spaces."""
    if not text.isascii():
        text = "".join(map(_ascii, text)).translate(PUNCTUATION)
    return " ".join(FENCE.sub(" ", text).split())


def _ascii(character: str) -> str:
    if "\uff01" <= character <= "\uff5e":  # full-width forms
        return chr(ord(character) - 0xFEE0)
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    return "." if character == "\u066b" else character  # Arabic decimal separator


def denies_first(body: str) -> bool:
    """Whether an answer is, or begins with, the agreed words for 'not there'. Takes ``plain`` text."""
    return body in ("[]", "{}", "[[]]") or bool(ABSENT_FIRST.match(body) or ABSENT_WORD.fullmatch(body))


def denies(body: str) -> bool:
    """Whether an answer says in any known wording that the object is not there. Takes ``plain`` text."""
    return denies_first(body) or bool(ABSENT.search(body))


def excerpt(body: str) -> str:
    """The beginning of an answer, quoted for an error message."""
    return repr(body if len(body) <= 80 else body[:77] + "...")
