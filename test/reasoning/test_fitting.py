# SPDX-License-Identifier: Apache-2.0
"""Answers to questions: what they are wrapped in, and whether they fit what was asked."""

import pytest

from scene_r1_ros.errors import ParseFailed
from scene_r1_ros.reasoning.parse import parse_answer

COLOR = "Which colour is the mug? (A) blue (B) red (C) dark red"
PLACE = "Where is the mug?\nA. on the table\nB. in the sink\nC. None of the above"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("yes", "yes"),
        ("No.", "No."),  # a whole answer here, not "not present"
        ("**Yes**", "Yes"),
        ("Answer: yes", "yes"),
        ("The answer is: **yes**", "yes"),
        ("**Final answer:** three", "three"),
        ("\\boxed{three}", "three"),
        ("$\\boxed{\\text{three}}$", "three"),
        ('"three"', "three"),
        ('"red" and "blue"', '"red" and "blue"'),  # no pair around the whole
        ('{"answer": "three"}', "three"),
        ('```json\n{"answer": 3}\n```', "3"),
        ('{"present": true}', "yes"),
        ('{"a": 1, "b": 2}', '{"a": 1, "b": 2}'),  # no answer among them: as it is
        ('{"answer": ', '{"answer":'),  # no JSON: as it is
        ("```text\nthree\n```", "three"),
        ("~~~\nthree\n~~~", "three"),
        ("````\n```\nthree\n```\n````", "three"),  # fences in fences
        ("not present", "not present"),  # an answer as good as any other
        ("NaN", "NaN"),
    ],
)
def test_wrapped(body, expected):
    assert parse_answer(f"<think>a</think><answer>{body}</answer>", "What is it?") == expected


@pytest.mark.parametrize(
    ("question", "body", "expected"),
    [
        (COLOR, "B", "B. red"),
        (COLOR, "b", "B. red"),
        (COLOR, "(B)", "B. red"),
        (COLOR, "(b)", "B. red"),
        (COLOR, "B.", "B. red"),
        (COLOR, "B)", "B. red"),
        (COLOR, "b) red", "B. red"),
        (COLOR, "Answer: B", "B. red"),
        (COLOR, "The correct answer is (B).", "B. red"),
        (COLOR, "Option B", "B. red"),
        (COLOR, "**B. red**", "B. red"),
        (COLOR, "(B) red", "B. red"),
        (COLOR, "red", "B. red"),
        (COLOR, "The mug is red.", "B. red"),
        (COLOR, "dark red", "C. dark red"),  # not red, which is a part of it
        (COLOR, "A red mug", "B. red"),  # the article is no option
        (COLOR, "A", "A. blue"),
        (COLOR, "A, because it is so", "A. blue"),
        (COLOR, "(B) red, not blue", "B. red"),
        (COLOR, "B, as nothing else is there", "B. red"),
        (COLOR, "red, no doubt", "B. red"),
        (COLOR, '{"answer": "B"}', "B. red"),
        (COLOR, "\\boxed{B}", "B. red"),
        (PLACE, "in the sink", "B. in the sink"),
        (PLACE, "None of the above", "C. None of the above"),
        (PLACE, "It is none of the above.", "C. None of the above"),
        ("How many mugs?", "Twenty-one mugs", "21"),
        ("How many mugs?", "There are no mugs.", "0"),
        ("How many mugs?", "not present", "0"),
        ("How many mugs?", '{"answer": 3}', "3"),
        ("How many mugs?", "\u4e09", "3"),
        ("How many metres long is it?", "about 1.5 m", "about 1.5 m"),  # measured, not counted
        ("Is there a mug?", "Yes", "yes"),
        ("Is there a mug?", "No.", "no"),
        ("Is there a mug?", "**Yes**, two of them.", "yes, two of them."),
        ("Is there a mug?", "No there is none", "no, there is none"),
        ("Is there a mug?", "Yes - at 3 s", "yes, at 3 s"),
        ("Is there a mug?", "No mug is visible.", "no, No mug is visible."),
        ("Do you see any mugs or cups?", "Not visible", "no, Not visible"),
        ("Is there a mug?", "not present", "no, not present"),
        ("Is there anything on the table?", "Nothing.", "no, Nothing."),
        ("Is there a mug?", '{"present": true}', "yes"),
        ("Is there a mug?", "Correct.", "yes"),
        ("Is it empty?", "Yes. No mug is on it.", "yes, No mug is on it."),
        ("Is it red or blue?", "red", "red"),
        ("What is it?", "A mug.", "A mug."),
    ],
)
def test_fitting(question, body, expected):
    assert parse_answer(f"<answer>{body}</answer>", question) == expected


@pytest.mark.parametrize(
    ("question", "body", "message"),
    [
        (COLOR, "A and B", "does not name one of the options A, B, C"),  # two
        (COLOR, "A, C", "does not name one"),
        (COLOR, "(A) red", "does not name one"),  # letter and text disagree
        (COLOR, "blue or red", "does not name one"),
        (COLOR, "D", "does not name one"),  # no such option
        (COLOR, "green", "does not name one"),
        (COLOR, "It is not blue.", "does not name one"),
        (COLOR, "It's not red, it's green.", "does not name one"),
        (COLOR, "It isn\u2019t blue", "does not name one"),
        (COLOR, "Not A", "does not name one"),
        (COLOR, "A is not correct", "does not name one"),
        ("Which sign? (A) + (B) -", ", not A", "does not name one"),
        (COLOR, "Red? No.", "does not name one"),
        (COLOR, "I see a red chair, but no mug.", "does not name one"),
        (COLOR, "Neither red nor green", "does not name one"),
        (PLACE, "It is not in the sink", "does not name one"),
        (COLOR, "I cannot tell", "does not name one"),
        (
            "How many mugs?",
            "several",
            "no number, or more than one, in 'several'; the question asks how many: expected, e.g., 3",
        ),
        ("How many mugs?", "I cannot tell", "no number"),
        ("How many mugs?", "3 or 4", "more than one"),
        ("Is it empty?", "No mug is there", "begin with one of them"),  # this would be a yes
        ("Is there a room with no mugs?", "No mug is there", "begin with one of them"),  # and this
        ("Is there a mug?", "No mug is visible on the table, but one is on the shelf", "begin with one of them"),
        ("Is there a mug?", "No mug is visible except in the sink", "begin with one of them"),
        ("Is there a mug?", "No idea whether a mug is visible", "begin with one of them"),
        ("Is there a mug?", "No longer visible", "begin with one of them"),
        ("Is there a mug on the table?", "I cannot see the table", "begin with one of them"),
        ("Is there a mug?", "yes and no", "does not begin with yes or no"),
        ("Is there a mug?", "Yes/no", "does not begin with yes or no"),
        ("Is there a mug?", "No doubt it is there", "does not begin with yes or no"),
        ("Is it the correct mug?", "correct size, but blue", "does not begin with yes or no"),
        ("Is there a mug?", "I cannot tell", "does not begin with yes or no"),
    ],
)
def test_unfitting(question, body, message):
    with pytest.raises(ParseFailed, match=message) as failed:
        parse_answer(f"<answer>{body}</answer>", question)
    assert body in failed.value.text
