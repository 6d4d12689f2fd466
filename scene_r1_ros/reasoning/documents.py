# SPDX-License-Identifier: Apache-2.0
"""The JSON in a model's words, with the usual slips mended."""

import json
import re
from collections.abc import Iterator
from typing import Any

TRAILING_COMMA = re.compile(r",(?=\s?[}\]])")
SIDE_BY_SIDE = re.compile(r"([}\]])\s?[,;]?\s?(?:and\s)?(?=[{\[])")
WORDS = {"None": "null", "undefined": "null", "True": "true", "False": "false"}
PYTHON_WORD = re.compile(r"\b(?:" + "|".join(WORDS) + r")\b")


def documents(body: str) -> Iterator[Any]:
    """The JSON in an answer, as it stands or mended; nothing where neither can be read.

    Args:
        body: ``plain`` text.
    """
    start = min((i for i in (body.find("{"), body.find("[")) if i >= 0), default=0)
    if body[:start].rstrip().endswith(":"):
        return  # the value of a key that stands outside: the braces are missing
    text = body[start : max(body.rfind("}"), body.rfind("]")) + 1]
    for attempt in (text, *_mended(text)):
        try:
            yield json.loads(attempt)
            return
        except (ValueError, RecursionError):
            continue


def _mended(text: str) -> Iterator[str]:
    """Without trailing commas; with double quotes and JSON's words for Python's; several objects as one list."""
    for words in (text, PYTHON_WORD.sub(lambda word: WORDS[word[0]], text.replace("'", '"'))):
        tidy = TRAILING_COMMA.sub("", words)
        yield tidy
        yield "[" + SIDE_BY_SIDE.sub(r"\1,", tidy) + "]"
