# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scene_r1_ros.errors import BadInput
from scene_r1_ros.learning.replies import messages_of, reply_of, request_of
from scene_r1_ros.learning.rewards import RewardConfig, model_scale, score
from scene_r1_ros.learning.schema import sample_of
from scene_r1_ros.reasoning.jpeg import seen_wh
from scene_r1_ros.reasoning.models import make_spec
from scene_r1_ros.reasoning.parse import reasoning_of
from scene_r1_ros.reasoning.prompting import messages
from scene_r1_ros.reasoning.protocol import ModelSpec, Request
from test.learning.making import ANSWER, IMAGE, OBJECTS, TEMPORAL, sample
from test.sequences.making import make_frame

PIXEL = ModelSpec("pixels", "pixel", 8, 4, 401_408, 512)
QWEN2, QWEN3 = make_spec("qwen2_5_vl"), make_spec("qwen3_vl")
SPECS = [PIXEL, QWEN2, QWEN3]
FULL = RewardConfig()


def test_a_box_as_each_model_writes_it():
    one = sample(IMAGE, frames=[{"image": "a.jpg", "time_s": 0, "size_wh": [640, 480]}])
    assert reply_of(one, PIXEL, (644, 476)) == (
        f'<think>{IMAGE["reasoning"]}</think>\n<answer>{{"bbox_2d": [34, 50, 61, 80], "label": "red mug"}}</answer>'
    )
    assert '"bbox_2d": [34, 50, 61, 79]' in reply_of(one, QWEN2, (644, 476))
    assert '"bbox_2d": [53, 104, 95, 167]' in reply_of(one, QWEN3, (640, 480))
    assert "a red one at (73, 135) and a blue one at (188, 167)" in reply_of(one, QWEN3, (640, 480))


def test_windows_and_times_as_the_captions_have_them():
    one = sample(TEMPORAL, reasoning="From 1s to 2.0s a mug of 7.5 cm is seen, the 2nd time.")
    assert reply_of(one, PIXEL, (224, 168)) == (
        "<think>From 1.00s to 2.00s a mug of 7.5 cm is seen, the 2nd time.</think>\n<answer>1.00s to 2.00s</answer>"
    )
    two = sample(TEMPORAL, query="the mugs", target={"windows_s": [[0.0, 1.0], [3.0, 4.0]]})
    assert "<answer>0.00s to 1.00s, 3.00s to 4.00s</answer>" in reply_of(two, PIXEL, (224, 168))


def test_what_is_not_there():
    for absent in (sample(IMAGE, target={"boxes": []}), sample(TEMPORAL, target={"windows_s": []})):
        assert "<answer>not present</answer>" in reply_of(absent, QWEN2, (224, 168))


def test_several_boxes_are_a_list_and_so_is_one_where_several_are_asked_for():
    mugs = sample(IMAGE, query="the mugs")
    assert '<answer>[{"bbox_2d": [34, 50, 61, 80], "label": "red mug"}]</answer>' in reply_of(mugs, PIXEL, (224, 168))
    assert '<answer>[{"bbox_2d"' in reply_of(sample(OBJECTS), PIXEL, (224, 168))


def test_answers_in_the_form_that_is_asked_for():
    choice = sample({**ANSWER, "query": "Which? (A) red (B) blue", "target": {"answer": "blue"}})
    assert "<answer>B. blue</answer>" in reply_of(choice, PIXEL, (224, 168))
    assert "<answer>3</answer>" in reply_of(sample({**ANSWER, "target": {"answer": "three"}}), PIXEL, (224, 168))


def test_a_thin_box_keeps_a_unit():
    wide = [{"image": "a.jpg", "time_s": 0, "size_wh": [4000, 3000]}]
    thin = sample(
        {**IMAGE, "frames": wide, "target": {"boxes": [{"box_xyxy": [1000, 1000, 1001, 1900], "label": "rod"}]}}
    )
    assert '"bbox_2d": [250, 333, 251, 633]' in reply_of(thin, QWEN3, (736, 544))


labels = st.text("abc mug'\"{}[]:,.0123ä杯", min_size=1, max_size=12)
step = st.integers(0, 44).map(lambda n: 10 * n)
corners = st.tuples(step, step, st.integers(24, 40), st.integers(24, 40))
boxes = st.lists(st.tuples(corners, labels), max_size=4, unique_by=lambda drawn: drawn[0][:2])


@given(boxes, st.sampled_from(["the red mug", "the mugs", ""]), st.sampled_from(SPECS))
def test_the_right_boxes_score_in_full(drawn, query, spec):
    target = [{"box_xyxy": [x, y, x + w, y + h], "label": label} for (x, y, w, h), label in drawn]
    frames = [{"image": "a.jpg", "time_s": 0, "size_wh": [640, 480]}]
    values = {**IMAGE, "frames": frames, "query": query, "task": "image" if query else "objects"}
    try:
        one = sample_of({**values, "target": {"boxes": target}})
    except BadInput:
        return  # a label without a word
    scores = score(reply_of(one, spec, seen_wh(640, 480, spec)), one, model_scale(one, spec))
    assert scores.format == 1.0
    assert scores.box_iou == 1.0 if spec is PIXEL else scores.box_iou > 0.9  # whole units lose up to half of one


seconds = st.integers(0, 5000).map(lambda ms: ms / 1000)
windows = st.lists(st.tuples(seconds, seconds).map(sorted), max_size=4)


@given(windows, st.sampled_from(["the red mug", "the mugs"]))
def test_the_right_windows_score_in_full(drawn, query):
    one = sample_of({**TEMPORAL, "query": query, "target": {"windows_s": drawn}})
    assert score(reply_of(one, QWEN2, (224, 168)), one).total(FULL) == pytest.approx(1.25)


QUESTIONS = [
    ("How many mugs are there?", ["0", "3", "12", "three"]),
    ("Which? (A) red (B) dark blue (C) blue", ["A", "dark blue", "C. blue"]),
    ("Is there a mug on the table?", ["yes", "no", "no, it is on the desk", "yes, at 4.5s"]),
    ("What is the mug standing on?", ["the table", "a shelf, left of the lamp", "2.5 m", "杯子"]),
]


@pytest.mark.parametrize(("question", "answer"), [(q, answer) for q, answers in QUESTIONS for answer in answers])
@pytest.mark.parametrize("reasoning", ["", "At 4.5s I see it, at (30, 40)."])
def test_the_right_answer_scores_in_full(question, answer, reasoning):
    one = sample({**ANSWER, "query": question, "target": {"answer": answer}, "reasoning": reasoning})
    for spec in SPECS:
        assert score(reply_of(one, spec, (224, 168)), one).total(FULL) == 1.25


def test_the_reasoning_is_what_the_robot_reads():
    assert reasoning_of(reply_of(sample(IMAGE), PIXEL, (224, 168))) == IMAGE["reasoning"]


@pytest.mark.parametrize("values", [IMAGE, TEMPORAL, ANSWER], ids=lambda v: v["task"])
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_a_sample_is_asked_in_the_very_words_of_the_robot(values, spec):
    one = sample(values)
    times_s = tuple(shot.time_s for shot in one.shots)
    robots = Request(one.task, one.query, tuple(make_frame(i) for i in range(len(times_s))), times_s)
    assert messages_of(one, spec) == messages(robots, spec.prompts, spec.time_format)


def test_a_clip_in_clock_time():
    clock = ModelSpec("clock", "pixel", 8, 4, 401_408, 512, time_format="clock")
    assert messages_of(sample(TEMPORAL), clock)[1]["content"][2] == {"type": "text", "text": "<00:00.50>"}


def test_the_robot_never_asks_for_everything():
    with pytest.raises(BadInput, match="sample 'train/7/3': the robot has no request for everything in a frame"):
        request_of(sample(OBJECTS))
