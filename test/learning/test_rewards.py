# SPDX-License-Identifier: Apache-2.0
"""Replies as models write them, good, bad and cunning, and what each is worth."""

import doctest
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scene_r1_ros.evaluation.metrics import temporal_iou
from scene_r1_ros.learning import overlaps, places, rewards
from scene_r1_ros.learning.overlaps import boxes_iou, windows_iou
from scene_r1_ros.learning.rewards import RewardConfig, Scores, answer_match, form_of, score
from scene_r1_ros.learning.sample import NamedBox
from scene_r1_ros.types import Box2D, TimeWindow
from test.command_line import ROOT
from test.learning.making import ANSWER, IMAGE, OBJECTS, TEMPORAL, sample

FULL = RewardConfig()
BOX = '{"bbox_2d": [34, 50, 61, 80], "label": "red mug"}'


def said(answer: str, thought: str = "I see it.") -> str:
    return f"<think>{thought}</think>\n<answer>{answer}</answer>"


@pytest.mark.parametrize("module", [rewards, overlaps, places])
def test_the_examples_of_the_docstrings_hold(module):
    failed, tried = doctest.testmod(module)
    assert tried > 0 and failed == 0


def test_they_need_no_torch():
    """Other engines load them in processes of their own, and the core never imports torch."""
    code = "import sys, scene_r1_ros.learning.rewards; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


FORMS = [
    (said("5s to 10s"), 1.0),
    ("<think></think><answer>5s to 10s</answer>", 1.0),  # a model that does not think
    ("\n <think>a\nb</think>\n\n<answer>\n3\n</answer> \n", 1.0),
    (said("5s to 10s") + "<|im_end|>", 1.0),  # the end that the trainer did not cut off
    ("<think>3 < 4 and 5 > 2</think><answer>3</answer>", 1.0),
    ("", 0.0),
    ("5s to 10s", 0.0),
    ("<answer>5s to 10s</answer>", 0.0),
    ("<think>a</think>5s to 10s", 0.0),
    ("<think>a</think><answer>5s to 10s", 0.0),  # cut off
    ("<think>a<answer>5s to 10s</answer>", 0.0),
    ("<think>a</think><answer></answer>", 0.0),  # nothing in it
    ("<think>a</think><answer> \n</answer>", 0.0),
    ("<answer>3</answer><think>a</think>", 0.0),  # the wrong order
    ("<think>a<answer>3</answer></think>", 0.0),  # answered in the thoughts
    ("<think>a</think><think>b</think><answer>3</answer>", 0.0),
    ("<think>a</think><answer>3</answer><answer>4</answer>", 0.0),
    ("<think>a <think>b</think><answer>3</answer>", 0.0),
    ("Sure! " + said("3"), 0.0),
    (said("3") + " I hope this helps.", 0.0),
    ("<think>a</think> so <answer>3</answer>", 0.0),
    ("<Think>a</Think><answer>3</answer>", 0.0),
    ("<thinking>a</thinking><answer>3</answer>", 0.0),
    ("< think>a</think><answer>3</answer>", 0.0),
    ("<|im_start|>" + said("3"), 0.0),
    (said("3", "x" * 100_001), 0.0),  # longer than what is ever read
]


@pytest.mark.parametrize(("reply", "expected"), FORMS, ids=[reply[:40] for reply, _ in FORMS])
def test_the_form(reply, expected):
    assert form_of(reply) == expected


# The clip is 0 s to 5 s, the true window 1 s to 2 s.
WINDOWS = [
    ("1s to 2s", 1.0),
    ("1.00s to 2.00s", 1.0),
    ("from 1 to 2 seconds", 1.0),
    ("[1, 2]", 1.0),
    ("00:01 - 00:02", 1.0),
    ("2s to 1s", 1.0),  # swapped, as the robot reads it
    ("1s to 3s", 0.5),
    ("1.5s to 2.5s", 1 / 3),
    ("3s to 4s", 0.0),
    ("2s to 3s", 0.0),  # touching
    ("0s to 5s", 0.2),  # the whole clip
    ("0s to 1000s", 0.2),  # ... and beyond
    ("0s to the end", 0.2),
    ("1s to 2s, 3s to 4s", 0.5),  # two, on the off chance
    ("0s to 1s, 1s to 2s, 2s to 3s, 3s to 4s, 4s to 5s", 0.2),
    ("1s to 1s, 2s to 2s", 0.0),  # moments
    ("1s", 0.0),
    ("not present", 0.0),
    ("1s to 2s; it is not present", 0.0),
    ("1s to 2s, or not present", 1.0),  # as the robot reads it; it earns nothing where it is absent, see below
    ("7s to 9s", 0.0),  # outside of the clip
    ("the mug", 0.0),
    ("", 0.0),
    ("nan to inf", 0.0),
    ("1s to 1e999s", 0.0),
]


@pytest.mark.parametrize(("answer", "expected"), WINDOWS, ids=[answer for answer, _ in WINDOWS])
def test_windows(answer, expected):
    scores = score(said(answer), sample(TEMPORAL))
    assert scores.temporal_iou == pytest.approx(expected)
    assert (scores.box_iou, scores.answer) == (None, None)


SEVERAL = sample(TEMPORAL, query="the mugs", target={"windows_s": [[0.0, 1.0], [3.0, 4.0]]})
ONE_OF_TWO = sample(TEMPORAL, target={"windows_s": [[0.0, 1.0], [3.0, 4.0]]})


@pytest.mark.parametrize(
    ("answer", "several", "one"),
    [
        ("0s to 1s, 3s to 4s", 1.0, 1.0),
        ("3s to 4s, 0s to 1s, 0s to 1s", 1.0, 1.0),  # order and repetition do not matter
        ("0s to 1s", 0.5, 1.0),  # of one thing, each of its windows is right
        ("3s to 4s", 0.5, 1.0),
        ("0s to 4s", 0.5, 0.5),
        ("0s to 0.5s, 3s to 4s", 0.75, 0.75),
        ("not present", 0.0, 0.0),
    ],
)
def test_several_windows(answer, several, one):
    assert score(said(answer), SEVERAL).temporal_iou == pytest.approx(several)
    assert score(said(answer), ONE_OF_TWO).temporal_iou == pytest.approx(one)


def test_a_window_that_a_model_can_only_say_in_hundredths_is_right():
    thirds = [{**shot, "time_s": i / 3} for i, shot in enumerate(TEMPORAL["frames"])]
    moment = sample(TEMPORAL, frames=thirds, target={"windows_s": [[1 / 3, 1 / 3]]})
    assert score(said("0.33s to 0.33s"), moment).temporal_iou == 1.0
    assert score(said("0.34s to 0.34s"), moment).temporal_iou == 0.0


@pytest.mark.parametrize("task", [TEMPORAL, IMAGE], ids=["temporal", "image"])
def test_what_is_not_there(task):
    name = "windows_s" if task is TEMPORAL else "boxes"
    absent, present = sample(task, target={name: []}), sample(task)

    def term(reply, of):
        scores = score(reply, of)
        return scores.temporal_iou if task is TEMPORAL else scores.box_iou

    wrong = "1s to 2s" if task is TEMPORAL else BOX
    assert term(said("not present"), absent) == 1.0
    assert term(said(wrong), absent) == 0.0
    assert term(said("perhaps"), absent) == 0.0  # unreadable is not "not present"
    assert term("", absent) == 0.0
    assert term(said("not present"), present) == 0.0
    assert term(said(f"{wrong} or not present"), absent) == 0.0


# The image is 224x168, the true box 34,50,61,80.
BOXES = [
    (BOX, 1.0),
    ('{"bbox_2d": [34, 50, 61, 80], "label": "cup"}', 1.0),  # what it is called is not asked for
    ("[34, 50, 61, 80]", 1.0),
    (f"```json\n[{BOX}]\n```", 1.0),
    (f"[{BOX}, {BOX}]", 1.0),  # the same twice is one
    ('{"bbox_2d": [34, 50, 61, 110], "label": "red mug"}', 0.5),
    ('{"bbox_2d": [61, 50, 90, 80], "label": "red mug"}', 0.0),
    ('{"bbox_2d": [0, 0, 224, 168], "label": "red mug"}', 27 * 30 / (224 * 168)),  # the whole image
    ('{"bbox_2d": [-999, -999, 9999, 9999], "label": "red mug"}', 27 * 30 / (224 * 168)),
    (f'[{BOX}, {{"bbox_2d": [100, 50, 120, 80], "label": "red mug"}}]', 0.5),  # two for one
    (f'[{BOX}, {{"bbox_2d": [500, 50, 520, 80], "label": "red mug"}}]', 0.5),  # one of them nowhere
    (f'[{BOX}, {{"bbox_2d": [34, 50, 61, 81], "label": "red mug"}}]', 0.5),  # the same again, moved a little
    ('{"bbox_2d": [500, 50, 520, 80], "label": "red mug"}', 0.0),
    ('{"bbox_2d": [34, 50, 34, 80], "label": "red mug"}', 0.0),
    ('{"bbox_2d": [0.15, 0.3, 0.27, 0.48], "label": "red mug"}', 0.0),  # fractions
    ("[]", 0.0),
    ("not present", 0.0),
    (BOX + " is not present", 0.0),
    ("on the left", 0.0),
    ('{"bbox_2d": [NaN, 50, 61, 80]}', 0.0),
]


@pytest.mark.parametrize(("answer", "expected"), BOXES, ids=[answer[:50] for answer, _ in BOXES])
def test_boxes(answer, expected):
    scores = score(said(answer), sample(IMAGE))
    assert scores.box_iou == pytest.approx(expected)
    assert (scores.temporal_iou, scores.answer) == (None, None)


def test_a_hundred_boxes_all_over_the_image_do_not_pay():
    grid = [
        f'{{"bbox_2d": [{x}, {y}, {x + 27}, {y + 30}]}}' for x in range(34 - 27, 190, 27) for y in range(20, 130, 30)
    ]
    assert '{"bbox_2d": [34, 50, 61, 80]}' in grid
    assert score(said(f"[{', '.join(grid)}]"), sample(IMAGE)).box_iou <= 1 / len(grid)


def test_several_boxes_are_matched_whatever_their_order():
    two = [{"box_xyxy": [10, 10, 30, 30], "label": "mug"}, {"box_xyxy": [20, 10, 40, 30], "label": "mug"}]
    mugs = sample(IMAGE, query="the mugs", target={"boxes": two})
    there, back = ([b["box_xyxy"] for b in some] for some in (two, two[::-1]))
    for boxes in (there, back):
        assert score(said(str([{"bbox_2d": box} for box in boxes]).replace("'", '"')), mugs).box_iou == 1.0
    assert score(said(str(there[0])), mugs).box_iou == 0.5
    # Greedy, the first would take what only the second can have.
    assert score(said('[{"bbox_2d": [16, 10, 36, 30]}, {"bbox_2d": [20, 10, 40, 30]}]'), mugs).box_iou > 0.7


def test_everything_in_a_frame_must_be_named_rightly():
    boxes = [{"box_xyxy": [10, 10, 30, 30], "label": "mug"}, {"box_xyxy": [50, 10, 80, 30], "label": "lamp"}]
    room = sample(OBJECTS, target={"boxes": boxes})
    reply = '[{"bbox_2d": [50, 10, 80, 30], "label": "%s"}, {"bbox_2d": [10, 10, 30, 30], "label": "Mug"}]'
    assert score(said(reply % "the lamp"), room).box_iou == 1.0
    assert score(said(reply % "mug"), room).box_iou == 0.5


COUNT, CHOICE = "How many mugs are there?", "Which colour is the mug? (A) red (B) dark blue (C) green"
YES_NO, FREE, ROUTE = "Is there a mug on the table?", "What is the mug standing on?", "What do you pass, in order?"
ANSWERS = [
    (COUNT, "3", "3", 1.0),
    (COUNT, "3", "three", 1.0),
    (COUNT, "3", "There are 3 mugs.", 1.0),
    (COUNT, "3", "3.0", 1.0),
    (COUNT, "three", "3", 1.0),
    (COUNT, "0", "none", 1.0),
    (COUNT, "3", "4", 0.0),  # near is not right
    (COUNT, "3", "2 or 3", 0.0),
    (COUNT, "3", "1, 2, 3, 4", 0.0),
    (COUNT, "3", "at least three", 0.0),
    (COUNT, "3", "many", 0.0),
    (COUNT, "3", "", 0.0),
    (CHOICE, "B", "B. dark blue", 1.0),
    (CHOICE, "B. dark blue", "(b)", 1.0),
    (CHOICE, "dark blue", "B", 1.0),
    (CHOICE, "B", "A", 0.0),
    (CHOICE, "B", "A or B", 0.0),
    (CHOICE, "B", "A, B, C", 0.0),
    (CHOICE, "B", "not B", 0.0),
    (CHOICE, "B", "D", 0.0),
    (YES_NO, "yes", "Yes, next to the lamp.", 1.0),
    (YES_NO, "yes, next to the lamp", "yes", 1.0),
    (YES_NO, "no", "No mug is visible.", 1.0),
    (YES_NO, "yes", "no", 0.0),
    (YES_NO, "yes", "yes and no", 0.0),
    (YES_NO, "yes", "yes or no", 0.0),
    (YES_NO, "yes", "maybe", 0.0),
    (FREE, "on the table", "On the table.", 1.0),
    (FREE, "table", "a table", 1.0),
    (FREE, "table", "**the table**", 1.0),
    (FREE, "table", "chair", 0.0),
    (FREE, "table", "table or chair", 0.0),
    (FREE, "table", "table chair sofa lamp", 0.0),
    (FREE, "2.5 m", "2.5 m", 1.0),
    (FREE, "2.5 m", "25 m", 0.0),
    (ROUTE, "door, sofa, lamp", "the door, the sofa, the lamp", 1.0),
    (ROUTE, "door, sofa, lamp", "sofa, door, lamp", 0.0),  # another order
]


@pytest.mark.parametrize(("question", "true", "answer", "expected"), ANSWERS)
def test_answers(question, true, answer, expected):
    scores = score(said(answer), sample({**ANSWER, "query": question, "target": {"answer": true}}))
    assert scores.answer == expected
    assert (scores.temporal_iou, scores.box_iou) == (None, None)


def test_a_true_answer_that_does_not_fit_its_question_matches_nothing():
    assert answer_match("3", "some", COUNT) == 0.0


def test_the_last_answer_counts_and_its_form_does_not_pay():
    twice = "<think>a</think><answer>3</answer><answer>4</answer>"
    assert score(twice, sample(ANSWER)) == Scores(format=0.0, answer=0.0)
    hidden = "<think>it is <answer>3</answer></think>"
    assert score(hidden, sample(ANSWER)).total(FULL) < score(said("3"), sample(ANSWER)).total(FULL)


def test_weights():
    scores = Scores(format=1.0, temporal_iou=0.5)
    assert scores.total(RewardConfig()) == 0.75
    assert scores.total(RewardConfig(format=0.0, temporal_iou=2.0)) == 1.0
    assert Scores(format=0.0, answer=0.0).total(FULL) == 0.0


def test_form_alone_never_beats_content():
    """An empty shell is worth less than a window, a box or an answer that is half right."""
    assert score(said("?"), sample(TEMPORAL)).total(FULL) < score("1s to 3s", sample(TEMPORAL)).total(FULL)


@pytest.mark.parametrize("lazy", ["not present", "0s to 5s", "[0, 0, 224, 168]", "yes", "0"])
def test_no_constant_reply_pays_on_all_tasks(lazy):
    absent = sample(TEMPORAL, id="a", target={"windows_s": []})
    tasks = [sample(TEMPORAL), sample(IMAGE), sample(ANSWER), absent]
    content = [score(said(lazy), one).total(FULL) - FULL.format for one in tasks]
    assert sum(content) / len(content) <= 0.25


junk = st.text(max_size=60) | st.lists(
    st.sampled_from(
        ["<think>", "</think>", "<answer>", "</answer>", "1s to 2s", BOX, "3", "not present", "yes", " ", "\n"]
    ),
    max_size=12,
).map("".join)


@given(junk, st.sampled_from([IMAGE, TEMPORAL, ANSWER, OBJECTS]))
def test_any_text_has_scores_from_0_to_1_and_just_those_of_its_task(reply, values):
    scores = score(reply, sample(values))
    applies = {"temporal": "temporal_iou", "image": "box_iou", "objects": "box_iou", "answer": "answer"}[values["task"]]
    for name in ("temporal_iou", "box_iou", "answer"):
        value = getattr(scores, name)
        assert (value is not None) == (name == applies)
        assert value is None or 0 <= value <= 1
    assert scores.format in (0.0, 1.0)


times = st.integers(0, 1000).map(lambda t: t / 100)
windows = st.builds(lambda a, b: TimeWindow(min(a, b), max(a, b)), times, times)
some_windows = st.lists(windows, max_size=5)


@given(some_windows, some_windows)
def test_window_overlap_is_symmetric_and_1_of_itself(a, b):
    assert windows_iou(a, a, several=True) == 1.0
    assert windows_iou(a, b, several=True) == pytest.approx(windows_iou(b, a, several=True))
    assert 0 <= windows_iou(a, b, several=True) <= windows_iou(a, b) <= 1


@given(windows, windows)
def test_of_one_window_it_is_the_metric_of_evaluation(a, b):
    assert windows_iou([a], [b]) == temporal_iou(a, b)


@given(st.integers(0, 400), st.integers(1, 400))
def test_a_window_that_is_nearer_is_worth_more(shift, more):
    true = TimeWindow(2, 6)
    near, far = (TimeWindow(2 + s / 100, 6 + s / 100) for s in (shift, shift + more))
    assert windows_iou([far], [true]) <= windows_iou([near], [true])


corner, side = st.integers(0, 90), st.integers(1, 60)
named = st.builds(lambda x, y, w, h: NamedBox("mug", Box2D(x, y, x + w, y + h)), corner, corner, side, side)
some_boxes = st.lists(named, max_size=5)


@given(some_boxes, some_boxes)
def test_box_overlap_is_symmetric_and_1_of_itself(a, b):
    assert boxes_iou(a, a) == 1.0
    assert boxes_iou(a, b) == pytest.approx(boxes_iou(b, a))
    assert 0 <= boxes_iou(a, b) <= 1


@given(named, named)
def test_of_one_box_it_is_the_iou_of_boxes(a, b):
    assert boxes_iou([a], [b]) == a.box.iou(b.box)


@given(some_boxes.filter(bool), named)
def test_one_box_too_many_never_pays_where_all_are_right(true, extra):
    assert boxes_iou([*true, extra], true) < 1
    assert boxes_iou(true[:-1], true) < 1
