# SPDX-License-Identifier: Apache-2.0
"""Dirtier answers for a time window: what is read, what is refused, and what is not there."""

import pytest

from scene_r1_ros.errors import ParseFailed
from scene_r1_ros.reasoning.parse import parse_window

HOUR_S = 4000.0


def windows_of(text: str) -> list[tuple[float, float]]:
    return [(w.start_s, w.end_s) for w in parse_window(text, HOUR_S)]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("1:02:03 to 1:02:10", [(3723, 3730)]),
        ("1:02 - 1:05", [(62, 65)]),
        ("62:03-62:10", [(3723, 3730)]),
        ("00:00:03,500 --> 00:00:06,000", [(3.5, 6)]),  # subtitles
        ("1m30s to 2m", [(90, 120)]),
        ("1 minute and 30 seconds to 1 minute and 45 seconds", [(90, 105)]),
        ("1h 2m 3s to 1h2m10s", [(3723, 3730)]),
        ("1 hour to 1 hour 5 minutes", [(3600, 3900)]),
        ("1 minute to 2", [(60, 120)]),  # the unit stands once
        ("5 to 10 minutes", [(300, 600)]),
        ("1:30 min to 2:00 min", [(90, 120)]),
        ("from second 3 to second 6", [(3, 6)]),
        ("between 3s and 6s", [(3, 6)]),
        ("t=3 to t=6", [(3, 6)]),
        ("5s \u2014 10s", [(5, 10)]),
        ("5s\u2009\u2013\u200910s", [(5, 10)]),  # thin spaces
        ("5s...10s", [(5, 10)]),
        ("5s\u202610s", [(5, 10)]),
        ("5s => 10s", [(5, 10)]),
        ("5s up to 10s", [(5, 10)]),
        ("5 to 10 where it stands", [(5, 10)]),  # a word that is no unit
        ("Starts at 5s and ends at 10s.", [(5, 10)]),
        ("(5, 10)", [(5, 10)]),
        ("~5s to ~10s", [(5, 10)]),
        ("<start>5</start><end>10</end>", [(5, 10)]),
        ("<start> 5 s </start> <end> 10 s </end>", [(5, 10)]),
        ("[(5, 10), (20, 25)]", [(5, 10), (20, 25)]),
        ("[5, 10, ]", [(5, 10)]),
        ("[5, 10]  # in seconds, not 20 to 30\n", [(5, 10)]),
        ('{"start": 5, // seconds\n "end": 10 /* 20 to 30 */}', [(5, 10)]),
        ('{"end": 10.0, "start": 5.0}', [(5, 10)]),
        ('[{"end": 10, "start": 5}, {"end": 20, "start": 15}]', [(5, 10), (15, 20)]),
        ('[{"start": 5, "end": 10}, {"start": 15, "end": 20}]', [(5, 10), (15, 20)]),
        ('{"start": 5, "stop": 10}', [(5, 10)]),
        ('{"answer": {"window": [5, 10]}}', [(5, 10)]),
        ('{"start_time": "00:05", "end_time": "00:10"}', [(5, 10)]),
        ("\\boxed{5s to 10s}", [(5, 10)]),
        ("$5s$ to $10s$", [(5, 10)]),
        ("```text\n5s to 10s\n```", [(5, 10)]),
        ("```5s to 10s```", [(5, 10)]),
        ("````\n```json\n[5, 10]\n```\n````", [(5, 10)]),
        ("~~~\n5s to 10s\n~~~", [(5, 10)]),
        ("5s to 10s\n20s to 25s", [(5, 10), (20, 25)]),
        ("5s bis 10s", [(5, 10)]),
        ("5 bis 10s", [(5, 10)]),
        ("5s to the end", [(5, 4000)]),
        ("from 5s until the end of the video.", [(5, 4000)]),
        ("The object is seen at 5s.", [(5, 5)]),
        ("The red mug is best visible at about 00:05", [(5, 5)]),
        ("5s to 10s. The object is not present afterwards.", [(5, 10)]),
        ("5s to 10s; it is not visible in the other frames", [(5, 10)]),
        ("5s to 10s. Then it is no longer visible.", [(5, 10)]),
        ("1. 5s to 10s\n2. 20s to 25s", [(5, 10), (20, 25)]),
        ("1,234.5 s to 1,240.0 s", [(1234.5, 1240)]),  # commas between thousands
        ("1'234s to 1'240s", [(1234, 1240)]),
        ("0,500 to 1,25", [(0.5, 1.25)]),
        ("3.3333333333333335 to 6.000000000000001", [(3.3333333333333335, 6.000000000000001)]),  # as JSON writes floats
        ("\u0661\u066b\u0665 to \u0662\u066b\u0665", [(1.5, 2.5)]),  # Arabic-Indic, with their decimal separator
        ("\u06f5 to \u06f1\u06f0", [(5, 10)]),  # Persian
        ("\u096b to \u0967\u0966", [(5, 10)]),  # Devanagari
        ("\u09eb to \u09e7\u09e6", [(5, 10)]),  # Bengali
        ("\U0001d7d3 to \U0001d7cf\U0001d7ce", [(5, 10)]),  # mathematical
        ("\uff3b\uff15\uff0c\uff11\uff10\uff3d", [(5, 10)]),  # full-width brackets and comma
        ("\uff10\uff10\uff1a\uff10\uff13\uff5e\uff10\uff10\uff1a\uff10\uff16", [(3, 6)]),
        ("\u3010\uff15\u79d2\u304b\u3089\uff11\uff10\u79d2\u3011\u3002", [(5, 10)]),
        ("1\u520630\u79d2\u81f32\u5206", [(90, 120)]),
        ("\u200f5s to\u200e 1\u200b0s\ufeff", [(5, 10)]),  # direction marks and zero-width spaces
        ("not visible until 5s; then 5s to 10s", [(5, 10)]),
        ("Not present at the start, 5s to 10s", [(5, 10)]),
        ("3990s to 5000s", [(3990, 4000)]),
        ("-inf to 5s, 7s to 9s", [(7, 9)]),
    ],
)
def test_read(body, expected):
    assert windows_of(f"<think>a</think><answer>{body}</answer>") == [pytest.approx(pair, abs=0) for pair in expected]


@pytest.mark.parametrize(
    "body",
    [
        "1,200 to 1,300",  # 1.2 or 1200?
        "1 200 s to 1 300 s",  # 1 or 1200?
        "5-10-15",  # which two?
        "5s, 7s and 9s",  # three moments, or a stretch?
        "5, 7, and 9 seconds",
        "The mug first appears at 5s.",  # and then?
        "The mug is visible for 5s.",
        "5s to the end of the table",
        "no longer visible at 5s",  # so it was there
        "not visible in the other frames",  # so it is there
        "2026-05-10",  # a date
        "5 to 10,20 to 25",
        "5 to 10 Minuten",  # an unknown unit
        "5-10 \u043c\u0438\u043d\u0443\u0442",
        "5 to 10 frames",
        "2 to 3 chairs",
        "between 3 and 6 chairs",
        "90 to 100% sure",
        "1.2.3 to 4",
        "1:75 to 2:00",
        "from 5s for 3s",
        "from 5s, in total 20",
        '{"start": 5, "total": 20}',
        '{"start": 5}, {"end": 10}',  # of two objects
        "5s to \u221e",
        "NaN to Infinity",
        "1e999 to 1e999",
        "5_0 to 6_0",
        "five to ten",
        "between the 3rd and the 6th second",
        "5\u00b2 to 10",
        "not visible before 5s",  # so it is there
        "It may not be visible",
        "I do not know if not present",
        '{"start": 5, "end": null}',
    ],
)
def test_refused(body):
    text = f"<answer>{body}</answer>"
    with pytest.raises(ParseFailed, match="no time window in") as failed:
        parse_window(text, HOUR_S)
    assert failed.value.text == text


@pytest.mark.parametrize(
    "body",
    [
        "not present, 5s to 10s",
        "5s to 10s (not present)",
        "5s to 10s. The mug is not visible.",
        "[5, 10], not found",
        "The mug is not seen at 5s. It is 5s to 6s",
    ],
)
def test_contradictions(body):
    with pytest.raises(ParseFailed, match="and says that it is not there"):
        parse_window(f"<answer>{body}</answer>", HOUR_S)


@pytest.mark.parametrize(
    "tail",
    [
        "5 to 10", "5s to 10.", "5s to 10,", "5 to 10 m", "5 to 10 mi", "5s to 1 min", "5s to 1 min 3",
        "5 to 1e", "5 to 1e1",
        "00:03-00:06", "00:03-00:", "00:03-00:0", "1:00 to 1:02:0", "[5, 10", "[5, 1",
        '{"start": 5, "end": 10', "5 to 10 h",
        "from 5s", "5s to the end", "not present until 5s, th", "The mug is not visible", "no", "12s",
        '{"start": null, "end": nul', "5s to 10 ", "5 to 10 fr",
    ],
)  # fmt: skip
def test_cut_off(tail):
    """The rest might change what was said: never a shorter number, never 'not there'."""
    with pytest.raises(ParseFailed, match="no time window"):
        parse_window(f"<think>a</think><answer>{tail}", HOUR_S)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<answer>5 to 10</answ", [(5, 10)]),  # only the tag is cut off
        ("<answer>5 to 10</", [(5, 10)]),
        ("<answer>[5, 10], [20, 2", [(5, 10)]),
        ("<answer>5 to 10, and", [(5, 10)]),
        ("<answer>5 s to 10 s and th", [(5, 10)]),
        ("<answer>not present</ans", []),
        ("<answer><answer>5 to 10</answer></answer>", [(5, 10)]),
        ("<answer>5 to 10<answer>", [(5, 10)]),  # the slash is missing
        ("<think>a <answer>1 to 2</answer> No.</think>5 to 10", [(5, 10)]),  # the words after the reasoning count
        ("<think>a <answer>1 to 2</answer> No.</think> not present", []),
        ("<think>a</think><think>b</think><answer>5 to 10</answer>", [(5, 10)]),
        ("```\n<answer>5 to 10</answer>\n```", [(5, 10)]),
    ],
)
def test_broken_tags(text, expected):
    assert windows_of(text) == expected


@pytest.mark.parametrize(
    "text",
    ["<answer>1 to 2</answer> Wait. <answer>5 to 1", "<answer>1 to 2</answer><answer>hm</answer>"],
)
def test_an_earlier_answer_does_not_stand_in_for_the_last(text):
    with pytest.raises(ParseFailed, match="no time window"):
        parse_window(text, HOUR_S)
