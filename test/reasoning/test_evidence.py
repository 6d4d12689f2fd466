# SPDX-License-Identifier: Apache-2.0
"""The frames that support an answer: those nearest to the times its reasoning names, or all that were shown."""

import pytest

from scene_r1_ros.reasoning.answer import MAX_EVIDENCE, answer_question
from scene_r1_ros.reasoning.clip import Clip
from scene_r1_ros.run import Run
from test.reasoning.scripted import Scripted, make_frame


def step_of(clip, thoughts, answer="on the desk", **spec):
    run = Run()
    answer_question(Scripted(f"<think>{thoughts}</think><answer>{answer}</answer>", **spec), "What is it?", clip, run)
    (step,) = run.rationale
    return step, [(frame.stamp_ns - clip.frames[0].stamp_ns) / 1e9 for frame in step.frames]


@pytest.mark.parametrize(
    ("thoughts", "answer", "times_s"),
    [
        ("At 3.2 s I see it.", "a mug", [3]),
        ("At <7.00 seconds> and before, at 00:02.", "a mug", [2, 7]),  # in order of time
        ("From 3.2 to 6.0 seconds it is there.", "a mug", [4, 5, 6]),
        ("At 3.0 s, 3.1 s and 3.2 s.", "a mug", [3]),  # a frame once
        ("I see it.", "a mug, at 5 s", [5]),
        ("At 9.4 s.", "a mug", [9]),  # said a little wrong
        ("At 2 s, as at 90 s.", "a mug", [2]),
        ("At 2 s, as at 12 s.", "a mug", [2]),
        ("The video runs from 0.00 to 9.00 seconds. The mug stands there at 8.00 seconds.", "a mug", [8]),
        ("From 3.2 to 6.0 seconds it is there, best at 1 s.", "a mug", [1, 4, 5, 6]),
        ("At 2 s there is no mug. At 5 s it is on the desk.", "a mug", [5]),
        ("I checked 1 s, 2 s, 3 s: nothing. At 5 s it is there.", "a mug", [5]),
        ("At 2 s there is no mug. At 5 s there is no mug.", "no", [2, 5]),  # then they are what speaks for it
    ],
)
def test_times_name_their_frames(clip, thoughts, answer, times_s):
    step, frames_s = step_of(clip, thoughts, answer, max_frames=10)
    assert frames_s == times_s
    assert step.text.startswith(thoughts)
    assert step.text.endswith("(Evidence: the frames nearest to the times it names; it was shown 10.)")


@pytest.mark.parametrize("thoughts", ["I see it.", "I see 3 of them for 3 seconds.", "At 90 s."])
def test_without_times_all_that_was_shown_stands_for_it(clip, thoughts):
    step, frames_s = step_of(clip, thoughts, max_frames=10)
    assert len(frames_s) == 10
    assert step.text.endswith("(Evidence: all that it was shown, 10, as it names no time in the video.)")


def test_of_a_long_memory_it_says_how_much_was_shown(clip):
    step, frames_s = step_of(clip, "I see it.", max_frames=4)
    assert len(frames_s) == 4 and "4 of 10 keyframes" in step.text
    step, frames_s = step_of(clip, "At 5 s.", max_frames=4)
    nearest_s = min(clip.thinned(4).times_s, key=lambda time_s: abs(time_s - 5))  # of what the model saw
    assert frames_s == [nearest_s] and "it was shown 4 of 10 keyframes" in step.text


def test_evidence_is_bounded_and_what_is_named_first_counts():
    clip = Clip.of([make_frame(float(t)) for t in range(20)])
    _, frames_s = step_of(clip, "At 19 s. " + " ".join(f"At {t} s." for t in range(19)), max_frames=20)
    assert frames_s == [*range(MAX_EVIDENCE - 1), 19]


def test_stretches_share_what_moments_leave_and_each_is_spread():
    clip = Clip.of([make_frame(float(t)) for t in range(40)])
    _, frames_s = step_of(clip, "From 0 to 15 s and from 20 to 35 s it is there, best at 38 s.", max_frames=40)
    first, second = ([t for t in frames_s if low <= t <= low + 15] for low in (0, 20))
    assert (first[0], first[-1]) == (0, 15) and (second[0], second[-1]) == (20, 35) and 38 in frames_s
    assert len(first) >= 3 and len(second) >= 3 and len(frames_s) <= MAX_EVIDENCE


def test_a_stretch_of_all_that_was_shown_is_evidence_where_nothing_else_is_named(clip):
    step, frames_s = step_of(clip, "From 0 s to 9 s it stands there.", max_frames=10)
    assert (frames_s[0], frames_s[-1]) == (0, 9) and len(frames_s) <= MAX_EVIDENCE
    assert "nearest to the times it names" in step.text


def test_a_long_reasoning_does_not_hide_what_stands_for_it(clip):
    step, _ = step_of(clip, "At 5 s. " + "I look. " * 5000)
    assert step.text.startswith("At 5 s. I look.") and step.text.endswith("it was shown 7 of 10 keyframes.)")


def test_an_answer_without_reasoning_is_its_own(clip):
    run = Run()
    answer_question(Scripted("<answer>red</answer>"), "What colour is it?", clip, run)
    assert run.rationale[0].text.startswith("red (Evidence: all")
