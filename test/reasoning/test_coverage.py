# SPDX-License-Identifier: Apache-2.0
"""A camera that stands still for long, then hurries past walls: frames at even times miss most of them."""

from dataclasses import replace

import numpy as np
import pytest

from scene_r1_ros.reasoning.coverage import Coverage, coarse_points
from scene_r1_ros.reasoning.spread import spread
from test.reasoning.scripted import make_frame


def at(x_m: float, time_s: float, depth_wh=(64, 48)):
    """A frame that looks at a wall 2 m away, from ``x_m`` along it. The wall is 2.56 m wide in the picture."""
    T = np.eye(4)
    T[0, 3] = x_m
    depth_m = np.full(depth_wh[::-1], 2.0, np.float32)
    return replace(make_frame(time_s), T_world_camera=T, depth_m=depth_m)


STILL, HURRY = 400, range(400, 420)


@pytest.fixture(scope="module")
def frames():
    """400 frames of one place, 20 that run past 60 m of wall, 400 of the last place."""
    x_m = [0.0] * STILL + [3.0 * (i + 1) for i in range(20)] + [60.0] * STILL
    return [at(x, float(i)) for i, x in enumerate(x_m)]


def walls(frames, numbers):
    return {frames[i].T_world_camera[0, 3] for i in numbers}


def test_points_lie_where_depth_and_pose_put_them():
    points_world, pixels = coarse_points(at(5.0, 0.0, depth_wh=(32, 24)))
    assert points_world.shape == (768, 3) and list(pixels) == list(range(768))
    assert points_world[:, 2] == pytest.approx(2.0)
    assert points_world[:, 0].min() == pytest.approx(5 - 1.24, abs=0.05)
    assert points_world[:, 0].mean() == pytest.approx(5)


def test_holes_and_what_is_far_away_are_left_out():
    frame = at(0.0, 0.0)
    depth_m = frame.depth_m.copy()
    depth_m[:24], depth_m[24:, :32] = 0, 9.0
    points_world, pixels = coarse_points(replace(frame, depth_m=depth_m))
    assert len(points_world) == len(pixels) == 768 // 4 and min(pixels) >= 768 // 2


def test_an_overview_holds_what_even_times_miss(frames):
    overview = Coverage(frames).overview(32)
    assert len(overview) <= 32 and overview == sorted(set(overview)) and {0, len(frames) - 1} <= set(overview)
    assert len(walls(frames, spread(len(frames), 32))) <= 3
    assert len(walls(frames, overview)) >= 12
    assert len(set(overview) - set(HURRY)) >= 12  # time is not forgotten: things come and go


def test_what_shows_little_new_is_not_novel():
    """A camera that creeps along a wall, a tenth of its view a frame, and then hurries."""
    x_m = [0.25 * i for i in range(200)] + [50 + 3.0 * i for i in range(1, 21)]
    overview = Coverage([at(x, float(i)) for i, x in enumerate(x_m)]).overview(32)
    assert len([i for i in overview if i >= 200]) >= 6


def test_a_further_look_takes_what_was_left_out_first(frames):
    coverage, shown = Coverage(frames), set(spread(len(frames), 32))
    further = coverage.further(shown, 32)
    assert len(further) == 32 and not shown & set(further) and further == sorted(further)
    assert len(walls(frames, shown | set(further))) >= 16
    while more := coverage.further(shown, 32):
        shown |= set(more)
    assert shown == set(range(len(frames)))


def test_what_is_appended_changes_little_but_the_end(frames):
    before, after = Coverage(frames[:300]).overview(32), Coverage(frames[:310]).overview(32)
    assert after[: len(before) - 1] == before[:-1]
    before, after = Coverage(frames[:418]).overview(32), Coverage(frames[:419]).overview(32)  # and these are new
    assert after[:16] == before[:16]


def test_one_novel_frame_more_seldom_moves_the_others(frames):
    clips = [[*frames[:350], *frames[400 : 400 + novel]] for novel in range(4, 8)]
    early = [[i for i in Coverage(clip).overview(32) if i < 350] for clip in clips]
    assert all(one == early[0] for one in early)


def test_without_depth_time_decides():
    blind = [make_frame(float(i)) for i in range(100)]
    blind = [replace(frame, depth_m=np.zeros((6, 8), np.float32)) for frame in blind]
    assert Coverage(blind).overview(16) == spread(100, 16)
    assert len(Coverage(blind).further({0, 99}, 16)) == 16


def test_few_frames_are_all_of_them(frames):
    assert Coverage(frames[:5]).overview(8) == [0, 1, 2, 3, 4]
    assert Coverage(frames[:5]).overview(1) == [2]
    assert Coverage(frames).overview(2) == [0, len(frames) - 1]
