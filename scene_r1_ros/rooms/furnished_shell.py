# SPDX-License-Identifier: Apache-2.0
"""Floor, walls, windows, door, rug and pictures of a furnished room, of many looks."""

from dataclasses import dataclass, replace

import numpy as np

from scene_r1_ros.rooms.furniture import Part
from scene_r1_ros.rooms.layout import Rect, overlap
from scene_r1_ros.rooms.looks import RGB
from scene_r1_ros.rooms.materials import Material
from scene_r1_ros.rooms.primitives import box, cylinder, joined, rotation_z
from scene_r1_ros.rooms.shell import THICK, WHITE, around

WALLS = (
    (226, 218, 200), (206, 218, 222), (222, 212, 216), (214, 222, 206), (236, 234, 228), (212, 200, 180),
    (190, 204, 212), (224, 206, 188), (200, 206, 196), (216, 216, 220),
)  # fmt: skip
FLOORS = (
    Material((190, 150, 108), "planks", gloss=0.12), Material((150, 112, 78), "planks", gloss=0.12),
    Material((206, 176, 138), "planks", gloss=0.1), Material((120, 92, 70), "planks", gloss=0.1),
    Material((178, 174, 168), "tiles", gloss=0.2), Material((204, 196, 182), "tiles", gloss=0.2),
    Material((150, 146, 138), "fabric"), Material((170, 160, 142), "fabric"),
)  # fmt: skip
RUGS = ((128, 62, 58), (64, 86, 112), (96, 104, 76), (150, 132, 104), (92, 84, 96), (176, 164, 146), (70, 78, 84))
DOOR_M, WINDOW_BOTTOM_M = 0.86, 1.06


@dataclass(frozen=True)
class Shell:
    parts: list[Part]  # in the world
    pillars: list[Rect]
    door_way: Rect  # kept free
    windows: list[Rect]  # the strips of floor in front of them
    window_wall: int  # 0 (+y), 1 (-x), 2 (-y) or 3 (+x)


def furnished_shell(size_m: tuple[float, float, float], rng: np.random.Generator) -> Shell:
    """A room centred on the origin, floor at z = 0."""
    width, depth, height = size_m
    wall = Material(WALLS[rng.integers(len(WALLS))], "plaster")
    if rng.random() < 0.25:
        wall = replace(wall, texture="wallpaper", second=toned(wall.rgb, 0.93), period_m=0.24)
    parts: list[Part] = [
        (box(width + 1, depth + 1, THICK).moved(0, 0, -THICK), FLOORS[rng.integers(len(FLOORS))]),
        (box(width + 1, depth + 1, THICK).moved(0, 0, height), Material((244, 244, 240), "plaster")),
        (joined(*around(width, depth, 0, height, THICK)), wall),
        (joined(*around(width - 0.03, depth - 0.03, 0, 0.09, 0.02)), WHITE),
        *rug(size_m, rng),
    ]
    pillars = [pillar(size_m, rng)] if rng.random() < 0.35 else []
    for x1, y1, x2, y2 in pillars:
        parts.append((box(x2 - x1, y2 - y1, height).moved((x1 + x2) / 2, (y1 + y2) / 2, 0), wall))
    walls = [int(k) for k in rng.permutation(4)]
    in_wall = InWalls(size_m, pillars)
    parts += in_wall.door(walls[0], rng)
    parts += in_wall.window(walls[1], rng)
    for k in walls[2 : 2 + rng.integers(3)]:
        parts += in_wall.picture(k, rng)
    return Shell(parts, pillars, in_wall.door_way, in_wall.windows, walls[1])


def pillar(size_m: tuple[float, float, float], rng: np.random.Generator) -> Rect:
    """A corner that is walled off, so that the room is shaped like an L."""
    x, y = size_m[0] / 2, size_m[1] / 2
    wide, deep = rng.uniform(0.5, 0.24 * size_m[0]), rng.uniform(0.5, 0.24 * size_m[1])
    left, front = rng.integers(2, size=2)
    x1, y1 = (-x if left else x - wide), (-y if front else y - deep)
    return x1, y1, x1 + wide, y1 + deep


def rug(size_m: tuple[float, float, float], rng: np.random.Generator) -> list[Part]:
    look = rng.random()
    if look < 0.25:
        return []
    dark = RUGS[rng.integers(len(RUGS))]
    pale = toned(dark, 1.35)
    texture = ("fabric", "rug", "fabric", "wallpaper")[rng.integers(4)]
    cloth = Material(dark, texture, second=pale, period_m=0.5)
    x, y = rng.uniform(-0.5, 0.5, 2)
    if look < 0.45:
        return [(cylinder(rng.uniform(0.6, 1.0), 0.006).moved(x, y, 0), cloth)]
    wide, deep = rng.uniform(0.35, 0.55) * size_m[0], rng.uniform(0.3, 0.5) * size_m[1]
    return [(box(wide, deep, 0.006).moved(x, y, 0), cloth)]


def toned(rgb: RGB, factor: float) -> RGB:
    red, green, blue = (min(int(factor * c), 255) for c in rgb)
    return red, green, blue


def any_color(rng: np.random.Generator) -> RGB:
    red, green, blue = (int(c) for c in rng.integers(60, 240, 3))
    return red, green, blue


class InWalls:
    """What is fixed to the walls. Wall k is the one towards +y, turned by k quarters."""

    def __init__(self, size_m: tuple[float, float, float], pillars: list[Rect]):
        self._size_m, self._pillars = size_m, pillars
        self.door_way: Rect = (0, 0, 0, 0)
        self.windows: list[Rect] = []

    def door(self, wall: int, rng: np.random.Generator) -> list[Part]:
        a, y = self._along(wall, DOOR_M + 0.2, rng), self._away(wall)
        leaf = box(DOOR_M, 0.05, 2.02).moved(a, y, 0)
        panels = [box(0.56, 0.07, tall).moved(a, y, z) for z, tall in ((0.2, 0.7), (1.1, 0.7))]
        frame = [box(0.08, 0.08, 2.1).moved(a + s * 0.47, y, 0) for s in (-1, 1)]
        frame.append(box(1.02, 0.08, 0.08).moved(a, y, 2.02))
        self.door_way = self._strip(wall, a, DOOR_M, 0.7)
        tone = ((196, 168, 130), (236, 234, 228), (120, 84, 58), (160, 168, 172))[rng.integers(4)]
        leaf_look = Material(tone, "wood" if tone[0] > tone[2] + 20 else "plain")
        return self._turned(wall, [(joined(leaf, *panels), leaf_look), (joined(*frame), WHITE)])

    def window(self, wall: int, rng: np.random.Generator) -> list[Part]:
        wide, tall = rng.uniform(0.9, 1.7), rng.uniform(0.9, 1.25)
        a, y, z = self._along(wall, wide + 0.3, rng), self._away(wall), WINDOW_BOTTOM_M
        pane = box(wide, 0.02, tall).moved(a, y, z)
        bars = [box(wide + 0.12, 0.05, 0.06).moved(a, y, z + dz) for dz in (-0.06, 0.48 * tall, tall)]
        posts = [box(0.06, 0.05, tall + 0.12).moved(a + s * (wide + 0.06) / 2, y, z - 0.06) for s in (-1, 0, 1)]
        sill = box(wide + 0.2, 0.24, 0.03).moved(a, y, z - 0.09)
        self.windows.append(self._strip(wall, a, wide + 0.2, 0.2))
        glass = Material((232, 242, 255), glow=float(rng.uniform(0.3, 1.0)))
        return self._turned(wall, [(pane, glass), (joined(*bars, *posts, sill), WHITE)])

    def picture(self, wall: int, rng: np.random.Generator) -> list[Part]:
        wide, tall = rng.uniform(0.4, 0.9), rng.uniform(0.35, 0.6)
        a, y, z = self._along(wall, wide + 0.2, rng), self._away(wall), rng.uniform(1.45, 1.65)
        frame = box(wide + 0.1, 0.03, tall + 0.1).moved(a, y, z - 0.05)
        sheet = box(wide, 0.036, tall).moved(a, y, z)
        ink, other = any_color(rng), any_color(rng)
        texture = ("picture", "blocks", "blocks")[rng.integers(3)]
        look = Material((255, 255, 255) if texture == "picture" else ink, texture, second=other, period_m=0.5)
        return self._turned(wall, [(frame, Material((52, 44, 38), "wood")), (sheet, look)])

    def _along(self, wall: int, wide: float, rng: np.random.Generator) -> float:
        """Where along a wall something fits beside a pillar, its middle."""
        half = (self._size_m[0] if wall % 2 == 0 else self._size_m[1]) / 2
        places = [float(a) for a in rng.uniform(-half + wide / 2, half - wide / 2, 12)]
        free = [a for a in places if not any(overlap(self._strip(wall, a, wide, 0.3), p) for p in self._pillars)]
        return (free or places)[0]

    def _away(self, wall: int) -> float:
        return (self._size_m[1] if wall % 2 == 0 else self._size_m[0]) / 2

    def _strip(self, wall: int, a: float, wide: float, deep: float) -> Rect:
        y = self._away(wall)
        corners = np.array([(a - wide / 2, y - deep, 0), (a + wide / 2, y, 0)]) @ rotation_z(wall * np.pi / 2).T
        low, high = corners.min(axis=0), corners.max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    def _turned(self, wall: int, parts: list[Part]) -> list[Part]:
        return [(mesh.placed(rotation_z(wall * np.pi / 2), (0, 0, 0)), material) for mesh, material in parts]
