# SPDX-License-Identifier: Apache-2.0
"""Heads for learning only, thrown away afterwards: every few pixels, which words name what is there, and its box.

A box drawn in 2D tells this of every pixel around its middle, where a question tells it of one object. After FCOS
(Tian et al. 2019): a point belongs to the smallest box in whose middle part it lies. Needs torch.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from scene_r1_ros.learning.nano.architecture import CELL_PX

PER_CELL = 4  # points along each side of a cell
STEP_PX = CELL_PX // PER_CELL
MIDDLE = 0.6  # of a box's sides: what lies farther out may be something beside the object
BACKGROUND_WEIGHT = 0.3


@dataclass(frozen=True, eq=False)
class DenseTargets:
    """Of every point of a batch, in the order of ``Heads``; B images, N cells, 16 points."""

    words: Tensor  # (B, N, 16, V) which words name the object
    boxes: Tensor  # (B, N, 16, 4) xyxy in pixels of the input
    weight: Tensor  # (B, N, 16) 1 on an object, 0 where it is unclear
    on_object: Tensor  # (B, N, 16) bool


class Heads(nn.Module):
    """Linear maps from the embedding of a cell to what its points show."""

    def __init__(self, width: int, n_words: int):
        super().__init__()
        self.n_words = n_words
        self.relative = nn.Linear(width, PER_CELL**2 * (n_words + 4))  # of what the vision encoder says
        self.absolute = nn.Linear(width, PER_CELL**2 * 4)  # of a middle layer of the language model: it must place them

    def dense_loss(self, cells: Tensor, targets: DenseTargets, columns: int) -> tuple[Tensor, Tensor]:
        """Of (B, N, d) embeddings of images of ``columns`` cells a row: for words, and for boxes."""
        values = self.relative(cells).view(*cells.shape[:2], PER_CELL**2, -1)
        logits, sides = values.split([self.n_words, 4], dim=-1)
        by_point = F.binary_cross_entropy_with_logits(logits, targets.words, reduction="none").sum(-1)
        words = (by_point * targets.weight).sum() / targets.weight.sum().clamp(min=1)
        points = point_places(cells.shape[1], columns)
        reach = F.softplus(sides) * CELL_PX / 2
        corners = torch.cat([points - reach[..., :2], points + reach[..., 2:]], dim=-1)
        overlap = iou(corners[targets.on_object], targets.boxes[targets.on_object])
        return words, -overlap.clamp(min=1e-3).log().sum() / max(len(overlap), 1)

    def place_loss(self, hidden: Tensor, targets: DenseTargets) -> Tensor:
        """Of (B, N, d) hidden states of the language model: mean error of the corners in cells."""
        corners = self.absolute(hidden).view(*hidden.shape[:2], PER_CELL**2, 4) * CELL_PX
        error = F.smooth_l1_loss(corners[targets.on_object], targets.boxes[targets.on_object], beta=2.0)
        return error / CELL_PX * 4


def point_places(n_cells: int, columns: int) -> Tensor:
    """(N, 16, 2) x, y of the points, pixels of the input."""
    cell = torch.arange(n_cells)
    point = torch.arange(PER_CELL**2)
    x = (cell % columns)[:, None] * CELL_PX + (point % PER_CELL) * STEP_PX + STEP_PX / 2
    y = (cell // columns)[:, None] * CELL_PX + (point // PER_CELL) * STEP_PX + STEP_PX / 2
    return torch.stack([x, y], dim=-1).float()


def iou(one: Tensor, other: Tensor) -> Tensor:
    """(K,) intersection over union of two (K, 4) boxes."""
    shared = (torch.minimum(one[:, 2:], other[:, 2:]) - torch.maximum(one[:, :2], other[:, :2])).clamp(min=0).prod(-1)
    areas = [(box[:, 2:] - box[:, :2]).clamp(min=0).prod(-1) for box in (one, other)]
    return shared / (areas[0] + areas[1] - shared).clamp(min=1e-6)


def dense_targets(
    boxes: Sequence[NDArray], words: Sequence[NDArray], wh: tuple[int, int], n_words: int
) -> DenseTargets:
    """Of a batch of images of one size.

    Args:
        boxes: of each image (M, 4) xyxy in pixels of the input.
        words: of each image (M, V) which words name the object of a box.
    """
    columns, rows = wh[0] // CELL_PX, wh[1] // CELL_PX
    places = point_places(columns * rows, columns).numpy().reshape(-1, 2)
    columns_of = [_of_image(places, b, w, n_words) for b, w in zip(boxes, words, strict=True)]
    shape = (len(boxes), columns * rows, PER_CELL**2)
    word, box, weight, on = (torch.from_numpy(np.stack(part)) for part in zip(*columns_of, strict=True))
    return DenseTargets(word.view(*shape, -1).float(), box.view(*shape, 4).float(), weight.view(shape), on.view(shape))


def _of_image(places: NDArray, boxes: NDArray, words: NDArray, n_words: int) -> tuple[NDArray, ...]:
    n = len(places)
    if len(boxes) == 0:
        nothing = np.full(n, BACKGROUND_WEIGHT, np.float32)
        return np.zeros((n, n_words), np.uint8), np.zeros((n, 4), np.float32), nothing, np.zeros(n, bool)
    middle, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2
    away = np.abs(places[:, None] - middle) / half  # (n, M, 2), 1 at the edge
    inside, central = (away < 1).all(-1), (away < MIDDLE).all(-1)
    area = np.where(central, half.prod(-1), np.inf)
    mine = area.argmin(axis=1)
    smallest_inside = np.where(inside, half.prod(-1), np.inf).argmin(axis=1)
    on = central.any(axis=1) & (mine == smallest_inside)  # not where the rim of something smaller lies
    weight = np.where(on, 1.0, np.where(inside.any(axis=1), 0.0, BACKGROUND_WEIGHT)).astype(np.float32)
    return (words[mine] * on[:, None]).astype(np.uint8), boxes[mine].astype(np.float32), weight, on
