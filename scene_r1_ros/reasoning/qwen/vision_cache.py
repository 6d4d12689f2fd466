# SPDX-License-Identifier: Apache-2.0
"""What a model's eyes made of frames, kept for the next question: a picture is looked at once."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False)
class Sight:
    """One frame behind the vision encoder: the embeddings that stand in a prompt for its image."""

    tokens: Any  # (n, d) torch tensor
    deepstack: tuple[Any, ...]  # Qwen3-VL: (n, d) for each of the first layers of the language model; else empty

    @property
    def nbytes(self) -> int:
        return sum(tensor.nbytes for tensor in (self.tokens, *self.deepstack))


class VisionCache:
    """Sights by the frame's pixels. Those that were not used for the longest time leave once ``max_bytes`` are full."""

    def __init__(self, max_bytes: int):
        self.max_bytes = max_bytes
        self.nbytes = 0
        self._sights: OrderedDict[Hashable, Sight] = OrderedDict()

    def __contains__(self, key: Hashable) -> bool:
        return key in self._sights

    def look(self, key: Hashable, compute: Callable[[], Sight]) -> Sight:
        """The sight of a frame, computed where it is not known."""
        if key in self._sights:
            self._sights.move_to_end(key)
            return self._sights[key]
        sight = compute()
        if sight.nbytes > self.max_bytes:  # it would drive out all others, and then itself
            return sight
        self._sights[key] = sight
        self.nbytes += sight.nbytes
        while self.nbytes > self.max_bytes:
            self.nbytes -= self._sights.popitem(last=False)[1].nbytes
        return sight

    def clear(self) -> None:
        self._sights.clear()
        self.nbytes = 0
