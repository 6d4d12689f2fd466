# SPDX-License-Identifier: Apache-2.0
"""What furnished rooms hold: the kinds of things, their shapes, colours and sizes, and what lies on what."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.rooms import furniture, small_things
from scene_r1_ros.rooms import more_furniture as more
from scene_r1_ros.rooms import more_things as things
from scene_r1_ros.rooms.furniture import OAK, WALNUT, Part
from scene_r1_ros.rooms.materials import Material
from scene_r1_ros.rooms.more_furniture import PAINT
from scene_r1_ros.rooms.primitives import joined, sample_surface

N_SAMPLES = 500
SOFT, HARD, SCREENS = "soft", "hard", "screens"  # what lies on seats, on boards, on cabinets
UNPAINTED = PAINT.rgb


@dataclass(frozen=True)
class Surface:
    """A level rectangle that things stand on, in the frame of the piece, metres."""

    x1: float
    y1: float
    x2: float
    y2: float
    z: float
    clear_m: float  # how high things on it may be
    takes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Shape:
    """One look of a kind; ``PAINT`` in it takes the object's colour."""

    parts: list[Part]
    surfaces: tuple[Surface, ...] = ()

    @cached_property
    def bounds(self) -> NDArray[np.float64]:
        """(2, 3) lowest and highest corner, metres."""
        corners = np.concatenate([mesh.corners.reshape(-1, 3) for mesh, _ in self.parts])
        return np.stack([corners.min(axis=0), corners.max(axis=0)])

    @cached_property
    def samples(self) -> NDArray[np.float32]:
        """(N_SAMPLES, 3) points spread evenly over the surface, metres."""
        whole = joined(*(mesh for mesh, _ in self.parts))
        return sample_surface(whole, N_SAMPLES, np.random.default_rng(0))


@dataclass(frozen=True)
class Kind:
    """A category. Sizes are drawn between the two values of ``wide``, ``deep`` and ``tall``, as factors of a shape."""

    name: str
    shapes: Callable[[], tuple[Shape, ...]]
    colors: tuple[str, ...]
    wide: tuple[float, float] = (1.0, 1.0)
    deep: tuple[float, float] | None = None  # None: as wide
    tall: tuple[float, float] = (1.0, 1.0)
    lies_on: tuple[str, ...] = ()  # of SOFT, HARD, SCREENS; empty: only on the floor
    on_floor: bool = False  # small things that lie on the floor, too
    period_m: float = 0.0  # of a pattern; 0: always plain


BRIGHT = ("red", "blue", "green", "yellow", "white", "orange", "purple", "black", "pink")
THINGS = (*BRIGHT, "brown", "grey")
CLOTHS = ("red", "blue", "green", "yellow", "white", "orange", "purple", "brown", "grey", "black", "pink")
BOARDS = ("wooden", "wooden", "wooden", "white", "black", "grey", "blue", "green", "red", "yellow")
TOYS = ("brown", "white", "grey", "pink", "blue", "yellow", "orange")
SHADES = ("white", "yellow", "red", "orange", "green", "blue", "pink")


def painted_where(parts: list[Part], *materials: Material) -> list[Part]:
    """Let the object's colour stand in for some materials of a shape."""
    return [(mesh, PAINT if material in materials else material) for mesh, material in parts]


def top(width: float, depth: float, z: float, takes: tuple[str, ...] = (HARD,), edge: float = 0.03) -> Surface:
    return Surface(-width / 2 + edge, -depth / 2 + edge, width / 2 - edge, depth / 2 - edge, z, 0.9, takes)


@cache
def tables() -> tuple[Shape, ...]:
    return (
        Shape(painted_where(furniture.table(1.3, 0.8), OAK), (top(1.3, 0.8, 0.74),)),
        Shape(painted_where(furniture.table(0.8, 0.8), OAK), (top(0.8, 0.8, 0.74),)),
        Shape(more.round_table(), (top(0.72, 0.72, 0.74),)),
        Shape(more.table_on_boards(), (top(1.2, 0.75, 0.74),)),
    )


@cache
def chairs() -> tuple[Shape, ...]:
    seat = Surface(-0.17, -0.18, 0.17, 0.12, 0.46, 0.5, (SOFT,))
    padded = replace(seat, z=0.5)
    return (
        Shape(painted_where(furniture.chair(), WALNUT), (seat,)),
        Shape(more.shell_chair(), (replace(seat, z=0.48),)),
        Shape(more.padded_chair(), (padded,)),
    )


def seats(width: float, count: int) -> Shape:
    half = (width - 0.36) / 2 - 0.02
    return Shape(furniture.seat_of(width, count, more.CLOTH), (Surface(-half, -0.36, half, 0.19, 0.45, 0.9, (SOFT,)),))


@cache
def armchairs() -> tuple[Shape, ...]:
    return (seats(0.86, 1), seats(1.0, 1))


@cache
def sofas() -> tuple[Shape, ...]:
    return (seats(1.75, 2), seats(2.1, 3))


@cache
def beds() -> tuple[Shape, ...]:
    surfaces = [Surface(-w / 2 + 0.1, -0.9, w / 2 - 0.1, 0.25, 0.51, 0.9, (SOFT,)) for w in (0.95, 1.4)]
    return (Shape(more.bed(0.95), (surfaces[0],)), Shape(more.bed(1.4), (surfaces[1],)))


@cache
def bookcases() -> tuple[Shape, ...]:
    return (*(open_shelves(height) for height in (0.9, 1.2, 1.55, 1.85)), *(with_books(seed) for seed in range(3)))


def open_shelves(height: float) -> Shape:
    boards = more.levels(height)
    gaps = np.diff(boards) - 0.035
    inside = [Surface(-0.42, -0.13, 0.42, 0.12, z + 0.025, gap, (HARD,)) for z, gap in zip(boards, gaps, strict=False)]
    on_top = Surface(-0.43, -0.13, 0.43, 0.12, height, 0.5, (HARD,))
    return Shape(more.shelves(height), (*inside, on_top) if height < 1.5 else tuple(inside))


def with_books(seed: int) -> Shape:
    """The demo's: the books in it are a part of it, only its top is free."""
    parts = furniture.bookcase(1.1, 1.05, np.random.default_rng(seed))
    return Shape(painted_where(parts, OAK), (top(1.1, 0.28, 1.05),))


@cache
def cabinets() -> tuple[Shape, ...]:
    return (
        Shape(more.cabinet(), (top(0.9, 0.4, 0.8, (HARD, SCREENS)),)),
        Shape(more.drawers(), (top(0.8, 0.4, 0.76, (HARD, SCREENS)),)),
    )


@cache
def stools() -> tuple[Shape, ...]:
    return (
        Shape(more.round_stool(), (top(0.26, 0.26, 0.47, (HARD, SOFT)),)),
        Shape(more.bar_stool(), (top(0.26, 0.26, 0.66, (HARD,)),)),
    )


@cache
def benches() -> tuple[Shape, ...]:
    return (
        Shape(more.bench(), (top(1.15, 0.36, 0.45, (HARD, SOFT)),)),
        Shape(more.padded_bench(), (top(1.0, 0.36, 0.45, (SOFT,)),)),
    )


@cache
def floor_lamps() -> tuple[Shape, ...]:
    demo = [(mesh, replace(m, rgb=UNPAINTED) if m.glow else m) for mesh, m in furniture.floor_lamp()]
    return (Shape(demo), Shape(more.arc_lamp()), Shape(more.cone_lamp()))


@cache
def plants() -> tuple[Shape, ...]:
    return tuple(Shape(furniture.plant(np.random.default_rng(seed))) for seed in range(5))


def simply(*makers: Callable[[], list[Part]]) -> Callable[[], tuple[Shape, ...]]:
    return cache(lambda: tuple(Shape(make()) for make in makers))


def demo(make: Callable[[tuple[int, int, int]], list[Part]]) -> Callable[[], list[Part]]:
    return lambda: make(UNPAINTED)


BIG = {
    kind.name: kind
    for kind in (
        Kind("table", tables, BOARDS, (0.85, 1.1), (0.85, 1.1), (0.6, 1.02)),
        Kind("chair", chairs, BOARDS, (0.92, 1.08), None, (0.92, 1.1)),
        Kind("armchair", armchairs, CLOTHS, (0.95, 1.1), None, (0.9, 1.1), period_m=0.16),
        Kind("sofa", sofas, CLOTHS, (0.92, 1.08), (0.95, 1.05), (0.9, 1.1), period_m=0.2),
        Kind("bed", beds, CLOTHS, (0.95, 1.1), (0.9, 1.0), (0.9, 1.1), period_m=0.22),
        Kind("bookcase", bookcases, BOARDS, (0.85, 1.15), (1.0, 1.15)),
        Kind("cabinet", cabinets, BOARDS, (0.85, 1.3), (0.95, 1.15), (0.8, 1.15)),
        Kind("stool", stools, (*BOARDS, "orange", "purple"), (0.95, 1.2), None, (0.9, 1.1)),
        Kind("bench", benches, BOARDS, (0.8, 1.15), (0.95, 1.1), (0.9, 1.05)),
        Kind("floor lamp", floor_lamps, SHADES, (0.9, 1.25), None, (0.85, 1.1)),
        Kind("plant", plants, ("green",), (0.9, 1.3), None, (0.9, 1.4)),
        Kind("suitcase", simply(more.suitcase), BRIGHT, (0.85, 1.15), None, (0.85, 1.15)),
        Kind("trash can", simply(more.trash_can, more.pedal_bin), THINGS, (0.85, 1.15), None, (0.8, 1.15)),
        Kind("storage box", simply(demo(small_things.crate), things.closed_box), (*THINGS, "wooden"), (0.9, 1.25),
             (0.9, 1.15), (0.9, 1.3), period_m=0.12),
    )
}  # fmt: skip
SMALL = {
    kind.name: kind
    for kind in (
        Kind("mug", simply(demo(small_things.mug), things.tall_mug), THINGS, (1.35, 1.8), None, (1.0, 1.3), (HARD,),
             period_m=0.07),
        Kind("bottle", simply(demo(small_things.bottle), things.square_bottle), THINGS, (1.2, 1.6), None, (0.9, 1.2),
             (HARD,)),
        Kind("book", simply(demo(small_things.book), things.thick_book), THINGS, (1.15, 1.5), (1.0, 1.2), (1.0, 1.5),
             (HARD, SOFT)),
        Kind("bowl", simply(demo(small_things.bowl), things.wide_bowl), THINGS, (1.3, 1.7), None, (0.9, 1.2), (HARD,),
             period_m=0.08),
        Kind("vase", simply(demo(small_things.vase), things.tall_vase), THINGS, (1.15, 1.6), None, (0.9, 1.2), (HARD,),
             period_m=0.1),
        Kind("ball", simply(demo(small_things.ball), things.beach_ball), THINGS, (0.8, 1.4), None, (1.0, 1.0),
             (HARD, SOFT), True, 0.14),
        Kind("cushion", simply(things.cushion, things.flat_cushion), CLOTHS, (0.9, 1.15), None, (0.9, 1.1), (SOFT,),
             period_m=0.14),
        Kind("television", simply(more.television), ("black", "grey", "white"), (0.65, 0.9), (0.9, 1.1), (0.75, 1.0),
             (SCREENS,)),
        Kind("table lamp", simply(things.table_lamp, things.ball_lamp), SHADES, (1.0, 1.4), None, (0.9, 1.2), (HARD,)),
        Kind("kettle", simply(things.kettle, things.electric_kettle), THINGS, (1.05, 1.4), None, (0.95, 1.1), (HARD,)),
        Kind("clock", simply(things.clock, things.mantel_clock), THINGS, (1.3, 1.8), None, (0.95, 1.1), (HARD,)),
        Kind("teddy", simply(things.teddy), TOYS, (0.95, 1.35),
             None, (0.95, 1.1), (SOFT, HARD), True),
        Kind("candle", simply(things.candle, things.candlestick), BRIGHT, (1.3, 1.9), None, (0.8, 1.2), (HARD,)),
        Kind("cube", simply(things.cube), THINGS, (1.1, 1.7), None, (1.0, 1.0), (HARD, SOFT), True, 0.1),
    )
}  # fmt: skip
KINDS = {**BIG, **SMALL}
