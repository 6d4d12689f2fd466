# SPDX-License-Identifier: Apache-2.0
"""Which views come first, and which prompts no tracker takes."""

import numpy as np
import pytest

from scene_r1_ros.errors import BadInput
from scene_r1_ros.tracking.views import RADIAN_M, check_prompts, nearest_views
from scene_r1_ros.types import Box2D, Hypothesis, Mask
from test.scenes import BLOCK, around, clip, frame, look_at


def test_the_nearest_view_comes_first_and_the_source_never():
    frames, _ = clip(7)
    order = [f.frame_id for f in nearest_views(frames, frames[2])]
    assert len(order) == 6 and frames[2].frame_id not in order
    assert {*order[:2]} == {"000001", "000003"} and order[-1] == "000006"


def test_turning_counts_like_moving():
    """Of three views, one is turned by 0.2 rad, one moved by a little less, one by a little more."""
    source, _ = frame(np.eye(4), 0)
    turned, less, more = np.eye(4), np.eye(4), np.eye(4)
    turned[:2, :2] = [[np.cos(0.2), -np.sin(0.2)], [np.sin(0.2), np.cos(0.2)]]
    less[0, 3], more[0, 3] = 0.2 * RADIAN_M - 0.01, 0.2 * RADIAN_M + 0.01
    others = [frame(T, i)[0] for i, T in enumerate((more, turned, less), 1)]
    assert nearest_views([source, *others], source) == others[::-1]


def test_equally_near_views_keep_the_order_of_time():
    frames = [frame(around(3)[1], i)[0] for i in range(4)]
    assert nearest_views(frames, frames[3]) == frames[:3]


def test_a_source_from_elsewhere_leaves_all_frames():
    frames, _ = clip(3)
    elsewhere, _ = frame(look_at((0.5, 0.5, 1), BLOCK.center_world), 9)
    assert {id(f) for f in nearest_views(frames, elsewhere)} == {id(f) for f in frames}
    assert nearest_views([], elsewhere) == []


def test_prompts_in_frames_of_the_clip_are_taken():
    frames, truths = clip(3)
    check_prompts(frames, [truths[1], Hypothesis(frames[2], Box2D(1, 1, 9, 9), "block", "")])
    check_prompts(frames, [])


def test_a_prompt_from_elsewhere_is_refused():
    """Also an equal copy: masks are told by the frame they belong to."""
    frames, truths = clip(3)
    message = "prompt's frame '000002' is not among the 2 frames to track in; hand over the very frame"
    with pytest.raises(BadInput, match=message):
        check_prompts(frames[:2], [truths[0], truths[2]])
    copies, _ = clip(3)
    with pytest.raises(BadInput, match="not among the 3 frames"):
        check_prompts(copies, [truths[2]])


def test_an_empty_mask_is_refused():
    frames, truths = clip(2)
    with pytest.raises(BadInput, match="mask in frame '000001' has no pixels; it must show the object"):
        check_prompts(frames, [truths[0], Mask(frames[1], np.zeros_like(truths[1].pixels), 1.0)])
