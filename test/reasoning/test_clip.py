# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import pytest

from scene_r1_ros.errors import BadInput, NoKeyframes
from scene_r1_ros.reasoning.clip import Clip, named
from scene_r1_ros.types import TimeWindow
from test.reasoning.scripted import make_frame


def test_times_count_from_the_first_frame(clip):
    assert clip.times_s == pytest.approx(range(10))
    assert clip.end_s == pytest.approx(9)


@pytest.mark.parametrize(
    ("frame_id", "name"),
    [
        ("000222", "frame 000222 at 0.50 s"),
        ("1305031102.175304", "the frame at 0.50 s"),  # TUM RGB-D names its files by their stamps
        ("1305031102.175304000", "the frame at 0.50 s"),  # ... and so do we, live
        ("1305031102", "frame 1305031102 at 0.50 s"),
    ],
)
def test_a_frame_is_named_by_its_time_and_not_by_its_stamp(frame_id, name):
    frame = replace(make_frame(1.0), frame_id=frame_id, stamp_ns=1305031102_175304000)
    assert named(frame, 0.5) == name


@pytest.mark.parametrize(
    ("start_s", "end_s", "times_s"),
    [
        (2.0, 4.0, [2, 3, 4]),  # rims are inside
        (2.005, 3.995, [2, 3, 4]),  # ... within the hundredths that times are written in
        (2.1, 3.9, [3]),  # strictly between
        (2.1, 2.2, [2]),  # none inside: the nearest
        (2.8, 2.9, [3]),  # ... on the other side
        (50.0, 60.0, [9]),  # ... beyond the end
    ],
)
def test_within(clip, start_s, end_s, times_s):
    part = clip.within(TimeWindow(start_s, end_s))
    assert part.times_s == pytest.approx(times_s)
    assert [frame.frame_id for frame in part.frames] == [f"{t * 1000:06d}" for t in times_s]


@pytest.mark.parametrize(("n", "count"), [(5, 8), (40, 8), (40, 1)])
def test_thinned_is_an_overview_of_the_whole(n, count):
    whole = Clip.of([make_frame(t / 10) for t in range(n)])
    part = whole.thinned(count)
    assert len(part.frames) <= count and list(part.times_s) == sorted(part.times_s)
    assert count == 1 or (part.times_s[0], part.times_s[-1]) == (whole.times_s[0], whole.times_s[-1])
    assert [whole.times_s[whole.frames.index(frame)] for frame in part.frames] == list(part.times_s)


def test_no_frames_are_refused():
    with pytest.raises(NoKeyframes, match="show the robot the place first"):
        Clip.of([])


def test_frames_out_of_order_are_refused():
    with pytest.raises(BadInput, match="1700000001000000000 ns follows 1700000002000000000 ns"):
        Clip.of([make_frame(2), make_frame(1)])
