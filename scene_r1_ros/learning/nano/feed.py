# SPDX-License-Identifier: Apache-2.0
"""Batches from a file of samples, the same ones for the same seed and step, whatever was drawn before. Needs torch."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scene_r1_ros.learning.images import read_image
from scene_r1_ros.learning.nano.dense import DenseTargets, dense_targets
from scene_r1_ros.learning.nano.packing import Batch, Packer, batched
from scene_r1_ros.learning.sample import NamedBox, Sample, Shot

FULL_WH = (224, 168)
# At the input. Cameras and crops differ in shape; half of the images have the usual one.
SIZES_WH = (FULL_WH, FULL_WH, FULL_WH, (196, 196), (252, 140), (168, 168), (168, 224))
SMALL_WH = (112, 84)  # for the beginning: a quarter of the work


@dataclass(frozen=True, eq=False)
class Pictures:
    """Frames of one size, what is asked about them, and what all their points show."""

    pixels: Tensor  # (F, H, W, 3) uint8
    batch: Batch | None
    dense: DenseTargets | None
    wh: tuple[int, int]
    sample_ids: tuple[str, ...]


@dataclass(frozen=True)
class Group:
    """Samples about the same frames."""

    shots: tuple[Shot, ...]
    samples: tuple[Sample, ...]
    boxes: tuple[NamedBox, ...] = ()  # of all that has a name, in a single frame


class Feed:
    """Draws from samples. ``words`` are those of the labels that the dense heads learn."""

    def __init__(self, samples: Iterable[Sample], folder: Path, packer: Packer, words: Sequence[str] = ()):
        by_shots: dict[tuple[Shot, ...], list[Sample]] = defaultdict(list)
        for sample in samples:
            by_shots[sample.shots].append(sample)
        groups = [grouped(shots, members) for shots, members in by_shots.items()]
        self.images = [group for group in groups if len(group.shots) == 1]
        self.clips = [group for group in groups if len(group.shots) > 1]
        self.folder, self.packer = folder, packer
        self.words = tuple(words) or words_in(self.images)
        self._number = {word: i for i, word in enumerate(self.words)}

    def dense(self, rng: np.random.Generator, count: int, wh: tuple[int, int]) -> Pictures:
        """Images without questions, half of them mirrored."""
        chosen = drawn(rng, self.images, count)
        pixels, boxes = zip(*(self._seen(group, wh, rng, rng.random() < 0.5) for group in chosen), strict=True)
        targets = self._targets(chosen, boxes, wh)
        return Pictures(torch.from_numpy(np.stack(pixels)), None, targets, wh, names_of(chosen))

    def asked(self, rng: np.random.Generator, count: int, per_image: int, wh: tuple[int, int]) -> Pictures:
        """Images with up to ``per_image`` questions each."""
        chosen = [thinned(rng, g, per_image) for g in drawn(rng, [g for g in self.images if g.samples], count)]
        pixels, boxes = zip(*(self._seen(group, wh, rng) for group in chosen), strict=True)
        targets = self._targets(chosen, boxes, wh)
        batch = self._packed(chosen, wh)
        return Pictures(torch.from_numpy(np.stack(pixels)), batch, targets, wh, names_of(chosen))

    def clips_asked(self, rng: np.random.Generator, count: int, per_clip: int) -> Pictures:
        """Clips with up to ``per_clip`` questions each."""
        chosen = [thinned(rng, group, per_clip) for group in drawn(rng, self.clips, count)]
        look = [light(rng) for _ in chosen]  # one for all frames of a clip
        pixels = [
            self._pixels(shot, FULL_WH)[..., :] if table is None else cv2.LUT(self._pixels(shot, FULL_WH), table)
            for group, table in zip(chosen, look, strict=True) for shot in group.shots
        ]  # fmt: skip
        return Pictures(
            torch.from_numpy(np.stack(pixels)), self._packed(chosen, FULL_WH), None, FULL_WH, names_of(chosen)
        )

    def _packed(self, groups: Sequence[Group], wh: tuple[int, int]) -> Batch:
        rows = [self.packer.row(group.samples, wh) for group in groups]
        return batched(rows, self.packer.tokenizer.pad_token_id)

    def _pixels(self, shot: Shot, wh: tuple[int, int]) -> NDArray[np.uint8]:
        color = read_image(self.folder, shot)
        return (
            color if shot.size_wh == wh else np.asarray(cv2.resize(color, wh, interpolation=cv2.INTER_AREA), np.uint8)
        )

    def _seen(
        self, group: Group, wh: tuple[int, int], rng: np.random.Generator, mirrored: bool = False
    ) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        """An image at a size, under another light, and its boxes there."""
        (shot,) = group.shots
        color = cv2.LUT(self._pixels(shot, wh), light(rng))
        scale = np.tile(np.array(wh) / shot.size_wh, 2)
        boxes = np.array([named.box.xyxy for named in group.boxes], np.float64).reshape(-1, 4) * scale
        if mirrored:
            left, right = wh[0] - boxes[:, 2], wh[0] - boxes[:, 0]
            color, boxes = color[:, ::-1], np.stack([left, boxes[:, 1], right, boxes[:, 3]], axis=1)
        return np.ascontiguousarray(color), boxes

    def _targets(self, groups: Sequence[Group], boxes: Sequence[NDArray], wh: tuple[int, int]) -> DenseTargets:
        words = [self._words(group.boxes) for group in groups]
        return dense_targets(boxes, words, wh, len(self.words))

    def _words(self, boxes: Sequence[NamedBox]) -> NDArray[np.uint8]:
        named = np.zeros((len(boxes), len(self.words)), np.uint8)
        for i, box in enumerate(boxes):
            named[i, [self._number[word] for word in box.label.split() if word in self._number]] = 1
        return named


def grouped(shots: tuple[Shot, ...], samples: Sequence[Sample]) -> Group:
    boxes = tuple(box for sample in samples if sample.task == "objects" for box in sample.target.boxes or ())
    return Group(shots, tuple(sample for sample in samples if sample.task != "objects"), boxes)


def words_in(groups: Iterable[Group]) -> tuple[str, ...]:
    return tuple(sorted({word for group in groups for box in group.boxes for word in box.label.split()}))


def names_of(groups: Iterable[Group]) -> tuple[str, ...]:
    return tuple(sample.sample_id for group in groups for sample in group.samples)


def drawn(rng: np.random.Generator, groups: Sequence[Group], count: int) -> list[Group]:
    return [groups[i] for i in rng.integers(len(groups), size=count)] if groups else []


def thinned(rng: np.random.Generator, group: Group, most: int) -> Group:
    """A group with at most so many of its samples."""
    chosen = sorted(rng.permutation(len(group.samples))[:most])
    return Group(group.shots, tuple(group.samples[i] for i in chosen), group.boxes)


def light(rng: np.random.Generator) -> NDArray[np.uint8]:
    """A table for ``cv2.LUT`` that makes an image a little brighter or darker, warmer or colder."""
    gain = rng.uniform(0.8, 1.25) * rng.uniform(0.94, 1.06, 3)
    gamma = rng.uniform(0.85, 1.18)
    values = 255 * np.clip((np.arange(256) / 255)[:, None] ** gamma * gain, 0, 1)
    return np.rint(values).astype(np.uint8)[None]
