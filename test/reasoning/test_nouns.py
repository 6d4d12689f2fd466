# SPDX-License-Identifier: Apache-2.0
"""What a query is about, and whether a label names it; in doubt, nothing is said."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scene_r1_ros.reasoning.nouns import head_nouns, names_one, singular, speaks_of, subject_of

HEADS = {
    "the red mug left of the sink": {"mug"},
    "The red mug.": {"mug"},
    "red mug": {"mug"},  # a colour tells English
    "a mug on the table": {"mug"},
    "the left mug": {"mug"},
    "the mug on the left": {"mug"},
    "the mug, the red one": {"mug"},
    "the mug (red)": {"mug"},
    "the nearest chair": {"chair"},
    "the chair closest to the door": {"chair"},
    "the chair next to the table": {"chair"},
    "the chair in front of the desk": {"chair"},
    "the chair that is by the window": {"chair"},
    "the two books": {"book"},
    "the shelves": {"shelf"},
    "the lamp standing on the desk": {"lamp"},
    "the hanging lamp": {"lamp"},
    "the fire extinguisher mounted on the wall": {"extinguisher"},
    "the coffee table": {"table"},
    "the bottom left drawer": {"drawer"},
    "light blue towel": {"towel"},
    "the jar with the blue lid": {"jar"},
    "the leg of the table": {"leg"},
    "the teacher's desk": {"desk"},
    "the double bed in the corner": {"bed"},
    "the pair of shoes": {"shoe"},
    "one of the chairs": {"chair"},
    "a cup of coffee near the window": {"cup"},  # coffee is never seen alone
    "the bowl of apples": {"bowl", "apple"},  # a label may be either
    "the tissue box": {"box", "tissue"},
    "the red plastic box": {"box"},
    "the water bottle": {"bottle"},
    "where is the red mug?": {"mug"},
    "please find the  trash can": {"can", "trash"},
    "the book in which I find the map": {"book"},
}
NONE = [
    "something to sit on",
    "that one",
    "the thing left of the mug",
    "the furniture",  # a kind: the label will be of one of it
    "the back of the chair",
    "mug",  # one word may be of any language
    "die rote Tasse",
    "la tasse rouge",
    "a caneca vermelha",
    "orange Tasse",
    "metal sandalye",
    "le café",
    "红色的杯子",
    "the mug and the plate",  # two
    "the black and white cushion",
    "the wobbly, tall lamp",
    "the wall mounted lamp",
    "the built in oven",
    "the mug full of coffee",
    "the room 12",
    "how many chairs are there?",
    "is the mug red?",
    "the red",
    "the",
    "one of",
    "of the",
    "",
    " ",
    "?!",
]


@pytest.mark.parametrize("query", HEADS)
def test_the_noun_of_a_query(query):
    assert head_nouns(query) == HEADS[query]


@pytest.mark.parametrize("query", NONE)
def test_in_doubt_there_is_none(query):
    assert head_nouns(query) == frozenset()


@pytest.mark.parametrize(
    ("label", "noun", "same"),
    [
        ("mug", "mug", True),
        ("coffee mug", "mug", True),
        ("Coffee_Mugs", "mug", True),
        ("mug on the table", "mug", True),
        ("cup", "mug", True),
        ("couch", "sofa", True),
        ("chair", "armchair", True),
        ("armchair", "chair", True),
        ("pants", "trouser", True),
        ("wastebasket", "bin", True),  # its end is a synonym
        ("cupboard", "cup", False),  # its beginning is not what it is
        ("carpet", "car", False),
        ("box", "mug", False),
        ("table", "leg", False),
        ("lamp", "table", False),
        ("object", "mug", None),
        ("杯子", "mug", None),
        ("", "mug", None),
    ],
)
def test_a_label_names_it_or_not(label, noun, same):
    assert names_one(label, frozenset({noun})) is same


@pytest.mark.parametrize(
    ("query", "text", "speaks"),
    [
        ("the red mug", "The mugs are seen.", True),
        ("the red mug", "A cup is on the table.", True),
        ("the red mug", "the red MUG on the white table", True),
        ("the red mug", "The object is on the table.", True),
        ("the red mug", "The sink is seen.", False),
        ("the red mug", "A blue mug is seen.", False),
        ("the trash can", "I can see the hallway.", False),
        ("the picture above the bed", "In the picture at 3 s I see the hallway.", False),
        ("the hat", "That is what I see.", False),
        ("Tasse", "Die Tasse steht da.", True),
        ("die rote Tasse", "Die Tasse steht da.", False),  # rather none
        ("something to sit on", "The target is a chair.", True),
        ("something", "I see something.", False),
    ],
)
def test_prose_speaks_of_it_or_not(query, text, speaks):
    assert speaks_of(text, subject_of(query)) is speaks


def test_without_a_noun_no_label_is_wrong():
    assert names_one("box", head_nouns("something to sit on")) is None


@pytest.mark.parametrize(
    ("word", "one"),
    [
        ("mugs", "mug"),
        ("boxes", "box"),
        ("knives", "knife"),
        ("batteries", "battery"),
        ("bus", "bus"),
        ("thermos", "thermos"),
    ],
)
def test_one_of_many(word, one):
    assert singular(word) == one


WORDS = ["the", "a", "one", "of", "mug", ",", "left", "and", "in's"]


@given(st.text(max_size=300) | st.lists(st.sampled_from(WORDS)).map(" ".join))
def test_any_query_has_a_noun_or_none(query):
    nouns = head_nouns(query)
    assert all(noun.isalpha() and noun in singular_words(query) for noun in nouns)


def singular_words(query: str) -> set[str]:
    return {singular(word) for word in re.findall("[a-z]+", query.casefold())}
