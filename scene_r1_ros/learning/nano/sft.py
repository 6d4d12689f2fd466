# SPDX-License-Identifier: Apache-2.0
"""The supervised start of a nano model, from random weights. Needs torch and transformers.

A step is one batch and one move of the weights. What a step sees depends on the seed and its number alone, so that a
training that was interrupted goes on exactly where it was.
"""

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import Tensor

from scene_r1_ros.learning.nano.architecture import CELL_PX
from scene_r1_ros.learning.nano.dense import Heads
from scene_r1_ros.learning.nano.feed import SIZES_WH, SMALL_WH, Feed, Pictures
from scene_r1_ros.learning.nano.forward import TextLoss, read, see
from scene_r1_ros.learning.nano.muon import Muon
from scene_r1_ros.learning.nano.settings import SftSettings
from scene_r1_ros.learning.nano.state import Learner

DENSE_SHARE, PLACE_SHARE = 0.3, 0.3  # of the loss, beside that of the words, once questions are asked
MAX_NORM = 1.0  # of the gradient


class Teacher:
    """A model, its heads and its optimizers, and what they learn from."""

    def __init__(self, model: Any, feed: Feed, settings: SftSettings):
        self.model, self.feed, self.settings = model, feed, settings
        self.heads = Heads(model.config.get_text_config().hidden_size, len(feed.words))
        self.text_loss = TextLoss(feed.packer.tokenizer)
        self.learner = learner_of(model, self.heads, settings)
        self._parameters = [*model.parameters(), *self.heads.parameters()]

    def batches(self, start: int) -> Iterator[Pictures]:
        """What the steps from ``start`` on see; each is made while the one before it is learned."""
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(self.batch, start)
            for step in range(start, self.settings.steps):
                pictures = waiting.result()
                if step + 1 < self.settings.steps:
                    waiting = pool.submit(self.batch, step + 1)
                yield pictures

    def batch(self, step: int) -> Pictures:
        s, rng = self.settings, np.random.default_rng([self.settings.seed, step])
        if step < s.small_steps:
            return self.feed.dense(rng, s.small_images, SMALL_WH)
        wh = SIZES_WH[rng.integers(len(SIZES_WH))]
        if step < s.small_steps + s.dense_steps:
            return self.feed.dense(rng, s.dense_images, wh)
        if step < s.steps - s.clip_steps or step % 2:
            return self.feed.asked(rng, s.asked_images, s.per_image, wh)
        return self.feed.clips_asked(rng, s.asked_clips, s.per_clip)

    def learn(self, pictures: Pictures, step: int) -> dict[str, float]:
        """One move of the weights; the parts of the loss."""
        self.model.train()
        parts = self.losses(pictures)
        loss = torch.stack([share * part for share, part in parts.values()]).sum()
        figures = {"loss": loss.item(), **{name: part.item() for name, (_, part) in parts.items()}}
        if math.isfinite(figures["loss"]):
            loss.backward()
            torch.nn.utils.clip_grad_norm_([p for p in self._parameters if p.grad is not None], MAX_NORM)
            self._move(rate_at(step, self.settings))
        return figures

    def losses(self, pictures: Pictures) -> dict[str, tuple[float, Tensor]]:
        """Parts of the loss by name, each with its share."""
        cells, columns = see(self.model, pictures.pixels), pictures.wh[0] // CELL_PX
        parts: dict[str, tuple[float, Tensor]] = {}
        asked = pictures.batch is not None
        if pictures.dense is not None:
            words, boxes = self.heads.dense_loss(cells, pictures.dense, columns)
            share = DENSE_SHARE if asked else 1.0
            parts |= {"words": (share, words), "boxes": (share, boxes)}
        if pictures.batch is not None:
            hidden, middle = read(self.model, pictures.batch, cells)
            name = "images" if pictures.dense is not None else "clips"
            parts[name] = (1.0, self.text_loss(self.model, hidden, pictures.batch))
            if pictures.dense is not None:
                is_image = pictures.batch.token_ids == self.model.config.image_token_id
                places = middle[is_image].view(*cells.shape[:2], -1)
                parts["places"] = (PLACE_SHARE, self.heads.place_loss(places, pictures.dense))
        return parts

    def _move(self, share: float) -> None:
        for optimizer in self.learner.optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = group["initial_lr"] * share
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)


def learner_of(model: Any, heads: Heads, settings: SftSettings) -> Learner:
    """Muon for the matrices of the layers, AdamW for embeddings, norms, biases and the heads."""
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and not is_embedding(name)]
    known = {id(p) for p in matrices}
    others = [p for p in model.parameters() if id(p) not in known]
    muon = Muon(matrices, lr=settings.muon_rate)
    adam = torch.optim.AdamW(
        [*others, *heads.parameters()], lr=settings.adam_rate, betas=(0.9, 0.98), weight_decay=0.02
    )
    for optimizer in (muon, adam):
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"]
    return Learner({"model": model, "heads": heads}, {"muon": muon, "adam": adam})


def is_embedding(name: str) -> bool:
    return "embed_tokens" in name or "lm_head" in name


def rate_at(step: int, settings: SftSettings) -> float:
    """The share of the learning rates: a rise, then a cosine."""
    rise = min(1.0, (step + 1) / max(settings.warmup_steps, 1))
    fall = 0.5 * (1 + math.cos(math.pi * step / max(settings.steps, 1)))
    return rise * (settings.rest + (1 - settings.rest) * fall)
