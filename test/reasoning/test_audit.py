# SPDX-License-Identifier: Apache-2.0
"""The checks of a rationale, one by one, and what contradictions do to an answer."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scene_r1_ros.answer import Answer, Evidence, OrientedBox, SceneObject, SurfacePoint
from scene_r1_ros.errors import ErrorCode
from scene_r1_ros.reasoning import audit
from scene_r1_ros.reasoning.audit import audited, check_in_3d, check_label, check_times, check_window, lowered
from scene_r1_ros.reasoning.clip import Clip
from scene_r1_ros.run import Run, Thought
from scene_r1_ros.types import TimeWindow
from test.reasoning.scripted import make_frame

FRAMES = [make_frame(float(i)) for i in range(11)]
CLIP = Clip.of(FRAMES)  # 0 to 10 s
SEEN = Evidence(0.9, 0.9, 1.0, 0.9, visible=5, hidden=1, absent=0)
WINDOW = TimeWindow(3.0, 6.0)


def thing(label="mug", score=0.83, at_s=4, evidence=SEEN) -> SceneObject:
    box = OrientedBox(np.zeros(3), np.ones(3), np.eye(3))
    points, colors, share = np.zeros((1, 3), np.float32), np.zeros((1, 3), np.uint8), np.ones(1, np.float32)
    nearest = SurfacePoint(np.zeros(3), np.array([0.0, 0.0, 1.0]))
    return SceneObject(label, score, points, colors, share, box, np.eye(3), nearest, FRAMES[at_s], (), evidence)


def thought(text: str, stage="temporal") -> list[Thought]:
    return [Thought(stage, text)]


def held(checks) -> list[tuple[str, bool]]:
    return [(check.name, check.holds) for check in checks]


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("I see it at 3.2 s.", True),
        ("I see it at 10 s.", True),  # at the very end
        ("I see it at 11.4 s.", False),
        ("From 00:08 to 00:11 it is there.", True),  # a whole second may be rounded up
        ("From 00:08 to 00:13 it is there.", False),
        ("In <45.00 seconds> I see it, and at 3 s.", False),
        ("It is in 3 frames, 2 m away.", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("stage", ["temporal", "image", "answer"])
def test_times_lie_in_the_clip(text, holds, stage):
    checks = check_times(thought(text, stage), CLIP.end_s)
    assert held(checks) == ([] if holds is None else [("times in the clip", holds)])


def test_what_lies_outside_the_clip_is_quoted():
    (check,) = check_times(thought("At 3 s, at 45 s and at 1 min 5 s."), CLIP.end_s)
    assert check.text == "the reasoning names 45 s, 1 min 5 s, but the clip ends at 10.00 s"


def test_of_many_times_a_few_are_quoted():
    (check,) = check_times(thought(" ".join(f"At {i} s." for i in range(8))), CLIP.end_s)
    assert check.text == "the reasoning names 0 s, 1 s, 2 s, 3 s, 4 s and 3 more; the clip ends at 10.00 s"


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("Seen at 8 s.", False),
        ("Seen at 12 s.", None),  # it is not in the clip, which is held against it once
        ("Seen at 12 s and 4 s.", True),
        ("Seen at 8 s, and best at 4.5 s.", True),
        ("From 1 s to 9 s it is there.", True),
        ("It is there from 6 s.", True),
        ("It is there at 6.5 s.", True),  # a window of whole seconds is rounded
        ("It is there at 7.5 s.", False),
        ("I see the mug at 1 s and at 9 s.", True),  # in between, as far as it says
        ("I see the floor until 1.5 s, and then the mug.", None),
        ("The mug first appears at 1 s.", None),  # it may stay
        ("The mug first appears at 1 s and is last seen at 1.5 s.", False),
        ("It first appears at 9 s.", False),
        ("It is last seen at 9 s.", None),
        ("The chair is seen at 9 s. It is red.", None),  # of another thing
        ("A similar mug is seen at 9 s. It is small.", None),
        ("I do not see it at 0 s. It is not visible at 9 s.", None),  # where it is not, its window need not be
        ("I do not see it at 0 s, but at 5 s it is on the table.", True),
        ("Before 3.00s it is out of view.", None),
        ("It is red.", None),
    ],
)
def test_the_window_answers_the_reasoning(text, holds):
    checks = check_window("the red mug", WINDOW, thought(text), CLIP.end_s)
    assert held(checks) == ([] if holds is None else [("window answers the reasoning", holds)])


def test_only_reasoning_about_time_is_held_against_the_window():
    assert check_window("the mug", WINDOW, thought("The mug is seen at 9 s.", "image"), CLIP.end_s) == []
    assert check_window("the mug", None, thought("It is seen at 9 s."), CLIP.end_s) == []


@pytest.mark.parametrize(
    ("window", "text", "holds"),
    [
        ((5, 6), "at <4.80 seconds>", True),
        ((7, 8), "at 8.60 s", True),
        ((4.9, 6), "at 4.80 s", True),
        ((4.9, 6), "at 4.60 s", False),
        ((4.93, 6), "at 4.80 s", False),
        ((1, 2.4), "at 2.50 s", True),
        ((1, 2.4), "at 2.60 s", False),
        ((5, 8), "from 4.80 to 8.20 s", True),
    ],
)
def test_each_rim_of_a_window_is_as_exact_as_it_is_said(window, text, holds):
    (check,) = check_window("the mug", TimeWindow(*window), thought(f"I see it {text}."), CLIP.end_s)
    assert check.holds is holds


@pytest.mark.parametrize(
    ("query", "label", "holds"),
    [
        ("the red mug left of the sink", "coffee mug", True),
        ("the red mug left of the sink", "box", False),
        ("the red mug left of the sink", "The red mug left of the sink", None),  # it was not labelled
        ("something to sit on", "chair", None),
        ("die rote Tasse", "mug", None),
    ],
)
def test_the_label_names_the_query(query, label, holds):
    checks = check_label(query, label)
    assert held(checks) == ([] if holds is None else [("label names the query", holds)])


@pytest.mark.parametrize(
    ("visible", "absent", "holds"), [(5, 0, True), (5, 4, True), (4, 4, False), (4, 5, False), (0, 3, False)]
)
def test_what_holds_in_3d(visible, absent, holds):
    (check,) = check_in_3d(thing(evidence=replace(SEEN, visible=visible, absent=absent)))
    assert (check.name, check.holds) == ("verified in 3D", holds)
    assert f"{visible} other keyframes show it, in 1 it is hidden, {absent} see through" in check.text


def test_where_no_other_keyframe_looks_there_nothing_is_told():
    assert check_in_3d(thing(evidence=replace(SEEN, visible=0, hidden=3, absent=0))) == []


def test_an_answer_without_contradictions_stays_as_it_is():
    answer, run = Answer("the red mug", "found", text="It is here.", objects=(thing(),), window=WINDOW), Run()
    run.thoughts = thought("Seen at 4 s.") + thought("It is red.", "image")
    done = audited(answer, CLIP, run)
    assert held(done.checks) == [
        (audit.TIMES, True), (audit.WINDOW, True), (audit.LABEL, True), (audit.IN_3D, True),
    ]  # fmt: skip
    assert replace(done, checks=(), objects=()) == replace(answer, objects=()) and not run.rationale
    assert done.objects[0].score == 0.83


def test_a_contradiction_lowers_the_confidence_and_is_said_everywhere():
    answer, run = Answer("the red mug", "found", text="It is here.", objects=(thing(),), window=WINDOW), Run()
    run.thoughts = thought("Seen at 9 s.")
    done = audited(answer, CLIP, run)
    assert done.objects[0].score == pytest.approx(0.62, abs=0.005)
    said = "Confidence lowered from 0.83 to 0.62: the window does not answer the reasoning."
    assert done.text == f"It is here. {said}" and run.rationale[-1].text == said


def test_what_falls_below_a_half_is_doubted():
    answer, run = Answer("the red mug", "found", objects=(thing("box"),), window=WINDOW), Run()
    run.thoughts = thought("Seen at 9 s.")  # the wrong time, and the wrong thing
    done = audited(answer, CLIP, run)
    assert done.objects[0].score < 0.5 and done.text.endswith("I am not sure of it.")


def test_what_speaks_against_it_in_3d_is_counted_once():
    alone = thing(evidence=replace(SEEN, visible=0, absent=3))
    done = audited(Answer("the red mug", "found", objects=(alone,)), CLIP, Run())
    assert held(done.checks) == [(audit.LABEL, True), (audit.IN_3D, False)]
    assert done.objects[0].score == alone.score


def test_a_wrong_label_speaks_against_its_own_object():
    answer = Answer("the two mugs", "found", objects=(thing("mug"), thing("box")), window=WINDOW)
    mug, box = audited(answer, CLIP, Run()).objects
    assert mug.score == 0.83 and box.score < mug.score


def test_a_wrong_label_counts_half_as_many_things_have_names_that_no_list_knows():
    (found,) = audited(Answer("the red mug", "found", objects=(thing("box"),)), CLIP, Run()).objects
    assert found.score == pytest.approx(lowered(0.83, 0.5)) and found.score > lowered(0.83, 1)


def test_of_several_things_each_is_named_where_it_is_doubted():
    answer, run = Answer("the two mugs", "found", text="2 found.", objects=(thing("mug"), thing("box", 0.6))), Run()
    said = (
        "Confidence of 'box' (2 of 2) lowered from 0.60 to 0.46: the label does not name what is looked for."
        " I am not sure of 'box' (2 of 2)."
    )
    assert audited(answer, CLIP, run).text == f"2 found. {said}"
    assert [step.text for step in run.rationale] == [said]


def test_what_lowers_the_confidence_is_shown_by_the_frames_of_the_step_before():
    answer, run = (
        Answer("where is the mug?", "answered", text="On it.", objects=(thing(), thing()), window=WINDOW),
        Run(),
    )
    run.note("The place is told.", frames=(FRAMES[2],))
    run.thoughts = thought("Seen at 9 s.")
    audited(answer, CLIP, run)
    assert [step.frames for step in run.rationale] == [(FRAMES[2],)] * 3


def test_where_no_step_shows_a_frame_it_is_the_one_that_the_object_is_from():
    answer, run = Answer("the mug", "found", objects=(thing(at_s=4),), window=WINDOW), Run()
    run.note("Projected back.")
    run.thoughts = thought("Seen at 9 s.")
    audited(answer, CLIP, run)
    assert run.rationale[-1].frames == (FRAMES[4],)


@pytest.mark.parametrize(
    ("kind", "score", "text"),
    [
        ("free", 0.6, "On the desk. mug: at 1. I am not sure of it."),
        ("free", 0.9, "On the desk. mug: at 1."),  # lowered, but not doubtful
        ("free", 0.4, "On the desk. mug: at 1."),  # said where it was found
        ("choice", 0.6, "On the desk. mug: at 1."),
        ("count", 0.6, "On the desk. mug: at 1."),
        ("yes_no", 0.6, "On the desk. mug: at 1."),
    ],
)
def test_a_place_behind_words_is_doubted_in_words(kind, score, text):
    said = "On the desk. mug: at 1."
    answer = Answer("where is the mug?", "answered", text=said, kind=kind, objects=(thing(score=score),), window=WINDOW)
    run = Run()
    run.thoughts = thought("Seen at 9 s.")
    done = audited(answer, CLIP, run)
    assert done.text == text and done.objects[0].score < score and "lowered" in run.rationale[-1].text


def test_words_are_held_against_the_clip_too():
    run = Run()
    run.thoughts = thought("One at 2 s, one at 30 s.", "answer")
    done = audited(Answer("how many?", "answered", text="2"), CLIP, run)
    assert held(done.checks) == [("times in the clip", False)] and done.text == "2"


def test_an_error_has_no_rationale_to_check():
    run = Run()
    run.thoughts = thought("Seen at 12 s.")
    error = Answer("q", "error", ErrorCode.TIMEOUT, "late")
    assert audited(error, CLIP, run) is error


@given(st.floats(0, 1), st.integers(0, 40))
def test_a_lowered_score_stays_a_chance(score, half_steps):
    once, more = lowered(score, half_steps / 2), lowered(score, (half_steps + 1) / 2)
    assert 0 <= more <= once <= score


@given(st.floats(0.01, 0.99), st.integers(0, 5))
def test_each_contradiction_is_one_step_in_the_logit(score, contradictions):
    step = math.log(score / (1 - score)) - contradictions * math.log(audit.ODDS_PER_CONTRADICTION)
    assert lowered(score, contradictions) == pytest.approx(1 / (1 + math.exp(-step)))


@given(st.lists(st.tuples(st.sampled_from(["temporal", "image"]), st.text(max_size=200)), max_size=3), st.text())
def test_whatever_a_model_says_is_checked_without_an_error(said, query):
    run = Run()
    run.thoughts = [Thought(stage, text) for stage, text in said]
    done = audited(Answer(query, "found", objects=(thing(),), window=WINDOW), CLIP, run)
    assert 0 < done.objects[0].score <= 0.83 and audit.IN_3D in [check.name for check in done.checks]
