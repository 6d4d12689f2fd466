# SPDX-License-Identifier: Apache-2.0
"""Where furniture stands: along the walls, in the middle, and no piece in another. Metres, seen from above."""

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.rooms.catalogue import HARD, KINDS, Kind, Shape, Surface
from scene_r1_ros.rooms.primitives import rotation_z

Rect = tuple[float, float, float, float]  # x1, y1, x2, y2
WALL_GAP_M = (0.03, 0.07)  # clear of the skirting and of pictures
SILL_M = 0.92  # what is higher does not stand under a window
TRIES = 25
PLAIN_COLORS = (
    "wooden",
    "white",
    "black",
    "grey",
)  # nobody can tell a black pattern on white from a white one on black
FACES_FRONT_RAD = {
    "clock": 0.35,
    "cushion": 0.3,
    "television": 0.05,
    "teddy": 0.5,
    "book": 0.4,
}  # turned at most so far


@dataclass(eq=False)
class Piece:
    """Something that stands in the room, or lies on something that does."""

    kind: Kind
    shape: Shape
    factors: NDArray[np.float64]  # (3,) of the shape's size
    color: str
    pattern: str = ""
    x: float = 0.0
    y: float = 0.0
    z: float = 0.0
    yaw: float = 0.0
    support: "Piece | None" = None
    taken: dict[Surface, list[Rect]] = field(default_factory=dict)  # in the piece's own frame

    @cached_property
    def low_high(self) -> NDArray[np.float64]:
        """(2, 3) corners of its box in its own frame."""
        return self.shape.bounds * self.factors

    @property
    def height(self) -> float:
        return float(self.low_high[1, 2])

    def footprint(self, yaw: float) -> Rect:
        """What it covers, turned, with its own origin at (0, 0)."""
        (x1, y1, _), (x2, y2, _) = self.low_high.tolist()
        c, s = math.cos(yaw), math.sin(yaw)
        across, along = sorted((c * x1, c * x2)), sorted((s * x1, s * x2))
        back, up = sorted((-s * y1, -s * y2)), sorted((c * y1, c * y2))
        return across[0] + back[0], along[0] + up[0], across[1] + back[1], along[1] + up[1]

    def surface(self, surface: Surface) -> Surface:
        """A surface of the shape as large as this piece has it."""
        fx, fy, fz = (float(f) for f in self.factors)
        return Surface(
            surface.x1 * fx, surface.y1 * fy, surface.x2 * fx, surface.y2 * fy, surface.z * fz, surface.clear_m * fz,
            surface.takes,
        )  # fmt: skip


def a_piece(name: str, rng: np.random.Generator, color: str | None = None, shape: Shape | None = None) -> Piece:
    """A thing of a kind with a shape, size, colour and perhaps a pattern of its own; not placed yet."""
    kind = KINDS[name]
    shapes = kind.shapes()
    shape = shape or shapes[rng.integers(len(shapes))]
    wide, tall = rng.uniform(*kind.wide), rng.uniform(*kind.tall)
    deep = wide if kind.deep is None else rng.uniform(*kind.deep)
    if kind.name == "ball":
        deep = tall = wide
    color = color or kind.colors[rng.integers(len(kind.colors))]
    patterned = kind.period_m and color not in PLAIN_COLORS and rng.random() < 0.35
    pattern = ("striped", "checked", "dotted")[rng.integers(3)] if patterned else ""
    return Piece(kind, shape, np.array([wide, deep, tall]), color, pattern)


def moved(rect: Rect, x: float, y: float) -> Rect:
    return rect[0] + x, rect[1] + y, rect[2] + x, rect[3] + y


def overlap(a: Rect, b: Rect, margin: float = 0.0) -> bool:
    return a[0] < b[2] + margin and b[0] < a[2] + margin and a[1] < b[3] + margin and b[1] < a[3] + margin


@dataclass(eq=False)
class Floor:
    """What of the floor is taken. The room is centred on the origin."""

    size_m: tuple[float, float, float]
    taken: list[Rect]  # pillars, the way to the door, and what stands
    windows: list[Rect]  # strips in front of them, free of what is tall
    pieces: list[Piece] = field(default_factory=list)

    def put(self, piece: Piece, x: float, y: float, yaw: float, margin: float) -> bool:
        """Stand a piece at a place, if it is free with a margin around it."""
        rect = moved(piece.footprint(yaw), x, y)
        half_x, half_y = self.size_m[0] / 2 - 0.03, self.size_m[1] / 2 - 0.03
        if rect[0] < -half_x or rect[2] > half_x or rect[1] < -half_y or rect[3] > half_y:
            return False
        if any(overlap(rect, other, margin) for other in self.taken):
            return False
        carries = any(HARD in surface.takes for surface in piece.shape.surfaces)  # things that would meet the sill
        if (piece.height > SILL_M or carries) and any(overlap(rect, strip) for strip in self.windows):
            return False
        piece.x, piece.y, piece.yaw = x, y, yaw
        self.taken.append(rect)
        self.pieces.append(piece)
        return True

    def put_at_wall(self, piece: Piece, rng: np.random.Generator, margin: float = 0.1) -> bool:
        """With its back to a wall."""
        for _ in range(TRIES):
            wall = int(rng.integers(4))
            x, y = self.at_wall(piece, wall, rng)
            if self.put(piece, x, y, wall * np.pi / 2, margin):
                return True
        return False

    def at_wall(self, piece: Piece, wall: int, rng: np.random.Generator) -> tuple[float, float]:
        """A place along wall 0 (+y), 1 (-x), 2 (-y) or 3 (+x)."""
        along, away = self.size_m[:2] if wall % 2 == 0 else self.size_m[1::-1]
        (x1, _, _), (x2, y2, _) = piece.low_high
        a = rng.uniform(-along / 2 + 0.05 - x1, along / 2 - 0.05 - x2)
        x, y, _ = rotation_z(wall * np.pi / 2) @ (a, away / 2 - y2 - rng.uniform(*WALL_GAP_M), 0)
        return float(x), float(y)

    def put_anywhere(self, piece: Piece, yaw: float, margin: float, rng: np.random.Generator) -> bool:
        half_x, half_y = self.size_m[0] / 2 - 0.1, self.size_m[1] / 2 - 0.1
        places = rng.uniform((-half_x, -half_y), (half_x, half_y), (TRIES, 2)).tolist()
        return any(self.put(piece, x, y, yaw, margin) for x, y in places)


def lay(piece: Piece, support: Piece, surface: Surface, rng: np.random.Generator) -> bool:
    """Lay a thing on a surface of a piece, beside what is there, if it fits."""
    place = support.surface(surface)
    if piece.height > place.clear_m or not set(piece.kind.lies_on) & set(place.takes):
        return False
    turn = FACES_FRONT_RAD.get(piece.kind.name, np.pi)
    others = support.taken.setdefault(surface, [])
    for _ in range(TRIES // 3):
        yaw = rng.uniform(-turn, turn)
        rect = piece.footprint(yaw)
        low, high = (place.x1 - rect[0], place.y1 - rect[1]), (place.x2 - rect[2], place.y2 - rect[3])
        if low[0] > high[0] or low[1] > high[1]:
            continue
        x, y = (float(v) for v in rng.uniform(low, high))
        if piece.kind.name == "cushion":
            y = high[1]  # against the back
        rect = moved(rect, x, y)
        if not any(overlap(rect, other, 0.02) for other in others):
            others.append(rect)
            piece.x, piece.y, _ = rotation_z(support.yaw) @ (x, y, 0) + (support.x, support.y, 0)
            piece.z, piece.yaw, piece.support = place.z, support.yaw + yaw, support
            return True
    return False
