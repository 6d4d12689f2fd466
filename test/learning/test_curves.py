# SPDX-License-Identifier: Apache-2.0
"""The curves of a training as a picture."""

import math

import numpy as np
import pytest
from PIL import Image

from scene_r1_ros.errors import NotWritten
from scene_r1_ros.learning.curves import HEIGHT, SMOOTH, WIDTH, draw_curves, smoothed


def pixels_of(path) -> np.ndarray:
    return np.asarray(Image.open(path))


def test_a_rising_curve_rises(tmp_path):
    draw_curves(tmp_path / "a.png", {"reward": [(step, step / 50) for step in range(50)]})
    rows, columns = np.nonzero((pixels_of(tmp_path / "a.png") == SMOOTH).all(axis=2))
    left, right = rows[columns < columns.mean()].mean(), rows[columns > columns.mean()].mean()
    assert right < left - 20  # higher up


def test_each_curve_has_its_place(tmp_path):
    names = ("reward", "kl", "loss", "entropy", "empty", "nan")
    curves = {name: [(0.0, 1.0), (1.0, 2.0)] for name in names}
    draw_curves(tmp_path / "a.png", {**curves, "empty": [], "nan": [(0.0, math.nan)]})
    pixels = pixels_of(tmp_path / "a.png")
    assert pixels.shape == (2 * HEIGHT, 3 * WIDTH, 3)
    drawn = (pixels == SMOOTH).all(axis=2)
    places = [(row, column) for row in range(2) for column in range(3)]
    seen = [drawn[r * HEIGHT : (r + 1) * HEIGHT, c * WIDTH : (c + 1) * WIDTH].any() for r, c in places]
    assert seen == [True, True, True, True, False, False]


def test_one_point_and_none(tmp_path):
    draw_curves(tmp_path / "one.png", {"reward": [(3.0, 0.0)]})
    assert (pixels_of(tmp_path / "one.png") == SMOOTH).all(axis=2).any()
    draw_curves(tmp_path / "none.png", {})
    assert (pixels_of(tmp_path / "none.png") == 255).all()


def test_smoothing_keeps_the_mean_of_a_line():
    line = [(float(step), 2.0 * step) for step in range(101)]
    assert smoothed(line)[50] == (50.0, pytest.approx(100.0))
    assert len(smoothed(line)) == len(line)
    jagged = [(float(step), float(step % 2)) for step in range(100)]
    assert max(abs(y - 0.5) for _, y in smoothed(jagged)[10:90]) < 0.06


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(NotWritten, match=r"cannot write .*a.png"):
        draw_curves(tmp_path / "file" / "a.png", {})
