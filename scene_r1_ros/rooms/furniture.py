# SPDX-License-Identifier: Apache-2.0
"""Pieces of furniture as parts: a mesh with a material each. Metres, z up, standing on z = 0, front towards -y."""

from collections.abc import Iterator

import numpy as np

from scene_r1_ros.rooms.materials import PALETTE, Material
from scene_r1_ros.rooms.primitives import Mesh, box, cylinder, grid, joined, revolved, rotation_z, rounded_box

Part = tuple[Mesh, Material]
OAK = Material((178, 132, 84), "wood")
WALNUT = Material((112, 74, 46), "wood")
METAL = Material((58, 60, 64), gloss=0.4)
LEAF = Material((48, 112, 50), "fabric")


def table(width: float, depth: float) -> list[Part]:
    """0.74 m high."""
    top = box(width, depth, 0.035).moved(0, 0, 0.705)
    apron = [box(width - 0.16, 0.02, 0.09).moved(0, s * (depth / 2 - 0.08), 0.615) for s in (-1, 1)]
    sides = [box(0.02, depth - 0.16, 0.09).moved(s * (width / 2 - 0.08), 0, 0.615) for s in (-1, 1)]
    legs = legs_of(width - 0.14, depth - 0.14, 0.705, 0.06)
    return [(joined(top, *apron, *sides, *legs), OAK)]


def legs_of(width: float, depth: float, height: float, thick: float) -> list[Mesh]:
    return [box(thick, thick, height).moved(x * width / 2, y * depth / 2, 0) for x in (-1, 1) for y in (-1, 1)]


def chair() -> list[Part]:
    """A wooden chair, seat 0.45 m high, back on the +y side."""
    seat = box(0.43, 0.43, 0.03).moved(0, 0, 0.43)
    posts = [box(0.04, 0.035, 0.48).moved(s * 0.19, 0.195, 0.45) for s in (-1, 1)]
    slats = [box(0.36, 0.02, 0.055).moved(0, 0.195, z) for z in (0.58, 0.7, 0.85)]
    return [(joined(seat, *posts, *slats, *legs_of(0.38, 0.38, 0.43, 0.04)), WALNUT)]


def seat_of(width: float, seats: int, cloth: Material) -> list[Part]:
    """Sofa or armchair: base, back, two arms, a cushion per seat."""
    inner = width - 0.36
    base = rounded_box(width - 0.06, 0.8, 0.22, 0.03).moved(0, 0, 0.1)
    back = rounded_box(width - 0.1, 0.22, 0.62, 0.07).moved(0, 0.31, 0.2)
    arms = [rounded_box(0.18, 0.82, 0.48, 0.06).moved(s * (width / 2 - 0.09), 0, 0.1) for s in (-1, 1)]
    step = inner / seats
    places = [(i - (seats - 1) / 2) * step for i in range(seats)]
    cushions = [rounded_box(step - 0.01, 0.6, 0.15, 0.05).moved(x, -0.1, 0.3) for x in places]
    return [(joined(base, back, *arms, *cushions), cloth), (joined(*legs_of(width - 0.16, 0.68, 0.11, 0.05)), WALNUT)]


def bookcase(width: float, height: float, rng: np.random.Generator) -> list[Part]:
    """Open to the front (-y), its back towards +y, with books in its boards."""
    sides = [box(0.025, 0.3, height).moved(s * (width / 2 - 0.0125), 0, 0) for s in (-1, 1)]
    levels = np.linspace(0.06, height - 0.025, 4)
    boards = [box(width, 0.3, 0.025).moved(0, 0, z) for z in levels]
    back = box(width, 0.01, height).moved(0, 0.145, 0)
    books = [part for z in levels[:-1] for part in row_of_books(width - 0.1, z + 0.025, rng)]
    return [(joined(*sides, *boards, back), OAK), *books]


def row_of_books(width: float, z: float, rng: np.random.Generator) -> Iterator[Part]:
    colors = [color for name, color in PALETTE.items() if name not in ("white", "yellow")]
    x, end = -width / 2, width * rng.uniform(0.1, 0.5)
    while x < end:
        thick, tall = rng.uniform(0.02, 0.045), rng.uniform(0.17, 0.24)
        red, green, blue = colors[rng.integers(len(colors))]
        cover = Material((red * 3 // 4, green * 3 // 4, blue * 3 // 4), "plaster")
        yield box(thick - 0.003, 0.16, tall).moved(x + thick / 2, -0.03, z), cover
        x += thick


def floor_lamp() -> list[Part]:
    pole = joined(cylinder(0.14, 0.025), cylinder(0.012, 1.4))
    shade = revolved([(0.2, 1.3), (0.13, 1.58)])
    return [(pole, METAL), (shade, Material((244, 226, 186), "fabric", glow=0.4))]


def plant(rng: np.random.Generator) -> list[Part]:
    """A pot with long arching leaves."""
    pot = revolved([(0, 0), (0.11, 0), (0.15, 0.27), (0.13, 0.27), (0.12, 0.22), (0, 0.22)])
    leaves = [leaf(rng.uniform(0, 2 * np.pi), rng.uniform(0.3, 0.62), rng.uniform(0.15, 0.36)) for _ in range(26)]
    return [(pot, Material((206, 198, 184), "plaster")), (joined(*leaves), LEAF)]


def leaf(turn: float, rise: float, reach: float) -> Mesh:
    """A flat blade that rises and bends outwards."""
    t = np.linspace(0, 1, 7)
    spine = np.stack([reach * t**1.6, 0 * t, 0.22 + rise * np.sin(2.1 * t)], axis=1)
    around = np.linspace(0, 2 * np.pi, 9)
    section = np.stack([0 * around, np.sin(around), 0.15 * np.cos(around)], axis=1)
    width = 0.028 * np.sin(np.pi * (0.08 + 0.9 * t))
    return grid(spine[:, None] + width[:, None, None] * section, None).placed(rotation_z(turn), (0, 0, 0))
