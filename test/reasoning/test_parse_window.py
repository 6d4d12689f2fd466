# SPDX-License-Identifier: Apache-2.0
"""What models write when they are asked for a time window."""

import pytest

from scene_r1_ros.errors import ParseFailed
from scene_r1_ros.reasoning.parse import parse_window, reasoning_of

DURATION_S = 30.0


def answered(body: str) -> str:
    return f"<think>It stands there.</think>\n<answer>{body}</answer>"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("5s to 10s", [(5, 10)]),  # the agreed form
        ("12.54 to 17.83", [(12.54, 17.83)]),  # the lineage's form, without a unit
        ("from 3.2 to 6.0 seconds", [(3.2, 6.0)]),  # a sentence
        ("From 3.2s until 6.0s.", [(3.2, 6.0)]),  # ... and its full stop
        ("5-10", [(5, 10)]),  # a dash
        ("5 s \u2013 10 s", [(5, 10)]),  # a typographic dash
        ("5s \u2192 10s", [(5, 10)]),  # an arrow
        ("5s -> 10s", [(5, 10)]),  # an arrow of two characters
        ("00:03-00:06", [(3, 6)]),  # clock
        ("0:03.5 to 0:06.25", [(3.5, 6.25)]),  # clock with fractions
        ("00:00:03 to 00:00:06", [(3, 6)]),  # clock with hours
        ("10s to 5s", [(5, 10)]),  # ends swapped
        ("-2s to 5s", [(0, 5)]),  # begins before the clip
        ("25s to 40s", [(25, 30)]),  # ends after the clip
        ("30s to 31s", [(30, 30)]),  # touches its last frame
        ("7s", [(7, 7)]),  # one moment
        ("at 7.5 seconds", [(7.5, 7.5)]),  # one moment in words
        ("between 3 and 6 seconds", [(3, 6)]),  # and
        ("0.1 minutes to 0.2 min", [(6, 12)]),  # minutes
        ("0 to 0.3 minutes", [(0, 18)]),  # the unit stands once
        ("0 min 4 s to 0 min 8 s", [(4, 8)]),  # minutes and seconds
        ("5000 ms to 8000ms", [(5, 8)]),  # milliseconds
        ("5e0 to 1e1", [(5, 10)]),  # exponents
        ("3,2 to 6,0", [(3.2, 6.0)]),  # decimal commas
        ("<5.00 seconds> to <10.00 seconds>", [(5, 10)]),  # the captions of the frames, echoed
        ("**5s** to **10s**", [(5, 10)]),  # markdown
        ("```\n5s to 10s\n```", [(5, 10)]),  # a fence
        ('"5s to 10s"', [(5, 10)]),  # quotes
        ("[5.0, 10.0]", [(5, 10)]),  # a list
        ("[[5, 10], [20, 25.5]]", [(5, 10), (20, 25.5)]),  # a list of lists
        ('["5s", "10s"]', [(5, 10)]),  # a list of strings
        ("5.0, 10.0", [(5, 10)]),  # a list that lost its brackets
        ('{"start": 5.0, "end": 10.0}', [(5, 10)]),  # JSON
        ("{'start_time': '5s', 'end_time': '10s',}", [(5, 10)]),  # a Python dict with a trailing comma
        ("Start: 5 seconds, End: 10 seconds", [(5, 10)]),  # a form
        ("5s to 10s, 20s to 25s", [(5, 10), (20, 25)]),  # two windows
        ("5s to 10s and 20s to 25s", [(5, 10), (20, 25)]),  # two windows, joined by "and"
        ("5s to 10s; 5s to 10s", [(5, 10)]),  # the same window twice
        ("40s to 50s, 5s to 10s", [(5, 10)]),  # one of two lies outside the clip
        ("frames 3 - 5, that is 1.2s - 2.0s", [(1.2, 2)]),  # the one with the unit is the time
        ("the second chair, seen from 5s to 10s, 2 to the left", [(5, 10)]),  # other numbers around it
        ("not visible before 5s; then 5s to 10s", [(5, 10)]),  # a window beats a vague denial
        ("\u0665s to \u0661\u0660s", [(5, 10)]),  # Arabic-Indic digits
        ("\uff15\uff53 to \uff11\uff10\uff53", [(5, 10)]),  # full-width characters
        ("\u4ece5\u79d2\u523010\u79d2", [(5, 10)]),  # Chinese: "from 5 s to 10 s"
        ("not present", []),  # the agreed form
        ("Not present.", []),  # a sentence
        ("**not present** in 0s to 30s", []),  # the agreed words first: the times do not count
        ("The red mug is not visible in the video.", []),  # other words
        ("The mug cannot be found", []),  # cannot
        ("It isn\u2019t in the video", []),  # a typographic apostrophe
        ("no red mug is visible", []),  # no ...
        ("There is no mug in any of the frames.", []),  # there is no
        ("none", []),  # a word
        ("N/A", []),  # a shorter one
        ("[]", []),  # an empty list
        ("\u4e0d\u5b58\u5728", []),  # Chinese: "does not exist"
    ],
)
def test_window(body, expected):
    windows = parse_window(answered(body), DURATION_S)
    assert [(w.start_s, w.end_s) for w in windows] == [pytest.approx(pair) for pair in expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<think>a</think>5s to 10s", [(5, 10)]),  # no answer tags
        ("<think>a</think>5s to 10s</answer>", [(5, 10)]),  # only the closing one
        ("a</think><answer>5s to 10s</answer>", [(5, 10)]),  # the template wrote <think> itself
        ("<answer>5s to 10s</answer>", [(5, 10)]),  # no reasoning
        ("<THINK>a</THINK><Answer>5s to 10s</ANSWER>", [(5, 10)]),  # letter case
        ("<thinking>a</thinking>< answer >5s to 10s</ answer>", [(5, 10)]),  # other spellings
        ("5s to 10s", [(5, 10)]),  # no tags at all
        ("First 1s to 2s, but it is best seen from 5s to 10s.", [(5, 10)]),  # prose: the last window counts
        ("<answer>1s to 2s</answer> Wait. <answer>5s to 10s</answer>", [(5, 10)]),  # the last answer counts
        ("<answer>5s to 10s</answer><answer></answer>", [(5, 10)]),  # ... that is not empty
        ("<think><answer>5s to 10s</answer></think>", [(5, 10)]),  # an answer inside the reasoning
        ("<think>a<answer>5s to 10s</answer>", [(5, 10)]),  # the reasoning never closed
        ("<think>a</think><answer>5s to 10s", [(5, 10)]),  # cut off, but the unit says that the number is whole
        ("<answer>5s to 10s, 20s to 2", [(5, 10)]),  # cut off in the second window
        ("<answer>not present", []),  # cut off after the agreed words
        ("<think>a</think><answer>5s to 10s</answer><|im_end|>", [(5, 10)]),  # a special token
    ],
)
def test_tags(text, expected):
    assert [(w.start_s, w.end_s) for w in parse_window(text, DURATION_S)] == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no answer"),  # nothing
        ("<think>It is", "still thinking"),  # cut off while thinking
        ("<think>not present, I think", "still thinking"),  # ... which is no answer, whatever it says
        ("<think>a</think>", "holds no answer"),  # stopped after thinking
        ("<answer>  </answer>", "holds no answer"),  # an empty answer
        ("<answer>5s to 1", "no time window"),  # cut off inside a number: 1, 10 or 100?
        ("<answer>5s", "no time window"),  # cut off before the end
        ("<answer>5s to", "no time window"),  # cut off after the preposition
        (answered("soon"), "no time window in 'soon'"),  # no time
        (answered("nan to inf"), "no time window"),  # no numbers
        (answered("nan to 5s"), "no time window"),  # half a window is none
        (answered("1e400 to 2e400"), "no time window"),  # infinite
        (answered("5 to 10 hours"), "18000s to 36000s lies outside"),  # a unit that this clip does not have
        (answered("I am not sure whether it is visible"), "no time window"),  # doubt is no denial
        (answered("there is no doubt: it is there"), "no time window"),  # nor is this
        (answered("40s to 50s"), "40s to 50s lies outside the clip, which spans 0s to 30s"),  # after the clip
        (answered("-9s to -5s"), "-9s to -5s lies outside"),  # before the clip
        (answered("99999999999 to 999999999999"), "outside"),  # huge
        (answered("1" * 50 + " to 2"), "no time window"),  # no number of 50 digits
        (answered("frame 5 to 10 frames"), "no time window"),  # frames are not seconds
        ("x" * 100_001, "100001 characters; at most 100000"),  # too long
    ],
)
def test_unreadable(text, message):
    with pytest.raises(ParseFailed, match=message) as failed:
        parse_window(text, DURATION_S)
    assert failed.value.text == text[:100_000]


@pytest.mark.parametrize("body", ["not present between 0.00 and 29.87 seconds", "not visible (0 to 30 s)"])
def test_not_present_in_the_whole_clip_as_captions_round_it(body):
    assert parse_window(answered(body), 29.8733) == ()


def test_a_clip_of_many_minutes_is_read_as_it_is_captioned():
    (window,) = parse_window(answered("<1200:05.20> to <1200:06.00>"), 90_000.0)
    assert (window.start_s, window.end_s) == (pytest.approx(72_005.2), 72_006.0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<think> It stands. </think><answer>x</answer>", "It stands."),  # the agreed form
        ("It stands.</think><answer>x</answer>", "It stands."),  # the template wrote <think> itself
        ("It stands. <answer>x</answer>", "It stands."),  # no think tags
        ("<think>It stands. <answer>x</answer>", "It stands."),  # never closed
        ("<think>It sta", "It sta"),  # cut off
        ("<answer>x</answer>", ""),  # none
        ("x", ""),  # only an answer
    ],
)
def test_reasoning(text, expected):
    assert reasoning_of(text) == expected
