# SPDX-License-Identifier: Apache-2.0
"""The three steps against a mind that says what the test wants."""

import pytest

from scene_r1_ros.errors import Canceled, DeadlineExceeded, ParseFailed
from scene_r1_ros.reasoning.answer import answer_question
from scene_r1_ros.reasoning.image import hypotheses, unseen
from scene_r1_ros.reasoning.prompting import instruction
from scene_r1_ros.reasoning.temporal import ground_in_time
from scene_r1_ros.run import Run
from scene_r1_ros.types import TimeWindow
from test.reasoning.scripted import Scripted

ALL = (TimeWindow(0, 9),)
ABSENT = "<think>Only a plate.</think><answer>not present</answer>"
UNREADABLE = "<think>Hm.</think><answer>somewhere</answer>"


def said(body: str, reasoning: str = "It stands there.") -> str:
    return f"<think>{reasoning}</think><answer>{body}</answer>"


def boxed(*xyxy, label="mug") -> str:
    return said(f'{{"bbox_2d": {list(xyxy)}, "label": "{label}"}}')


def first_hypothesis(model, query, clip, run):
    return next(hypotheses(model, query, clip, ALL, run))


# temporal ------------------------------------------------------------------------------------------------------------


def test_windows_with_their_evidence(clip):
    run, heard = Run(), []
    run.on_progress = heard.append
    model = Scripted(said("2s to 4s, 7s to 8s"), max_frames=10)
    with run.stage("temporal"):
        windows = ground_in_time(model, "the mug", clip, run)
    assert windows == (TimeWindow(2, 4), TimeWindow(7, 8))
    first, second = run.rationale
    assert (first.stage, first.window, [f.frame_id for f in first.frames]) == (
        "temporal", windows[0], ["002000", "003000", "004000"],
    )  # fmt: skip
    assert first.text == "It stands there. Seen from 2.00 s to 4.00 s."
    assert (second.text, second.window) == ("Seen from 7.00 s to 8.00 s.", windows[1])
    assert "2s to 4s" in heard[-1].partial_rationale


def test_of_many_windows_the_first_count(clip):
    run = Run()
    many = ", ".join(f"{i / 100}s to 9s" for i in range(300))
    windows = ground_in_time(Scripted(said(many), max_frames=10), "the mug", clip, run)
    assert [window.start_s for window in windows] == pytest.approx([i / 100 for i in range(8)])
    assert (len(run.rationale), run.rationale[-1].text) == (9, "292 more windows were ignored; at most 8 are used.")


def test_not_present_in_the_video(clip):
    run = Run()
    assert ground_in_time(Scripted(ABSENT, max_frames=10), "the mug", clip, run) == ()
    assert run.rationale[0].text == "Not present in the video. Only a plate."


def test_asked_once_more_with_the_complaint(clip):
    model = Scripted(UNREADABLE, said("2s to 4s"))
    assert ground_in_time(model, "the mug", clip, Run()) == (TimeWindow(2, 4),)
    assert [request.complaint for request in model.requests] == [
        "", "no time window in 'somewhere'; expected '5s to 10s' or 'not present'",
    ]  # fmt: skip


def test_and_only_once(clip):
    model = Scripted(UNREADABLE, UNREADABLE, said("2s to 4s"))
    with pytest.raises(ParseFailed) as failed:
        ground_in_time(model, "the mug", clip, Run())
    assert failed.value.text == UNREADABLE
    assert len(model.requests) == 2


@pytest.mark.parametrize("step", [ground_in_time, answer_question])
def test_a_canceled_reply_is_not_read(clip, step):
    run = Run()
    model = Scripted("<think>It st")
    run.on_progress = lambda progress: run.cancel() if progress.partial_rationale else None
    with pytest.raises(Canceled):
        step(model, "the mug", clip, run)
    assert len(model.requests) == 1


def test_a_late_run_asks_nothing(clip):
    model = Scripted()
    with pytest.raises(DeadlineExceeded):
        ground_in_time(model, "the mug", clip, Run(timeout_s=0.0))
    assert model.requests == []


# image ---------------------------------------------------------------------------------------------------------------


def test_one_frame_is_asked_per_hypothesis(clip):
    model, run = Scripted(boxed(1, 2, 30, 40), boxed(5, 6, 7, 8)), Run()
    found = hypotheses(model, "the mug", clip, ALL, run)
    assert model.requests == []
    with run.stage("image"):
        first = next(found)
    assert (first.box.xyxy, first.label, first.reasoning) == ((1, 2, 30, 40), "mug", "It stands there.")
    assert [len(request.frames) for request in model.requests] == [1]
    assert model.requests[0].frames == (first.frame,)
    (step,) = run.rationale
    assert (step.stage, step.frames, step.boxes) == ("image", (first.frame,), ((first.frame.frame_id, first.box),))
    assert next(found).frame is not first.frame


def test_a_frame_that_does_not_show_it_is_noted_and_passed_over(clip):
    model, run = Scripted(ABSENT, boxed(1, 2, 30, 40)), Run()
    hypothesis = next(hypotheses(model, "the mug", clip, ALL, run))
    assert hypothesis.frame is model.requests[1].frames[0]
    missed = model.requests[0].frames[0]
    assert run.rationale[0].text == f"Not present in {clip.name(missed)}. Only a plate."


def test_no_frame_shows_it(clip):
    model = Scripted(ABSENT, ABSENT, ABSENT, image_frames=3)
    assert list(hypotheses(model, "the mug", clip, ALL, Run())) == []


def test_an_unreadable_frame_is_noted_and_passed_over(clip):
    model, run = Scripted(UNREADABLE, UNREADABLE, boxed(1, 2, 30, 40), ABSENT), Run()
    assert len(list(hypotheses(model, "the mug", clip, ALL, run))) == 1
    assert "could not be read: no box in 'somewhere'" in run.rationale[0].text


def test_nothing_readable_is_not_the_same_as_not_found(clip):
    with pytest.raises(ParseFailed, match=r"3 of 3 frames that were asked .* no box in 'somewhere'"):
        list(hypotheses(Scripted(*[UNREADABLE] * 6, image_frames=3), "the mug", clip, ALL, Run()))


def test_one_frame_that_is_denied_does_not_stand_for_those_that_cannot_be_read(clip):
    with pytest.raises(ParseFailed, match="2 of 3 frames that were asked got no reply that can be read; the last: no"):
        list(hypotheses(Scripted(ABSENT, *[UNREADABLE] * 4, image_frames=3), "the mug", clip, ALL, Run()))


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        ([ABSENT] * 3, "no frame of its time window that was asked shows it"),
        ([ABSENT, UNREADABLE, UNREADABLE, ABSENT],
         "no reply names a place in its time window, and of 1 frame it could not be read"),
    ],
)  # fmt: skip
def test_not_found_says_how_many_could_not_be_read(clip, texts, says):
    run = Run()
    with run.stage("image"):
        assert list(hypotheses(Scripted(*texts, image_frames=3), "the mug", clip, ALL, run)) == []
    assert unseen(run) == says


def test_boxes_come_in_pixels_of_the_frame_and_inside_it(clip):
    model = Scripted(boxed(-5, 10, 70, 99), seen_wh=(128, 96), box_convention="resized_pixel")
    assert next(hypotheses(model, "the mug", clip, ALL, Run())).box.xyxy == (0, 5, 35, 48)


def test_a_box_outside_the_image_is_told_to_the_model(clip):
    model = Scripted(boxed(200, 10, 300, 20), boxed(1, 2, 3, 4))
    next(hypotheses(model, "the mug", clip, ALL, Run()))
    assert model.requests[1].complaint == (
        "the box [200.0, 10.0, 300.0, 20.0] lies outside the image of 64x48 pixels (pixel coordinates)"
    )


def test_several_boxes_are_several_hypotheses(clip):
    reply = said('[{"bbox_2d": [1, 2, 3, 4], "label": "mug"}, {"bbox_2d": [5, 6, 7, 8]}, {"bbox_2d": [99, 1, 100, 2]}]')
    found = list(hypotheses(Scripted(reply, image_frames=1), "the red mug", clip, ALL, Run()))
    assert [(h.box.xyxy, h.label) for h in found] == [((1, 2, 3, 4), "mug"), ((5, 6, 7, 8), "the red mug")]
    assert [h.boxes_named for h in found] == [2, 2]


def test_of_many_boxes_the_first_are_tried(clip):
    run = Run()
    reply = said("[" + ", ".join(f"[0, 0, {1 + i % 60}, {1 + i // 60}]" for i in range(2000)) + "]")
    found = list(hypotheses(Scripted(reply, image_frames=1), "the mug", clip, ALL, run))
    assert [h.box.xyxy for h in found] == [(0, 0, x, 1) for x in range(1, 9)]
    assert len(run.rationale) == 9
    assert run.rationale[-1].text.endswith(
        f"1992 more boxes in {clip.name(found[0].frame)} were ignored; at most 8 are tried."
    )


def test_a_label_that_cannot_be_encoded_is_mended(clip):
    model = Scripted(boxed(1, 2, 30, 40, label="block \\ud83d"))
    place = next(hypotheses(model, "the mug", clip, ALL, Run()))
    assert place.label == "block \ufffd"


def test_no_windows_ask_nothing(clip):
    assert list(hypotheses(Scripted(), "the mug", clip, (), Run())) == []


# answer --------------------------------------------------------------------------------------------------------------


def test_answer(clip):
    model, run = Scripted(said("three", "I count three.")), Run()
    with run.stage("answer"):
        answer = answer_question(model, "how many?", clip, run)
    assert (answer.status, answer.kind, answer.text) == ("answered", "count", "3")
    (step,) = run.rationale
    assert step.stage == "answer" and step.text.startswith("I count three.")


def test_answer_asks_once_more(clip):
    model = Scripted("<think>a</think><answer>thr", said("three"))
    assert answer_question(model, "how many?", clip, Run()).text == "3"
    assert "ends inside the answer 'thr'" in model.requests[1].complaint


def test_an_answer_that_does_not_fit_its_question_is_told_to_the_model(clip):
    model = Scripted(said("green"), said("(B) red"))
    assert answer_question(model, "Which colour? (A) blue (B) red", clip, Run()).text == "B. red"
    assert "'green' does not name one of the options A, B" in model.requests[1].complaint


def test_an_answer_that_cannot_be_read_twice_is_an_error(clip):
    model = Scripted(said("several"), said("some"), said("3"))
    with pytest.raises(ParseFailed, match="no number, or more than one, in 'some'"):
        answer_question(model, "How many mugs?", clip, Run())
    assert len(model.requests) == 2


@pytest.mark.parametrize(
    ("step", "cut_off"),
    [(ground_in_time, "<answer>5s to 1"), (answer_question, "<answer>thr"), (first_hypothesis, "<answer>[1, 2, 3, 4")],
)
def test_every_step_tells_the_model_why_it_asks_again(clip, step, cut_off):
    good = said("2s to 4s") if step is ground_in_time else boxed(1, 2, 30, 40)
    model = Scripted(cut_off, good)
    step(model, "the mug", clip, Run())
    assert cut_off.removeprefix("<answer>") in model.requests[1].complaint
    assert cut_off.removeprefix("<answer>") in instruction(model.requests[1])
