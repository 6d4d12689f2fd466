# SPDX-License-Identifier: Apache-2.0
"""The heart, with recorded minds: found, not found, next hypothesis, errors, cancel in every stage, deadline."""

import gc
import json
import weakref
from dataclasses import replace

import numpy as np
import pytest
import yaml

from scene_r1_ros.answer import N_VIEWS
from scene_r1_ros.config import Config, ModelConfig, TrackerConfig, VerifyConfig
from scene_r1_ros.errors import ErrorCode, ModelFailed
from scene_r1_ros.evaluation.metrics import box_iou_3d
from scene_r1_ros.geometry.confidence import confidence
from scene_r1_ros.reasoning.clip import Clip
from scene_r1_ros.reasoning.operator_box import OperatorBox
from scene_r1_ros.reasoning.recorded import RecordedModel
from scene_r1_ros.run import Run
from scene_r1_ros.scene_r1 import SceneR1, checked_query
from scene_r1_ros.tracking import load_tracker
from scene_r1_ros.tries import Tries
from scene_r1_ros.types import Box2D, Hypothesis
from test.reasoning.scripted import Eyes, late_at
from test.scenes import BLOCK, clip, tight_box

FRAMES, TRUTHS = clip(8)
CONFIG = Config()


def box_text(box: Box2D | None) -> str:
    if box is None:
        return "<think>I do not see it.</think><answer>not present</answer>"
    return f"<think>It is red.</think><answer>{json.dumps({'bbox_2d': box.xyxy, 'label': 'block'})}</answer>"


def heart(tmp_path, window="<think>Seen early.</think><answer>0.1s to 0.5s</answer>", boxes=None, answer="1"):
    boxes = {t.frame.stamp_ns: tight_box(t) for t in TRUTHS} if boxes is None else boxes
    image = {str(stamp): box_text(box) for stamp, box in boxes.items()}
    answers = [
        {"query": "the red block", "temporal": window, "image": image},
        {"query": "how many blocks?", "answer": f"<think>I count.</think><answer>{answer}</answer>"},
    ]
    path = tmp_path / "recorded.yaml"
    path.write_text(yaml.safe_dump({"answers": answers}), encoding="utf-8")
    return SceneR1(RecordedModel(path), load_tracker(CONFIG), CONFIG)


def test_a_sentence_becomes_a_mask_a_box_and_its_reasoning(tmp_path):
    answer = heart(tmp_path).ground("the red block", FRAMES)
    assert (answer.status, answer.error_code) == ("found", ErrorCode.NONE)
    found = answer.objects[0]
    assert box_iou_3d(found.box, BLOCK) > 0.75
    assert found.label == "block" and len(found.masks) >= 4 and 0 < found.score <= 1
    assert (answer.window.start_s, answer.window.end_s) == (0.1, 0.5)
    stages = [step.stage for step in answer.rationale]
    assert stages == ["temporal", "image", "track", "lift", "verify", "image", "image"]  # the last two: it is confirmed
    assert "that confirms it" in answer.rationale[-1].text
    assert "Seen early" in answer.rationale[0].text and "It is red" in answer.rationale[1].text
    assert list(answer.timings_s) == ["select", "temporal", "image", "track", "lift", "verify", "answer"]


def test_of_several_windows_the_one_that_held_is_named(tmp_path):
    window = "<think>Twice.</think><answer>0s to 0.1s and 0.5s to 0.6s</answer>"
    boxes = {t.frame.stamp_ns: tight_box(t) for t in TRUTHS[5:7]}  # in the first window nobody sees it
    answer = heart(tmp_path, window=window, boxes=boxes).ground("the red block", FRAMES)
    assert answer.status == "found"
    assert (answer.window.start_s, answer.window.end_s) == (0.5, 0.6)


def test_the_operators_box_needs_no_language_model():
    mind = OperatorBox(TRUTHS[3].frame.frame_id, tight_box(TRUTHS[3]))
    answer = SceneR1(mind, load_tracker(CONFIG), CONFIG).ground("that one", FRAMES)
    assert answer.status == "found" and answer.objects[0].source is FRAMES[3]


def test_a_question_gets_words(tmp_path):
    answer = heart(tmp_path).ask("how many blocks?", FRAMES)
    assert (answer.status, answer.text) == ("answered", "1")
    assert "I count" in answer.rationale[-1].text


def test_not_present_is_said(tmp_path):
    answer = heart(tmp_path, window="<think>Nowhere.</think><answer>not present</answer>").ground(
        "the red block", FRAMES
    )
    assert (answer.status, answer.error_code) == ("not_found", ErrorCode.NOT_FOUND)
    assert "not in the video" in answer.error_msg


def test_not_found_says_how_many_keyframes_were_shown():
    answer = SceneR1(Eyes(-2, -1, max_frames=1), load_tracker(CONFIG), CONFIG).ground("the red block", FRAMES)
    assert (answer.status, answer.error_code) == ("not_found", ErrorCode.NOT_FOUND)
    assert "not found in 8 keyframes" in answer.error_msg
    assert "was shown 5 keyframes of these and says that it is in none of them" in answer.error_msg
    assert answer.rationale[-1].text.endswith("Shown 5 of 8 keyframes.")


def test_a_window_in_which_no_frame_shows_it(tmp_path):
    answer = heart(tmp_path, boxes={FRAMES[0].stamp_ns: None}).ground("the red block", FRAMES)
    assert answer.status == "not_found" and "no frame of its time window" in answer.error_msg


def test_a_bad_box_in_one_frame_does_not_spoil_the_answer(tmp_path):
    """The first frame asked has a box on the far floor: another frame of the window is asked."""
    boxes = {t.frame.stamp_ns: tight_box(t) for t in TRUTHS}
    first = heart(tmp_path).ground("the red block", FRAMES).objects[0].source
    boxes[first.stamp_ns] = Box2D(2, 2, 5, 5)
    answer = heart(tmp_path, boxes=boxes).ground("the red block", FRAMES)
    assert answer.status == "found" and answer.objects[0].source is not first
    assert any("does not hold" in step.text for step in answer.rationale)
    assert box_iou_3d(answer.objects[0].box, BLOCK) > 0.7


def first_asked(tmp_path):
    return heart(tmp_path).ground("the red block", FRAMES).objects[0].source


def on_the_floor(box: Box2D) -> Box2D:
    """The same box beside the block, where the floor is bare."""
    return Box2D(box.x1 - 45, box.y1 + 30, box.x2 - 45, box.y2 + 30).clipped(160, 120)


def half_off(box: Box2D) -> Box2D:
    half = (box.x2 - box.x1) / 2
    return Box2D(box.x1 + half, box.y1, box.x2 + half, box.y2).clipped(160, 120)


@pytest.mark.parametrize("spoil", [on_the_floor, half_off])
def test_a_wrong_box_that_holds_in_3d_is_outvoted(tmp_path, spoil):
    boxes = {t.frame.stamp_ns: tight_box(t) for t in TRUTHS}
    first = first_asked(tmp_path)
    boxes[first.stamp_ns] = spoil(boxes[first.stamp_ns])
    answer = heart(tmp_path, boxes=boxes).ground("the red block", FRAMES)
    assert answer.status == "found" and answer.objects[0].source is not first
    assert box_iou_3d(answer.objects[0].box, BLOCK) > 0.7


@pytest.mark.parametrize("spoil", [on_the_floor, half_off])
def test_where_frames_disagree_the_place_that_two_agree_on_wins(tmp_path, spoil):
    """Of three frames that are asked, the best is wrong."""
    first = first_asked(tmp_path)
    others = [t for t in TRUTHS if t.frame is not first and 0.1 <= FRAMES.index(t.frame) / 10 <= 0.5][:2]
    boxes = {t.frame.stamp_ns: tight_box(t) for t in others}
    boxes[first.stamp_ns] = spoil(tight_box(TRUTHS[FRAMES.index(first)]))
    answer = heart(tmp_path, boxes=boxes).ground("the red block", FRAMES)
    asked = [step.boxes[0][0] for step in answer.rationale if step.stage == "image" and step.boxes]
    assert asked[0] == first.frame_id and set(asked) == {first.frame_id, *(t.frame.frame_id for t in others)}
    assert answer.objects[0].source in [t.frame for t in others]
    assert box_iou_3d(answer.objects[0].box, BLOCK) > 0.7


def test_without_confirmations_the_first_place_that_holds_wins(tmp_path):
    boxes = {t.frame.stamp_ns: tight_box(t) for t in TRUTHS}
    first = first_asked(tmp_path)
    boxes[first.stamp_ns] = on_the_floor(boxes[first.stamp_ns])
    quick = Config(verify=VerifyConfig(confirmations=0))
    answer = SceneR1(heart(tmp_path, boxes=boxes).model, load_tracker(quick), quick).ground("the red block", FRAMES)
    assert answer.objects[0].source is first and [s.stage for s in answer.rationale].count("image") == 1


@pytest.mark.parametrize(("confirmations", "over"), [(0, True), (1, False)])
def test_without_confirmations_a_place_that_fills_its_box_badly_wins_too(tmp_path, confirmations, over):
    found = heart(tmp_path).ground("the red block", FRAMES).objects[0]
    tries = Tries(VerifyConfig(confirmations=confirmations), Clip.of(FRAMES))
    assert not tries.over
    box = half_off(tight_box(TRUTHS[FRAMES.index(found.source)]))
    tries.boxes.append(Hypothesis(found.source, box, "block", ""))
    tries.found.append(found)
    assert tries.over is over


def test_a_second_box_of_the_same_frame_is_tried(tmp_path):
    two = {t.frame.stamp_ns: tight_box(t) for t in TRUTHS[2:4]}
    mind = heart(tmp_path, boxes=two).model
    stamp = TRUTHS[2].frame.stamp_ns
    boxes = [{"bbox_2d": b.xyxy, "label": "block"} for b in (Box2D(2, 2, 5, 5), two[stamp])]
    mind._recordings[(False, "the red block")].image[stamp] = f"<answer>{json.dumps(boxes)}</answer>"
    answer = SceneR1(mind, load_tracker(CONFIG), CONFIG).ground("the red block", FRAMES)
    assert answer.status == "found" and box_iou_3d(answer.objects[0].box, BLOCK) > 0.7


def test_the_number_of_tries_is_bounded(tmp_path):
    few = Config(verify=VerifyConfig(min_reprojection_iou=1.0, max_tries=2))
    answer = SceneR1(heart(tmp_path).model, load_tracker(few), few).ground("the red block", FRAMES)
    assert answer.status == "not_found" and "2 place(s)" in answer.error_msg
    assert [s.stage for s in answer.rationale].count("track") == 2
    assert len(answer.tries) == 2 and all(len(tried.masks) >= 4 for tried in answer.tries)
    assert all(tried.code == ErrorCode.NOT_FOUND for tried in answer.tries)
    assert all(tried.box == tight_box(TRUTHS[FRAMES.index(tried.frame)]) for tried in answer.tries)
    assert answer.tries[-1].reason in answer.error_msg


class Fleeting:
    """Sees the block's true masks, in pixels of its own for each query, but not in ``skip``."""

    def __init__(self, skip=None):
        self.skip, self.made = skip, []

    def track(self, frames, prompts, run):
        masks = tuple(replace(m, pixels=m.pixels.copy()) for m in TRUTHS_OF_12 if m.frame is not self.skip)
        self.made += [weakref.ref(mask.pixels) for mask in masks]
        return [masks for _ in prompts]


FRAMES_OF_12, TRUTHS_OF_12 = clip(12)
NEVER = Config(verify=VerifyConfig(min_reprojection_iou=1.0, max_tries=2))


def test_tries_keep_what_is_shown_of_them_and_go_with_their_answer():
    tracker, mind = Fleeting(), OperatorBox(FRAMES_OF_12[2].frame_id, tight_box(TRUTHS_OF_12[2]))
    gc.disable()
    try:
        answer = SceneR1(mind, tracker, NEVER).ground("the red block", FRAMES_OF_12)
        (tried,) = answer.tries
        assert tried.views == 12 and len(tried.masks) == 1 + N_VIEWS and tried.masks[0].frame is not tried.frame
        assert sum(pixels() is not None for pixels in tracker.made) == 1 + N_VIEWS
        del answer, tried
        assert all(pixels() is None for pixels in tracker.made)
    finally:
        gc.enable()


def test_masks_that_miss_the_place_that_was_shown_are_kept_too():
    mind = OperatorBox(FRAMES_OF_12[2].frame_id, tight_box(TRUTHS_OF_12[2]))
    answer = SceneR1(mind, Fleeting(skip=FRAMES_OF_12[2]), CONFIG).ground("the red block", FRAMES_OF_12)
    (tried,) = answer.tries
    assert "sees nothing at the place" in tried.reason and tried.views == 11 and len(tried.masks) == N_VIEWS


@pytest.mark.parametrize(("error", "code"), [(None, ErrorCode.TIMEOUT), (ModelFailed("gone"), ErrorCode.MODEL_FAILED)])
def test_what_was_tried_is_kept_where_the_time_or_the_model_ends_a_query(tmp_path, error, code):
    run = Run(timeout_s=30.0)

    def end(progress):
        if progress.stage == "image" and "verify" in run.timings_s:
            run.timeout_s = run.timeout_s if error else 0.0
            if error:
                raise error

    run.on_progress = end
    answer = SceneR1(heart(tmp_path).model, load_tracker(NEVER), NEVER).ground("the red block", FRAMES, run)
    assert (answer.status, answer.error_code, len(answer.tries)) == ("error", code, 1)


def test_what_is_found_is_answered_even_if_time_is_up_before_it_is_confirmed(tmp_path):
    run = Run(timeout_s=30.0)

    def late(progress):
        if progress.stage == "image" and "verify" in run.timings_s:
            run.timeout_s = 0.0

    run.on_progress = late
    answer = heart(tmp_path).ground("the red block", FRAMES, run)
    assert answer.status == "found" and "No further frame was asked: no answer after" in answer.rationale[-1].text


@pytest.mark.parametrize("passes", ["inside verify", "before the answer"])
def test_what_is_found_is_answered_however_late(tmp_path, passes):
    quick = Config(verify=VerifyConfig(confirmations=0))

    class Late(Run):
        """Its time is up within the stage ``verify``, or right behind it."""

        def note(self, text, **evidence):
            super().note(text, **evidence)
            if passes == "inside verify" and "Projected back" in text:
                self.timeout_s = 0.0

        def check(self):
            super().check()
            if passes == "before the answer" and "verify" in self.timings_s and self.timeout_s == 30.0:
                self.timeout_s = 0.0

    run = Late(timeout_s=30.0)
    answer = SceneR1(heart(tmp_path).model, load_tracker(quick), quick).ground("the red block", FRAMES, run)
    assert answer.status == "found" and box_iou_3d(answer.objects[0].box, BLOCK) > 0.7


def test_a_second_look_that_cannot_be_had_loses_nothing(tmp_path):
    """Its tokens end, or its server, after the first box."""
    mind = heart(tmp_path).model

    class Ending:
        spec = replace(mind.spec, second_look_px=200)
        calls = 0

        def reply(self, *request):
            self.calls += 1
            if self.calls == 3:
                raise ModelFailed("the server is gone")
            return replace(mind.reply(*request), output_tokens=50)

    for tokens in (100, 16_384):
        config = Config(model=ModelConfig(max_output_tokens=tokens), verify=VerifyConfig(confirmations=0))
        answer = SceneR1(Ending(), load_tracker(config), config).ground("the red block", FRAMES)
        assert answer.status == "found" and any("There was no second look" in step.text for step in answer.rationale)


def test_a_rationale_that_agrees_is_checked_and_lowers_nothing(tmp_path):
    window = "<think>I see it from 0.1 s to 0.5 s.</think><answer>0.1s to 0.5s</answer>"
    answer = heart(tmp_path, window=window).ground("the red block", FRAMES)
    assert {check.name: check.holds for check in answer.checks} == dict.fromkeys(
        ["times in the clip", "window answers the reasoning", "label names the query", "verified in 3D"], True
    )
    assert answer.objects[0].score == confidence(answer.objects[0].evidence)


def test_a_window_that_does_not_answer_the_reasoning_lowers_the_confidence(tmp_path):
    sure = heart(tmp_path).ground("the red block", FRAMES)
    window = "<think>I see it at 0.7 s.</think><answer>0.1s to 0.5s</answer>"
    answer = heart(tmp_path, window=window).ground("the red block", FRAMES)
    (failed,) = (check for check in answer.checks if not check.holds)
    assert failed.name == "window answers the reasoning" and "0.7 s, but the window is 0.10 s to 0.50 s" in failed.text
    before, after = sure.objects[0].score, answer.objects[0].score
    assert 0 < after < before and f"lowered from {before:.2f} to {after:.2f}" in answer.text
    assert answer.rationale[-1].stage == "answer" and answer.rationale[-1].text in answer.text


class Wordy:
    """Says what a recording says, in so many tokens a reply."""

    def __init__(self, mind, tokens):
        self.spec, self.mind, self.tokens = mind.spec, mind, tokens

    def reply(self, *request):
        return replace(self.mind.reply(*request), output_tokens=self.tokens)


def budgeted(tmp_path, tokens):
    config = Config(model=ModelConfig(max_output_tokens=100))
    return SceneR1(Wordy(heart(tmp_path).model, tokens), load_tracker(config), config)


def test_what_is_found_is_answered_when_the_tokens_are_used_up_before_it_is_confirmed(tmp_path):
    answer = budgeted(tmp_path, tokens=50).ground("the red block", FRAMES)
    assert answer.status == "found" and {s: u.calls for s, u in answer.usage.items()} == {"temporal": 1, "image": 1}
    assert "No further frame was asked: the model has written 100 tokens" in answer.rationale[-1].text


def test_when_the_tokens_are_used_up_before_anything_is_found_the_rule_and_the_remedy_are_named(tmp_path):
    answer = budgeted(tmp_path, tokens=101).ground("the red block", FRAMES)
    assert (answer.status, answer.error_code) == ("error", ErrorCode.TIMEOUT)
    assert "written 101 tokens" in answer.error_msg and "at most 100 are allowed" in answer.error_msg
    assert "model.max_output_tokens" in answer.error_msg and answer.usage["temporal"].output_tokens == 101


def test_a_cancel_while_confirming_is_a_cancel(tmp_path):
    run = Run()
    run.on_progress = lambda p: run.cancel() if p.stage == "image" and "verify" in run.timings_s else None
    assert heart(tmp_path).ground("the red block", FRAMES, run).error_code == ErrorCode.CANCELED


def test_an_object_comes_with_what_a_planner_needs(tmp_path):
    found = heart(tmp_path).ground("the red block", FRAMES).objects[0]
    assert np.linalg.eigvalsh(found.center_covariance_m2).min() > 0
    off = found.box.center_world - BLOCK.center_world
    assert off @ np.linalg.solve(found.center_covariance_m2, off) < 14.2  # 99.7 % of what the covariance says
    assert np.allclose(found.box.R_world_box[:, 2], (0, 0, 1))
    assert found.evidence.visible >= 6 and found.evidence.absent == 0
    worse = replace(found.evidence, reprojection_iou=0.5, mask_iou=0.5, edge_share=0.5)
    assert found.score == confidence(found.evidence) > 1.5 * confidence(worse)
    last = FRAMES[-1].T_world_camera[:3, 3]
    assert (last - found.nearest.point_world) @ found.nearest.normal_world > 0


def test_seen_but_without_depth_has_a_code_of_its_own(tmp_path):
    from dataclasses import replace

    blind = [replace(f, depth_m=np.zeros_like(f.depth_m)) for f in FRAMES]
    answer = heart(tmp_path).ground("the red block", blind)
    assert (answer.status, answer.error_code) == ("not_found", ErrorCode.NO_DEPTH)


def test_a_place_that_does_not_project_back_is_rejected(tmp_path):
    strict = Config(verify=VerifyConfig(min_reprojection_iou=1.0))
    answer = SceneR1(heart(tmp_path).model, load_tracker(strict), strict).ground("the red block", FRAMES)
    assert (answer.status, answer.error_code) == ("not_found", ErrorCode.NOT_FOUND)
    assert "min_reprojection_iou" in answer.error_msg


@pytest.mark.parametrize(
    ("query", "frames", "code", "says"),
    [
        ("", FRAMES, ErrorCode.BAD_QUERY, "0 characters"),
        ("  \n", FRAMES, ErrorCode.BAD_QUERY, "0 characters"),
        ("x" * 2001, FRAMES, ErrorCode.BAD_QUERY, "2001 characters"),
        (" " * 1000 + "x" * 1000 + " ", FRAMES, ErrorCode.BAD_QUERY, "2001 characters"),
        ("the red block", [], ErrorCode.NO_KEYFRAMES, "no keyframe has been kept yet"),
    ],
)
def test_bad_input_is_an_answer_that_says_so(tmp_path, query, frames, code, says):
    for answer in (heart(tmp_path).ground(query, frames), heart(tmp_path).ask(query, frames)):
        assert (answer.status, answer.error_code) == ("error", code) and says in answer.error_msg


def test_the_longest_query_is_asked():
    assert checked_query("x" * 2000) == "x" * 2000 and checked_query("x") == "x"


def test_what_cannot_be_read_is_not_the_same_as_nothing_there(tmp_path):
    answer = heart(tmp_path, window="<think>Hm.</think><answer>soon, perhaps</answer>").ground("the red block", FRAMES)
    assert (answer.status, answer.error_code) == ("error", ErrorCode.PARSE_FAILED)


@pytest.mark.parametrize("stage", ["temporal", "image", "track", "lift", "verify"])
def test_cancel_in_every_stage(tmp_path, stage):
    run = Run()
    run.on_progress = lambda progress: run.cancel() if progress.stage == stage else None
    answer = heart(tmp_path).ground("the red block", FRAMES, run)
    assert (answer.status, answer.error_code) == ("error", ErrorCode.CANCELED)
    assert list(answer.timings_s)[-1] == stage


def test_the_deadline_ends_a_query_with_what_it_has(tmp_path):
    run = late_at("track")
    answer = heart(tmp_path).ground("the red block", FRAMES, run)
    assert answer.error_code == ErrorCode.TIMEOUT and answer.rationale


def test_an_unexpected_error_is_reported_not_raised(tmp_path, caplog):
    class BrokenTracker:
        """A fake for this test: it fails in a way nobody foresaw."""

        def track(self, frames, prompts, run):
            raise ZeroDivisionError("by nobody foreseen")

    answer = SceneR1(heart(tmp_path).model, BrokenTracker(), CONFIG).ground("the red block", FRAMES)
    assert answer.error_code == ErrorCode.UNKNOWN and "ZeroDivisionError" in answer.error_msg
    assert "by nobody foreseen" in caplog.text


def test_the_number_of_views_is_bounded(tmp_path):
    few = Config(tracker=TrackerConfig(max_frames=3))
    answer = SceneR1(heart(tmp_path).model, load_tracker(few), few).ground("the red block", FRAMES)
    assert len(answer.objects[0].masks) <= 3
