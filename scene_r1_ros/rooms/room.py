# SPDX-License-Identifier: Apache-2.0
"""A small furnished room from a seed. The world has its origin on the floor in the middle of the room, z up."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.answer import OrientedBox
from scene_r1_ros.rooms import furniture, small_things
from scene_r1_ros.rooms.furniture import Part
from scene_r1_ros.rooms.light import Light
from scene_r1_ros.rooms.materials import PALETTE, Material
from scene_r1_ros.rooms.primitives import Mesh, joined, rotation_z, sample_surface
from scene_r1_ros.rooms.shell import shell

N_SAMPLES = 4000
TABLE_HEIGHT_M = 0.74
CASE_HEIGHT_M = 1.05
MUG_COLORS = ("red", "blue", "green", "yellow", "white")
BALL_COLORS = ("red", "blue", "green", "yellow", "orange", "purple")
CLOTH_COLORS = ("green", "blue", "grey", "red", "purple")


@dataclass(frozen=True, eq=False)
class RoomObject:
    """A thing in the room, exactly as it is."""

    instance_id: int  # in the instance maps; 0 is floor, walls and what is fixed to them
    name: str  # "mug"
    color: str  # "red"
    support: str  # what it stands on: "floor", "table" or "bookcase"
    parts: list[Part]  # in its own frame
    R_world_object: NDArray[np.float64]  # (3, 3)
    position_world: NDArray[np.float64]  # (3,) metres
    box: OrientedBox  # along the object's own axes
    samples_world: NDArray[np.float32]  # (N, 3) points on its surface, metres
    pattern: str = ""  # "striped", "checked" or "dotted"
    support_id: int = 0  # instance_id of what it stands on, 0 = the floor

    @property
    def label(self) -> str:
        return f"{self.color} {self.name}"


@dataclass(frozen=True)
class Room:
    seed: int
    size_m: tuple[float, float, float]  # along x, y, z
    structure: list[Part]  # floor, walls and what is fixed to them, in the world
    objects: tuple[RoomObject, ...]
    mirrored: bool  # which way round the furniture stands, and the walk goes
    light: Light = field(default_factory=Light)
    pillars: tuple[tuple[float, float, float, float], ...] = ()  # x1, y1, x2, y2: where walls stand into the room


def build_room(seed: int) -> Room:
    """A room with a table, chairs, an armchair, a sofa, a bookcase and small things of different colours.

    The side towards -y is left free: that is where the camera walks.
    """
    rng = np.random.default_rng([seed, 0])
    size_m = (rng.uniform(5.0, 5.4), rng.uniform(4.8, 5.2), 2.6)
    mirrored = bool(rng.integers(2))
    objects: list[RoomObject] = []
    for name, color, support, parts, place in [*furnish(size_m, rng), *lie_about(size_m, rng)]:
        objects.append(placed(len(objects) + 1, name, color, support, parts, place, -1 if mirrored else 1, rng))
    return Room(seed, size_m, shell(size_m, rng), tuple(objects), mirrored)


Place = tuple[float, float, float, float]  # x, y, z in metres, yaw in radians
Item = tuple[str, str, str, list[Part], Place]  # name, color, support, parts, place


def furnish(size_m: tuple[float, float, float], rng: np.random.Generator) -> Iterator[Item]:
    """The big pieces, in the room that is not mirrored: armchair right, sofa left, bookcase at the back."""
    half_x, half_y = size_m[0] / 2, size_m[1] / 2
    cloth = [CLOTH_COLORS[i] for i in rng.permutation(len(CLOTH_COLORS))]
    yield "table", "wooden", "floor", furniture.table(1.3, 0.8), (*TABLE_XY, 0, 0)
    for x, y, yaw in chair_places(rng):
        yield "chair", "wooden", "floor", furniture.chair(), (x, y, 0, yaw)
    armchair = furniture.seat_of(0.86, 1, Material(PALETTE[cloth[0]], "fabric"))
    yield "armchair", cloth[0], "floor", armchair, (1.22 + near(rng), 1.35 + near(rng), 0, -0.5 + 2 * near(rng))
    sofa = furniture.seat_of(1.75, 2, Material(PALETTE[cloth[1]], "fabric"))
    yield "sofa", cloth[1], "floor", sofa, (-half_x + 0.5, 0.95 + near(rng), 0, np.pi / 2)
    case = furniture.bookcase(1.1, CASE_HEIGHT_M, rng)
    yield "bookcase", "wooden", "floor", case, (-0.35 + 2 * near(rng), half_y - 0.17, 0, 0)
    yield "floor lamp", "white", "floor", furniture.floor_lamp(), (-half_x + 0.35, half_y - 0.3, 0, 0)
    yield "plant", "green", "floor", furniture.plant(rng), (half_x - 0.4, half_y - 0.4, 0, 0)


TABLE_XY = (0.0, 0.3)


def near(rng: np.random.Generator) -> float:
    return rng.uniform(-0.06, 0.06)


def chair_places(rng: np.random.Generator) -> list[tuple[float, float, float]]:
    """Two or three chairs at the table: behind it and at its ends, each turned to it about."""
    x, y = TABLE_XY
    places = [(x + 0.3, y + 0.6, 0.0), (x - 0.95, y + 0.05, np.pi / 2), (x - 0.35, y + 0.62, 0.0)]
    count = int(rng.integers(2, 4))
    return [(px + near(rng) / 2, py + near(rng) / 2, yaw + 3 * near(rng)) for px, py, yaw in places[:count]]


def lie_about(size_m: tuple[float, float, float], rng: np.random.Generator) -> Iterator[Item]:
    """Small things on the table, on the bookcase and on the floor. No two of a kind have one colour."""
    mugs = [MUG_COLORS[i] for i in rng.permutation(len(MUG_COLORS))]
    balls = [BALL_COLORS[i] for i in rng.permutation(len(BALL_COLORS))]
    others = [list(PALETTE)[i] for i in rng.permutation(6)]
    front = [(TABLE_XY[0] + x, TABLE_XY[1] - 0.2) for x in rng.permutation([-0.45, -0.15, 0.15, 0.45])]
    back = [(TABLE_XY[0] + x, TABLE_XY[1] + 0.18) for x in rng.permutation([-0.4, 0.0, 0.4])]
    on_table: list[tuple[str, str, Callable, tuple[float, float]]] = [
        ("mug", mugs[0], small_things.mug, front[0]),
        ("mug", mugs[1], small_things.mug, front[1]),
        ("book", others[0], small_things.book, front[2]),
        ("bottle", others[1], small_things.bottle, back[0]),
        ("bowl", others[2], small_things.bowl, back[1]),
    ]
    for name, color, make, (x, y) in on_table:
        place = (x + near(rng) / 2, y + near(rng) / 2, TABLE_HEIGHT_M, rng.uniform(-np.pi, np.pi))
        yield name, color, "table", make(PALETTE[color]), place
    on_case = (-0.6, size_m[1] / 2 - 0.17, CASE_HEIGHT_M, 0)
    yield "vase", others[3], "bookcase", small_things.vase(PALETTE[others[3]]), on_case
    in_front = (0.35 + 2 * near(rng), -0.27 + near(rng) / 2, 0, 0)  # of the table, so that it is seen from all the walk
    yield "ball", balls[0], "floor", small_things.ball(PALETTE[balls[0]]), in_front
    yield "ball", balls[1], "floor", small_things.ball(PALETTE[balls[1]]), (0.6 + near(rng), 1.9, 0, 0)
    crate = small_things.crate(PALETTE[others[4]])
    yield "storage box", others[4], "floor", crate, (-0.95 + near(rng), -0.35 + near(rng), 0, rng.uniform(-0.5, 0.5))


def placed(
    instance_id: int, name: str, color: str, support: str, parts: list[Part], place: Place, side: int,
    rng: np.random.Generator,
) -> RoomObject:  # fmt: skip
    """Put a thing at its place; ``side`` -1 mirrors the place, never the thing."""
    x, y, z, yaw = place
    R, position = rotation_z(side * yaw), np.array([side * x, y, z])
    whole = joined(*(mesh for mesh, _ in parts))
    samples = sample_surface(whole.placed(R, position), N_SAMPLES, rng)
    return RoomObject(instance_id, name, color, support, parts, R, position, exact_box(whole, R, position), samples)


def exact_box(mesh: Mesh, R: NDArray[np.float64], position: NDArray[np.float64]) -> OrientedBox:
    corners = mesh.corners.reshape(-1, 3)
    low, high = corners.min(axis=0), corners.max(axis=0)
    return OrientedBox(R @ ((low + high) / 2) + position, high - low, R)
