# SPDX-License-Identifier: Apache-2.0
"""Which frames of a window are asked for a box."""

from dataclasses import replace

import numpy as np
import pytest

from scene_r1_ros.reasoning.best_frames import MAX_RANKED, best_frames, shared_views
from scene_r1_ros.reasoning.clip import Clip
from scene_r1_ros.types import Frame, TimeWindow
from test.reasoning.scripted import make_frame
from test.scenes import BLOCK, around, frame, look_at

NOISE = np.random.default_rng(0).integers(0, 255, (48, 64, 3)).astype(np.uint8)


def times_of(clip, windows, count):
    return [time_s for time_s, _ in best_frames(clip, [TimeWindow(*w) for w in windows], count)]


def clip_of(poses) -> Clip:
    return Clip.of([frame(T, i)[0] for i, T in enumerate(poses)])


@pytest.mark.parametrize(
    ("windows", "count", "times_s"),
    [
        ([(4, 4)], 3, [4]),  # no more than there are
        ([(3, 5)], 1, [4]),  # the middle: at the rims it comes or goes
        ([(0, 2), (6, 8)], 2, [1, 7]),  # windows take turns
        ([(0, 2), (1, 1)], 1, [1]),
    ],
)
def test_frames_that_show_the_same(clip, windows, count, times_s):
    assert times_of(clip, windows, count) == pytest.approx(times_s)


def test_a_frame_of_two_windows_is_asked_once(clip):
    assert sorted(times_of(clip, [(0, 2), (1, 3)], 9)) == pytest.approx([0, 1, 2, 3])


def test_sharp_frames_go_before_blurred_ones_beside_them():
    clip = Clip.of([make_frame(t, color=NOISE if t in (1, 5, 7) else None) for t in range(9)])
    assert times_of(clip, [(0, 8)], 1) == pytest.approx([5])


def test_frames_that_show_what_all_share_large_go_first():
    """One comes near; one looks away to where no other does."""
    target = BLOCK.center_world
    poses = [look_at((1.6, 0.1 * i, 0.8), target) for i in range(7)]
    poses[4] = look_at((0.8, 0.2, 0.6), target)
    poses[3] = look_at((1.6, 0.3, 0.8), (1.6, 2.5, 0.0))
    clip = clip_of(poses)
    ranked = [clip.frames.index(f) for _, f in best_frames(clip, [TimeWindow(0, 1)], 7)]
    assert ranked[0] == 4 and ranked[-1] == 3


def test_views_are_spread():
    clip = clip_of([*around(9, arc=0.05), *around(2, arc=np.pi / 2)])
    first, second, *_ = [f for _, f in best_frames(clip, [TimeWindow(0, 1)], 3)]
    assert {id(first), id(second)} & {id(clip.frames[10])}


def test_quality_is_size_in_the_middle_and_direction_points_to_the_camera():
    frames = [frame(look_at((r, 0.0, 0.15), (0, 0, 0.15)), i)[0] for i, r in enumerate((1.5, 0.8, 1.5))]
    quality, directions = shared_views(frames)
    assert quality[1] > 1.5 * quality[0] and np.linalg.norm(directions, axis=1) == pytest.approx(1)
    assert (directions[:, 0] > 0.5).all()


def patch_from(x_m: float, index: int) -> Frame:
    """A piece of wall, 0.4 m wide and 2 m away, and nothing else, from ``x_m`` beside it."""
    frame, T = make_frame(float(index)), np.eye(4)
    T[0, 3] = x_m
    depth_m, column = np.zeros((48, 64), np.float32), round(31.5 - 25 * x_m)
    depth_m[20:28, column - 5 : column + 5] = 2.0
    return replace(frame, T_world_camera=T, depth_m=depth_m)


def test_what_is_central_counts_more_than_what_is_as_large_at_the_rim():
    quality, _ = shared_views([patch_from(0.0, 0), patch_from(0.0, 1), patch_from(0.96, 2)])
    assert quality[0] > 1.5 * quality[2] > 0


def without_depth(seen: Frame) -> Frame:
    return replace(seen, depth_m=np.zeros((12, 16), np.float32))


def test_without_depth_the_middle_and_other_directions():
    poses = around(9, arc=np.pi)
    clip = Clip.of([without_depth(frame(T, i)[0]) for i, T in enumerate(poses)])
    picked = [clip.frames.index(f) for _, f in best_frames(clip, [TimeWindow(0, 1)], 3)]
    assert abs(picked[0] - 4) <= 2 and abs(picked[1] - picked[0]) >= 2


def test_a_frame_without_depth_goes_behind_those_with():
    frames = [frame(T, i)[0] for i, T in enumerate(around(5, arc=0.3))]
    clip = Clip.of([without_depth(f) if i == 2 else f for i, f in enumerate(frames)])
    assert [clip.frames.index(f) for _, f in best_frames(clip, [TimeWindow(0, 1)], 5)][-1] == 2


def test_of_a_long_window_every_frame_comes_once():
    n = MAX_RANKED + 50
    clip = Clip.of([make_frame(t / 10, wh=(8, 6)) for t in range(n)])
    assert sorted(times_of(clip, [(0, 1e3)], n)) == pytest.approx(list(clip.times_s))
