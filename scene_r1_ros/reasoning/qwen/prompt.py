# SPDX-License-Identifier: Apache-2.0
"""A request as the Qwen VL family reads it: tokens, of which each image takes as many as it has embeddings.

Frames are given as images with their times in the text between them, because the video path of the processors loses
the times where no video metadata goes with the frames.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.errors import ModelFailed
from scene_r1_ros.reasoning.jpeg import seen_wh
from scene_r1_ros.reasoning.prompting import messages
from scene_r1_ros.reasoning.protocol import ModelSpec, Request
from scene_r1_ros.types import Frame

IMAGE_PAD = "<|image_pad|>"


@dataclass(frozen=True, eq=False)
class Prompt:
    """Tokens, and where the images of the frames stand in them."""

    token_ids: NDArray[np.int64]  # (n,)
    frames: tuple[Frame, ...]
    sizes_wh: tuple[tuple[int, int], ...]  # of each frame as the model sees it, pixels
    spans: tuple[tuple[int, int], ...]  # of each frame: its first token, and the one behind its last
    marks: NDArray[np.int64]  # (n,) the tokens, but for images a number of that very image

    def chunks(self, start: int, size: int) -> list[tuple[int, int]]:
        """The tokens from ``start`` on in pieces of about ``size``, none of which cuts an image in two."""
        cuts = [start]
        for _, end in self.spans:
            if end - cuts[-1] >= size:
                cuts.append(end)
        return list(pairwise([*cuts, len(self.token_ids)] if cuts[-1] < len(self.token_ids) else cuts))

    def frames_only(self) -> "Prompt":
        """Without what comes behind the last frame."""
        end = self.spans[-1][1]
        return replace(self, token_ids=self.token_ids[:end], marks=self.marks[:end])

    def images_in(self, start: int, end: int) -> list[int]:
        """The frames whose images lie between two tokens."""
        return [i for i, (first, behind) in enumerate(self.spans) if start <= first and behind <= end]


def key_of(frame: Frame, size_wh: tuple[int, int]) -> Hashable:
    """What makes two images the same one to a model: their pixels, and how large they are shown."""
    return (frame.color_digest, size_wh)


def make_prompt(request: Request, tokenizer: Any, spec: ModelSpec) -> Prompt:
    """The tokens of a request.

    Raises:
        ModelFailed: the chat template of the checkpoint does not place the images.
    """
    sizes_wh = tuple(seen_wh(frame.camera.width, frame.camera.height, spec) for frame in request.frames)
    counts = [width * height // spec.image_multiple**2 for width, height in sizes_wh]
    conversation = messages(request, spec.prompts, spec.time_format)
    text = tokenizer.apply_chat_template(conversation, tokenize=False, add_generation_prompt=True)
    short = np.array(tokenizer(text)["input_ids"], np.int64)
    is_image = short == tokenizer.convert_tokens_to_ids(IMAGE_PAD)
    if is_image.sum() != len(counts):
        raise ModelFailed(
            f"the chat template places {is_image.sum()} images where {len(counts)} were given; "
            "use the template of the published Qwen VL checkpoints (chat_template.jinja)"
        )
    repeats = np.ones(len(short), np.int64)
    repeats[is_image] = counts
    ends = np.cumsum(repeats)[is_image]
    spans = tuple((int(end - n), int(end)) for end, n in zip(ends, counts, strict=True))
    token_ids = np.repeat(short, repeats)
    return Prompt(token_ids, request.frames, sizes_wh, spans, _marks(token_ids, request.frames, sizes_wh, spans))


def _marks(
    token_ids: NDArray[np.int64],
    frames: Sequence[Frame],
    sizes_wh: Sequence[tuple[int, int]],
    spans: Sequence[tuple[int, int]],
) -> NDArray[np.int64]:
    marks = token_ids.copy()
    for frame, size_wh, (start, end) in zip(frames, sizes_wh, spans, strict=True):
        digest = blake2b(repr(key_of(frame, size_wh)).encode(), digest_size=7).digest()
        marks[start:end] = -1 - int.from_bytes(digest, "big")  # below zero: no token of text is
    return marks
