# SPDX-License-Identifier: Apache-2.0
"""Questions that ask where: an answer in words that ends with the place, and what becomes of it where that fails."""

import json

import pytest
import yaml

from scene_r1_ros.config import Config, VerifyConfig
from scene_r1_ros.errors import ErrorCode, ModelFailed
from scene_r1_ros.evaluation.metrics import box_iou_3d
from scene_r1_ros.reasoning.recorded import RecordedModel
from scene_r1_ros.run import Run
from scene_r1_ros.scene_r1 import SceneR1
from scene_r1_ros.tracking import load_tracker
from test.reasoning.scripted import late_at
from test.scenes import BLOCK, clip, tight_box

FRAMES, TRUTHS = clip(8)
DEFAULT = Config()
WHERE = "Where is the red block?"
WORDS = "<think>I see it at 0.30 s.</think><answer>on the floor.</answer>"


def heart(tmp_path, words=WORDS, window="0.1s to 0.5s", question=WHERE, config=DEFAULT, known=True):
    boxes = {t.frame.stamp_ns: {"bbox_2d": tight_box(t).xyxy, "label": "block"} for t in TRUTHS}
    image = {str(stamp): f"<answer>{json.dumps(box)}</answer>" for stamp, box in boxes.items()}
    answers = [{"query": question, "answer": words}]
    if known:
        answers.append({"query": "the red block", "temporal": f"<answer>{window}</answer>", "image": image})
    path = tmp_path / "recorded.yaml"
    path.write_text(yaml.safe_dump({"answers": answers}), encoding="utf-8")
    return SceneR1(RecordedModel(path), load_tracker(config), config)


def supports(answer):
    """The last step is of the answer, and its frames are those that support it."""
    last = answer.rationale[-1]
    return last.stage == "answer" and last.frames == (FRAMES[3],)


def test_where_gets_words_and_the_place(tmp_path):
    answer = heart(tmp_path).ask(WHERE, FRAMES)
    assert (answer.status, answer.error_code, answer.kind) == ("answered", ErrorCode.NONE, "free")
    (found,) = answer.objects
    assert box_iou_3d(found.box, BLOCK) > 0.7 and (answer.window.start_s, answer.window.end_s) == (0.1, 0.5)
    grounded = heart(tmp_path).ground("the red block", FRAMES)
    assert answer.text == f"on the floor. {grounded.text}" and "block: at (" in grounded.text
    stages = [step.stage for step in answer.rationale]
    assert stages[0] == "answer" and [step.stage for step in grounded.rationale] == stages[1:-1]
    assert supports(answer) and list(answer.timings_s)[:3] == ["select", "answer", "temporal"]


def test_a_place_that_the_reasoning_contradicts_is_not_sure(tmp_path):
    sure = heart(tmp_path).ask(WHERE, FRAMES)
    window = "<think>I see it at 0.7 s and at 45 s.</think><answer>0.1s to 0.5s</answer>"
    answer = heart(tmp_path, window=window).ask(WHERE, FRAMES)
    assert answer.text == f"{sure.text} I am not sure of it." and supports(answer)


def test_an_option_stays_one_and_comes_with_the_object(tmp_path):
    question = "Where is the red block? (A) on the table (B) on the floor"
    answer = heart(tmp_path, question=question).ask(question, FRAMES)
    assert (answer.kind, answer.text, len(answer.objects)) == ("choice", "B. on the floor", 1)


STRICT = Config(verify=VerifyConfig(min_reprojection_iou=1.0, max_tries=2))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"window": "not present"}, "not in the video"),
        ({"window": "soon"}, "no time window in 'soon'"),
        ({"known": False}, "no answer to 'the red block' is recorded"),
        ({"config": STRICT}, "none held in 3D"),
    ],
)
def test_where_nothing_is_grounded_the_words_stand(tmp_path, options, says):
    answer = heart(tmp_path, **options).ask(WHERE, FRAMES)
    assert (answer.status, answer.error_code, answer.text) == ("answered", ErrorCode.NONE, "on the floor.")
    assert not answer.objects and supports(answer) and len(answer.tries) == (2 if options == {"config": STRICT} else 0)
    assert "place of 'the red block' could not be told" in answer.rationale[-1].text
    assert says in answer.rationale[-1].text


@pytest.mark.parametrize("stage", ["temporal", "image", "track", "lift"])
def test_the_words_stand_where_time_is_up_before_the_place_is_known(tmp_path, stage):
    run = late_at(stage)
    answer = heart(tmp_path).ask(WHERE, FRAMES, run)
    assert (answer.status, answer.text) == ("answered", "on the floor.") and supports(answer)
    assert "no answer after" in answer.rationale[-1].text


def test_a_place_that_is_known_when_time_is_up_is_told(tmp_path):
    run = late_at("verify")
    answer = heart(tmp_path).ask(WHERE, FRAMES, run)
    assert len(answer.objects) == 1 and answer.text.startswith("on the floor. block: at (") and supports(answer)


@pytest.mark.parametrize("words", ["There is no red block in the video.", "not present", "nowhere"])
def test_what_the_answer_denies_gets_no_place(tmp_path, words):
    words = f"<think>At 0.30 s I look.</think><answer>{words}</answer>"
    answer = heart(tmp_path, words=words).ask(WHERE, FRAMES)
    assert answer.status == "answered" and f"<answer>{answer.text}</answer>" in words and not answer.objects
    assert [step.stage for step in answer.rationale] == ["answer", "answer"] and supports(answer)
    assert answer.rationale[-1].text == "The answer says that 'the red block' is not there, so it is not looked for."


def test_an_error_says_of_which_kind_its_question_is(tmp_path):
    question = "How many blocks are there?"
    answer = heart(tmp_path, words="<answer>several</answer>", question=question).ask(question, FRAMES)
    assert (answer.status, answer.error_code, answer.kind) == ("error", ErrorCode.PARSE_FAILED, "count")
    assert heart(tmp_path).ask(question * 1000, FRAMES).kind == "count"  # too long to be asked


@pytest.mark.parametrize("stage", ["temporal", "image", "track", "lift", "verify"])
def test_a_cancel_stays_a_cancel(tmp_path, stage):
    run = Run()
    run.on_progress = lambda progress: run.cancel() if progress.stage == stage else None
    answer = heart(tmp_path).ask(WHERE, FRAMES, run)
    assert (answer.status, answer.error_code, answer.text) == ("error", ErrorCode.CANCELED, "")


def test_time_that_is_up_before_the_words_is_an_error(tmp_path):
    run = late_at("answer")
    assert heart(tmp_path).ask(WHERE, FRAMES, run).error_code == ErrorCode.TIMEOUT


def test_what_nobody_foresaw_leaves_its_trace_and_the_words(tmp_path, caplog):
    class Broken:
        """A tracker that fails in a way nobody foresaw."""

        def track(self, frames, prompts, run):
            raise ZeroDivisionError("by nobody foreseen")

    made = heart(tmp_path)
    answer = SceneR1(made.model, Broken(), made.config).ask(WHERE, FRAMES)
    assert answer.status == "answered" and "ZeroDivisionError" in answer.rationale[-1].text
    assert "by nobody foreseen" in caplog.text


def test_a_model_that_is_gone_after_the_words_does_not_take_them_away(tmp_path):
    run = Run()

    def gone(progress):
        if progress.stage == "image":
            raise ModelFailed("gone")

    run.on_progress = gone
    answer = heart(tmp_path).ask(WHERE, FRAMES, run)
    assert answer.status == "answered" and "gone" in answer.rationale[-1].text


@pytest.mark.parametrize("question", ["Is the red block on the floor?", "What is on the floor?", "Where is it?"])
def test_other_questions_ground_nothing(tmp_path, question):
    answer = heart(tmp_path, words="<answer>yes</answer>", question=question).ask(question, FRAMES)
    assert answer.text == "yes" and not answer.objects
    assert [step.stage for step in answer.rationale] == ["answer"]
