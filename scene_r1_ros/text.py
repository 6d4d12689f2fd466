# SPDX-License-Identifier: Apache-2.0
"""Texts of users, models and files, made fit for messages, files and terminals."""

import re
from typing import Any

MAX_TEXT = 10_000  # characters of a rationale or an answer
MAX_LABEL = 200  # characters of the name of an object
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")  # NUL ends a ROS string, ESC commands a terminal


def clean_text(text: str, limit: int = MAX_TEXT) -> str:
    """``text`` that UTF-8 can encode and no terminal obeys, at most ``limit`` characters.

    Halves of a surrogate pair, as JSON escapes give them, are joined; a lone one and every control character but
    tabs and line ends becomes U+FFFD.
    """
    if not text.isprintable():
        joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        text = CONTROLS.sub("\ufffd", joined)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def clean_fields(made: Any, **limits: int) -> None:
    """Make texts of a frozen dataclass encodable and at most so many characters long: they go to files and messages."""
    for name, limit in limits.items():
        object.__setattr__(made, name, clean_text(getattr(made, name), limit))


def counted(count: int, noun: str) -> str:
    """``1 view``, ``2 views``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
