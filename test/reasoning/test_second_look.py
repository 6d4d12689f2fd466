# SPDX-License-Identifier: Apache-2.0
"""Something small is looked at a second time, enlarged."""

import json
from dataclasses import replace

import numpy as np
import pytest

from scene_r1_ros.errors import Canceled, ModelFailed, OutOfTokens
from scene_r1_ros.reasoning.clip import Clip
from scene_r1_ros.reasoning.image import hypotheses
from scene_r1_ros.reasoning.jpeg import seen_wh
from scene_r1_ros.reasoning.models import make_spec
from scene_r1_ros.reasoning.operator_box import OperatorBox
from scene_r1_ros.reasoning.protocol import Reply
from scene_r1_ros.reasoning.recorded import RecordedModel
from scene_r1_ros.run import Run
from scene_r1_ros.types import Box2D, TimeWindow
from test.reasoning.scripted import SPEC, Scripted, make_frame

WH = (643, 477)
TRUE = (400, 310, 421, 334)  # of a white thing in the dark, 21 x 24 pixels
ALL = [TimeWindow(0, 0)]


def clip_of(wh=WH, box=TRUE) -> Clip:
    color = np.zeros((wh[1], wh[0], 3), np.uint8)
    color[box[1] : box[3], box[0] : box[2]] = 255
    return Clip.of([make_frame(0.0, color=color)])


def boxed(*xyxy, reasoning="There.", label="mug") -> str:
    return f'<think>{reasoning}</think><answer>{{"bbox_2d": {[float(v) for v in xyxy]}, "label": "{label}"}}</answer>'


ABSENT = "<think>Only a stain.</think><answer>not present</answer>"


def looked(model, clip=None, run=None):
    run = run or Run()
    with run.stage("image"):
        return list(hypotheses(model, "the mug", clip or clip_of(), ALL, run)), run


class Nearsighted:
    """Has the input of a real model. Of a thing thinner than ``needs_px`` there, it only sees about where it is."""

    def __init__(self, spec, needs_px=40):
        self.spec = replace(spec, second_look_px=56)
        self.needs_px = needs_px
        self.requests = []

    def reply(self, request, on_text, should_stop):
        self.requests.append(request)
        (frame,) = request.frames
        size = frame.camera.width, frame.camera.height
        seen = seen_wh(*size, self.spec)
        ys, xs = np.nonzero(frame.color[..., 1] > 127)
        box = np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]) / np.tile(size, 2)
        thin = min((box[2:] - box[:2]) * seen) < self.needs_px
        box = box + np.array([-0.012, 0.01, 0.02, 0.015]) if thin else box
        unit = {"pixel": size, "resized_pixel": seen, "norm_1000": (1000, 1000)}[self.spec.box_convention]
        return Reply(boxed(*box * np.tile(unit, 2), reasoning="I peer." if thin else "I see it."), (seen,))


@pytest.mark.parametrize("wh", [WH, (1281, 719), (640, 480)])
@pytest.mark.parametrize("spec", [make_spec("qwen2_5_vl"), make_spec("qwen3_vl"), replace(SPEC, image_multiple=28)])
def test_a_mind_that_needs_the_crop_gets_it(spec, wh):
    model = Nearsighted(spec)
    (place,), run = looked(model, clip_of(wh))
    assert len(model.requests) == 2
    assert np.abs(np.subtract(place.box.xyxy, TRUE)).max() < 0.6  # a thousandth of the crop, and its interpolation
    (first, second) = run.rationale
    assert max(np.abs(np.subtract(first.boxes[0][1].xyxy, TRUE))) > 4
    assert first.text == "I peer." and second.boxes == ((place.frame.frame_id, place.box),)
    assert second.text.startswith("A second look at frame 000000 at 0.00 s, enlarged ")
    assert second.text.endswith("I see it.") and "IoU 0." in second.text
    assert place.reasoning == "I peer. I see it." and run.usage["image"].calls == 2


def test_the_crop_is_a_frame_of_its_own_with_the_same_question():
    model = Nearsighted(make_spec("qwen3_vl"))
    looked(model)
    first, second = model.requests
    assert (second.task, second.query, second.times_s) == (first.task, first.query, first.times_s)
    whole, part = first.frames[0], second.frames[0]
    assert (part.frame_id, part.stamp_ns) == (whole.frame_id, whole.stamp_ns) and part is not whole
    assert part.color.shape == (*part.depth_m.shape, 3) and part.camera.fx > whole.camera.fx


@pytest.mark.parametrize(("second_look_px", "calls"), [(0, 1), (21, 1), (22, 2)])
def test_only_what_is_thin_at_the_models_input(second_look_px, calls):
    model = Scripted(boxed(*TRUE), ABSENT, image_frames=1, second_look_px=second_look_px)
    looked(model)
    assert len(model.requests) == calls


def test_thin_is_measured_as_the_model_saw_it():
    model = Scripted(boxed(200, 155, 242, 203), ABSENT, seen_wh=(1286, 954), box_convention="resized_pixel",
                     image_frames=1, second_look_px=42)  # fmt: skip
    looked(model)
    assert len(model.requests) == 1


@pytest.mark.parametrize(("gain", "calls"), [(1.2, 1), (1.4, 2)])
def test_only_a_look_that_shows_more_is_taken(gain, calls):
    box = (100, 200, 300, 220)  # its surroundings are 600 x 200 pixels
    max_pixels = round(600 * 200 * gain**2)
    model = Scripted(boxed(*box), ABSENT, image_frames=1, second_look_px=56, max_pixels=max_pixels)
    looked(model)
    assert len(model.requests) == calls


def test_a_look_that_shows_no_more_is_not_taken():
    model = Scripted(boxed(1, 40, 600, 60), image_frames=1, second_look_px=56, max_pixels=WH[0] * 480)
    (place,), _ = looked(model)
    assert place.box == Box2D(1, 40, 600, 60)


def test_a_second_look_that_sees_nothing_leaves_the_box_and_says_so():
    (place,), run = looked(Scripted(boxed(*TRUE), ABSENT, image_frames=1, second_look_px=56))
    assert place.box.xyxy == TRUE
    assert run.rationale[-1].text.startswith("Not present in a second look at frame 000000 at 0.00 s, enlarged ")
    assert run.rationale[-1].text.endswith("; the first box stays. Only a stain.")


def test_a_second_look_that_cannot_be_read_leaves_the_box_and_says_so():
    model = Scripted(boxed(*TRUE), "<answer>there</answer>", "<answer>here</answer>", image_frames=1, second_look_px=56)
    (place,), run = looked(model)
    assert place.box.xyxy == TRUE and len(model.requests) == 3
    assert "The reply to a second look at frame 000000" in run.rationale[-1].text
    assert "could not be read; the first box stays. no box in 'here'" in run.rationale[-1].text


def test_a_second_look_that_names_another_thing_leaves_the_box_and_says_so():
    """The mug fills the middle of the crop; what is named stands in its corner."""
    model = Scripted(boxed(*TRUE), boxed(0, 0, 60, 60, reasoning="A cup.", label="cup"), image_frames=1,
                     second_look_px=56, max_pixels=401_408)  # fmt: skip
    (place,), run = looked(model)
    assert (place.box.xyxy, place.label, place.reasoning) == (TRUE, "mug", "There.")
    assert run.rationale[-1].text.endswith("names another place (IoU 0.00); the first box stays. A cup.")


@pytest.mark.parametrize("error", [ModelFailed("the server is gone"), OutOfTokens("written 100 tokens")])
def test_a_second_look_that_cannot_be_had_leaves_the_box_and_says_so(error):
    class Ending(Scripted):
        def reply(self, request, on_text, should_stop):
            if self.requests:
                raise error
            return super().reply(request, on_text, should_stop)

    (place,), run = looked(Ending(boxed(*TRUE), image_frames=1, second_look_px=56))
    assert place.box.xyxy == TRUE
    assert run.rationale[-1].text.startswith("There was no second look at frame 000000 at 0.00 s, enlarged ")
    assert run.rationale[-1].text.endswith(f"; the first box stays. {error}")


def test_of_several_boxes_in_the_crop_the_one_that_was_meant():
    """The crop begins at (362, 274) and is 96 pixels wide, four times enlarged."""
    spec = {"image_frames": 1, "second_look_px": 56, "max_pixels": 401_408}
    other, same = (4, 4, 60, 60), tuple(4 * (v - c) for v, c in zip(TRUE, (362, 274, 362, 274), strict=True))
    boxes = [{"bbox_2d": other, "label": "cup"}, {"bbox_2d": same, "label": "mug"}]
    reply = f"<answer>{json.dumps(boxes)}</answer>"
    (place,), _ = looked(Scripted(boxed(*TRUE), reply, **spec))
    assert place.box.iou(Box2D(*TRUE)) > 0.8 and place.label == "mug"


def test_a_second_look_is_taken_only_when_its_box_is_wanted():
    two = f"<answer>[{list(TRUE)}, [10, 10, 30, 30]]</answer>"
    model, run = Scripted(two, ABSENT, ABSENT, image_frames=1, second_look_px=56), Run()
    found = hypotheses(model, "the mug", clip_of(), ALL, run)
    next(found)
    assert len(model.requests) == 2
    assert next(found).box == Box2D(10, 10, 30, 30) and len(model.requests) == 3


def test_a_cancel_during_the_second_look_is_a_cancel():
    run = Run()

    class Slow(Scripted):
        def reply(self, request, on_text, should_stop):
            if self.requests:
                run.cancel()
            return super().reply(request, on_text, should_stop)

    with pytest.raises(Canceled):
        looked(Slow(boxed(*TRUE), ABSENT, second_look_px=56), run=run)


def test_who_names_pixels_himself_is_not_asked_twice():
    assert OperatorBox.spec.second_look_px == RecordedModel.spec.second_look_px == 0
