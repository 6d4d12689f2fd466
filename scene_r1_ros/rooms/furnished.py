# SPDX-License-Identifier: Apache-2.0
"""Rooms of all kinds from seeds, to learn from: furniture along the walls and in the middle, things on it.

Kinds come several times, in different colours and at different places, so that a description needs more than a noun.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from scene_r1_ros.answer import OrientedBox
from scene_r1_ros.rooms.catalogue import SMALL, UNPAINTED, Surface
from scene_r1_ros.rooms.furnished_shell import Shell, furnished_shell
from scene_r1_ros.rooms.layout import Floor, Piece, a_piece, lay
from scene_r1_ros.rooms.light import RGB, Light
from scene_r1_ros.rooms.looks import painted
from scene_r1_ros.rooms.more_things import stretched
from scene_r1_ros.rooms.primitives import rotation_z
from scene_r1_ros.rooms.render import CAMERA
from scene_r1_ros.rooms.room import Room, RoomObject
from scene_r1_ros.rooms.shown import shown_objects
from scene_r1_ros.rooms.tour import tour

N_OBJECTS = (16, 26)
SMALL_CAMERA, TOUR_FRAMES, LEAST_PX = CAMERA.resized(224, 168), 32, 13.0  # what a tour has to show of a thing
SIDE_M = (3.5, 4.3, 6.5)  # least, commonest, greatest
# How often each kind stands at a wall.
AT_WALL = {"sofa": 3, "bed": 2, "bookcase": 4, "cabinet": 4, "table": 2, "armchair": 2, "bench": 2, "chair": 1}
BESIDE = {"floor lamp": 2, "plant": 2, "suitcase": 2, "trash can": 2, "storage box": 3, "stool": 2}
QUARTER = np.pi / 2


def furnished_room(seed: int) -> Room:
    """The room of a seed: 14 to 26 objects, none in another, none in the air. The same seed gives the same room."""
    rng = np.random.default_rng([seed, 10])
    size_m = (rng.triangular(*SIDE_M), rng.triangular(*SIDE_M), rng.uniform(2.45, 2.8))
    shell = furnished_shell(size_m, rng)
    floor = Floor(size_m, [*shell.pillars, shell.door_way], shell.windows)
    target = int(rng.integers(N_OBJECTS[0], N_OBJECTS[1] + 1))
    furnish(floor, target, rng)
    lie_about(floor, target, rng)
    numbers = {id(piece): i for i, piece in enumerate(floor.pieces, 1)}
    objects = tuple(finished(piece, numbers, rng) for piece in floor.pieces)
    room = Room(seed, size_m, shell.parts, objects, False, lit(size_m, shell, rng), tuple(shell.pillars))
    return replace(room, objects=worth_keeping(room))


def worth_keeping(room: Room) -> tuple[RoomObject, ...]:
    """The objects without the small ones that the room's own tour never comes near, numbered anew."""
    seen = shown_objects(room, tour(room, room.seed, TOUR_FRAMES)[::2], SMALL_CAMERA, LEAST_PX)
    carrying = {thing.support_id for thing in room.objects}
    kept = [thing for thing, shown in zip(room.objects, seen, strict=True) if shown or thing.instance_id in carrying]
    numbers = {thing.instance_id: i for i, thing in enumerate(kept, 1)} | {0: 0}
    return tuple(
        replace(thing, instance_id=numbers[thing.instance_id], support_id=numbers[thing.support_id]) for thing in kept
    )


def furnish(floor: Floor, target: int, rng: np.random.Generator) -> None:
    """Big pieces, a little less than half of all: first the middle, which needs most space, then the walls."""
    middle_group(floor, rng)
    n_wall = int(rng.integers(3, 6))
    # A board and a seat, so that there is something to lie on; then whatever comes.
    names = [str(rng.choice(["cabinet", "table", "bookcase"])), str(rng.choice(["sofa", "bed", "armchair"]))]
    names += some(AT_WALL, n_wall - 2, rng)
    for name in names:
        floor.put_at_wall(a_piece(name, rng), rng)
    n_beside = min(int(rng.integers(2, 5)), max(target // 2 - len(floor.pieces), 1))
    for name in some(BESIDE, n_beside, rng):
        piece = a_piece(name, rng)
        if not floor.put_at_wall(piece, rng, 0.05):
            floor.put_anywhere(piece, rng.uniform(-np.pi, np.pi), 0.1, rng)


def some(weights: dict[str, int], count: int, rng: np.random.Generator) -> list[str]:
    shares = np.array(list(weights.values()), float)
    return [str(name) for name in rng.choice(list(weights), count, p=shares / shares.sum())]


def middle_group(floor: Floor, rng: np.random.Generator) -> None:
    """A table with chairs, or a low one with armchairs, with room to walk around; nothing where there is no space."""
    table = a_piece("table", rng)
    x, y = rng.uniform(-0.12, 0.12, 2) * floor.size_m[:2]
    around = "chair" if rng.random() < 0.7 else "armchair"
    if min(floor.size_m[:2]) < 4.0 or not floor.put(table, x, y, QUARTER * rng.integers(2), 0.6):
        return
    color = None if rng.random() < 0.6 else a_piece(around, rng).color
    for side in rng.permutation(4)[: rng.integers(1, 4)]:
        put_at_table(floor, table, a_piece(around, rng, color), int(side), rng)


def put_at_table(floor: Floor, table: Piece, chair: Piece, side: int, rng: np.random.Generator) -> bool:
    """Turned to the table, drawn back from it a little."""
    yaw = table.yaw + side * QUARTER
    reach = table.footprint(-side * QUARTER)[3]
    a = rng.uniform(-0.25, 0.25) if side % 2 == 0 else 0.0
    away = reach - float(chair.low_high[0, 1]) + rng.uniform(0.04, 0.14)
    x, y, _ = rotation_z(yaw) @ (a, away, 0) + (table.x, table.y, 0)
    return floor.put(chair, float(x), float(y), yaw, 0.005)


def lie_about(floor: Floor, target: int, rng: np.random.Generator) -> None:
    """Small things until the room is full: some kinds several times, and others once."""
    names = small_names(rng)
    colors: dict[str, list[str]] = {}
    for name in names:
        if len(floor.pieces) >= target:
            return
        piece = a_piece(name, rng, next_color(name, colors, rng))
        put_somewhere(floor, piece, rng)


def small_names(rng: np.random.Generator) -> list[str]:
    kinds = [str(name) for name in rng.permutation(list(SMALL))]
    kinds.remove("television")
    repeated, singles = kinds[:4], kinds[4:]
    names = [
        *["television"] * int(rng.integers(2)),
        *repeated,
        *repeated,
        *singles[:6],
        *repeated,
        *singles[6:],
        *repeated,
        *repeated,
    ]
    return names


def next_color(name: str, used: dict[str, list[str]], rng: np.random.Generator) -> str:
    """Another one than the kind has already, or now and then the same."""
    had = used.setdefault(name, [])
    if had and rng.random() < 0.2:
        return had[-1]
    left = [color for color in SMALL[name].colors if color not in had] or list(SMALL[name].colors)
    had.append(left[rng.integers(len(left))])
    return had[-1]


def put_somewhere(floor: Floor, piece: Piece, rng: np.random.Generator) -> bool:
    on_floor = piece.kind.on_floor and rng.random() < 0.45
    if on_floor and floor.put_anywhere(piece, rng.uniform(-np.pi, np.pi), 0.08, rng):
        return True
    places = list(free_surfaces(floor, piece))
    order = rng.permutation(len(places))
    for i in order:
        support, surface = places[i]
        if lay(piece, support, surface, rng):
            floor.pieces.append(piece)
            return True
    return False


def free_surfaces(floor: Floor, piece: Piece) -> Iterator[tuple[Piece, Surface]]:
    for support in floor.pieces:
        for surface in support.shape.surfaces:
            if set(piece.kind.lies_on) & set(surface.takes) and len(support.taken.get(surface, [])) < 4:
                yield support, surface


def finished(piece: Piece, numbers: dict[int, int], rng: np.random.Generator) -> RoomObject:
    kind, R, position = piece.kind, rotation_z(piece.yaw), np.array([piece.x, piece.y, piece.z])
    looks = painted(piece.shape.parts, piece.color, piece.pattern, kind.period_m, UNPAINTED, rng)
    parts = [(stretched(mesh, *piece.factors), material) for mesh, material in looks]
    low, high = piece.low_high
    samples = piece.shape.samples * piece.factors
    support = piece.support
    return RoomObject(
        instance_id=numbers[id(piece)],
        name=kind.name,
        color=piece.color,
        support=support.kind.name if support else "floor",
        parts=parts,
        R_world_object=R,
        position_world=position,
        box=OrientedBox(R @ ((low + high) / 2) + position, high - low, R),
        samples_world=(samples @ R.T + position).astype(np.float32),
        pattern=piece.pattern,
        support_id=numbers[id(support)] if support else 0,
    )


def lit(size_m: tuple[float, float, float], shell: Shell, rng: np.random.Generator) -> Light:
    """A lamp under the ceiling, warm or cool, and daylight from the side of the window."""
    warm = rng.uniform(0, 1)
    strength = rng.uniform(0.75, 1.25) * (size_m[0] * size_m[1] / 25) ** 0.5
    lamp = strength * np.array([3.3, 3.2 - 0.2 * warm, 3.1 - 0.6 * warm])
    toward = rotation_z(shell.window_wall * QUARTER) @ (rng.uniform(-0.3, 0.3), 1.0, rng.uniform(0.6, 1.1))
    day = rng.uniform(0.4, 1.5)
    ambient = rng.uniform(0.85, 1.15)
    x, y = rng.uniform(-0.22, 0.22, 2) * size_m[:2]
    return Light(
        lamp_world=(float(x), float(y), size_m[2] - rng.uniform(0.12, 0.3)),
        lamp_rgb=rgb(lamp),
        window_direction=rgb(toward / np.linalg.norm(toward)),
        window_rgb=rgb(day * np.array([0.30, 0.34, 0.40])),
        sky_rgb=rgb(ambient * np.array([0.34, 0.34, 0.35])),
        ground_rgb=rgb(ambient * np.array([0.24, 0.21, 0.18])),
        exposure=float(rng.uniform(1.1, 1.5)),
    )


def rgb(values: np.ndarray) -> RGB:
    red, green, blue = (float(v) for v in values)
    return red, green, blue
