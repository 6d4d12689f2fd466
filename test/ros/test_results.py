# SPDX-License-Identifier: Apache-2.0
"""Answers as results of the actions: what was checked, what it took, objects of both, and words for a speaker."""

from dataclasses import replace

import pytest
from scene_r1_ros.action import Ask, Ground

from scene_r1_ros.answer import Answer, Check, Usage
from scene_r1_ros.config import Config
from scene_r1_ros.reasoning.operator_box import OperatorBox
from scene_r1_ros.ros.messages import seconds_of
from scene_r1_ros.ros.outputs import rationale_text
from scene_r1_ros.ros.results import result_of
from scene_r1_ros.ros.speech import spoken_result
from scene_r1_ros.scene_r1 import SceneR1
from scene_r1_ros.tracking import load_tracker
from test.scenes import clip, tight_box

FRAMES, TRUTHS = clip(6)
CHECKS = (
    Check("label names the query", False, "the label 'box' does not name: mug"),
    Check("verified in 3D", True, "5"),
)
USAGE = {"image": Usage(2, 3, 2000, 1500, 90, 0.75)}


@pytest.fixture(scope="module")
def found():
    mind = OperatorBox(FRAMES[2].frame_id, tight_box(TRUTHS[2]))
    return SceneR1(mind, load_tracker(Config()), Config()).ground("the block", FRAMES)


@pytest.mark.parametrize("kind", [Ground, Ask])
def test_checks_and_usage_arrive_with_either_result(kind):
    answer = Answer("q", "answered", checks=CHECKS, timings_s={"select": 0.1, "image": 2.5}, usage=USAGE)
    result = result_of(kind, answer, "0001-q", FRAMES, "map")
    assert [(c.name, c.holds, c.text) for c in result.checks] == [(c.name, c.holds, c.text) for c in CHECKS]
    select, image = result.timings
    assert (select.stage, select.model_calls, select.input_tokens) == ("select", 0, 0)
    assert (image.model_calls, image.frames) == (2, 3)
    assert (image.input_tokens, image.cached_tokens, image.output_tokens) == (2000, 1500, 90)
    assert seconds_of(image.duration) == pytest.approx(2.5) and seconds_of(image.first_token) == pytest.approx(0.75)


def test_the_rationale_as_text_names_what_contradicts_it():
    said = rationale_text(Answer("the mug", "found", text="Here.", checks=CHECKS), "0001-the-mug").splitlines()
    contradiction = "contradiction: label names the query: the label 'box' does not name: mug"
    assert said == ["[0001-the-mug] the mug", contradiction, "Here."]


def test_a_question_where_gets_its_words_its_kind_and_its_objects(found):
    answer = replace(found, status="answered", text="on the floor")
    result = result_of(Ask, answer, "q1", FRAMES, "map")
    assert (result.answer, result.kind, result.error_code) == ("on the floor", "free", Ask.Result.NONE)
    (one,) = result.objects
    assert one.header.frame_id == "map" and one.mask.width == len(found.objects[0].points_world)
    assert spoken_result(result, False) == "on the floor"


def test_a_count_says_so():
    result = result_of(Ask, Answer("how many?", "answered", text="3", kind="count"), "q1", [], "map")
    assert (result.answer, result.kind, list(result.objects)) == ("3", "count", [])


def test_several_things_are_all_told(found):
    one = found.objects[0]
    x, y, z = one.box.center_world
    place = f"block at {x:.1f}, {y:.1f}, {z:.1f}"
    several = replace(found, objects=(replace(one, label="block"),) * 2)
    for answer, said in ((several, f"I found 2: {place}; {place} metres in map."), (found, "I found ")):
        result = result_of(Ground, answer, "q1", FRAMES, "map")
        assert len(result.objects) == len(answer.objects)
        assert spoken_result(result, False).startswith(said)
