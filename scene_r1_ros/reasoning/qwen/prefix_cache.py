# SPDX-License-Identifier: Apache-2.0
"""Keys and values of prompts, kept between queries: what two prompts have in common at their beginning, the system text
and the frames, is computed once. A query comes after the frames, so the second query pays for its own words alone.

Needs torch and transformers; imported where a checkpoint is loaded.
"""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers.cache_utils import Cache, DynamicLayer

log = logging.getLogger(__name__)

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

    @property
    def token_bytes(self) -> int:
        """Of one token's key and value in this layer."""
        return sum(buffer.nbytes // buffer.shape[-2] for buffer in self._buffers or ())

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
            start, room = self.get_seq_length(), max(self.room, end + end // 8)
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

    @property
    def n_images(self) -> int:
        return len(np.unique(self.marks[self.marks < 0]))

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
    """Prefixes within ``max_bytes``. Where there is no room, those of single images leave first, which are soon read
    again, and then those of videos; of each, the one that was not used for the longest time.
    """

    def __init__(self, n_layers: int, max_bytes: int):
        self.max_bytes = max_bytes
        self.too_small = False  # for the last prefix that was to be kept
        self._told = False
        self._n_layers = n_layers
        self._kept: list[Prefix] = []  # the last one used last
        self._token_bytes = 0  # of one token, as soon as one was read

    @property
    def nbytes(self) -> int:
        return sum(prefix.nbytes for prefix in self._kept)

    def knows(self, marks: Marks) -> bool:
        """Whether a whole prompt has been read."""
        return any(common(prefix.marks, marks) == len(marks) for prefix in self._kept)

    def take(self, marks: Marks, room: int) -> Prefix:
        """The longest known beginning of a prompt, for the caller alone; ``keep`` gives it back.

        It is continued where nothing is lost by that, or no room is left to have both, and else copied: one frame may
        begin many prompts.

        Args:
            marks: of the whole prompt.
            room: tokens to make room for.
        """
        known = [common(prefix.marks, marks) for prefix in self._kept]
        length = whole_images(marks, min(max(known, default=0), len(marks) - 1))  # the last token is answered: read it
        best = self._kept[known.index(max(known))] if length else self._empty()
        loses_images = bool((best.marks[length:] < 0).any())
        may_copy = self.nbytes + room * self._token_bytes <= self.max_bytes or not (best.marks[:length] < 0).any()
        if loses_images and may_copy:
            taken = best.copy(length, room)
        else:
            self._kept = [prefix for prefix in self._kept if prefix is not best]
            taken = best
            taken.cut(length)
            taken.reserve(room)
        self._make_room(room * self._token_bytes)
        return taken

    def keep(self, prefix: Prefix) -> None:
        self._token_bytes = max((layer.token_bytes for layer in prefix.layers), default=0) * len(prefix.layers)
        self.too_small = prefix.nbytes > self.max_bytes
        if self.too_small and self.max_bytes and not self._told:
            self._told = True
            log.warning(
                "%d tokens take %.1f GB, more than model.prefix_cache_bytes = %.1f GB: what was read is not kept, and "
                "every query reads its frames again; allow more, or lower max_frames or max_pixels",
                len(prefix.marks), prefix.nbytes / 1e9, self.max_bytes / 1e9,
            )  # fmt: skip
        if not self.too_small and len(prefix.marks):
            self._kept.append(prefix)
        self._make_room(0)

    def clear(self) -> None:
        self._kept.clear()

    def _make_room(self, wanted: int) -> None:
        while self._kept and self.nbytes + wanted > self.max_bytes:
            self._kept.remove(next((prefix for prefix in self._kept if prefix.n_images < 2), self._kept[0]))

    def _empty(self) -> Prefix:
        return Prefix([RoomyLayer() for _ in range(self._n_layers)], np.empty(0, np.int64))


def whole_images(marks: Marks, length: int) -> int:
    """``length``, but at the beginning of an image where it would cut one in two."""
    while 0 < length < len(marks) and marks[length] < 0 and marks[length] == marks[length - 1]:
        length -= 1
    return length


def common(a: Marks, b: Marks) -> int:
    """How many numbers two arrays share at their beginning."""
    n = min(len(a), len(b))
    differ = np.flatnonzero(a[:n] != b[:n])
    return int(differ[0]) if len(differ) else n
