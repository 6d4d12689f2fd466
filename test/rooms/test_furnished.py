# SPDX-License-Identifier: Apache-2.0
"""Furnished rooms: everything stands on something, nothing in anything, and all is what it is called."""

import colorsys
from collections import Counter

import cv2
import numpy as np
import pytest

from scene_r1_ros.rooms import furnished_room
from scene_r1_ros.rooms.catalogue import KINDS, SMALL
from scene_r1_ros.rooms.looks import COLORS, shade_of
from scene_r1_ros.rooms.materials import PALETTE, PATTERNS
from scene_r1_ros.rooms.primitives import joined

SEEDS = range(4)


@pytest.fixture(scope="module")
def rooms():
    return [furnished_room(seed) for seed in range(24)]


def mesh_of(thing):
    return joined(*(mesh for mesh, _ in thing.parts)).placed(thing.R_world_object, thing.position_world)


def scene_of(*things):
    o3d = pytest.importorskip("open3d")
    corners = np.concatenate([mesh_of(thing).corners.reshape(-1, 3) for thing in things]).astype(np.float32)
    scene = o3d.t.geometry.RaycastingScene(nthreads=1)
    scene.add_triangles(corners, np.arange(len(corners), dtype=np.uint32).reshape(-1, 3))
    return scene


def first_hits(scene, start, way):
    """How far along each way (N, 3) something is met, as a share of it; inf where nothing is."""
    rays = np.concatenate(np.broadcast_arrays(start, way), axis=1).astype(np.float32)
    return scene.cast_rays(rays)["t_hit"].numpy()


def test_a_seed_gives_one_room_and_others_differ(rooms):
    again = furnished_room(3)
    assert (
        [o.label for o in again.objects] == [o.label for o in rooms[3].objects] != [o.label for o in rooms[4].objects]
    )
    assert again.light == rooms[3].light != rooms[4].light
    for one, two in zip(again.objects, rooms[3].objects, strict=True):
        np.testing.assert_array_equal(one.box.center_world, two.box.center_world)
        np.testing.assert_array_equal(one.samples_world, two.samples_world)
        assert [material for _, material in one.parts] == [material for _, material in two.parts]


def test_rooms_are_of_many_kinds(rooms):
    sizes = np.array([room.size_m for room in rooms])
    assert sizes[:, :2].min() >= 3.5 and sizes[:, :2].max() <= 6.5 and np.ptp(sizes[:, :2]) > 2
    counts = [len(room.objects) for room in rooms]
    assert min(counts) >= 8 and max(counts) <= 26 and np.mean(counts) > 15
    assert {o.name for room in rooms for o in room.objects} == set(KINDS) and len(KINDS) == 28
    assert {o.pattern for room in rooms for o in room.objects} == {"", "striped", "checked", "dotted"}
    assert any(room.pillars for room in rooms) and not all(room.pillars for room in rooms)


def test_kinds_come_several_times_so_that_more_than_a_noun_is_needed(rooms):
    several, alike = 0, 0
    for room in rooms:
        names = Counter(o.name for o in room.objects)
        several += sum(count > 1 for count in names.values()) >= 3
        alike += any(count > 1 for count in Counter(o.label for o in room.objects).values())
    assert several >= 0.8 * len(rooms) and alike >= 0.5 * len(rooms)


@pytest.mark.parametrize("seed", SEEDS)
def test_boxes_and_numbers_are_exact(rooms, seed):
    room = rooms[seed]
    assert [o.instance_id for o in room.objects] == list(range(1, len(room.objects) + 1))
    for thing in room.objects:
        in_box = (mesh_of(thing).corners.reshape(-1, 3) - thing.box.center_world) @ thing.box.R_world_box
        assert in_box.max(axis=0) == pytest.approx(thing.box.size_m / 2)
        assert in_box.min(axis=0) == pytest.approx(-thing.box.size_m / 2)
        samples = (thing.samples_world - thing.box.center_world) @ thing.box.R_world_box
        assert (np.abs(samples) <= thing.box.size_m / 2 + 1e-4).all()
        corners = thing.box.corners_world()[:, :2]
        assert (np.abs(corners) <= np.array(room.size_m[:2]) / 2).all(), thing.label
        for x1, y1, x2, y2 in room.pillars:
            inside = (corners > (x1, y1)) & (corners < (x2, y2))
            assert not inside.all(axis=1).any(), thing.label


@pytest.mark.parametrize("seed", SEEDS)
def test_everything_rests_on_what_it_is_said_to(rooms, seed):
    objects = {o.instance_id: o for o in rooms[seed].objects}
    assert any(o.support_id for o in objects.values())
    for thing in objects.values():
        low_m = thing.box.corners_world()[:, 2].min()
        if thing.support_id == 0:
            assert thing.support == "floor" and low_m == pytest.approx(0, abs=1e-6)
            continue
        support = objects[thing.support_id]
        assert thing.support == support.name and thing.name in SMALL
        half = thing.box.size_m * (0.5, 0.5, 0)
        spots = np.array([(0, 0, 0), (0.6, 0, 0), (-0.6, 0, 0), (0, 0.6, 0), (0, -0.6, 0)]) * half
        start = spots @ thing.box.R_world_box.T + thing.box.center_world
        start[:, 2] = low_m + 0.02
        down_m = first_hits(scene_of(support), start, np.array([[0, 0, -1.0]]))
        assert down_m.min() == pytest.approx(0.02, abs=2e-3), thing.label


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_in_anything(rooms, seed):
    objects = rooms[seed].objects
    for thing in objects:
        others = [o for o in objects if o is not thing and o.support_id != thing.instance_id]
        way = 0.97 * (thing.samples_world[:200] - thing.box.center_world)
        middle = thing.box.center_world[None]
        assert (first_hits(scene_of(*others), middle, way) > 1).all(), thing.label


def test_shades_keep_the_name_of_their_color():
    rng = np.random.default_rng(0)
    names = list(COLORS)
    assert set(PALETTE) < set(names)
    known = lab([COLORS[name] for name in names])
    for name in names:
        shades = lab([shade_of(name, rng) for _ in range(100)])
        nearest = np.linalg.norm(shades[:, None] - known, axis=2).argmin(axis=1)
        assert (nearest == names.index(name)).all(), name
    assert len({shade_of("red", rng) for _ in range(20)}) > 10


def lab(colors):
    return cv2.cvtColor(np.array([colors], np.float32) / 255, cv2.COLOR_RGB2LAB)[0]


def test_every_shape_rests_on_its_ground():
    for kind in KINDS.values():
        for shape in kind.shapes():
            assert shape.bounds[0, 2] == pytest.approx(0, abs=1e-9), kind.name


def hue(rgb):
    return colorsys.rgb_to_hsv(*(c / 255 for c in rgb))[0]


def test_objects_are_painted_as_they_are_called(rooms):
    for thing in (o for room in rooms for o in room.objects if o.color in ("red", "blue", "green", "yellow", "orange")):
        away = [(hue(material.rgb) - hue(COLORS[thing.color]) + 0.5) % 1 - 0.5 for _, material in thing.parts]
        painted = [material for (_, material), turn in zip(thing.parts, away, strict=True) if abs(turn) < 0.03]
        assert painted or thing.name == "plant", thing.label
        if thing.pattern:
            assert any(m.texture == thing.pattern for m in painted) and thing.pattern in PATTERNS
