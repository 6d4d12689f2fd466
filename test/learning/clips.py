# SPDX-License-Identifier: Apache-2.0
"""Samples of all tasks with their images, and checkpoints to learn from them."""

from pathlib import Path

import numpy as np
from PIL import Image

from scene_r1_ros.learning.jsonl import write_samples
from scene_r1_ros.learning.sample import NamedBox, Sample, Shot, Target
from scene_r1_ros.types import Box2D, TimeWindow

MUG = NamedBox("red mug", Box2D(20, 30, 60, 70))


def make_samples(size_wh: tuple[int, int] = (112, 84)) -> list[Sample]:
    """One of each task that a robot asks; at 112x84 Qwen2.5-VL sees every pixel as it is."""
    shots = tuple(Shot(f"images/{i}.png", 0.5 * i, size_wh) for i in range(3))
    return [
        Sample("a/image", "image", "a", shots[1:2], "the red mug", Target(boxes=(MUG,))),
        Sample("a/temporal", "temporal", "a", shots, "the red mug", Target(windows=(TimeWindow(0.5, 1.0),))),
        Sample("a/answer", "answer", "a", shots[:2], "How many chairs are there?", Target(answer="3")),
    ]


def write_clip(folder: Path, samples: list[Sample] | None = None) -> Path:
    """The samples as a file, their images of noise beside it."""
    samples = samples or make_samples()
    (folder / "images").mkdir(parents=True)
    for shot in {shot for sample in samples for shot in sample.shots}:
        dice = np.random.default_rng(len(shot.image) + round(10 * shot.time_s))
        pixels = dice.integers(0, 256, (shot.size_wh[1], shot.size_wh[0], 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / shot.image)
    write_samples(folder / "samples.jsonl", samples)
    return folder / "samples.jsonl"
