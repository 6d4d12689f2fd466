# SPDX-License-Identifier: Apache-2.0
"""A right box is rewarded in each model's own coordinates, end to end: no IoU reward that is always zero.

That ``seen_wh`` is what the real processors make of an image stands in test_jpeg.py.
"""

import json

import numpy as np
import pytest

from scene_r1_ros.learning.replies import reply_of
from scene_r1_ros.learning.rewards import model_scale, scale_of, score
from scene_r1_ros.reasoning.boxes import to_original
from scene_r1_ros.reasoning.jpeg import seen_wh
from scene_r1_ros.reasoning.models import make_spec
from scene_r1_ros.reasoning.protocol import ModelSpec
from test.learning.making import IMAGE, sample

PIXEL = ModelSpec("pixels", "pixel", 8, 4, 401_408, 512)
SPECS = [PIXEL, make_spec("qwen2_5_vl"), make_spec("qwen3_vl")]
SIZES = [(640, 480), (641, 479), (1280, 720), (1296, 968), (224, 168), (57, 43), (1920, 203), (99, 700)]


def grounded(width: int, height: int):
    """A sample whose box is the right lower quarter of its image, but for its rim."""
    box = [width // 2, height // 2, width - 3, height - 2]
    return sample(
        IMAGE, frames=[{"image": "a.jpg", "time_s": 0, "size_wh": [width, height]}],
        target={"boxes": [{"box_xyxy": box, "label": "mug"}]}, reasoning="",
    )  # fmt: skip


def reply(xyxy) -> str:
    return f'<think>a</think><answer>{{"bbox_2d": {json.dumps([round(v) for v in xyxy])}, "label": "mug"}}</answer>'


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.box_convention)
@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
def test_a_right_box_is_rewarded(spec, size):
    one = grounded(*size)
    seen = seen_wh(*size, spec)
    unit = {"pixel": size, "resized_pixel": seen, "norm_1000": (1000, 1000)}[spec.box_convention]
    corners = np.array(one.target.boxes[0].box.xyxy) / np.tile(size, 2) * np.tile(unit, 2)  # by hand
    assert score(reply(corners), one, model_scale(one, spec)).box_iou > 0.9
    assert score(reply_of(one, spec, seen), one, model_scale(one, spec)).box_iou > 0.9


@pytest.mark.parametrize("size", [(640, 480), (1296, 968), (224, 168)], ids="{0[0]}x{0[1]}".format)
def test_a_wrong_convention_is_not(size):
    """What the scale is for: thousandths taken for pixels miss."""
    one = grounded(*size)
    qwen3 = make_spec("qwen3_vl")
    thousandths = reply_of(one, qwen3, seen_wh(*size, qwen3))
    assert score(thousandths, one, model_scale(one, PIXEL)).box_iou < 0.7
    assert score(thousandths, one, model_scale(one, qwen3)).box_iou > 0.97


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.box_convention)
def test_the_scale_is_that_of_the_robot(spec):
    """``to_original`` is what turns a reply into pixels when the robot asks."""
    original, seen = (641, 479), seen_wh(641, 479, spec)
    sx, sy = scale_of(spec.box_convention, seen, original)
    xyxy = (10.0, 20.0, 300.0, 400.0)
    by_scale = (10 * sx, 20 * sy, 300 * sx, 400 * sy)
    assert to_original(xyxy, spec.box_convention, seen, original).xyxy == pytest.approx(by_scale)
