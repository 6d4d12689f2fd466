# SPDX-License-Identifier: Apache-2.0
"""Coarse to fine: a mind that sees an object in a short stretch of a clip longer than it can be shown at once."""

from dataclasses import replace
from functools import cache
from math import log2

import numpy as np
import pytest

from scene_r1_ros.errors import ParseFailed
from scene_r1_ros.reasoning.clip import Clip
from scene_r1_ros.reasoning.prompting import instruction
from scene_r1_ros.reasoning.temporal import ground_in_time, searched
from scene_r1_ros.run import Run
from scene_r1_ros.types import TimeWindow
from test.reasoning.scripted import Eyes, Scripted, make_frame

FRAME = make_frame()
ABSENT = "<think>Only a plate.</think><answer>not present</answer>"


@cache
def long_clip(n: int) -> Clip:
    """A frame per second, all of one view."""
    return Clip.of([replace(FRAME, frame_id=str(i), stamp_ns=FRAME.stamp_ns + i * 10**9) for i in range(n)])


def grounded(model, clip, query="the mug") -> tuple[tuple[TimeWindow, ...], Run]:
    run = Run()
    with run.stage("temporal"):
        return ground_in_time(model, query, clip, run), run


def said(body: str) -> str:
    return f"<think>There.</think><answer>{body}</answer>"


@pytest.mark.parametrize("n", [32, 125, 500, 2000, 8000])
def test_calls_and_frames_grow_with_the_logarithm(n):
    clip, rng = long_clip(n), np.random.default_rng(n)
    for _ in range(8):
        length = int(rng.integers(1, max(n // 16, 2)))
        first = int(rng.integers(0, n - length + 1))
        model = Eyes(first, first + length - 1)
        windows, run = grounded(model, clip)
        bound = 3 + int(log2(n / 32))
        assert len(model.requests) <= bound and run.usage["temporal"].frames <= 32 * bound
        assert all(first <= window.start_s <= window.end_s <= first + length - 1 for window in windows)


@pytest.mark.parametrize(("first", "last"), [(1000, 1000), (77, 78), (1990, 1999), (0, 40), (903, 935)])
def test_what_is_seen_at_all_is_found_to_the_frame(first, last):
    """The mind sees it in the coarse look, or in one of those after it, since it looks on while it sees nothing."""
    clip, model = long_clip(2000), Eyes(first, last)
    windows, run = grounded(model, clip)
    if not windows:
        assert last - first < 16  # too short to be sure of, and then the answer says so
        assert searched(run, clip).startswith("the model was shown 22")
    for window in windows:
        assert (window.start_s, window.end_s) == pytest.approx((first, last), abs=2)


def test_stretches_of_16_of_2000_keyframes_are_never_missed():
    clip = long_clip(2000)
    assert all(grounded(Eyes(first, first + 15), clip)[0] for first in range(0, 1985, 97))


def test_a_closer_look_shows_again_what_was_chosen_and_its_neighbours():
    clip, model = long_clip(500), Eyes(201, 230)
    windows, run = grounded(model, clip)
    assert (windows[0].start_s, windows[0].end_s) == pytest.approx((201, 230), abs=2)
    coarse, *closer = model.requests
    seen = {t for t in coarse.times_s if 201 <= t <= 230}
    before = max(t for t in coarse.times_s if t < 201)
    after = min(t for t in coarse.times_s if t > 230)
    assert seen < set(closer[0].times_s) and (closer[0].times_s[0], closer[0].times_s[-1]) == (before, after)
    assert run.rationale[0].text.endswith(f"Shown {len(coarse.frames)} of 500 keyframes.")
    assert run.rationale[1].text.startswith(f"Looked closer, from {before:.2f} s to {after:.2f} s. I look. Seen from")
    assert f"between {before:.2f} and {after:.2f} seconds" in instruction(closer[0])


def test_what_one_frame_shows_is_shown_in_every_closer_look():
    clip = long_clip(2000)
    for first in clip.coverage.overview(32)[1:-1:4]:
        model = Eyes(first, first)
        windows, _ = grounded(model, clip)
        assert windows == (TimeWindow(first, first),) and len(model.requests) > 1
        assert all(first in request.times_s for request in model.requests)


def test_two_stretches_are_looked_at_together():
    clip = long_clip(1000)
    closer = said("95s to 105s, 790s to 805s")
    model = Scripted(said("100s to 101s, 800s to 801s"), closer, closer, max_frames=32)
    windows, _ = grounded(model, clip)
    closer = model.requests[1]
    assert len(closer.frames) <= 32 and windows == (TimeWindow(95, 105), TimeWindow(790, 805))
    assert min(abs(t - 100) for t in closer.times_s) < 30 and min(abs(t - 800) for t in closer.times_s) < 30
    assert not any(200 < t < 700 for t in closer.times_s)


def pieces_shown(model) -> tuple[float, float, float, float]:
    """The rims of what a closer look is at, 100 s to 101 s and 800 s to 801 s: frames of the look before it."""
    times_s = model.requests[0].times_s
    before = (max(t for t in times_s if t < first) for first in (100, 800))
    after = (min(t for t in times_s if t > last) for last in (101, 801))
    return tuple(sorted([*before, *after]))


def test_a_closer_look_does_not_answer_for_frames_that_it_was_not_shown():
    """Between two stretches, 600 s lie that only the first look saw, and there it named nothing."""
    wide = said("100s to 801s")
    model = Scripted(said("100s to 101s, 800s to 801s"), wide, wide, wide, max_frames=32)
    windows, run = grounded(model, long_clip(1000))
    _, first_end, second_start, _ = pieces_shown(model)
    assert windows == (TimeWindow(100, first_end), TimeWindow(second_start, 801)) and second_start - first_end > 500
    assert f"{first_end:.2f} s and from {second_start:.2f} s" in run.rationale[2].text


def test_a_window_where_no_frame_was_shown_is_told_to_the_model():
    closer = said("100s to 104s, 800s to 804s")
    model = Scripted(said("100s to 101s, 800s to 801s"), said("400s to 500s"), closer, closer, max_frames=32)
    windows, _ = grounded(model, long_clip(1000))
    start, first_end, second_start, end = pieces_shown(model)
    assert model.requests[2].complaint == (
        f"the window 400s to 500s lies where no frame was shown; they are from {start:.2f} s to {first_end:.2f} s and "
        f"from {second_start:.2f} s to {end:.2f} s"
    )
    assert windows == (TimeWindow(100, 104), TimeWindow(800, 804))


@pytest.mark.parametrize(
    ("query", "windows"),
    [
        ("the mugs", (TimeWindow(790, 805), TimeWindow(100, 101))),
        ("the mug", (TimeWindow(790, 805),)),  # a choice between the two
    ],
)
def test_of_several_things_a_closer_look_loses_none(query, windows):
    closer = said("790s to 805s")
    model = Scripted(said("100s to 101s, 800s to 801s"), closer, closer, max_frames=32)
    found, run = grounded(model, long_clip(1000), query)
    assert found == windows
    kept = [step for step in run.rationale if "names nothing near the window from 100.00 s to 101.00 s" in step.text]
    assert [step.window for step in kept] == [TimeWindow(100, 101)] * (len(model.requests) - 1) * (len(windows) - 1)


def test_several_things_are_asked_for_several_windows():
    model = Scripted(ABSENT, ABSENT, max_frames=32)
    grounded(model, long_clip(32), "the mugs")
    grounded(model, long_clip(32), "the mug")
    several, one = map(instruction, model.requests)
    assert "In which parts are they seen best" in several and "<answer>5s to 10s, 20s to 25s</answer>" in several
    assert "In which part of the video is it seen best?" in one and "<answer>5s to 10s</answer>" in one


def test_a_long_stretch_is_not_looked_at_again():
    model = Eyes(100, 1800)
    windows, _ = grounded(model, long_clip(2000))
    assert len(model.requests) == 1 and windows[0].start_s == pytest.approx(100, abs=75)


def test_not_found_says_how_much_was_seen():
    clip, model = long_clip(2000), Eyes(-2, -1)
    windows, run = grounded(model, clip)
    shown = [frame for request in model.requests for frame in request.frames]
    assert windows == () and len(set(shown)) == len(shown)  # no frame twice
    assert len(model.requests) == len(run.rationale) == 7
    assert run.rationale[-1].text == f"Not present in these frames. I look. Shown {len(shown)} of 2000 keyframes."
    told = f"the model was shown {len(shown)} keyframes of these and says that it is in none of them"
    assert searched(run, clip) == told


def test_a_clip_that_fits_is_seen_as_a_whole():
    clip, model = long_clip(32), Eyes(-2, -1)
    windows, run = grounded(model, clip)
    assert (windows, len(model.requests)) == ((), 1)
    assert run.rationale[0].text == "Not present in the video. I look."
    assert searched(run, clip) == "the model says that it is not in the video"


def test_what_is_found_late_is_looked_at_closer_too():
    clip = long_clip(2000)
    coarse = Eyes(-2, -1)
    grounded(coarse, clip)
    late = coarse.requests[3].times_s[5]
    model = Eyes(late - 3, late + 3)
    windows, _ = grounded(model, clip)
    assert windows == (TimeWindow(late - 3, late + 3),) and len(model.requests) == 5


def test_a_closer_look_that_sees_nothing_leaves_the_window_and_says_so():
    windows, run = grounded(Scripted(said("100s to 110s"), ABSENT, max_frames=32), long_clip(1000))
    assert windows == (TimeWindow(100, 110),)
    assert "s. Not present in these frames. Only a plate. Shown" in run.rationale[1].text
    assert run.rationale[2].text == "The closer look does not confirm the window before it, which stays."


def test_a_closer_look_that_cannot_be_read_leaves_the_window():
    model = Scripted(said("100s to 110s"), said("soon"), said("late"), max_frames=32)
    windows, run = grounded(model, long_clip(1000))
    assert windows == (TimeWindow(100, 110),)
    assert "could not be read; the window before it stays" in run.rationale[-1].text


def test_a_window_outside_of_the_closer_look_is_told_to_the_model():
    model = Scripted(said("100s to 110s"), said("2s to 5s"), said("100s to 104s"), said("100s to 104s"), max_frames=32)
    windows, _ = grounded(model, long_clip(1000))
    assert "the window 2s to 5s lies outside the clip, which spans" in model.requests[2].complaint
    assert windows == (TimeWindow(100, 104),)


def test_what_cannot_be_read_while_searching_is_not_the_same_as_not_there():
    with pytest.raises(ParseFailed, match="no time window in 'soon'"):
        grounded(Scripted(ABSENT, said("soon"), said("soon"), max_frames=32), long_clip(1000))


def test_a_model_that_takes_one_frame_looks_at_some():
    windows, run = grounded(Eyes(-2, -1, max_frames=1), long_clip(8))
    assert windows == () and run.usage["temporal"].calls == 5
