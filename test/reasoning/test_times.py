# SPDX-License-Identifier: Apache-2.0
"""Times in a model's reasoning: what is one, what is none, and how exact it is meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scene_r1_ros.reasoning.prompting import caption
from scene_r1_ros.reasoning.times import NamedTime, named_times

MOMENTS = {
    "I see it at 3.2 s.": [3.2],
    "The frame at 7s shows it": [7],
    "in the frame <5.00 seconds>": [5],  # the caption of a frame
    "at <1.00 seconds> and <2.50 seconds>": [1, 2.5],
    "at 00:03": [3],
    "at 01:02:03.5": [3723.5],
    "at <1200:05.20>": [72005.2],  # as minutes are counted on
    "The clock shows 10:45. The mug is seen at 00:05.": [5],  # only what the clock shows is left out
    "The timer on the oven shows 45 s. The mug stands before it at 7 s.": [7],
    "The frame at 7 s shows it at the left": [7],
    'The frame "7.00 seconds" shows it': [7],  # quoted, and still a caption
    "The robot's mug at 7 s, the man's at 9 s": [7, 9],  # no quotes
    "around 1 min 30 s": [90],
    "at 1m30s": [90],
    "at 3, 5 and 7 s": [3, 5, 7],  # the unit stands once
    "at t=7.5s.": [7.5],
    "第5秒": [5],
    "at \uff10\uff13\uff1a\uff10\uff15": [185],  # full-width
    "**4 s** or `6 s`": [4, 6],  # markdown
    "Three chairs. It is 2 m away at 3 s": [3],
    "60 s and 70 chairs": [60],
}
STRETCHES = {
    "from 00:03 to 00:06": (3, 6),
    "visible 3-6 s": (3, 6),
    "visible 3 s \u2013 6 s": (3, 6),
    "between 3 and 6 seconds": (3, 6),
    "between 00:01 and 00:02": (1, 2),
    "5 to 10 minutes": (300, 600),
    "从3秒到6秒": (3, 6),
    "from 3s until 6.5s": (3, 6.5),
    "von 5 s bis 10 s": (5, 10),
}
NONE = [
    "",
    "3 chairs",
    "2 m",
    "0.5 m/s",
    "at a distance of 2 m, 3 chairs",
    "in frames 3 and 5",
    "frame 000222",
    "for 2 seconds",  # a duration
    "it lasts about 4 s",
    "the first 3 seconds",
    "5 seconds later",
    "in this 30 s clip",
    "a 1970s radio",  # decades
    "a lamp of the 60s",
    "the clock shows 10:45",  # in the picture, not of it
    "The poster says '60 seconds'",
    "The packet says 'ready in 90 seconds'",
    "It reads \u201copen until 10 s\u201d",
    "a 30 s quick start button",
    "The opening hours sign says 9:00 - 17:30.",
    "The poster lists 08:00 to 17:00 opening hours.",
    "The TV shows a soccer game at 67:12.",
    "The bus departs at 14:35 according to the screen.",
    "Die Uhr an der Wand zeigt 14:35 Uhr.",
    "it is 10:45 p.m.",
    "an aspect ratio of 1:24",
    "16:9",
    "50 %",
    "1e400 s",  # of no clip
    "the mug: -4 s",  # a dash
    "A.D. 2024-05-10",
]


@pytest.mark.parametrize("text", MOMENTS)
def test_moments(text):
    found = named_times(text)
    assert [time.start_s for time in found] == [time.end_s for time in found] == pytest.approx(MOMENTS[text])


@pytest.mark.parametrize("text", STRETCHES)
def test_stretches(text):
    (found,) = named_times(text)
    assert (found.start_s, found.end_s) == pytest.approx(STRETCHES[text])


@pytest.mark.parametrize("text", NONE)
def test_other_numbers_are_no_times(text):
    assert named_times(text) == []


@pytest.mark.parametrize(
    ("text", "slack_s"), [("3 s", 1.0), ("3.2 s", 0.1), ("3.25 s", 0.01), ("00:03", 1.0), ("2 minutes", 60.0)]
)
def test_a_time_is_as_exact_as_it_is_written(text, slack_s):
    (found,) = named_times(text)
    assert found.slack_s == pytest.approx(slack_s)


def test_meeting_a_stretch_and_lying_in_it():
    time = NamedTime("3 s to 6 s", 3.0, 6.0, 0.1)
    assert time.meets(6.05, 9.0) and time.meets(4.0, 5.0) and time.meets(0.0, 2.95)
    assert not time.meets(6.2, 9.0) and not time.meets(0.0, 2.8)
    assert time.within(0.0, 6.0) and time.within(0.0, 5.95)
    assert not time.within(0.0, 5.8) and not time.within(3.2, 9.0)


@given(st.floats(0, 36_000))
def test_every_caption_is_read_back(time_s):
    (found,) = named_times(f"I see it at {caption(time_s)}.")
    assert found.start_s == pytest.approx(time_s, abs=0.006)


@given(st.text(st.sampled_from("0123456789 .,:-\u2013smhinutesandto<>'秒到e+/m"), max_size=200) | st.text(max_size=200))
def test_any_text_gives_finite_times_in_order(text):
    for time in named_times(text):
        assert 0 <= time.start_s <= time.end_s < float("inf") and time.slack_s > 0
