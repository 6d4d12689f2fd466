# SPDX-License-Identifier: Apache-2.0
"""Pairs of images that wait for their pose."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from scene_r1_ros.errors import BadInput
from scene_r1_ros.geometry.camera import PinholeCamera
from scene_r1_ros.ros.stamps import stamp_ns

MAX_BYTES = 64 * 2**20  # half a second of 1280x720 RGB-D at 30 Hz


@dataclass
class Pair:
    """A colour and a depth message that belong together."""

    color: Any
    depth: Any
    camera: PinholeCamera | BadInput | None  # the first that was known since the pair came; None: none has come yet

    @property
    def stamp_ns(self) -> int:
        return stamp_ns(self.color)

    @property
    def nbytes(self) -> int:
        return len(self.color.data) + len(self.depth.data)


class WaitingPairs:
    """First in, first out; bounded in number by ``max_pairs`` and in memory by ``max_bytes``."""

    def __init__(self, max_pairs: int, max_bytes: int = MAX_BYTES):
        self.max_pairs, self.max_bytes = max_pairs, max_bytes
        self._pairs: deque[Pair] = deque()
        self._nbytes = 0

    def __len__(self) -> int:
        return len(self._pairs)

    def __iter__(self) -> Iterator[Pair]:
        return iter(self._pairs)

    @property
    def oldest(self) -> Pair:
        return self._pairs[0]

    def append(self, pair: Pair) -> None:
        self._pairs.append(pair)
        self._nbytes += pair.nbytes

    def pop(self) -> Pair:
        """Take the oldest out."""
        pair = self._pairs.popleft()
        self._nbytes -= pair.nbytes
        return pair

    def overfull(self) -> str:
        """Why the oldest must go; empty if it may stay. One pair may always wait, whatever its size."""
        if len(self) > self.max_pairs:
            return f"more than {self.max_pairs} images wait for their pose (pose_queue)"
        if len(self) > 1 and self._nbytes > self.max_bytes:
            return (
                f"the {len(self)} images that wait for their pose hold {self._nbytes / 2**20:.0f} MiB, "
                f"at most {self.max_bytes / 2**20:.0f}"
            )
        return ""
