# SPDX-License-Identifier: Apache-2.0
"""Samples to look at, as one picture: boxes with their sentence, strips of clips with their window, questions."""

import textwrap
from collections.abc import Sequence
from pathlib import Path
from random import Random

import cv2
import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.errors import BadInput
from scene_r1_ros.learning.sample import Sample, Shot
from scene_r1_ros.report.panels import GAP, PAPER, WIDTH, blank, written

CARDS_A_ROW = 4
CARD_WIDTH = (WIDTH - GAP) // CARDS_A_ROW - GAP
STRIP_FRAMES, STRIP_ROWS = 12, 3  # thumbnails of a clip
INSIDE, OUTSIDE, FOUND, MISSING = (20, 160, 60), (190, 190, 190), (230, 30, 60), (120, 120, 120)
LINE, TEXT = 16, 12  # pixels
CHARACTER = 6.1  # pixels of a letter, about


def contact_sheet(samples: Sequence[Sample], folder: Path) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB. Pictures four in a row, clips below each other.

    Args:
        folder: that the samples' image paths are relative to.

    Raises:
        BadInput: an image is missing or is none.
    """
    cards = [card(sample, folder) for sample in samples if len(sample.shots) == 1]
    rows = [row(cards[i : i + CARDS_A_ROW]) for i in range(0, len(cards), CARDS_A_ROW)]
    rows += [strip(sample, folder) for sample in samples if len(sample.shots) > 1]
    return np.concatenate([padded(part, WIDTH) for part in rows])


def chosen(samples: Sequence[Sample], count: int, seed: int = 0) -> list[Sample]:
    """At most ``count`` samples, of each kind (task and first tag) as many as can be, in random order."""
    kinds: dict[tuple[str, ...], list[Sample]] = {}
    for sample in Random(seed).sample(samples, len(samples)):
        kinds.setdefault((sample.task, *sample.tags[:2]), []).append(sample)
    taken: list[Sample] = []
    while len(taken) < count and any(kinds.values()):
        taken += [group.pop() for group in kinds.values() if group]
    return sorted(taken[:count], key=lambda sample: (sample.task, sample.tags))


def card(sample: Sample, folder: Path) -> NDArray[np.uint8]:
    """One picture, enlarged, with the boxes of its target, and what is said about it below."""
    image = opened(folder, sample.shots[0])
    scale = CARD_WIDTH / image.shape[1]
    large = cv2.resize(image, (CARD_WIDTH, round(image.shape[0] * scale)), interpolation=cv2.INTER_LINEAR)
    for named in sample.target.boxes or ():
        x1, y1, x2, y2 = (round(value * scale) for value in named.box.xyxy)
        cv2.rectangle(large, (x1, y1), (x2 - 1, y2 - 1), FOUND, 1)
    names = ", ".join(named.label for named in sample.target.boxes or ()) or "not present"
    return np.concatenate([large, text_block([*said(sample), f"= {names}"], CARD_WIDTH)])


def strip(sample: Sample, folder: Path) -> NDArray[np.uint8]:
    """A clip in small pictures with their times; those in the window have a green bar above."""
    width = (WIDTH - GAP) // STRIP_FRAMES - 2
    small = [thumbnail(sample, shot, folder, width) for shot in sample.shots]
    rows = [row(small[i : i + STRIP_FRAMES], 2) for i in range(0, len(small), STRIP_FRAMES)]
    windows = sample.target.windows
    answer = sample.target.answer if windows is None else ", ".join(f"{w.start_s:g}s to {w.end_s:g}s" for w in windows)
    text = text_block([*said(sample), f"= {answer or 'not present'}"], WIDTH - GAP)
    return np.concatenate([padded(part, WIDTH) for part in (*rows, text)])


def thumbnail(sample: Sample, shot: Shot, folder: Path, width: int) -> NDArray[np.uint8]:
    image = opened(folder, shot)
    small = cv2.resize(image, (width, round(image.shape[0] * width / image.shape[1])), interpolation=cv2.INTER_AREA)
    inside = any(w.start_s <= shot.time_s <= w.end_s for w in sample.target.windows or ())
    bar = np.full((5, width, 3), INSIDE if inside else OUTSIDE, np.uint8)
    return np.concatenate(
        [bar, small, written(np.full((LINE, width, 3), PAPER, np.uint8), [f"{shot.time_s:g}s"], (2, 0), 11)]
    )


def said(sample: Sample) -> list[str]:
    return [f"[{' · '.join((sample.task, *sample.tags))}]", f"“{sample.query}”", sample.reasoning]


def text_block(lines: Sequence[str], width: int) -> NDArray[np.uint8]:
    wrapped = [part for line in lines for part in textwrap.wrap(line, int(width / CHARACTER)) or [""]]
    canvas = np.full((LINE * (len(wrapped) + 1), width, 3), PAPER, np.uint8)
    return written(canvas, wrapped, (0, 2), TEXT)


def row(panels: Sequence[NDArray[np.uint8]], gap: int = GAP) -> NDArray[np.uint8]:
    canvas = blank(WIDTH, max(panel.shape[0] for panel in panels) + gap)
    x = GAP // 2
    for panel in panels:
        canvas[: panel.shape[0], x : x + panel.shape[1]] = panel
        x += panel.shape[1] + gap
    return canvas


def padded(part: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    return np.pad(part, ((0, 0), (0, width - part.shape[1]), (0, 0)), constant_values=PAPER[0])


def opened(folder: Path, shot: Shot) -> NDArray[np.uint8]:
    path = folder / shot.image
    image = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB) if path.is_file() else None
    if image is None:
        raise BadInput(f"{path} is missing or no image; images stand in folders beside the file of samples")
    return np.asarray(image, np.uint8)
