# SPDX-License-Identifier: Apache-2.0
"""The model's forward pass over a batch of images of one size, as quick as a CPU allows.

It computes what transformers computes, with the same weights, but for all images of a batch in one attention instead
of one after the other, and with the two frames of a patch, which are equal in a still image, added up once.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from scene_r1_ros.learning.nano.architecture import CELL_PX, MERGE, PATCH_PX
from scene_r1_ros.learning.nano.packing import Batch
from scene_r1_ros.learning.nano.vocabulary import MAX_NUMBER

MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073])  # of the image processor of the Qwen VL family
STD = torch.tensor([0.26862954, 0.26130258, 0.27577711])
EPS = 1e-6
PLACE_LAYER = 2  # of the language model: from there on, a cell should know its place in the image
SIGMA_PX = 1.5


def patches_of(images: Tensor) -> Tensor:
    """(B, P, 588) normalised patches of (B, H, W, 3) uint8 images, in the order of the image processor: the four of a
    cell follow each other.
    """
    b, height, width, _ = images.shape
    values = (images.float() / 255 - MEAN) / STD
    cells = values.view(b, height // CELL_PX, MERGE, PATCH_PX, width // CELL_PX, MERGE, PATCH_PX, 3)
    return cells.permute(0, 1, 4, 2, 5, 7, 3, 6).reshape(b, -1, 3 * PATCH_PX**2)


def see(model: Any, images: Tensor) -> Tensor:
    """(B, N, d) embeddings of (B, H, W, 3) uint8 images, one per cell, row by row."""
    visual = model.model.visual
    grid = images.shape[1] // PATCH_PX, images.shape[2] // PATCH_PX
    kernel = visual.patch_embed.proj.weight.sum(2).flatten(1)
    hidden = F.linear(patches_of(images), kernel)
    rotary = visual.rotary_pos_emb(hidden, patch_positions(*grid))
    for block in visual.blocks:
        hidden = hidden + attended(block.attn, normed(block.norm1, hidden), rotary)
        hidden = hidden + block.mlp(normed(block.norm2, hidden))
    cells = normed(visual.merger.ln_q, hidden).view(len(images), -1, MERGE**2 * hidden.shape[-1])
    return visual.merger.mlp(cells)


def patch_positions(rows: int, columns: int) -> Tensor:
    """(P, 2) row and column of each patch, in the order of ``patches_of``."""
    place = torch.stack(torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij"))
    cells = place.view(2, rows // MERGE, MERGE, columns // MERGE, MERGE)
    return cells.permute(1, 3, 2, 4, 0).reshape(-1, 2)


def normed(norm: Any, hidden: Tensor) -> Tensor:
    return F.rms_norm(hidden, hidden.shape[-1:], norm.weight, EPS)


def attended(attention: Any, hidden: Tensor, rotary: tuple[Tensor, Tensor]) -> Tensor:
    b, n, width = hidden.shape
    query, key, value = attention.qkv(hidden).view(b, n, 3, attention.num_heads, -1).permute(2, 0, 3, 1, 4)
    mixed = F.scaled_dot_product_attention(turned(query, *rotary), turned(key, *rotary), value)
    return attention.proj(mixed.transpose(1, 2).reshape(b, n, width))


def turned(states: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary positions (Su et al. 2021) applied to (B, heads, n, head_dim)."""
    first, second = states.chunk(2, dim=-1)
    return states * cos + torch.cat([-second, first], dim=-1) * sin


def read(model: Any, batch: Batch, sights: Tensor) -> tuple[Tensor, Tensor]:
    """What the language model makes of rows: (B, L, d) behind its last layer, and behind ``PLACE_LAYER``.

    Args:
        sights: (F, N, d) embeddings of all frames of the batch, row after row.
    """
    language_model = model.model.language_model
    embeddings = embedded(model, batch.token_ids, sights)
    output = language_model(
        inputs_embeds=embeddings,
        position_ids=batch.positions,
        attention_mask={"full_attention": batch.mask},
        use_cache=False,
        output_hidden_states=True,
    )
    return output.last_hidden_state, output.hidden_states[PLACE_LAYER]


def embedded(model: Any, token_ids: Tensor, sights: Tensor) -> Tensor:
    """(B, L, d) embeddings of tokens, those of images replaced by what is seen there."""
    words = model.model.language_model.embed_tokens(token_ids)
    is_image = (token_ids == model.config.image_token_id)[..., None]
    return words.masked_scatter(is_image, sights.to(words.dtype))


class TextLoss:
    """Cross entropy of the replies. Of a place in pixels, the numbers around the right one are right in part: a
    Gaussian of ``SIGMA_PX``; without it, a box that is one pixel off would be as wrong as any.
    """

    def __init__(self, tokenizer: Any):
        numbers = torch.tensor(tokenizer.convert_tokens_to_ids([str(n) for n in range(MAX_NUMBER + 1)]))
        self._numbers = numbers
        self._value = torch.full((len(tokenizer),), -1)
        self._value[numbers] = torch.arange(len(numbers))
        away = torch.arange(len(numbers))[:, None] - torch.arange(len(numbers))[None]
        self._near = torch.softmax(-(away.float() ** 2) / (2 * SIGMA_PX**2), dim=-1)

    def __call__(self, model: Any, hidden: Tensor, batch: Batch) -> Tensor:
        """The mean over all tokens of the replies."""
        learned = batch.labels >= 0
        labels, log_p = batch.labels[learned], F.log_softmax(model.lm_head(hidden[learned]), dim=-1)
        value = self._value[labels]
        is_place = batch.is_place[learned] & (value >= 0)
        exact = -log_p.gather(1, labels[:, None])[:, 0]
        soft = -(self._near[value[is_place]] * log_p[is_place][:, self._numbers]).sum(-1)
        return (exact[~is_place].sum() + soft.sum()) / len(labels)
