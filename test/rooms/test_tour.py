# SPDX-License-Identifier: Apache-2.0
"""The tour through a furnished room: one a robot could do, which shows every thing, but each for a short while."""

from dataclasses import replace

import numpy as np
import pytest

from scene_r1_ros.errors import BadInput
from scene_r1_ros.evaluation.room_clips import cast
from scene_r1_ros.rooms import furnished_room, tour
from scene_r1_ros.rooms.render import CAMERA, Scene

SEEDS = range(6)
N_FRAMES = 32
TINY = CAMERA.resized(56, 42)  # a sixteenth of the pixels of 224x168


@pytest.fixture(scope="module")
def tours():
    rooms = [furnished_room(seed) for seed in SEEDS]
    return [(room, np.array(tour(room, room.seed, N_FRAMES))) for room in rooms]


@pytest.fixture(scope="module")
def windows(tours):
    """(N, 2) first and last frame + 1 of the longest time that each object is seen, and how many objects there are."""
    found, count = [], 0
    for room, poses in tours:
        scene = Scene(room)
        ids = [o.instance_id for o in room.objects]
        maps = [cast(scene, TINY, pose).instances for pose in poses]
        pixels = np.array([np.bincount(shown.ravel(), minlength=len(ids) + 1)[ids] for shown in maps])
        count += len(ids)
        found += [run for seen in (pixels >= 4).T if (run := longest(seen)) is not None]
    return np.array(found), count


def longest(seen):
    edges = np.flatnonzero(np.diff(np.concatenate([[0], seen.astype(int), [0]]))).reshape(-1, 2)
    return max(edges.tolist(), key=lambda run: run[1] - run[0], default=None)


def test_the_camera_is_a_robots(tours):
    for room, poses in tours:
        positions, right, forward = poses[:, :3, 3], poses[:, :3, 0], poses[:, :3, 2]
        np.testing.assert_allclose(
            poses[:, :3, :3] @ poses[:, :3, :3].transpose(0, 2, 1), [np.eye(3)] * N_FRAMES, atol=1e-9
        )
        assert np.linalg.det(poses[:, :3, :3]) == pytest.approx(1)
        assert ((positions[:, 2] >= 0.5) & (positions[:, 2] <= 1.5)).all()
        assert (np.abs(positions[:, :2]) < np.array(room.size_m[:2]) / 2 - 0.15).all()
        assert right[:, 2] == pytest.approx(0)  # level
        assert ((forward[:, 2] < 0) & (forward[:, 2] > -0.6)).all()  # down, a little
        yaw = np.unwrap(np.arctan2(forward[:, 1], forward[:, 0]))
        assert 0.8 < abs(yaw[-1] - yaw[0]) / (2 * np.pi) < 2
        assert np.abs(np.diff(yaw)).max() < np.radians(60)
        assert np.ptp(positions[:, :2], axis=0).max() > 0.5  # it walks, too


def test_the_camera_is_never_in_or_at_a_thing(tours):
    for room, poses in tours:
        for thing in room.objects:
            x1, y1 = thing.box.corners_world()[:, :2].min(axis=0) - 0.12
            x2, y2 = thing.box.corners_world()[:, :2].max(axis=0) + 0.12
            x, y = poses[:, 0, 3], poses[:, 1, 3]
            assert not ((x > x1) & (x < x2) & (y > y1) & (y < y2)).any(), thing.label


def test_windows_are_short_and_nowhere_in_particular(windows):
    runs, _ = windows
    length = runs[:, 1] - runs[:, 0]
    assert 4 <= np.median(length) <= 8
    assert np.mean((length >= 3) & (length <= 8)) > 0.5
    share = [recall(runs, start, end) for start in range(N_FRAMES) for end in range(start + 1, N_FRAMES + 1)]
    assert max(share) < 0.3  # whatever the constant answer
    assert recall(runs, 0, N_FRAMES) < 0.1 and recall(runs, N_FRAMES / 3, 2 * N_FRAMES / 3) < 0.3


def recall(runs, start, end):
    """R@0.5 of a constant window."""
    both = np.maximum(np.minimum(runs[:, 1], end) - np.maximum(runs[:, 0], start), 0)
    return np.mean(both / (runs[:, 1] - runs[:, 0] + end - start - both) >= 0.5)


def test_nearly_everything_is_seen(windows):
    runs, count = windows
    assert len(runs) >= 0.95 * count


def test_a_seed_gives_one_tour_and_others_differ(tours):
    room, poses = tours[0]
    np.testing.assert_array_equal(tour(room, room.seed, N_FRAMES), poses)
    assert (np.array(tour(room, 99, N_FRAMES)) != poses).any()
    assert len(tour(room, 5, 1)) == 1


def test_a_tour_of_nothing_is_refused(tours):
    with pytest.raises(BadInput, match="a tour of 0 frames; it needs at least one"):
        tour(tours[0][0], 0, 0)


def test_a_room_without_space_is_refused(tours):
    full = replace(tours[0][0], pillars=((-9, -9, 9, 9),))
    with pytest.raises(BadInput, match=r"room of seed 0 has no place for a camera 0\.22 m clear of its furniture"):
        tour(full, 0, 4)
