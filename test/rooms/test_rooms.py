# SPDX-License-Identifier: Apache-2.0
"""The room itself: what stands in it, and the walk through it."""

import subprocess
import sys
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from scene_r1_ros.errors import BadInput
from scene_r1_ros.evaluation.metrics import intersection_volume
from scene_r1_ros.rooms import build_room, walk
from scene_r1_ros.rooms.primitives import box, cylinder, joined, revolved, rounded_box, sample_surface, sphere
from scene_r1_ros.rooms.queries import count, sentence, targets
from scene_r1_ros.rooms.room import exact_box

SEEDS = range(6)


def volume(mesh) -> float:
    """Signed, by the divergence theorem: positive where all faces look out."""
    a, b, c = mesh.corners.transpose(1, 0, 2)
    return float(np.sum(a * np.cross(b, c)) / 6)


@pytest.mark.parametrize(
    ("mesh", "size", "expected_m3"),
    [
        (box(1, 2, 3), (1, 2, 3), 6),
        (rounded_box(1, 2, 3, 0.1), (1, 2, 3), 6),
        (cylinder(0.5, 2), (1, 1, 2), np.pi / 2),
        (sphere(0.5), (1, 1, 1), np.pi / 6),
        (revolved([(0, 0), (1, 0), (0, 3)]), (2, 2, 3), np.pi),
    ],
    ids=["box", "rounded box", "cylinder", "sphere", "cone"],
)
def test_bodies_are_closed_and_of_their_size(mesh, size, expected_m3):
    corners = mesh.corners.reshape(-1, 3)
    assert np.ptp(corners, axis=0) == pytest.approx(np.array(size), rel=0.01)
    assert corners[:, 2].min() == pytest.approx(0, abs=1e-9)
    assert abs(volume(mesh)) == pytest.approx(expected_m3, rel=0.03)
    assert np.linalg.norm(mesh.normals, axis=2) == pytest.approx(1)


def test_samples_lie_on_the_surface_evenly():
    points = sample_surface(box(1, 1, 1), 6000, np.random.default_rng(0))
    on_face = np.abs(np.abs(points - (0, 0, 0.5)) - 0.5) < 1e-6
    assert on_face.any(axis=1).all()
    assert on_face.sum(axis=0) == pytest.approx(2000, rel=0.1)


def test_a_seed_gives_one_room_and_others_differ():
    a, b, c = build_room(3), build_room(3), build_room(4)
    assert [o.label for o in a.objects] == [o.label for o in b.objects] != [o.label for o in c.objects]
    for one, two in zip(a.objects, b.objects, strict=True):
        np.testing.assert_array_equal(one.samples_world, two.samples_world)


@pytest.mark.parametrize("seed", SEEDS)
def test_boxes_are_exact(seed):
    for thing in build_room(seed).objects:
        mesh = joined(*(mesh for mesh, _ in thing.parts)).placed(thing.R_world_object, thing.position_world)
        in_box = (mesh.corners.reshape(-1, 3) - thing.box.center_world) @ thing.box.R_world_box
        assert in_box.max(axis=0) == pytest.approx(thing.box.size_m / 2)
        assert in_box.min(axis=0) == pytest.approx(-thing.box.size_m / 2)
        samples = (thing.samples_world - thing.box.center_world) @ thing.box.R_world_box
        assert (np.abs(samples) <= thing.box.size_m / 2 + 1e-4).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_things_stand_in_the_room_and_not_in_each_other(seed):
    room = build_room(seed)
    for thing in room.objects:
        corners = thing.box.corners_world()
        assert (np.abs(corners[:, :2]) <= np.array(room.size_m[:2]) / 2 + 0.01).all(), thing.label
        assert corners[:, 2].min() == pytest.approx({"floor": 0, "table": 0.74, "bookcase": 1.05}[thing.support])
    for a, b in combinations(room.objects, 2):
        if {a.name, b.name} != {"table", "chair"}:  # a chair's seat goes under the table, inside its box
            assert intersection_volume(a.box, b.box) < 1e-4, (a.label, b.label)


@pytest.mark.parametrize("seed", SEEDS)
def test_labels_of_what_is_asked_for_are_unique(seed):
    room = build_room(seed)
    labels = [o.label for o in room.objects if o.name in ("armchair", "ball", "storage box", "mug", "bottle")]
    assert len(labels) == len(set(labels)) == 7


@pytest.mark.parametrize("seed", SEEDS)
def test_the_walk_is_one_a_robot_could_do(seed):
    room = build_room(seed)
    poses = np.array(walk(room, seed, 90, 30.0))
    positions, right, forward = poses[:, :3, 3], poses[:, :3, 0], poses[:, :3, 2]
    assert ((positions[:, 2] >= 1.0) & (positions[:, 2] <= 1.4)).all()
    assert (np.abs(positions[:, :2]) < np.array(room.size_m[:2]) / 2 - 0.3).all()
    assert right[:, 2] == pytest.approx(0)  # level
    assert ((forward[:, 2] < -0.1) & (forward[:, 2] > -0.5)).all()  # slightly down
    speed_m_s = np.linalg.norm(np.diff(positions, axis=0), axis=1) * 30
    assert speed_m_s.max() < 1.6 and speed_m_s.min() > 0.8
    sideways = forward[:, :2] / np.linalg.norm(forward[:, :2], axis=1, keepdims=True)
    assert np.degrees(np.arccos(sideways[0] @ sideways[-1])) > 80  # things are seen from several sides
    for thing in room.objects:
        inside = np.abs((positions - thing.box.center_world) @ thing.box.R_world_box) < thing.box.size_m / 2
        assert not inside.all(axis=1).any(), thing.label


def test_the_pace_does_not_depend_on_the_rate():
    room = build_room(0)
    at_30_hz, at_10_hz = walk(room, 0, 31, 30.0), walk(room, 0, 11, 10.0)
    np.testing.assert_allclose(at_30_hz[0], at_10_hz[0])
    np.testing.assert_allclose(at_30_hz[-1], at_10_hz[-1])


@pytest.mark.parametrize(("n_frames", "rate_hz"), [(0, 30.0), (5, 0.0), (5, float("nan"))])
def test_a_walk_of_nothing_is_refused(n_frames, rate_hz):
    with pytest.raises(BadInput, match="a walk needs at least one frame and a rate above 0"):
        walk(build_room(0), 0, n_frames, rate_hz)


def test_what_is_never_seen_is_not_asked_for():
    room = build_room(0)
    with pytest.raises(BadInput, match="room of seed 0 shows no armchair whole; use more frames or another seed"):
        targets(room, {}, 0.1)
    with pytest.raises(BadInput, match="too short to count anything"):
        count(room, {})


def test_what_is_not_unique_is_not_asked_for():
    room = build_room(0)
    mug = next(o for o in room.objects if o.name == "mug")
    doubled = replace(room, objects=(*room.objects, mug))
    with pytest.raises(BadInput, match=f"has 2 of '{mug.label}'; no sentence tells them apart"):
        sentence(doubled, mug)


def test_exact_box_of_a_turned_box():
    R = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1.0]])
    found = exact_box(box(1, 2, 3), R, np.array([5, 0, 0.0]))
    np.testing.assert_allclose(found.center_world, (5, 0, 1.5))
    np.testing.assert_allclose(found.size_m, (1, 2, 3))


def test_importing_rooms_loads_no_renderer():
    code = "import sys, scene_r1_ros.rooms; sys.exit(any(m in sys.modules for m in ('open3d', 'torch')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
