# SPDX-License-Identifier: Apache-2.0
"""Queries for one thing, and for several."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scene_r1_ros.reasoning.several import names_several

SEVERAL = [
    "the chairs",
    "chairs",
    "all the chairs",
    "all chairs at the table",
    "every mug",
    "each of the mugs",
    "both mugs",
    "two mugs",
    "the three chairs",
    "3 chairs",
    "the mug and the bottle",
    "the red and the blue mug",
    "a mug and a bottle on the table",
    "the wooden chairs around the table",
    "the chairs left of the table",
    "the left chairs",
    "the chairs standing at the table",
    "books stacked on the desk",
    "these boxes",
    "my keys",
    "the people in the room",
    "several books",
    "a couple of chairs",
    "everything on the table",
    "les chaises",
    "las sillas",
    "alle St\u00fchle",
    "\u6240\u6709\u6905\u5b50",
    "the shelves",
    "find all chairs",
    "the chairs, not the stools",
    "Show me the mugs",
    "the boxes",
    "my shoes",
    "the dishes",
    "the leaves of the plant",
]
ONE = [
    "",
    "the chair",
    "the red mug left of the sink",
    "the red mug",
    "the red mug on the table with the books",
    "the mug between the chairs",
    "the glass",
    "the bus",
    "the scissors",
    "the pair of scissors",
    "a pair of glasses",
    "one of the chairs",
    "the leftmost of the two chairs",
    "any of the chairs",
    "the stack of books",
    "the box of tissues",
    "the left chair",
    "the chair that is left of the tables",
    "the black and white mug",
    "the man's jacket",
    "the men's jacket",
    "the chair nearest to the windows",
    "the number 2 button",
    "the two-door fridge",
    "the all-in-one printer",
    "the tennis ball",
    "the cactus",
    "the mattress",
    "the compass",
    "the sports bag",
    "the tape measure is",
    "the remote of the TVs",
    "the",
    "s",
    "red",
    "that one",
    "the thing he uses",
    "the third chair from the left",
    "the physics book",
    "where is the mug?",
    "the largest of all boxes",
    "the chess board",
    "the trash can next to the desks",
    "the thermos",
    "the storage box on the shelf",
    "the green armchair",
    "wooden chair",
    "what the robot sees",
]


@pytest.mark.parametrize("query", SEVERAL)
def test_several_things(query):
    assert names_several(query)


@pytest.mark.parametrize("query", ONE)
def test_one_thing(query):
    assert not names_several(query)


@given(st.text(max_size=300) | st.text("the of and chairs ", max_size=300))
def test_any_text_names_one_or_several(query):
    assert names_several(query) in (True, False)


@pytest.mark.parametrize("repeated", ["the ", "of ", "and the ", "standing ", "please find ", "s"])
def test_no_query_is_slow(repeated):
    """Two thousand characters, as many as a query may have, of what makes naive patterns backtrack for ever."""
    assert names_several((repeated * 2000)[:2000]) in (True, False)
