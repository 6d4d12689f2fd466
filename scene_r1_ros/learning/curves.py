# SPDX-License-Identifier: Apache-2.0
"""Curves of a training as a PNG: one small picture for each figure, so that none hides another."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from scene_r1_ros.learning.atomic import replacing

WIDTH, HEIGHT, PER_ROW = 360, 200, 3  # pixels of a picture, with its rims, and pictures in a row
RIM_LEFT, RIM_TOP, RIM = 64, 30, 22
RAW, SMOOTH, GRID = (180, 200, 230), (25, 90, 180), (225, 225, 225)
SMOOTHING = 0.1  # share of the points that one point of the smooth curve averages

Curve = Sequence[tuple[float, float]]  # (step, value), in order


def draw_curves(path: Path, curves: Mapping[str, Curve]) -> None:
    """Each curve as it is, pale, and its running mean, dark. Values that are not finite are left out.

    Raises:
        NotWritten: the PNG cannot be written.
    """
    shown = {name: [(x, y) for x, y in curve if math.isfinite(y)] for name, curve in curves.items()}
    shown = {name: curve for name, curve in shown.items() if curve}
    rows = max(1, math.ceil(len(shown) / PER_ROW))
    sheet = Image.new("RGB", (WIDTH * PER_ROW, HEIGHT * rows), "white")
    for place, (name, curve) in enumerate(shown.items()):
        row, column = divmod(place, PER_ROW)
        sheet.paste(_picture(name, curve), (column * WIDTH, row * HEIGHT))
    with replacing(path) as new:
        sheet.save(new, "PNG")


def _picture(name: str, curve: Curve) -> Image.Image:
    image = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(13)
    left, right, top, bottom = RIM_LEFT, WIDTH - RIM, RIM_TOP, HEIGHT - RIM
    low, high = _range([y for _, y in curve])
    first, last = curve[0][0], max(curve[-1][0], curve[0][0] + 1)

    def at(x: float, y: float) -> tuple[float, float]:
        return left + (x - first) / (last - first) * (right - left), bottom - (y - low) / (high - low) * (bottom - top)

    for value in (low, (low + high) / 2, high):
        y = at(first, value)[1]
        draw.line((left, y, right, y), fill=GRID)
        draw.text((left - 6, y), f"{value:.3g}", "black", font, anchor="rm")
    draw.text((left, bottom + 5), f"{curve[0][0]:g}", "black", font)
    draw.text((right, bottom + 5), f"{curve[-1][0]:g}", "black", font, anchor="ra")
    draw.text((WIDTH / 2, 6), name, "black", font, anchor="ma")
    for color, points, width in ((RAW, curve, 1), (SMOOTH, smoothed(curve), 2)):
        _line(draw, [at(x, y) for x, y in points], color, width)
    return image


def _line(draw: ImageDraw.ImageDraw, points: Sequence[tuple[float, float]], color: tuple[int, ...], width: int) -> None:
    if len(points) == 1:
        (x, y) = points[0]
        draw.ellipse((x - 2, y - 2, x + 2, y + 2), fill=color)
    draw.line(points, fill=color, width=width)


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    rim = (high - low) * 0.05 or max(abs(high), 1.0) * 0.1
    return low - rim, high + rim


def smoothed(curve: Curve) -> list[tuple[float, float]]:
    """The mean of the values around each point: of a tenth of all, or of what there is at the ends."""
    reach = max(1, round(len(curve) * SMOOTHING / 2))
    means = []
    for i, (x, _) in enumerate(curve):
        near = curve[max(0, i - reach) : i + reach + 1]
        means.append((x, sum(y for _, y in near) / len(near)))
    return means
