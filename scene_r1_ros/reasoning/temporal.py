# SPDX-License-Identifier: Apache-2.0
"""Temporal grounding: in which part of the video is the object seen?

A clip of more keyframes than a model takes is looked at coarse to fine: first frames spread over all of it, then frames
spread over the stretch that the model chose, and so on. A model that does not see the object is shown others of the
frames that were left out. Calls and frames grow with the logarithm of the number of keyframes.
"""

import logging
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise
from math import log2

from scene_r1_ros.errors import ParseFailed
from scene_r1_ros.reasoning.asking import ask
from scene_r1_ros.reasoning.clip import TOLERANCE_S, Clip, span
from scene_r1_ros.reasoning.parse import parse_window, reasoning_of
from scene_r1_ros.reasoning.protocol import Model, Reply, Request
from scene_r1_ros.reasoning.several import names_several
from scene_r1_ros.reasoning.spread import spread
from scene_r1_ros.run import Run
from scene_r1_ros.text import counted
from scene_r1_ros.types import TimeWindow

MAX_WINDOWS = 8  # of one reply
SHRINK = 2  # a closer look is worth its time at a stretch this many times shorter than that of the look before

log = logging.getLogger(__name__)

Windows = tuple[TimeWindow, ...]


def ground_in_time(model: Model, query: str, clip: Clip, run: Run) -> Windows:
    """The windows of ``clip`` that show what ``query`` names, best first; empty = the model says not present, in all
    frames that it was shown.

    Leaves a step of the rationale per look and window, in the stage of ``run`` that the caller has entered. Where
    keyframes were left out, the steps say how many were shown.

    Raises:
        ParseFailed: the model's words could not be read, twice.
        ModelFailed: it could not run.
        Canceled, DeadlineExceeded: the query should stop.
    """
    search = Search(model, query, clip, run)
    windows = finer = search.anywhere()
    stretch: Sequence[int] = range(len(clip.frames))
    while finer:
        windows, closer = finer, search.around(finer)
        if len(closer) * SHRINK > len(stretch) or search.shown.issuperset(closer):
            break
        finer, stretch = search.closer(windows, closer), closer
    return windows


class Search:
    """Looks at a clip, a few frames at a time, and what was shown so far: ``shown``, numbers of keyframes."""

    def __init__(self, model: Model, query: str, clip: Clip, run: Run):
        self.model, self.query, self.clip, self.run = model, query, clip, run
        self.budget = model.spec.max_frames
        self.shown: set[int] = set()

    def anywhere(self) -> Windows:
        """A look at frames of the whole clip; where they do not show the object, some more at others between them."""
        n = len(self.clip.frames)
        windows = self._look(self.clip.coverage.overview(self.budget), range(n))
        for _ in range(1 + int(log2(max(n / self.budget, 1)))):
            if windows or len(self.shown) == n:
                break
            windows = self._look(self.clip.coverage.further(self.shown, self.budget), range(n))
        return windows

    def around(self, windows: Windows) -> list[int]:
        """The keyframes of some windows, each up to the nearest frames that were shown, but lie outside of it."""
        known, numbers = sorted(self.shown), set[int]()
        for window in windows:
            inside = self.clip.inside(window)
            before, after = bisect_left(known, inside[0]) - 1, bisect_right(known, inside[-1])
            first = known[before] if before >= 0 else 0
            last = known[after] if after < len(known) else len(self.clip.frames) - 1
            numbers.update(range(first, last + 1))
        return sorted(numbers)

    def closer(self, windows: Windows, stretch: Sequence[int]) -> Windows:
        """The windows after another look, at frames of ``stretch`` alone; empty where it does not confirm them."""
        chosen = {i for window in windows for i in self.clip.inside(window)}
        known = sorted(chosen & self.shown)  # what made the model choose them; shown again, it can compare
        kept = [known[i] for i in spread(len(known), self.budget // 2)]
        fresh = [stretch[i] for i in spread(len(stretch), self.budget - len(kept))]
        try:
            found = self._look(sorted({*kept, *fresh}), stretch)
        except ParseFailed as error:
            log.warning("the reply to a closer look: %s", error)
            self.run.note(f"The reply to a closer look could not be read; the window before it stays. {error}")
            return ()
        if not found:
            self.run.note("The closer look does not confirm the window before it, which stays.")
            return ()
        left_out = self._left_out(windows, found, stretch) if names_several(self.query) else ()
        for window in left_out:
            kept_text = f"The closer look names nothing near the window from {span(window)}, which stays."
            self.run.note(kept_text, frames=self.clip.within(window).frames, window=window)
        return (*found, *left_out)[:MAX_WINDOWS]

    def _left_out(self, windows: Windows, found: Windows, stretch: Sequence[int]) -> Windows:
        """Of the windows before a closer look, those in whose piece of the stretch it found nothing."""
        bare = [piece for piece in self._pieces(stretch) if not any(common(window, piece) for window in found)]
        return tuple(window for window in windows if any(common(window, piece) for piece in bare))

    def _look(self, numbers: Sequence[int], stretch: Sequence[int]) -> Windows:
        """One request: keyframes of a stretch."""
        part = self.clip.part(numbers)
        request = Request("temporal", self.query, part.frames, part.times_s)
        pieces = self._pieces(stretch)
        named, reply = ask(self.model, request, self.run, lambda reply: read(reply, pieces))
        self.shown.update(numbers)
        is_part = len(stretch) < len(self.clip.frames)
        looked = f"Looked closer, from {' and from '.join(map(span, pieces))}." if is_part else ""
        self._note(named, looked, reasoning_of(reply.text), part)
        return named[:MAX_WINDOWS]

    def _pieces(self, stretch: Sequence[int]) -> list[TimeWindow]:
        """A stretch of keyframes as the times of those that follow each other, without the gaps between these."""
        ends = [k for k in range(1, len(stretch)) if stretch[k] > stretch[k - 1] + 1]
        times_s = self.clip.times_s
        return [
            TimeWindow(times_s[stretch[first]], times_s[stretch[end - 1]])
            for first, end in pairwise([0, *ends, len(stretch)])
        ]

    def _note(self, named: Windows, looked: str, reasoning: str, part: Clip) -> None:
        n, note = len(self.clip.frames), self.run.note
        left_out = len(part.frames) < n
        extent = f"Shown {len(self.shown)} of {n} keyframes." if left_out else ""
        if not named:
            absent = "Not present in these frames." if left_out else "Not present in the video."
            note(joined(looked, absent, reasoning, extent), frames=part.frames)
        for i, window in enumerate(named[:MAX_WINDOWS]):
            seen = f"Seen from {span(window)}."
            text = seen if i else joined(looked, reasoning, seen, extent)
            note(text, frames=part.within(window).frames, window=window)
        if len(named) > MAX_WINDOWS:
            note(f"{len(named) - MAX_WINDOWS} more windows were ignored; at most {MAX_WINDOWS} are used.")


def read(reply: Reply, pieces: Sequence[TimeWindow]) -> Windows:
    """The windows that a reply names, cut to the pieces of the clip of which frames were shown.

    Raises:
        ParseFailed: it cannot be read, or all windows lie outside these pieces.
    """
    named = parse_window(reply.text, pieces[-1].end_s, pieces[0].start_s)
    parts = [common(window, piece) for window in named for piece in pieces]
    if named and not any(parts):
        raise ParseFailed(
            f"the window {named[-1].start_s:g}s to {named[-1].end_s:g}s lies where no frame was shown; they are from "
            f"{' and from '.join(map(span, pieces))}",
            reply.text,
        )
    return tuple(dict.fromkeys(part for part in parts if part))


def common(one: TimeWindow, other: TimeWindow) -> TimeWindow | None:
    """What lies in both windows, if anything does."""
    start_s, end_s = max(one.start_s, other.start_s), min(one.end_s, other.end_s)
    return TimeWindow(*sorted((start_s, end_s))) if start_s <= end_s + TOLERANCE_S else None


def joined(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


def searched(run: Run, clip: Clip) -> str:
    """For people: how much of a clip the model was shown, all of which it says does not show the object."""
    shown = {id(frame) for step in run.rationale if step.stage == "temporal" for frame in step.frames}
    if len(shown) >= len(clip.frames):
        return "the model says that it is not in the video"
    return f"the model was shown {counted(len(shown), 'keyframe')} of these and says that it is in none of them"
