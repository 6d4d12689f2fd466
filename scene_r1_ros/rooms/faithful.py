# SPDX-License-Identifier: Apache-2.0
"""Whether a rationale is true of what it was given about: each place and time in it is held against the frames.

It reads the small grammar of ``rooms.reasoning_text``: a thing with an article before it, and behind it its places,
"(34, 56)", or times, "4.5s". Truth are the boxes with names of each frame, as in samples of the task "objects".
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from scene_r1_ros.learning.sample import NamedBox
from scene_r1_ros.reasoning.nouns import COLORS, singular

# A piece is a place, a time, a word or a mark; numbers are bounded, since text of models is hostile.
PIECE = re.compile(
    r"\((?P<x>\d{1,5}), ?(?P<y>\d{1,5})\)|(?P<time>\d{1,6}(?:\.\d{1,3})?)s\b|(?P<word>[a-z]{1,30})|[.:;?!]"
)
ARTICLES = frozenset(("the", "a", "an", "no", "one"))
# Words that end the name of a thing.
ENDS = (
    *("is", "are", "was", "were", "be", "can", "has", "have", "seen", "stays", "begins", "comes", "called"),
    *("at", "and", "or", "of", "on", "in", "to", "from", "under", "next", "left", "right", "between", "with", "for"),
    *("nearest", "farthest", "best", "first", "last", "that", "which", "here", "but", "only", "not", "than"),
    *("so", "it"),
)
MAX_NAME_WORDS = 5


@dataclass(frozen=True)
class Shown:
    """One frame and everything nameable in it."""

    time_s: float
    boxes: tuple[NamedBox, ...]


@dataclass(frozen=True)
class Statement:
    """That a thing is at a place, in view at a time, or (neither) nowhere in view."""

    label: frozenset[str]  # the words of its name
    place_xy: tuple[int, int] | None = None
    time_s: float | None = None

    def holds(self, frames: Sequence[Shown]) -> bool:
        if self.time_s is not None:
            return any(abs(frame.time_s - self.time_s) < 0.051 and self._in(frame) for frame in frames)
        if self.place_xy is not None:
            return any(self._in(frame) for frame in frames)
        return not any(self._in(frame) for frame in frames)

    def _in(self, frame: Shown) -> bool:
        return any(self._fits(named) for named in frame.boxes)

    def _fits(self, named: NamedBox) -> bool:
        words = frozenset(map(singular, named.label.lower().split()))
        if not self.label or not (self.label <= words) or not (self.label - COLORS):
            return False
        if self.place_xy is None:
            return True
        (x, y), box = self.place_xy, named.box
        return box.x1 <= x < box.x2 and box.y1 <= y < box.y2


def statements(text: str) -> list[Statement]:
    """What a rationale says that can be held against the frames.

    >>> statements("The red mug is at (34, 56).")[0].place_xy
    (34, 56)
    """
    found: list[Statement] = []
    name: list[str] | None = None  # of the thing that places and times belong to
    open_name = denied = False
    for piece in PIECE.finditer(text.lower()):
        word = piece["word"]
        if piece["x"]:
            found.append(Statement(frozenset(name or ()), place_xy=(int(piece["x"]), int(piece["y"]))))
        elif piece["time"]:
            found.append(Statement(frozenset(name or ()), time_s=float(piece["time"])))
        elif word in ARTICLES:
            name, open_name, denied = [], True, word == "no"
            continue
        elif word and open_name and word not in ENDS and name is not None and len(name) < MAX_NAME_WORDS:
            name.append(singular(word))
            continue
        if open_name and denied and name:
            found.append(Statement(frozenset(name)))
        open_name = denied = False
        if piece[0] in ".:;?!":
            name = None
    if open_name and denied and name:
        found.append(Statement(frozenset(name)))
    return found


def faithful_share(text: str, frames: Sequence[Shown]) -> float | None:
    """The share of a rationale's statements that hold, 0 to 1; None where it states nothing that can be checked.

    Args:
        text: the rationale, places in pixels of the very frames and times as of ``frames``.
        frames: what was shown, in any order; one for a question about an image.
    """
    said = statements(text)
    return sum(statement.holds(frames) for statement in said) / len(said) if said else None
