# SPDX-License-Identifier: Apache-2.0
"""How many, in words and digits; and what is no clear number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scene_r1_ros.reasoning.counts import MAX_CHARACTERS, count_in

CLEAR = {
    "three": "3",
    "There are 3 chairs.": "3",
    "**3**": "3",
    "3.0": "3",
    "1.5": "1.5",
    "Three (3)": "3",
    "none": "0",
    "None of them.": "0",
    "No": "0",
    "no chairs": "0",
    "There are no chairs.": "0",
    "not present": "0",
    "a dozen": "12",
    "two dozen": "24",
    "half a dozen eggs": "6",
    "a couple": "2",
    "a pair": "2",
    "twenty-one": "21",
    "twenty one chairs": "21",
    "one hundred and five": "105",
    "two thousand three hundred": "2300",
    "1,200": "1200",
    "1,000,000": "1000000",
    "3 (at 2.1 s, 3.4 s and 5 s)": "3",
    "Four, seen at 3.2 s": "4",
    "13 stools, seen at 3 s": "13",  # a time that is also a part of other words
    "There are 12 sofas (at 2 s).": "12",
    "25 spoons at 5 s": "25",
    "4 chairs, visible at 2 s, 12 s and 22 s": "4",
    "3 chairs are clearly visible.": "3",
    "4 chairs are under the table": "4",
    "4 chairs over by the window": "4",
    "4 chairs, no more": "4",
    "There are two chairs, one on each side": "2",
    "There are 12 chairs (6 on each side).": "12",
    "3 chairs, one of which is broken": "3",
    "Two chairs, one red and one blue.": "2",
    "Two of them": "2",
    "ein Dutzend": "12",
    "3 chairs: two at the desk, one at the window": "3",
    "drei": "3",
    "keine": "0",
    "trois chaises": "3",
    "dos": "2",
    "\u0663": "3",
    "\u4e09": "3",
    "3\u628a": "3",
    "\u4e8c\u5341\u4e00": "21",
    "\u4e00\u767e\u96f6\u4e94": "105",
    "\u4e00\u5171\u6709\u4e09\u628a\u6905\u5b50": "3",
    "\u6ca1\u6709": "0",
}
UNCLEAR = [
    "",
    "several",
    "I cannot tell",
    "I have no idea",
    "I cannot see how many",
    "There is no way to tell",
    "3 or 4",
    "about 3 or 4",
    "about 3",
    "approximately 10",
    "about a dozen",
    "over 3",
    "no more than 3",
    "No mug is clearly visible",
    "ein paar St\u00fchle",  # a few, and no pair
    "une vingtaine de chaises",
    "three-quarters",
    "one third",
    "fifty percent",
    "3-4",
    "between three and four",
    "at least 3",
    "more than three",
    "3 or more",
    "3+",
    "dozens",
    "two red and one blue",
    "one red, one blue",
    "two red, one blue and one green",
    "Two chairs at the table, one in the corner",
    "2 tables, 3 chairs on each side",
    "one (red) and one (blue)",
    "two and another",
    "two pairs of shoes",
    "not a single one",
    "one two three",
    "3 chairs and 2 tables",
    "frame 000123 shows 2",
    "seen once",  # eleven, in Spanish
    "1.200",  # a thousand and two hundred, in German
    "-3",
    "50 %",
    "3D",
    "1.2.3",
    "at 3.2 s",
]


@pytest.mark.parametrize("answer", CLEAR)
def test_one_number_is_read(answer):
    assert count_in(answer) == CLEAR[answer]


@pytest.mark.parametrize("answer", UNCLEAR)
def test_what_is_open_to_doubt_is_no_number(answer):
    assert count_in(answer) == ""


@given(st.integers(0, 999_999_999))
def test_digits_are_read_back(count):
    assert count_in(str(count)) == count_in(f"There are {count:,} of them.") == str(count)


@given(st.text(max_size=200) | st.text("0123456789., -/()onetwmhud", max_size=200))
def test_any_text_gives_a_number_or_none(answer):
    assert count_in(answer) == "" or float(count_in(answer)) >= 0


@pytest.mark.parametrize(
    "repeated",
    [
        "1 ",
        "one ",
        "a dozen ",
        "hundred and ",
        "1,",
        ": (",
        "no ",
        "2 s, ",
        "two chairs, one ",
        "and one ",
        "about ",
        "\u4e00",
    ],
)
def test_no_answer_is_slow(repeated):
    """As many characters as are read of what makes naive patterns backtrack for longer than a test lasts."""
    assert count_in(repeated * (MAX_CHARACTERS // len(repeated))) == ""


def test_an_essay_is_no_number():
    assert count_in("three" + " " * MAX_CHARACTERS) == ""
