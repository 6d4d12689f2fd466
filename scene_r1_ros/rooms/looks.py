# SPDX-License-Identifier: Apache-2.0
"""Colours and patterns of the things in furnished rooms: no two of a name alike, each still called by its name."""

import colorsys
from dataclasses import replace

import numpy as np

from scene_r1_ros.rooms.furniture import Part
from scene_r1_ros.rooms.materials import PALETTE, Material

RGB = tuple[int, int, int]
COLORS: dict[str, RGB] = {**PALETTE, "black": (30, 30, 34), "pink": (238, 130, 170)}
WOODS: tuple[RGB, ...] = ((178, 132, 84), (142, 96, 58), (204, 164, 112), (160, 104, 66))
HUE_SHIFT, BRIGHT_SHIFT, DULL_SHIFT = 0.012, 0.09, 0.10  # of a turn, of the value, of the saturation
PALE, DEEP = (240, 238, 230), (40, 42, 50)  # second colours of patterns
PALE_NAMES = ("yellow", "pink")


def shade_of(name: str, rng: np.random.Generator) -> RGB:
    """A colour near that of the name: sRGB."""
    hue, saturation, value = colorsys.rgb_to_hsv(*(c / 255 for c in COLORS[name]))
    hue = (hue + rng.uniform(-1, 1) * HUE_SHIFT) % 1
    saturation *= 1 - rng.uniform(0, DULL_SHIFT)
    value = min(value * (1 + rng.uniform(-1, 1) * BRIGHT_SHIFT), 1)
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value)
    return round(255 * red), round(255 * green), round(255 * blue)


def painted(
    parts: list[Part], color: str, pattern: str, period_m: float, unpainted: RGB, rng: np.random.Generator
) -> list[Part]:
    """The parts with what is ``unpainted`` in the colour of a name ("wooden" is one, too), and with a pattern."""
    if color == "wooden":
        rgb, texture = WOODS[rng.integers(len(WOODS))], "wood"
    else:
        rgb, texture = shade_of(color, rng), pattern
    second = DEEP if color in PALE_NAMES else PALE

    def coat(material: Material) -> Material:
        if material.rgb != unpainted:
            return material
        return replace(
            material,
            rgb=rgb,
            texture=texture or material.texture,
            second=second,
            period_m=period_m or material.period_m,
        )

    return [(mesh, coat(material)) for mesh, material in parts]
