# SPDX-License-Identifier: Apache-2.0
"""What is validated once, when it is made."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scene_r1_ros.answer import Answer, ReasoningStep
from scene_r1_ros.errors import BadBox, BadInput
from scene_r1_ros.geometry.camera import PinholeCamera
from scene_r1_ros.text import clean_text
from scene_r1_ros.types import Box2D, Frame, Hypothesis, Mask, TimeWindow, clean_depth

CAMERA = PinholeCamera(64, 48, 60, 60, 31.5, 23.5)


def frame(**changes) -> Frame:
    values = {
        "frame_id": "1",
        "stamp_ns": 1,
        "color": np.zeros((48, 64, 3), np.uint8),
        "depth_m": np.ones((48, 64), np.float32),
        "camera": CAMERA,
        "T_world_camera": np.eye(4),
    }
    return Frame(**(values | changes))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"stamp_ns": 0}, "must stamp"),  # a driver that does not stamp
        ({"color": np.zeros((48, 64), np.uint8)}, "RGB"),  # grey
        ({"color": np.zeros((48, 64, 3), np.float32)}, "uint8"),
        ({"color": np.zeros((40, 64, 3), np.uint8)}, "camera_info"),  # another image's camera
        ({"depth_m": np.ones((48, 64), np.uint16)}, "float32"),  # millimetres
        ({"depth_m": np.ones((48, 32), np.float32)}, "registered"),  # another field of view
        ({"depth_m": np.ones((0, 0), np.float32)}, "registered"),
        ({"T_world_camera": np.full((4, 4), np.nan)}, "NaN"),
        ({"T_world_camera": 2 * np.eye(4)}, "not rigid"),
        ({"T_world_camera": np.eye(4) + 450_000 * np.eye(4, k=3)}, "frame '1' is at .* local frame such as map"),  # UTM
    ],
)
def test_a_frame_that_breaks_a_rule_is_refused(changes, says):
    with pytest.raises(BadInput, match=says):
        frame(**changes)


def test_depth_that_is_no_number_is_no_measurement():
    depth_m = np.ones((48, 64), np.float32)
    depth_m[0, :4] = np.nan, np.inf, -np.inf, -1
    cleaned = frame(depth_m=depth_m).depth_m
    assert (cleaned[0, :4] == 0).all() and (cleaned.ravel()[4:] == 1).all() and np.isnan(depth_m[0, 0])


@pytest.mark.parametrize("confidence", [float("nan"), -0.1, 1.1])
def test_a_confidence_that_is_no_share_is_refused(confidence):
    with pytest.raises(BadInput, match=r"has confidence .* expected 0 to 1"):
        Mask(frame(), np.ones((48, 64), bool), confidence)


def test_depth_of_half_the_size_is_welcome():
    small = frame(depth_m=np.ones((24, 32), np.float32))
    assert (small.depth_camera.width, small.depth_camera.fx) == (32, 30.0)


def test_a_frame_does_not_freeze_its_callers_array():
    mine = np.zeros((48, 64, 3), np.uint8)
    made = frame(color=mine)
    mine[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        made.color[0] = 1


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -1.0, 0.0])
def test_no_measurement_is_zero_depth(value):
    assert clean_depth(np.array([[value, 1.5]], np.float32), 1.0).tolist() == [[0.0, 1.5]]


def test_millimetres_become_metres():
    assert clean_depth(np.array([[0, 1234, 65535]], np.uint16), 0.001) == pytest.approx(np.array([[0, 1.234, 65.535]]))


@pytest.mark.parametrize("ends", [(-1, 2), (3, 2), (0, float("inf")), (float("nan"), 1)])
def test_a_window_that_is_none(ends):
    with pytest.raises(BadInput, match="window"):
        TimeWindow(*ends)


@pytest.mark.parametrize("xyxy", [(0, 0, 0, 5), (5, 0, 1, 5), (0, 0, float("nan"), 5), (0, 0, float("inf"), 1)])
def test_a_box_that_is_none(xyxy):
    with pytest.raises(BadBox, match="x2 > x1"):
        Box2D(*xyxy)


def test_a_box_is_cut_at_the_border_or_refused_outside():
    assert Box2D(-5, -5, 700, 20).clipped(640, 480).xyxy == (0, 0, 640, 20)
    with pytest.raises(BadBox, match="outside the image of 640x480"):
        Box2D(640, 0, 700, 20).clipped(640, 480)


boxes = st.tuples(*[st.integers(0, 50)] * 2, *[st.integers(1, 50)] * 2).map(
    lambda b: Box2D(b[0], b[1], b[0] + b[2], b[1] + b[3])
)


@given(boxes, boxes)
def test_iou_counts_pixels(a, b):
    def painted(box):
        canvas = np.zeros((100, 100), bool)
        canvas[int(box.y1) : int(box.y2), int(box.x1) : int(box.x2)] = True
        return canvas

    both, either = painted(a) & painted(b), painted(a) | painted(b)
    assert a.iou(b) == pytest.approx(both.sum() / either.sum()) == b.iou(a)


coordinate, length = st.floats(-2, 2), st.floats(0.01, 3)
boxes_of_floats = st.builds(lambda x, y, w, h: Box2D(x, y, x + w, y + h), coordinate, coordinate, length, length)


@given(boxes_of_floats, boxes_of_floats)
def test_iou_is_symmetric_and_bounded(a, b):
    assert 0 <= a.iou(b) <= 1
    assert a.iou(b) == b.iou(a)
    assert a.iou(a) == pytest.approx(1)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ((0, 0, 2, 2), (0, 0, 2, 2), 1.0),
        ((0, 0, 2, 2), (1, 1, 3, 3), 1 / 7),
        ((0, 0, 2, 2), (2, 0, 4, 2), 0.0),  # touching
        ((0, 0, 2, 2), (5, 5, 6, 6), 0.0),  # apart in both directions: the product of two negatives is not an area
        ((0, 0, 4, 4), (1, 1, 3, 3), 4 / 16),  # one inside the other
    ],
)
def test_iou_by_hand(a, b, expected):
    assert Box2D(*a).iou(Box2D(*b)) == pytest.approx(expected)


@given(
    st.text(st.characters())
    | st.lists(st.sampled_from(["a", "\ud83d", "\ude00", "\x00", "\x1b", "\u9ed1"])).map("".join)
)
def test_every_text_becomes_one_that_can_be_encoded(text):
    cleaned = clean_text(text, 20)
    cleaned.encode("utf-8")
    assert len(cleaned) <= 20 and not set(cleaned) & {"\x00", "\x1b"}
    assert clean_text(cleaned, 20) == cleaned
    if text.isprintable() and len(text) <= 20:
        assert cleaned == text


def test_lone_surrogates_and_controls_are_replaced_and_pairs_joined():
    assert clean_text("a\ud83db \ud83d\ude00\x1b[2J\n\u9ed1") == "a\ufffdb \U0001f600\ufffd[2J\n\u9ed1"
    assert clean_text("x" * 50, 10) == "xxxxxxxxx\u2026"


def test_texts_are_clean_wherever_they_come_from():
    """The query is the user's, labels and reasoning are the model's; both reach files, messages and terminals."""
    bad, good = "\ud83d" + "x" * 20_000, "\ufffd" + "x" * 9998 + "\u2026"
    answer = Answer(bad, "error", error_msg=bad, text=bad)
    assert (answer.query, answer.error_msg, answer.text) == (good, good, good)
    assert ReasoningStep("image", bad).text == good
    place = Hypothesis(frame(), Box2D(0, 0, 1, 1), bad, bad)
    assert (place.label, place.reasoning) == ("\ufffd" + "x" * 198 + "\u2026", good)


def test_the_box_of_a_mask_ends_behind_its_last_pixel():
    pixels = np.zeros((48, 64), bool)
    assert Mask(frame(), pixels, 1.0).box is None
    pixels[10:20, 30:31] = True
    assert Mask(frame(), pixels, 1.0).box.xyxy == (30, 10, 31, 20)


def test_a_mask_of_another_size_is_refused():
    with pytest.raises(BadInput, match="mask of frame"):
        Mask(frame(), np.zeros((10, 10), bool), 1.0)
