# SPDX-License-Identifier: Apache-2.0
"""What every reader offers: frames in order of time, decoded when asked for, and an account of what was skipped."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.errors import BadInput
from scene_r1_ros.types import Frame

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Entry:
    """What is known of a frame before its pixels are decoded."""

    frame_id: str  # unique in its sequence
    stamp_ns: int  # of the colour image
    depth_stamp_ns: int  # of the depth image that belongs to it


class Sequence(ABC):
    """A recorded RGB-D walk. Iterating decodes one frame at a time, skips those that cannot be used and says so."""

    kind: str  # "folder", "tum" or "bag"

    def __init__(self, name: str):
        self.name = name
        self.problems: list[str] = []  # what was skipped and why, as it is found
        self._reported: set[str] = set()
        self._tally: dict[str, tuple[int, str]] = {}  # what -> how many, the first reason
        self.entries: tuple[Entry, ...] = ()  # in order of time
        self._by_id: dict[str, Entry] = {}

    @abstractmethod
    def pose(self, frame_id: str) -> NDArray[np.float64]:
        """``T_world_camera`` (4, 4) of a frame, without decoding its pixels.

        Raises:
            BadInput: no such frame, or its pose is missing or not rigid.
        """

    @abstractmethod
    def read(self, entry: Entry) -> Frame:
        """Decode one frame.

        Raises:
            BadInput: it cannot be read or breaks a rule of ``Frame``.
        """

    @abstractmethod
    def encodings(self) -> tuple[str, str]:
        """How colour and depth are stored, for people to read."""

    def frame(self, frame_id: str) -> Frame:
        """The frame of this id, decoded.

        Raises:
            BadInput: no such frame, or it cannot be used.
        """
        return self.read(self.entry(frame_id))

    def entry(self, frame_id: str) -> Entry:
        if frame_id in self._by_id:
            return self._by_id[frame_id]
        known = f"{self.entries[0].frame_id} to {self.entries[-1].frame_id}" if self.entries else "none"
        raise BadInput(f"{self.name} has no usable frame {frame_id!r}; it has {len(self)} frames: {known}")

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Frame]:
        count = 0
        for frame_id, load in self.loaders():
            try:
                frame = load()
            except BadInput as error:
                self.report(f"frame {frame_id} skipped: {error}")
                continue
            count += 1
            yield frame
        if count == 0:
            raise self.nothing_usable()

    def loaders(self) -> Iterator[tuple[str, Callable[[], Frame]]]:
        """The frames in order of time, each with what decodes it. A reader that can stream overrides this."""
        for entry in self.entries:
            yield entry.frame_id, partial(self.read, entry)

    def report(self, problem: str) -> None:
        """Note a problem once, however often the sequence is read."""
        if problem not in self._reported:
            self._reported.add(problem)
            log.warning("%s: %s", self.name, problem)
            self.problems.append(problem)

    def tally(self, what: str, reason: str) -> None:
        """Count a problem that may come thousands of times; ``report_tally`` says it once, with the first reason."""
        count, first = self._tally.get(what, (0, reason))
        self._tally[what] = count + 1, first

    def report_tally(self) -> None:
        for what, (count, first) in self._tally.items():
            self.report(f"skipped {what}: {count}; the first: {first}")
        self._tally.clear()

    def nothing_usable(self) -> BadInput:
        reasons = "; ".join(self.problems[:3]) or "it holds no images"
        return BadInput(f"{self.name} has no usable frame: {reasons}")

    def set_entries(self, entries: list[Entry]) -> None:
        """Keep the entries in order of time, one per stamp.

        Raises:
            BadInput: there are none.
        """
        kept: list[Entry] = []
        for entry in sorted(entries, key=lambda e: e.stamp_ns):
            if kept and entry.stamp_ns == kept[-1].stamp_ns:
                self.tally("frames", f"{entry.frame_id} repeats stamp {entry.stamp_ns} ns of the one before")
            else:
                kept.append(entry)
        self.report_tally()
        self.entries = tuple(kept)
        self._by_id = {entry.frame_id: entry for entry in kept}
        if not kept:
            raise self.nothing_usable()
