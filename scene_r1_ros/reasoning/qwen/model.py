# SPDX-License-Identifier: Apache-2.0
"""Qwen2.5-VL and Qwen3-VL through transformers, from a local folder or by hub name.

What it has seen and read is kept between queries: a second query about the same frames only reads its own words.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

from scene_r1_ros.config import ModelConfig
from scene_r1_ros.errors import ModelFailed
from scene_r1_ros.reasoning.protocol import ModelSpec, Reply, Request
from scene_r1_ros.reasoning.qwen.loading import load_checkpoint
from scene_r1_ros.reasoning.qwen.prompt import Prompt, make_prompt
from scene_r1_ros.reasoning.qwen.vision_cache import VisionCache
from scene_r1_ros.reasoning.qwen.weights import is_out_of_memory


class TransformersModel:
    """A Qwen VL checkpoint. One reply at a time; others wait.

    Raises:
        ModelFailed: it cannot be loaded, with the reason and the remedy.
    """

    def __init__(self, config: ModelConfig, spec: ModelSpec):
        self.spec = spec
        self.checkpoint = load_checkpoint(config.path, spec, config.device)
        from scene_r1_ros.reasoning.qwen.prefix_cache import PrefixCache  # these two need torch, which may be missing
        from scene_r1_ros.reasoning.qwen.reader import Reader

        n_layers = self.checkpoint.model.config.get_text_config().num_hidden_layers
        self.vision = VisionCache(config.vision_cache_bytes)
        self.prefixes = PrefixCache(n_layers, config.prefix_cache_bytes)
        self._reader = Reader(self.checkpoint, self.vision, self.prefixes)
        self._lock = threading.Lock()

    def reply(self, request: Request, on_text: Callable[[str], None], should_stop: Callable[[], bool]) -> Reply:
        """One stream of words. ``should_stop`` is polled many times per layer."""
        started = monotonic()
        if stopped_before(request, should_stop):
            return Reply("", ())
        prompt = make_prompt(request, self.checkpoint.tokenizer, self.spec)
        words, known = Words(self.checkpoint.tokenizer, on_text), 0
        with self._lock, self._room(prompt), self._reader.listening(should_stop):
            known = self._reader.answer(prompt, self.spec, words.add)
        waited_s = words.first_s - started if words.count else 0.0
        return Reply(words.text, prompt.sizes_wh, len(prompt.token_ids), known, words.count, waited_s)

    def prepare(self, request: Request, should_stop: Callable[[], bool]) -> None:
        """Look at the frames of a request and read them, so that a query about them finds them read. Does nothing
        while a reply is under way.
        """
        if stopped_before(request, should_stop):
            return
        prompt = make_prompt(request, self.checkpoint.tokenizer, self.spec).frames_only()
        if self._lock.acquire(blocking=False):
            try:
                with self._room(prompt), self._reader.listening(should_stop):
                    self._reader.prepare(prompt, self.spec)
            finally:
                self._lock.release()

    @contextmanager
    def _room(self, prompt: Prompt) -> Iterator[None]:
        try:
            yield
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            self.vision.clear()
            self.prefixes.clear()
            raise ModelFailed(
                f"{self.spec.name} ran out of memory on {self.checkpoint.model.device} with {len(prompt.token_ids)} "
                f"tokens: {error}; lower max_frames, max_pixels or max_new_tokens in its YAML, lower "
                "model.prefix_cache_bytes, or use a smaller model"
            ) from error


def stopped_before(request: Request, should_stop: Callable[[], bool]) -> bool:
    """Whether it should stop before the prompt is made, for which each frame's pixels are read once."""
    return any(should_stop() or not frame.color_digest for frame in request.frames)


class Words:
    """The text of tokens, piece by piece: a piece is whole characters, however many tokens they take."""

    def __init__(self, tokenizer: Any, on_text: Callable[[str], None]):
        from tokenizers.decoders import DecodeStream

        self.text, self.count, self.first_s = "", 0, 0.0
        self._tokenizer, self._on_text = tokenizer.backend_tokenizer, on_text
        self._stream = DecodeStream(skip_special_tokens=True)

    def add(self, token: int) -> None:
        self.count += 1
        self.first_s = self.first_s or monotonic()
        if piece := self._stream.step(self._tokenizer, token):
            self.text += piece
            self._on_text(piece)
