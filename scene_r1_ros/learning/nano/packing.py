# SPDX-License-Identifier: Apache-2.0
"""Samples as rows of tokens. All that is asked about the same frames shares one row: the frames once, then each
question with its reply, blind to the others, as if it alone followed the frames. Needs torch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scene_r1_ros.learning.nano.vocabulary import IMAGE_PAD, VISION_END
from scene_r1_ros.learning.replies import messages_of, reply_of
from scene_r1_ros.learning.sample import Sample
from scene_r1_ros.reasoning.protocol import ModelSpec

NO_LABEL = -100


@dataclass(frozen=True, eq=False)
class Row:
    """The tokens of one prefix of frames and of what follows it. ``n`` tokens."""

    token_ids: NDArray[np.int64]  # (n,)
    positions: NDArray[np.int64]  # (3, n) in time, row and column, as ``get_rope_index`` of transformers gives them
    segments: NDArray[np.int64]  # (n,) 0: frames; 1, 2 ...: the questions
    labels: NDArray[np.int64]  # (n,) the token that should follow, NO_LABEL where nothing is learned
    is_place: NDArray[np.bool_]  # (n,) the label is, if a number, one of pixels: near ones are nearly right


@dataclass(frozen=True, eq=False)
class Batch:
    """Rows side by side, filled up to the longest."""

    token_ids: Tensor  # (B, L)
    positions: Tensor  # (3, B, L)
    segments: Tensor  # (B, L) -1: filling
    labels: Tensor  # (B, L)
    is_place: Tensor  # (B, L)

    @cached_property
    def mask(self) -> Tensor:
        """(B, 1, L, L) whether a token (row) may see another (column)."""
        seen, sees = self.segments[:, None, :], self.segments[:, :, None]
        length = self.segments.shape[1]
        earlier = torch.ones(length, length, dtype=torch.bool).tril()
        itself = torch.eye(length, dtype=torch.bool)  # filling must see something
        return (earlier & ((seen == 0) | (seen == sees)) | itself)[:, None]


class Packer:
    """Makes rows with a tokenizer, in the words and units of a spec."""

    def __init__(self, tokenizer: Any, spec: ModelSpec):
        self.tokenizer, self.spec = tokenizer, spec
        self._image, self._end = tokenizer.convert_tokens_to_ids([IMAGE_PAD, VISION_END])

    def row(self, samples: Sequence[Sample], seen_wh: tuple[int, int], with_replies: bool = True) -> Row:
        """Of samples about the same frames, all seen at one size in pixels."""
        asked = [self._split(sample) for sample in samples]
        prefix = _repeated(asked[0][0], self._image, self._grid(seen_wh))
        parts = [Row(*prefix, *_silent(len(prefix[0]), 0))]
        start = int(prefix[1].max()) + 1
        for number, (sample, (_, question)) in enumerate(zip(samples, asked, strict=True), 1):
            reply = self._reply(sample, seen_wh) if with_replies else np.zeros(0, np.int64)
            parts.append(_exchange(question, reply, start, number, sample.task == "image"))
        return Row(
            *(np.concatenate([getattr(part, name) for part in parts], axis=-1) for name in Row.__dataclass_fields__)
        )

    def _split(self, sample: Sample) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The tokens of the frames, each with one for its image, and those of what is asked."""
        text = self.tokenizer.apply_chat_template(
            messages_of(sample, self.spec), tokenize=False, add_generation_prompt=True
        )
        token_ids = np.array(self.tokenizer(text)["input_ids"], np.int64)
        cut = int(np.flatnonzero(token_ids == self._end)[-1]) + 1
        return token_ids[:cut], token_ids[cut:]

    def _reply(self, sample: Sample, seen_wh: tuple[int, int]) -> NDArray[np.int64]:
        text = reply_of(sample, self.spec, seen_wh)
        return np.array([*self.tokenizer(text)["input_ids"], self.tokenizer.eos_token_id], np.int64)

    def _grid(self, seen_wh: tuple[int, int]) -> tuple[int, int]:
        return seen_wh[1] // self.spec.image_multiple, seen_wh[0] // self.spec.image_multiple


def _repeated(
    short: NDArray[np.int64], image: int, grid: tuple[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Tokens (n,) with as many for each image as it has cells, and their positions (3, n)."""
    rows, columns = np.divmod(np.arange(grid[0] * grid[1]), grid[1])
    cells = np.stack([np.zeros_like(rows), rows, columns])
    token_ids: list[NDArray] = []
    positions: list[NDArray] = []
    place = 0
    for token in short:
        is_image = token == image
        token_ids.append(np.full(len(rows) if is_image else 1, token))
        positions.append(place + (cells if is_image else np.zeros((3, 1), np.int64)))
        place += max(grid) if is_image else 1
    return np.concatenate(token_ids), np.concatenate(positions, axis=1)


def _silent(n: int, segment: int) -> tuple[NDArray, NDArray, NDArray]:
    return np.full(n, segment), np.full(n, NO_LABEL), np.zeros(n, bool)


def _exchange(question: NDArray, reply: NDArray, start: int, segment: int, is_image: bool) -> Row:
    """A question and its reply as the tokens behind the frames. The last token is predicted, but never read."""
    token_ids = np.concatenate([question, reply[:-1]])
    n = len(token_ids)
    labels = np.full(n, NO_LABEL)
    if len(reply):
        labels[len(question) - 1 :] = reply
    positions = np.broadcast_to(start + np.arange(n), (3, n))
    return Row(token_ids, positions, np.full(n, segment), labels, np.full(n, is_image))


def batched(rows: Sequence[Row], pad: int) -> Batch:
    length = max(len(row.token_ids) for row in rows)

    def filled(name: str, value: int) -> Tensor:
        arrays = [getattr(row, name) for row in rows]
        wide = [np.pad(a, [(0, 0)] * (a.ndim - 1) + [(0, length - a.shape[-1])], constant_values=value) for a in arrays]
        return torch.from_numpy(np.stack(wide, axis=-2))

    return Batch(
        filled("token_ids", pad), filled("positions", 0), filled("segments", -1), filled("labels", NO_LABEL),
        filled("is_place", 0),
    )  # fmt: skip
