# SPDX-License-Identifier: Apache-2.0
"""Keys and values of prompts, kept between queries: what two prompts have in common at their beginning, the system text
and the frames, is computed once. A query comes after the frames, so the second query pays for its own words alone.

Needs torch and transformers; imported where a checkpoint is loaded.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers.cache_utils import Cache, DynamicLayer

Marks = NDArray[np.int64]  # (n,) one number per token: equal numbers, equal tokens; of images, of the very same image


class RoomyLayer(DynamicLayer):
    """Keys and values of one layer in a buffer with room for those to come, so that a token adds itself and copies
    nothing: the layers that ship copy all of them for each token.
    """

    def __init__(self) -> None:
        super().__init__()
        self.room = 0  # tokens that the next buffer has to hold
        self._buffers: tuple[torch.Tensor, torch.Tensor] | None = None

    @property
    def nbytes(self) -> int:
        return sum(buffer.nbytes for buffer in self._buffers or ())

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        start = self.get_seq_length()
        end = start + key_states.shape[-2]
        keys, values = self._with_room(key_states, value_states, end)
        keys[..., start:end, :], values[..., start:end, :] = key_states, value_states
        self.keys, self.values = keys[..., :end, :], values[..., :end, :]
        return self.keys, self.values

    def cut(self, length: int) -> None:
        """Forget all but the first ``length`` tokens."""
        self.crop(min(0, length - self.get_seq_length()))

    def copy(self, length: int, room: int) -> "RoomyLayer":
        """A layer of its own with the first ``length`` tokens, in a buffer for ``room``."""
        layer = RoomyLayer()
        layer.room = room
        if length and self.keys is not None and self.values is not None:
            layer.update(self.keys[..., :length, :], self.values[..., :length, :])
        return layer

    def _with_room(self, keys: torch.Tensor, values: torch.Tensor, end: int) -> tuple[torch.Tensor, torch.Tensor]:
        if self._buffers is None or self._buffers[0].shape[-2] < end:
            start, room = self.get_seq_length(), max(self.room, end)
            older, self._buffers = (self.keys, self.values), (_buffer(keys, room), _buffer(values, room))
            for buffer, old in zip(self._buffers, older, strict=True):
                if start and old is not None:
                    buffer[..., :start, :] = old
        return self._buffers


def _buffer(states: torch.Tensor, room: int) -> torch.Tensor:
    return states.new_empty((*states.shape[:-2], room, states.shape[-1]))


class Prefix:
    """The beginning of a prompt that a model has read: its tokens, and their keys and values in every layer."""

    def __init__(self, layers: Sequence[RoomyLayer], marks: Marks):
        self.layers = layers
        self.marks = marks
        self.cache = Cache(layers=list(layers))

    @property
    def nbytes(self) -> int:
        return sum(layer.nbytes for layer in self.layers)

    def cut(self, length: int) -> None:
        """Forget all but the first ``length`` tokens, also where a forward pass broke off between two layers."""
        for layer in self.layers:
            layer.cut(length)
        self.marks = self.marks[:length]

    def reserve(self, room: int) -> None:
        for layer in self.layers:
            layer.room = room

    def copy(self, length: int, room: int) -> "Prefix":
        return Prefix([layer.copy(length, room) for layer in self.layers], self.marks[:length])


class PrefixCache:
    """Prefixes within ``max_bytes``; the one that was not used for the longest time leaves first."""

    def __init__(self, n_layers: int, max_bytes: int):
        self.max_bytes = max_bytes
        self._n_layers = n_layers
        self._kept: list[Prefix] = []  # the last one used last

    @property
    def nbytes(self) -> int:
        return sum(prefix.nbytes for prefix in self._kept)

    def take(self, marks: Marks, first_image_end: int, room: int) -> Prefix:
        """The longest known beginning of a prompt, for the caller alone; ``keep`` gives it back.

        One that shares an image at least is continued, for what comes behind it was an older memory or another query.
        One that shares only text is left to its own frames, and its beginning is copied.

        Args:
            marks: of the whole prompt.
            first_image_end: number of its tokens up to the end of its first image.
            room: tokens to make room for.
        """
        known = [common(prefix.marks, marks) for prefix in self._kept]
        length = min(max(known, default=0), len(marks) - 1)  # the last token is read again, to be answered
        if length == 0:
            return self._new(room)
        best = self._kept[known.index(max(known))]
        if length < first_image_end:
            return best.copy(length, room)
        self._kept.remove(best)
        best.cut(length)
        best.reserve(room)
        return best

    def keep(self, prefix: Prefix) -> None:
        if prefix.nbytes <= self.max_bytes and len(prefix.marks):
            self._kept.append(prefix)
        while self.nbytes > self.max_bytes:
            del self._kept[0]

    def clear(self) -> None:
        self._kept.clear()

    def _new(self, room: int) -> Prefix:
        prefix = Prefix([RoomyLayer() for _ in range(self._n_layers)], np.empty(0, np.int64))
        prefix.reserve(room)
        return prefix


def common(a: Marks, b: Marks) -> int:
    """How many numbers two arrays share at their beginning."""
    n = min(len(a), len(b))
    differ = np.flatnonzero(a[:n] != b[:n])
    return int(differ[0]) if len(differ) else n
