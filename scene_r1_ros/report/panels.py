# SPDX-License-Identifier: Apache-2.0
"""Pictures made of panels side by side and lines of text, written as small PNG files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

WIDTH, GAP = 1200, 8
THIN, MANY = 4, 100_000  # every 4th pixel of each 4th row, where there are many values
PAPER, INK = (255, 255, 255), (20, 20, 20)


def save_small(picture: NDArray[np.uint8], path: Path) -> None:
    """Write an (H, W, 3) RGB picture as a PNG with a palette, a quarter of the bytes of true colour.

    Median cut, Pillow's default, spends the palette on large plain areas and turns small things into other hues. The
    palette is that of a thinned picture: its cost grows with the number of colours, and noise makes millions of them.
    """
    thinned = picture if picture.size < MANY else np.ascontiguousarray(picture[::THIN, ::THIN])
    palette = Image.fromarray(thinned).quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE)
    Image.fromarray(picture).quantize(palette=palette, dither=Image.Dither.NONE).save(path, optimize=True)


def blank(width: int, height: int) -> NDArray[np.uint8]:
    return np.full((height, width, 3), PAPER, np.uint8)


def beside(panels: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Panels from left to right, as one row of the picture."""
    row, x = blank(WIDTH, max(panel.shape[0] for panel in panels)), GAP
    for panel in panels:
        row[: panel.shape[0], x : x + panel.shape[1]] = panel
        x += panel.shape[1] + GAP
    return row


def heading(text: str, size: int = 15) -> NDArray[np.uint8]:
    return written(blank(WIDTH, size + 12), [text], (GAP, 5), size)


def written(
    image: NDArray[np.uint8], lines: Sequence[str], corner_xy: tuple[int, int], size: int = 14
) -> NDArray[np.uint8]:
    """Lines of text from a corner downwards; what is too long is cut."""
    canvas = Image.fromarray(image)
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(size)
    for i, line in enumerate(lines):
        draw.text((corner_xy[0], corner_xy[1] + i * (size + 5)), " ".join(line.split()), font=font, fill=INK)
    return np.array(canvas)
