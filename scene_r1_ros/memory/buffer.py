# SPDX-License-Identifier: Apache-2.0
"""The robot's video memory: a bounded, rolling buffer of keyframes.

A frame becomes a keyframe when the view has changed enough, by pose or by time. It then waits a moment for a sharper
view of the same place, so that no blurred frame is kept when a sharp one is near.
"""

import logging
import threading
from collections import Counter, deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.config import BufferConfig
from scene_r1_ros.errors import BadInput
from scene_r1_ros.geometry.pose import distance
from scene_r1_ros.memory.sharpness import sharpness
from scene_r1_ros.types import Frame

log = logging.getLogger(__name__)


@dataclass
class Candidate:
    """The sharpest view so far of a place that is about to be kept."""

    frame: Frame
    sharpness: float
    since_ns: int  # when the place was first seen
    T_world_camera: NDArray[np.float64]  # ... and from where


class KeyframeBuffer:
    """Thread-safe. ``wants`` is cheap and takes no pixels, so that a frame nobody needs is never decoded."""

    def __init__(self, config: BufferConfig):
        self.config = config
        self.counts: Counter[str] = Counter()  # what became of every frame: kept, similar, blurred, stale, evicted
        self._kept: deque[Frame] = deque()
        self._nbytes = 0
        self._candidate: Candidate | None = None
        self._newest_ns = 0
        self._lock = threading.Lock()

    def wants(self, stamp_ns: int, T_world_camera: NDArray[np.float64]) -> bool:
        """Whether a frame of this time and pose would be looked at. Counts it when not."""
        with self._lock:
            self._reset_after_jump(stamp_ns)
            if stamp_ns <= self._newest_ns:
                self.counts["stale"] += 1
                return False
            self._newest_ns = stamp_ns
            self._settle(stamp_ns, T_world_camera)
            wanted = self._candidate is not None or self._is_new_view(stamp_ns, T_world_camera)
            self.counts["similar"] += not wanted
            return wanted

    def add(self, frame: Frame) -> None:
        """Offer a frame that ``wants`` asked for.

        Raises:
            BadInput: a single frame larger than the whole memory.
        """
        if frame.nbytes > self.config.max_bytes:
            raise BadInput(
                f"one frame takes {frame.nbytes} bytes, but the memory holds {self.config.max_bytes}; "
                "raise buffer.max_bytes or lower the camera's resolution"
            )
        sharp = sharpness(frame.color)
        with self._lock:
            if self._candidate is None:
                self._candidate = Candidate(frame, sharp, frame.stamp_ns, frame.T_world_camera)
            elif sharp > self._candidate.sharpness:
                self._candidate.frame, self._candidate.sharpness = frame, sharp
                self.counts["blurred"] += 1
            else:
                self.counts["similar"] += 1
            self._make_room()

    def offer(self, frame: Frame) -> None:
        """``wants`` and ``add`` in one, for frames whose pixels are already there."""
        if self.wants(frame.stamp_ns, frame.T_world_camera):
            self.add(frame)

    def snapshot(self) -> tuple[Frame, ...]:
        """The keyframes now, in order of time. Nothing that happens later changes it: frames are read-only."""
        with self._lock:
            newest = (self._candidate.frame,) if self._candidate else ()
            return (*self._kept, *newest)

    def newest_kept(self) -> Frame | None:
        """The newest keyframe that no sharper view can replace any more; None while there is none."""
        with self._lock:
            return self._kept[-1] if self._kept else None

    @property
    def nbytes(self) -> int:
        """Bytes of pixels held now; never more than ``max_bytes``."""
        with self._lock:
            return self._held_bytes()

    def __len__(self) -> int:
        return len(self.snapshot())

    def _held_bytes(self) -> int:
        return self._nbytes + (self._candidate.frame.nbytes if self._candidate else 0)

    def _clear(self) -> None:
        self._kept.clear()
        self._nbytes, self._candidate, self._newest_ns = 0, None, 0

    def _reset_after_jump(self, stamp_ns: int) -> None:
        back_s = (self._newest_ns - stamp_ns) * 1e-9
        if self._newest_ns and back_s > self.config.reset_jump_s:
            log.warning("time went back by %.3f s (a bag loop?): the memory of %d keyframes starts anew",
                        back_s, len(self._kept))  # fmt: skip
            self.counts["reset"] += 1
            self._clear()

    def _settle(self, stamp_ns: int, T_world_camera: NDArray[np.float64]) -> None:
        """Keep the candidate for good once its time is up or the camera has moved on to another view."""
        if self._candidate is None:
            return
        late = (stamp_ns - self._candidate.since_ns) * 1e-9 > self.config.patience_s
        if late or self._view_changed(self._candidate.T_world_camera, T_world_camera):
            self._kept.append(self._candidate.frame)
            self._nbytes += self._candidate.frame.nbytes
            self.counts["kept"] += 1
            self._candidate = None

    def _is_new_view(self, stamp_ns: int, T_world_camera: NDArray[np.float64]) -> bool:
        if not self._kept:
            return True
        last = self._kept[-1]
        overdue = (stamp_ns - last.stamp_ns) * 1e-9 >= self.config.max_interval_s
        return overdue or self._view_changed(last.T_world_camera, T_world_camera)

    def _view_changed(self, T_world_a: NDArray[np.float64], T_world_b: NDArray[np.float64]) -> bool:
        moved_m, turned_rad = distance(T_world_a, T_world_b)
        return moved_m >= self.config.min_translation_m or turned_rad >= np.deg2rad(self.config.min_rotation_deg)

    def _make_room(self) -> None:
        while self._held_bytes() > self.config.max_bytes:
            self._nbytes -= self._kept.popleft().nbytes
            self.counts["evicted"] += 1
            if self.counts["evicted"] == 1:
                log.warning("the memory is full at %d keyframes: the oldest leave from now on", len(self._kept) + 1)
