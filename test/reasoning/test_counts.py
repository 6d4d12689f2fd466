# SPDX-License-Identifier: Apache-2.0
"""How many, in words and digits; and what is no clear number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scene_r1_ros.reasoning.counts import count_in

CLEAR = {
    "three": "3",
    "There are 3 chairs.": "3",
    "**3**": "3",
    "3.0": "3",
    "1.5": "1.5",
    "about 3": "3",
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
    "3-4",
    "between three and four",
    "at least 3",
    "more than three",
    "3 or more",
    "3+",
    "dozens",
    "two red and one blue",
    "one red, one blue",
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


@pytest.mark.parametrize("repeated", ["1 ", "one ", "a dozen ", "hundred and ", "1,", ": (", "no ", "\u4e00"])
def test_no_answer_is_slow(repeated):
    """A hundred thousand characters of what makes naive patterns backtrack for longer than a test lasts."""
    assert count_in(repeated * (100_000 // len(repeated))) == ""
