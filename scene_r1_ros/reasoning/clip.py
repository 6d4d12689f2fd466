# SPDX-License-Identifier: Apache-2.0
"""What the robot has seen, as a video: frames in order of time, with their times in seconds."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from scene_r1_ros.errors import BadInput, NoKeyframes
from scene_r1_ros.reasoning.coverage import Coverage
from scene_r1_ros.types import Frame, TimeWindow

# Times are shown to a model in hundredths of a second; a frame whose time it repeats belongs to its window.
TOLERANCE_S = 6e-3
BEHIND_S = 0.5  # a video goes on for a moment behind its last keyframe: a time there is no wrong one


@dataclass(frozen=True, eq=False)
class Clip:
    """Frames and their times. A part of a clip keeps the times of the whole."""

    frames: tuple[Frame, ...]  # in order of time, at least one
    times_s: tuple[float, ...]  # of each frame, seconds since the first frame of the whole clip

    @classmethod
    def of(cls, frames: Sequence[Frame]) -> "Clip":
        """The clip of some keyframes.

        Raises:
            NoKeyframes: there are none.
            BadInput: their stamps do not rise.
        """
        if not frames:
            raise NoKeyframes("no keyframe has been kept yet; show the robot the place first, then ask again")
        stamps_ns = [frame.stamp_ns for frame in frames]
        for before, after in pairwise(stamps_ns):
            if after <= before:
                raise BadInput(f"stamp {after} ns follows {before} ns; the frames of a clip must be in order of time")
        return cls(tuple(frames), tuple((stamp_ns - stamps_ns[0]) * 1e-9 for stamp_ns in stamps_ns))

    @property
    def end_s(self) -> float:
        """Time of the last frame; the duration of a whole clip."""
        return self.times_s[-1]

    def name(self, frame: Frame) -> str:
        """How texts for people name one of the frames, see ``named``."""
        return named(frame, self.times_s[self.frames.index(frame)])

    def inside(self, window: TimeWindow) -> list[int]:
        """Which frames lie inside the window, its rims included; the nearest one where it holds none."""
        gaps_s = [max(window.start_s - time_s, time_s - window.end_s) for time_s in self.times_s]
        inside = [i for i, gap_s in enumerate(gaps_s) if gap_s <= TOLERANCE_S]
        return inside or [gaps_s.index(min(gaps_s))]

    def within(self, window: TimeWindow) -> "Clip":
        """The frames ``inside`` the window."""
        return self.part(self.inside(window))

    @cached_property
    def coverage(self) -> Coverage:
        """What its frames see of the place."""
        return Coverage(self.frames)

    def thinned(self, count: int) -> "Clip":
        """At most ``count`` frames, an ``overview`` of the whole, the first and the last among them."""
        return self.part(self.coverage.overview(count))

    def part(self, indices: Sequence[int]) -> "Clip":
        """Some of the frames, in the order given."""
        return Clip(tuple(self.frames[i] for i in indices), tuple(self.times_s[i] for i in indices))


def named(frame: Frame, time_s: float) -> str:
    """How texts for people name a frame of a clip: by its time there, and by its id, unless that is a stamp again."""
    stamp = f"{frame.stamp_ns // 10**9}.{frame.stamp_ns % 10**9:09d}"
    is_stamp = "." in frame.frame_id and stamp.startswith(frame.frame_id)
    return f"the frame at {time_s:.2f} s" if is_stamp else f"frame {frame.frame_id} at {time_s:.2f} s"


def span(window: TimeWindow) -> str:
    """How texts for people name a window."""
    return f"{window.start_s:.2f} s to {window.end_s:.2f} s"
