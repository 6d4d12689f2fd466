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
LANGUAGE = r"(?:jsonc?|json5|python|py|text|txt|plaintext|yaml|xml|markdown|md)"
FENCE = re.compile(rf"(?:`{{3,9}}|~{{3,9}})(?:{LANGUAGE}\b)?", re.IGNORECASE)
# A comment as programs have it, after a value or a sign of JSON. In prose, "#2" and "//" stay.
COMMENT = re.compile(r"(?<=[\[\]{},\"'])[ \t]{0,9}(?://|#\s)[^\n]{0,300}(?=\n|\Z)|/\*[^*]{0,300}\*/")
BROKEN_TAG = re.compile(r"<\s{0,3}/?\s{0,3}[a-z]{0,8}\Z", re.IGNORECASE)
CLAUSE = re.compile(r"(?<=[.!?;])\s|,?\s(?:but|however|while|whereas|(?:and\s)?then|so)\s", re.IGNORECASE)
SPECIAL_TOKEN = re.compile(r"<\|\w{1,30}\|>")

# Quotes, dashes, arrows, brackets and stops as models write them. Full-width forms are shifted in ``_ascii``.
PUNCTUATION = {
    **dict.fromkeys(map(ord, "\u201c\u201d\u201e\u00ab\u00bb\u300c\u300d"), '"'),
    **dict.fromkeys(map(ord, "\u2018\u2019\u201a"), "'"),
    **dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2192\u301c\ufe63"), "-"),
    **dict.fromkeys(map(ord, "\u3001\u060c"), ","),
    ord("\u061b"): ";",
    ord("\u3002"): ".",
    ord("\u2026"): "...",
    ord("\u3010"): "[",
    ord("\u3011"): "]",
    ord("\u066c"): "",  # Arabic thousands separator
}


@dataclass(frozen=True)
class Said:
    """The part of a reply that answers."""

    answer: str
    tagged: bool  # it stood inside <answer>
    closed: bool  # False: the reply ends inside it


def answer_of(text: str) -> Said:
    """The last answer of a reply that holds anything; without the tag, all that follows the reasoning.

    The last one counts because a model that corrects itself does so by answering again. For the same reason words
    behind the end of the reasoning go before an answer inside of it.

    Raises:
        ParseFailed: too long, no answer, or cut off while thinking.
    """
    if len(text) > MAX_CHARACTERS:
        raise ParseFailed(f"the reply has {len(text)} characters; at most {MAX_CHARACTERS} are read", text)
    bare = SPECIAL_TOKEN.sub(" ", text)
    tags = list(TAG.finditer(bare))
    kinds = [_kind(tag) for tag in tags]
    after = max((tag.end() for tag in tags if _kind(tag) == "/think"), default=0)
    rest = TAG.sub(" ", bare[after:]).strip()
    if said := _last_tagged(bare, tags, after if rest else 0):
        return said
    if "think" in kinds and not {"/think", "answer"} & set(kinds):
        raise ParseFailed("the reply ends while still thinking; allow more tokens, or think shorter", text)
    if not rest or any(kind == "answer" and tag.start() >= after for kind, tag in zip(kinds, tags, strict=True)):
        raise ParseFailed("the reply holds no answer; expected <answer>...</answer> after the reasoning", text)
    return Said(rest, tagged=False, closed=True)


def _last_tagged(bare: str, tags: list[re.Match], after: int) -> Said | None:
    for i, tag in reversed(list(enumerate(tags))):
        if _kind(tag) != "answer" or tag.start() < after:
            continue
        whole = i + 1 < len(tags)
        body = bare[tag.end() : tags[i + 1].start() if whole else len(bare)].strip()
        kept = body if whole else BROKEN_TAG.sub("", body).strip()  # cut off inside </answer>
        if kept:
            return Said(kept, tagged=True, closed=whole or kept != body)
    return None


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
    """The same text with digits, signs and full-width forms of other scripts in ASCII, no fences, no comments, nothing
    invisible, single spaces."""
    if not text.isascii():
        text = "".join(map(_ascii, text)).translate(PUNCTUATION)
    return " ".join(COMMENT.sub(" ", FENCE.sub(" ", text)).split())


def clauses_of(text: str) -> list[str]:
    """The clauses of ``plain`` prose: what one says of a time need not hold for the next."""
    return CLAUSE.split(plain(text))


def _ascii(character: str) -> str:
    if "\uff01" <= character <= "\uff5e":  # full-width forms
        return chr(ord(character) - 0xFEE0)
    if unicodedata.category(character) == "Cf":  # direction marks, zero-width characters
        return ""
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    return "." if character == "\u066b" else character  # Arabic decimal separator


def excerpt(body: str) -> str:
    """The beginning of an answer, quoted for an error message."""
    return repr(body if len(body) <= 80 else body[:77] + "...")
