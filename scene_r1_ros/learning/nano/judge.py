# SPDX-License-Identifier: Apache-2.0
"""How well a model under training does on samples that it does not learn from: the rewards, by kind of question."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from scene_r1_ros.learning.images import read_image
from scene_r1_ros.learning.nano.feed import FULL_WH, Group
from scene_r1_ros.learning.nano.forward import see
from scene_r1_ros.learning.nano.generate import Sampling, replies_to
from scene_r1_ros.learning.nano.packing import Packer
from scene_r1_ros.learning.rewards import Scores, score
from scene_r1_ros.learning.sample import Sample

AT_ONCE = 16  # groups of images whose replies grow side by side; of clips an eighth

Judged = tuple[Sample, str, Scores]


def judged(model: Any, packer: Packer, folder: Path, groups: Sequence[Group], how: Sampling) -> Iterator[Judged]:
    """Each sample with the model's reply to it, and what that is worth."""
    model.eval()
    size = AT_ONCE if groups and len(groups[0].shots) == 1 else AT_ONCE // 8
    for start in range(0, len(groups), size):
        some = groups[start : start + size]
        sights = [seen(model, folder, group) for group in some]
        tokens = replies_to(model, packer, [group.samples for group in some], sights, FULL_WH, how)
        texts = packer.tokenizer.batch_decode(tokens)
        samples = [sample for group in some for sample in group.samples]
        yield from ((sample, text, score(text, sample)) for sample, text in zip(samples, texts, strict=True))


@torch.inference_mode()
def seen(model: Any, folder: Path, group: Group) -> torch.Tensor:
    return see(model, torch.from_numpy(np.stack([read_image(folder, shot) for shot in group.shots])))


def figures(results: Sequence[Judged]) -> dict[str, float]:
    """Means over samples: reward and, where it applies, the share that is right, by task and kind."""
    values: dict[str, list[float]] = defaultdict(list)
    for sample, _, scores in results:
        content = [v for v in (scores.temporal_iou, scores.box_iou, scores.answer) if v is not None]
        right = float(bool(content) and content[0] >= 0.5)
        values[f"{sample.task} form"].append(scores.format or 0.0)
        values[f"{sample.task} reward"].append(content[0] if content else 0.0)
        for kind in kinds_of(sample):
            values[f"{sample.task} {kind}"].append(right)
    return {name: round(float(np.mean(found)), 4) for name, found in sorted(values.items())}


def kinds_of(sample: Sample) -> list[str]:
    """What a sample counts for: all, its first tag, and the size of its object."""
    kinds = ["all", *sample.tags[:1]]
    if sample.task == "image" and sample.target.boxes:
        (x1, y1, x2, y2), n = sample.target.boxes[0].box.xyxy, len(sample.target.boxes)
        side_px = float(np.sqrt((x2 - x1) * (y2 - y1)))
        if n == 1:
            kinds += ["present", "28 px and more" if side_px >= 28 else "below 28 px"]
    return kinds
