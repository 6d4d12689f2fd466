# SPDX-License-Identifier: Apache-2.0
"""How a Qwen VL checkpoint reads a prompt and writes a reply: only what it has not read before, and a token at a time.

Needs torch and transformers; imported where a checkpoint is loaded.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from scene_r1_ros.errors import ModelFailed
from scene_r1_ros.reasoning.protocol import ModelSpec
from scene_r1_ros.reasoning.qwen.loading import Checkpoint
from scene_r1_ros.reasoning.qwen.prefix_cache import Prefix, PrefixCache
from scene_r1_ros.reasoning.qwen.prompt import Prompt, key_of
from scene_r1_ros.reasoning.qwen.vision_cache import Sight, VisionCache
from scene_r1_ros.types import Frame

REPLY_ROOM = 256  # tokens of a reply that take no new memory
CHUNK = 512  # tokens that are read at once: few enough to stop soon, and to bound the memory that it takes


class Stopped(Exception):
    """The query should stop: nothing more is computed."""


class Reader:
    """A model with its memory of what it has seen (``vision``) and read (``prefixes``)."""

    def __init__(self, checkpoint: Checkpoint, vision: VisionCache, prefixes: PrefixCache):
        self._model, self._images = checkpoint.model, checkpoint.images
        self._ends = ends_of(checkpoint)
        self._vision, self._prefixes = vision, prefixes
        self._should_stop: Callable[[], bool] = lambda: False
        for layer in (*self._model.model.visual.blocks, *self._model.model.language_model.layers):
            for part in layer.children():
                part.register_forward_pre_hook(self._listen)

    @contextmanager
    def listening(self, should_stop: Callable[[], bool]) -> Iterator[None]:
        """Within it, ``should_stop`` is heard before every part of a layer; if true, the block ends early."""
        self._should_stop = should_stop
        try:
            yield
        except Stopped:
            pass
        finally:
            self._should_stop = lambda: False

    @torch.inference_mode()
    def answer(self, prompt: Prompt, spec: ModelSpec, on_token: Callable[[int], None]) -> int:
        """Read a prompt and write the reply to it; the number of tokens that had been read before."""
        with self._prefix(prompt) as prefix:
            known, positions = len(prefix.marks), self._positions(prompt)
            logits = self._read(prompt, positions, prefix, spec)
            self._write(int(positions.max()) + 1, prefix, logits, spec, on_token)
        return known

    @torch.inference_mode()
    def prepare(self, prompt: Prompt, spec: ModelSpec) -> None:
        """Read a prompt for those that begin alike."""
        if self._prefixes.too_small or self._prefixes.knows(prompt.marks):
            return
        with self._prefix(prompt) as prefix:
            self._read(prompt, self._positions(prompt), prefix, spec)

    @contextmanager
    def _prefix(self, prompt: Prompt) -> Iterator[Prefix]:
        """What is known of a prompt; what is read of it within is kept for the next one, however the block ends."""
        prefix = self._prefixes.take(prompt.marks, len(prompt.marks) + REPLY_ROOM)
        try:
            yield prefix
        finally:
            prefix.cut(len(prefix.marks))  # without the reply
            self._prefixes.keep(prefix)

    def _read(self, prompt: Prompt, positions: torch.Tensor, prefix: Prefix, spec: ModelSpec) -> torch.Tensor:
        """The logits of the token that follows a prompt."""
        for start, end in prompt.chunks(len(prefix.marks), CHUNK):
            sights = [self._sight(prompt, i, spec) for i in prompt.images_in(start, end)]
            self._listen()
            logits = self._forward(prompt.token_ids[start:end], positions[..., start:end], prefix, sights)
            prefix.marks = prompt.marks[:end]
        return logits

    def _write(
        self, position: int, prefix: Prefix, logits: torch.Tensor, spec: ModelSpec, on_token: Callable[[int], None]
    ) -> None:
        dice = torch.Generator().manual_seed(0)  # the same question gets the same answer
        for place in range(position, position + spec.max_new_tokens):
            token = chosen(logits, spec.temperature, dice)
            if token in self._ends:
                return
            on_token(token)
            if place == position + spec.max_new_tokens - 1:
                return
            self._listen()
            place_of_token = torch.full((3, 1, 1), place, device=logits.device)
            logits = self._forward(np.array([token]), place_of_token, prefix, ())

    def _listen(self, *_: Any) -> None:
        if self._should_stop():
            raise Stopped

    def _forward(
        self, token_ids: NDArray[np.int64], positions: torch.Tensor, prefix: Prefix, sights: Sequence[Sight]
    ) -> torch.Tensor:
        """The logits of what follows some tokens, whose images look like ``sights``; they are added to the prefix."""
        output = self._model(
            input_ids=torch.from_numpy(token_ids[None]).to(positions.device),
            position_ids=positions,
            past_key_values=prefix.cache,
            use_cache=True,
            logits_to_keep=1,
            mm_encoder_outputs={"image": _encoded(sights)} if sights else None,
        )
        return output.logits[0, -1]

    def _positions(self, prompt: Prompt) -> torch.Tensor:
        """(3, 1, n): each token's place in time, row and column (multimodal rotary positions, Qwen2-VL)."""
        ids = torch.from_numpy(prompt.token_ids[None])
        kinds = torch.from_numpy((prompt.marks < 0).astype("int32")[None])
        grids = torch.tensor([self._grid(size_wh) for size_wh in prompt.sizes_wh])
        positions, _ = self._model.model.get_rope_index(ids, mm_token_type_ids=kinds, image_grid_thw=grids)
        return positions.to(self._model.device)

    def _grid(self, size_wh: tuple[int, int]) -> tuple[int, int, int]:
        patch = self._images.patch_size
        return (1, size_wh[1] // patch, size_wh[0] // patch)

    def _sight(self, prompt: Prompt, index: int, spec: ModelSpec) -> Sight:
        frame, size_wh = prompt.frames[index], prompt.sizes_wh[index]
        return self._vision.look(key_of(frame, size_wh), lambda: self._looked(frame, size_wh, spec))

    def _looked(self, frame: Frame, size_wh: tuple[int, int], spec: ModelSpec) -> Sight:
        """The vision encoder's view of a frame, which the image processor resizes to ``size_wh``."""
        size = {"shortest_edge": spec.min_pixels, "longest_edge": spec.max_pixels}
        try:
            inputs = self._images(Image.fromarray(frame.color), size=size, return_tensors="pt").to(self._model.device)
        except ValueError as error:
            raise ModelFailed(f"the image processor refuses frame {frame.frame_id!r}: {error}; crop it") from error
        grid = inputs["image_grid_thw"]
        if tuple(grid[0].tolist()) != self._grid(size_wh):
            raise ModelFailed(
                f"the image processor makes {grid[0].tolist()} patches of an image that {spec.name} sees with "
                f"{size_wh[0]}x{size_wh[1]} pixels; image_multiple in its YAML must be patch size times merge size"
            )
        seen = self._model.model.get_image_features(inputs["pixel_values"], grid, return_dict=True)
        return Sight(seen.pooler_output[0], tuple(one[0] for one in getattr(seen, "deepstack_features", None) or ()))


def chosen(logits: torch.Tensor, temperature: float, dice: torch.Generator) -> int:
    """The likeliest token, or one drawn from what the model thinks of each."""
    if temperature == 0:
        return int(logits.argmax())
    shares = torch.softmax(logits.float().cpu() / temperature, dim=-1)
    return int(torch.multinomial(shares, 1, generator=dice))


def _encoded(sights: Sequence[Sight]) -> SimpleNamespace:
    """The vision encoder's output for several images, as the model takes it in place of their pixels."""
    layers = zip(*(sight.deepstack for sight in sights), strict=True)
    return SimpleNamespace(
        pooler_output=[sight.tokens for sight in sights], deepstack_features=[list(layer) for layer in layers]
    )


def ends_of(checkpoint: Checkpoint) -> frozenset[int]:
    """The tokens that end a reply."""
    named = checkpoint.model.generation_config.eos_token_id or checkpoint.tokenizer.eos_token_id
    return frozenset(named if isinstance(named, list) else [named])
