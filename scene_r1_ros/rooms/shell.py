# SPDX-License-Identifier: Apache-2.0
"""What a room is made of before it is furnished: floor, walls, window, door, skirting, rug and a picture."""

import numpy as np

from scene_r1_ros.rooms.furniture import Part
from scene_r1_ros.rooms.materials import PICTURE_BOTTOM_M, Material
from scene_r1_ros.rooms.primitives import Mesh, box, joined

WALL_COLORS = ((226, 218, 200), (206, 218, 222), (222, 212, 216), (214, 222, 206))
RUG_COLORS = ((128, 62, 58), (64, 86, 112), (96, 104, 76))
WHITE = Material((238, 238, 234))
THICK = 0.1


def shell(size_m: tuple[float, float, float], rng: np.random.Generator) -> list[Part]:
    """The parts of a room centred on the origin, floor at z = 0, in the world."""
    wall = Material(WALL_COLORS[rng.integers(len(WALL_COLORS))], "plaster")
    rug = Material(RUG_COLORS[rng.integers(len(RUG_COLORS))], "rug")
    width, depth, height = size_m
    floor = box(width + 1, depth + 1, THICK).moved(0, 0, -THICK)
    ceiling = box(width + 1, depth + 1, THICK).moved(0, 0, height)
    return [
        (floor, Material((190, 150, 108), "planks", gloss=0.12)),
        (ceiling, Material((244, 244, 240), "plaster")),
        (joined(*around(width, depth, 0, height, THICK)), wall),
        (joined(*around(width - 0.03, depth - 0.03, 0, 0.09, 0.02)), WHITE),
        (box(2.3, 1.7, 0.006).moved(0, 0.35, 0), rug),
        *window(width, depth),
        *door(width),
        *hung_picture(depth),
    ]


def around(width: float, depth: float, bottom: float, top: float, thick: float) -> list[Mesh]:
    """Four walls whose inner faces are ``width`` and ``depth`` apart."""
    along_x = [box(width, thick, top - bottom).moved(0, s * (depth + thick) / 2, bottom) for s in (-1, 1)]
    along_y = [box(thick, depth + 2 * thick, top - bottom).moved(s * (width + thick) / 2, 0, bottom) for s in (-1, 1)]
    return along_x + along_y


def window(width: float, depth: float) -> list[Part]:
    """In the right wall: a bright pane in a white frame with a cross, and a sill."""
    x, y, z = width / 2, 0.6, 0.95
    pane = box(0.02, 1.3, 1.2).moved(x, y, z)
    bars = [box(0.05, 1.42, 0.06).moved(x, y, z + dz) for dz in (-0.06, 0.57, 1.2)]
    posts = [box(0.05, 0.06, 1.32).moved(x, y + dy, z - 0.06) for dy in (-0.68, 0, 0.68)]
    sill = box(0.24, 1.5, 0.03).moved(x, y, z - 0.09)
    return [(pane, Material((232, 242, 255), glow=0.9)), (joined(*bars, *posts, sill), WHITE)]


def door(width: float) -> list[Part]:
    """In the left wall, near the camera's side."""
    x, y = -width / 2, -1.1
    leaf = box(0.05, 0.86, 2.02).moved(x, y, 0)
    panels = [box(0.07, 0.56, tall).moved(x, y, z) for z, tall in ((0.2, 0.7), (1.1, 0.7))]
    frame = [box(0.08, 0.08, 2.1).moved(x, y + s * 0.47, 0) for s in (-1, 1)] + [
        box(0.08, 1.02, 0.08).moved(x, y, 2.02)
    ]
    return [(joined(leaf, *panels), Material((196, 168, 130), "wood")), (joined(*frame), WHITE)]


def hung_picture(depth: float) -> list[Part]:
    y = depth / 2
    frame = box(0.92, 0.03, 0.66).moved(0.75, y, PICTURE_BOTTOM_M - 0.05)
    sheet = box(0.82, 0.036, 0.56).moved(0.75, y, PICTURE_BOTTOM_M)
    return [(frame, Material((52, 44, 38), "wood")), (sheet, Material((255, 255, 255), "picture"))]
