# SPDX-License-Identifier: Apache-2.0
"""What a person at a terminal reads of an answer."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from scene_r1_ros.answer import Answer, Check, Usage, certainty
from scene_r1_ros.config import Config
from scene_r1_ros.errors import ErrorCode
from scene_r1_ros.reasoning.operator_box import OperatorBox
from scene_r1_ros.report.terminal import Narrator, print_answer
from scene_r1_ros.run import Run
from scene_r1_ros.scene_r1 import SceneR1
from scene_r1_ros.tracking import load_tracker
from scene_r1_ros.wording import summary
from test.scenes import clip, tight_box

FRAMES, TRUTHS = clip(6)


@pytest.fixture(scope="module")
def answer() -> Answer:
    mind = OperatorBox(FRAMES[2].frame_id, tight_box(TRUTHS[2]))
    return SceneR1(mind, load_tracker(Config()), Config()).ground("the block", FRAMES)


def printed(answer: Answer) -> str:
    console = Console(width=300, file=io.StringIO(), record=True)
    print_answer(answer, console)
    return console.export_text()


def test_how_sure_it_is_stands_beside_what_was_found(answer):
    sure, unsure = (replace(answer, objects=(replace(answer.objects[0], score=score),)) for score in (0.9, 0.1))
    assert f"found, confidence 0.90. {answer.text}" in printed(sure)
    assert f"found, confidence 0.10: low, look at the pictures. {answer.text}" in printed(unsure)
    assert "not sure" in summary(unsure.objects[0]) and "not sure" not in summary(sure.objects[0])


def test_low_is_where_wrong_is_likelier_than_right():
    assert certainty(0.5) == "confidence 0.50" and certainty(0.49) == "confidence 0.49: low, look at the pictures"


def test_the_rationale_says_it_too(answer):
    assert certainty(answer.objects[0].score) in answer.rationale[-1].text.lower()


def test_what_is_not_found_has_no_confidence():
    assert "not found it is not there" in printed(Answer("q", "not_found", ErrorCode.NOT_FOUND, "it is not there"))


def test_what_contradicts_the_rationale_is_shown_and_what_holds(answer):
    holds, fails = (
        Check("times in the clip", True, "3 s"),
        Check("verified in 3D", False, "\x1b[2J[red]none[/red] does"),
    )
    said = printed(replace(answer, checks=(holds, fails, holds)))
    assert "contradiction: verified in 3D: \ufffd[2J[red]none[/red] does" in said  # text, not orders
    assert "checked and holds: times in the clip\n" in said
    assert "contradiction" not in printed(answer)
    assert "checked and holds: times in the clip, verified in 3D\n" in printed(answer)


def test_what_it_took_is_shown_by_stage(answer):
    usage = {"temporal": Usage(1, 32, 9120, 8800, 210, 1.317), "image": Usage(calls=2, frames=2)}
    said = printed(replace(answer, usage=usage)).splitlines()
    assert said[-2].strip() == (
        "temporal: 1 model call, 32 frames, 9120 tokens in (8800 cached), 210 out, first word after 1.32 s"
    )
    assert said[-1].strip() == "image: 2 model calls, 2 frames"  # a recording counts no tokens


def test_an_answer_that_asked_nothing_shows_no_usage():
    assert "model call" not in printed(Answer("q", "error", ErrorCode.NO_KEYFRAMES, "none"))


def test_frames_are_named_by_the_time_in_the_clip(answer):
    stamped = [replace(f, frame_id=f"{f.stamp_ns // 10**9}.{f.stamp_ns % 10**9:09d}") for f in FRAMES]  # as ROS has it
    mind = OperatorBox(stamped[2].frame_id, tight_box(TRUTHS[2]))
    said = printed(SceneR1(mind, load_tracker(Config()), Config()).ground("the block", stamped))
    at_s = (FRAMES[2].stamp_ns - FRAMES[0].stamp_ns) * 1e-9
    assert f"drew a box in the frame at {at_s:.2f} s" in said and f"into the frame at {at_s:.2f} s" in said
    assert not any(frame.frame_id in said for frame in stamped)
    assert f"frame {FRAMES[2].frame_id} at {at_s:.2f} s" in printed(answer)


def narrated(tell) -> list[str]:
    """The lines that a person reads while a query runs, without the times at which they were printed."""
    console = Console(width=80, file=io.StringIO(), force_terminal=False)
    narrator = Narrator(console)
    run = Run(on_progress=narrator)
    tell(run)
    narrator.end()
    return [line.partition("s] ")[2] or line for line in console.file.getvalue().splitlines()]


def test_a_stage_that_is_entered_once_more_is_told_from_its_beginning():
    def tell(run):
        for words in ("the first place", "another"):
            with run.stage("image"):
                run.say(words)

    assert narrated(tell) == ["image", "the first place", "image", "another"]


def test_what_the_model_says_is_printed_as_it_is_said_and_ends_with_its_line():
    def tell(run):
        with run.stage("temporal"):
            for words in ("<think>it ", "is ", "x" * 100, "</think>\n", "5s to 10s\n"):
                run.say(words)
        with run.stage("image"):
            run.say("a\x1b[2J\rb\x07")

    said = ["temporal", f"<think>it is {'x' * 100}</think>", "5s to 10s", "image", "a\ufffd[2Jb\ufffd"]
    assert narrated(tell) == said
