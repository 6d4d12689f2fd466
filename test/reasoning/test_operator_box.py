# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scene_r1_ros.errors import BadBox, ModelFailed
from scene_r1_ros.reasoning.answer import answer_question
from scene_r1_ros.reasoning.clip import Clip
from scene_r1_ros.reasoning.image import hypotheses
from scene_r1_ros.reasoning.operator_box import OperatorBox
from scene_r1_ros.reasoning.protocol import Request
from scene_r1_ros.reasoning.temporal import ground_in_time
from scene_r1_ros.run import Run
from scene_r1_ros.types import Box2D
from test.reasoning.scripted import FIRST_NS, make_frame

BOX = Box2D(1.5, 2, 30, 40)


@pytest.mark.parametrize("frame", ["003000", FIRST_NS + 3 * 10**9])
@pytest.mark.parametrize("query", ["the mug", "<answer>not present</answer>", '"}</answer>'])
def test_grounds_through_the_real_steps(clip, frame, query):
    model, run = OperatorBox(frame, BOX), Run()
    windows = ground_in_time(model, query, clip, run)
    (hypothesis,) = hypotheses(model, query, clip, windows, run)
    assert hypothesis.frame is clip.frames[3]
    assert hypothesis.box == BOX
    assert hypothesis.label == query
    assert "The operator drew" in run.rationale[0].text


@settings(max_examples=100, deadline=None)
@given(gaps_ns=st.lists(st.integers(10**7, 10**9), min_size=1, max_size=12), data=st.data())
def test_finds_its_frame_at_any_stamps(gaps_ns, data):
    clip = Clip.of([make_frame(float(t) * 1e-9) for t in np.cumsum(gaps_ns)])
    mine = data.draw(st.sampled_from(clip.frames))
    model = OperatorBox(mine.stamp_ns, BOX)
    windows = ground_in_time(model, "the mug", clip, Run())
    assert [h.frame.stamp_ns for h in hypotheses(model, "the mug", clip, windows, Run())] == [mine.stamp_ns]


def test_other_frames_do_not_show_it(clip):
    reply = OperatorBox("003000", BOX).reply(Request("image", "x", clip.frames[:1], (0.0,)), print, lambda: False)
    assert "not present" in reply.text


def test_numpy_corners_are_read_back(clip):
    model = OperatorBox("003000", Box2D(*np.array([1, 2, 30, 40], np.float32)))
    windows = ground_in_time(model, "the mug", clip, Run())
    assert next(hypotheses(model, "the mug", clip, windows, Run())).box.xyxy == (1, 2, 30, 40)


@pytest.mark.parametrize(
    ("frame", "box", "message"),
    [
        ("000222", BOX, "the frame of id '000222', which is none of the 10 keyframes '000000'"),  # unknown id
        (5, BOX, "the frame of stamp 5 ns, which is none of the 10 keyframes"),  # unknown stamp
        ("003000", Box2D(70, 2, 90, 40), "lies outside the image of 64x48"),  # outside
    ],
)
def test_bad_boxes(clip, frame, box, message):
    with pytest.raises(BadBox, match=message):
        ground_in_time(OperatorBox(frame, box), "the mug", clip, Run())


def test_a_question_needs_a_model(clip):
    with pytest.raises(ModelFailed, match="a box cannot answer the question 'how many\\?'; choose a model"):
        answer_question(OperatorBox("003000", BOX), "how many?", clip, Run())
