# SPDX-License-Identifier: Apache-2.0
"""Replies to many questions at once: each set of frames is read once, all replies grow side by side. Needs torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache

from scene_r1_ros.learning.nano.forward import embedded
from scene_r1_ros.learning.nano.packing import Batch, Packer, Row, batched
from scene_r1_ros.learning.nano.vocabulary import SPECIAL
from scene_r1_ros.learning.sample import Sample


@dataclass(frozen=True, eq=False)
class Sampling:
    """How the next token is chosen."""

    temperature: float = 0.0  # 0: always the likeliest
    dice: torch.Generator | None = None
    max_new_tokens: int = 192


@torch.inference_mode()
def replies_to(
    model: Any,
    packer: Packer,
    groups: Sequence[Sequence[Sample]],
    sights: Sequence[Tensor],
    seen_wh: tuple[int, int],
    sampling: Sampling,
    copies: int = 1,
) -> list[list[int]]:
    """The tokens of ``copies`` replies to each sample, without the one that ends them, in the order of the samples.

    Args:
        groups: samples about the same frames.
        sights: of each group (F, N, d) embeddings of its frames.
    """
    rows = [packer.row([sample], seen_wh, with_replies=False) for group in groups for sample in group]
    firsts = [sum(map(len, groups[:i])) for i in range(len(groups))]
    frames = batched([part(rows[i], 0) for i in firsts], packer.tokenizer.pad_token_id)
    cache = DynamicCache(config=model.config.get_text_config())
    _step(model, frames.positions, frames.mask, cache, embedded(model, frames.token_ids, torch.cat(list(sights))))
    of_row = [i for i, group in enumerate(groups) for _ in range(len(group) * copies)]
    cache.batch_select_indices(torch.tensor(of_row))
    asked = batched([part(row, 1) for row in rows for _ in range(copies)], packer.tokenizer.pad_token_id)
    seen = (frames.segments >= 0)[of_row]
    return _written(model, packer.tokenizer, asked, seen, cache, sampling)


def part(row: Row, segment: int) -> Row:
    """The frames of a row, or its question."""
    chosen = row.segments == segment
    return Row(row.token_ids[chosen], row.positions[:, chosen], row.segments[chosen], row.labels[chosen],
               row.is_place[chosen])  # fmt: skip


def _step(model: Any, positions: Tensor, mask: Tensor, cache: DynamicCache, embeddings: Tensor) -> Tensor:
    return model.model.language_model(
        inputs_embeds=embeddings, position_ids=positions, attention_mask={"full_attention": mask},
        past_key_values=cache, use_cache=True,
    ).last_hidden_state  # fmt: skip


def _written(
    model: Any, tokenizer: Any, asked: Batch, seen: Tensor, cache: DynamicCache, how: Sampling
) -> list[list[int]]:
    embed = model.model.language_model.embed_tokens
    n_rows, length = asked.token_ids.shape
    lengths = (asked.segments >= 0).sum(1)
    mask = torch.cat([seen[:, None, None].expand(-1, 1, length, -1), asked.mask], dim=-1)
    hidden = _step(model, asked.positions, mask, cache, embed(asked.token_ids))
    hidden = hidden[torch.arange(n_rows), lengths - 1]
    place = asked.positions[:, torch.arange(n_rows), lengths - 1] + 1
    mask = torch.cat([seen, asked.segments >= 0], dim=-1)
    banned = torch.tensor(tokenizer.convert_tokens_to_ids([t for t in SPECIAL if t != tokenizer.eos_token]))
    tokens, ended = [], torch.zeros(n_rows, dtype=torch.bool)
    for _ in range(how.max_new_tokens):
        logits = model.lm_head(hidden).index_fill(-1, banned, -torch.inf)
        token = _chosen(logits, how).masked_fill(ended, tokenizer.eos_token_id)
        tokens.append(token)
        ended |= token == tokenizer.eos_token_id
        if ended.all():
            break
        mask = torch.cat([mask, torch.ones(n_rows, 1, dtype=torch.bool)], dim=-1)
        hidden = _step(model, place[..., None], mask[:, None, None], cache, embed(token[:, None]))[:, 0]
        place = place + 1
    return [cut(row, tokenizer.eos_token_id) for row in torch.stack(tokens, 1).tolist()]


def _chosen(logits: Tensor, how: Sampling) -> Tensor:
    if how.temperature == 0:
        return logits.argmax(-1)
    return torch.multinomial(torch.softmax(logits / how.temperature, dim=-1), 1, generator=how.dice)[:, 0]


def cut(tokens: list[int], end: int) -> list[int]:
    return tokens[: tokens.index(end)] if end in tokens else tokens
