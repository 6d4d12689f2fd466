# SPDX-License-Identifier: Apache-2.0
"""Pictures in a palette: small things keep their colour."""

import numpy as np
import pytest
from PIL import Image

from scene_r1_ros.report.panels import GAP, WIDTH, beside, blank, save_small


def shaded(seed: int) -> np.ndarray:
    """(200, 300, 3) a grey wall in soft light with some noise, and a small ball of each of two strong colours."""
    v, u = np.mgrid[0:200, 0:300]
    light = 150 + 60 * np.sin(u / 90) * np.cos(v / 70) + np.random.default_rng(seed).normal(0, 3, (200, 300))
    image = np.repeat(light[..., None], 3, axis=2)
    for x, color in ((60, (220, 190, 20)), (220, (90, 20, 160))):
        ball = (u - x) ** 2 + (v - 150) ** 2 < 12**2
        image[ball] = np.array(color) * (0.7 + 0.3 * (v[ball] - 138) / 24)[:, None]
    return np.clip(image, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("seed", range(3))
def test_a_palette_keeps_small_things_and_soft_light(seed, tmp_path):
    image = shaded(seed)
    save_small(image, tmp_path / "small.png")
    off = np.abs(np.array(Image.open(tmp_path / "small.png").convert("RGB")).astype(int) - image).max(axis=2)
    assert np.percentile(off, 99) <= 6 and off[140:160, 50:70].mean() < 8 and off[140:160, 210:230].mean() < 8


def test_few_colours_are_all_kept(tmp_path):
    image = np.array([[(0, 0, 0), (255, 0, 0), (0, 0, 255)]], np.uint8)
    save_small(image, tmp_path / "small.png")
    assert (np.array(Image.open(tmp_path / "small.png").convert("RGB")) == image).all()


def test_panels_stand_side_by_side():
    row = beside([np.zeros((30, 100, 3), np.uint8), np.zeros((50, 60, 3), np.uint8)])
    assert row.shape == (50, WIDTH, 3) and (row[40, GAP : GAP + 100] == 255).all()
    assert (row[:, GAP + 100 + GAP :][:, :60] == 0).all() and blank(4, 3).shape == (3, 4, 3)
