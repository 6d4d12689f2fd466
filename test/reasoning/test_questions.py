# SPDX-License-Identifier: Apache-2.0
"""What questions want: a number, yes or no, an option, words; and whose place they ask for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scene_r1_ros.reasoning.questions import FORMS, asked_thing, kind_of, options_of

COLOR = "Which colour is the mug? (A) blue (B) red (C) dark red"
PLACE = "Where is the mug?\nA. on the table\nB. in the sink\nC. None of the above"

KINDS = {
    "choice": [COLOR, PLACE, "How many chairs? A. two B. three"],
    "count": [
        "How many chairs are there?",
        "how many chairs",
        "And how many mugs?",
        "Count the chairs.",
        "Please count all the mugs on the table.",
        "Can you count the chairs?",
        "Tell me how many people you saw.",
        "Do you know how many windows there are?",
        "How many chairs are red or blue?",
        "What is the number of chairs in this room?",
        "What is the total number of the chairs?",
        "What is the count of chairs?",
        "Do you know the number of chairs?",
        "Number of chairs?",
        "Any idea how many chairs there are?",
        "Wie viele St\u00fchle stehen am Tisch?",
        "Combien de chaises y a-t-il ?",
        "Combien d\u2019armoires ?",
        "\u00bfCu\u00e1ntas sillas hay?",
        "\u6709\u591a\u5c11\u628a\u6905\u5b50\uff1f",
        "\u6709\u51e0\u628a\u6905\u5b50\uff1f",
    ],
    "yes_no": [
        "Is there a mug on the table?",
        "Is there a mug or a cup?",
        "Is there a chair or a stool in the room?",
        "Is there a mug on the table or on the shelf?",
        "Do you see any mugs or cups?",
        "Is there a mug, and where is it?",
        "Is the number of chairs even?",
        "Does the number of chairs exceed four?",
        "is there a mug",
        "Are the lights on?",
        "Isn't there a chair?",
        "Is the door open or not?",
        "Does the sign say exit?",
        "Can you see a red mug?",
        "Have you seen my keys?",
        "Was the drawer open at 3.5 s?",
        "Can you tell me if the door is open?",
        "Could you check whether the window is closed?",
        "Check if the stove is off.",
        "I want to know whether the printer is on.",
        "Hey robot, is there a fire extinguisher?",
        "In the kitchen, is there a sink?",
        "The door is open, isn't it?",
        "There is a mug here, right?",
        "I lost my keys. Are they on the desk?",
        "Is the door open? Answer in one word.",
    ],
    "free": [
        "Is it red or blue?",
        "Are there two or three chairs?",
        "Are there more mugs or cups?",
        "Is the mug on the table or on the shelf?",
        "What colour is the sofa?",
        "What is on the table, is it a mug?",
        "What is the model number of the printer?",
        "What is the number of the bus?",
        "Where is the mug?",
        "When did you see the cat?",
        "Describe the room",
        "Can you describe the room?",
        "Can you see what is on the table?",
        "Do you remember what was on the desk?",
        "How many metres long is the table?",
        "How many seconds was the light on?",
        "the island",
        "",
        "?",
    ],
}

ASKED = {
    "Where is the red mug?": "the red mug",
    "where's the remote": "the remote",
    "where did I leave my keys?": "my keys",
    "Where have I put my wallet?": "my wallet",
    "Can you tell me where the chairs are?": "the chairs",
    "Do you know where my phone is?": "my phone",
    "I wonder where the cat is.": "the cat",
    "Show me where the mug is": "the mug",
    "Tell me where I can find the salt": "the salt",
    "Hey robot, where is the nearest exit sign?": "the nearest exit sign",
    "In the kitchen, where is the mug?": "the mug",
    "I can't find my keys. Where are my keys?": "my keys",
    "Where can I find a screwdriver?": "a screwdriver",
    "Where should I look for the scissors?": "the scissors",
    "Where do you see a chair?": "a chair",
    "Where could the cat be?": "the cat",
    "Where has the cat gone?": "the cat",
    "Where does the lamp stand?": "the lamp",
    "Where are my glasses located right now, please?": "my glasses",
    "Where in the kitchen is the mug?": "the mug",
    "Where on the desk is the stapler?": "the stapler",
    "Where'd I put my keys?": "my keys",
    "Where\u2019d you leave the mug?": "the mug",
    "Any idea where the remote is?": "the remote",
    "Have you seen where I put the remote?": "the remote",
    "Wo kann ich die Tasse finden?": "die Tasse",
    "Wo ist die Tasse, die auf dem Tisch steht?": "die Tasse, die auf dem Tisch steht",
    "Kannst du mir sagen, wo die Tasse steht?": "die Tasse",
    "Where was the backpack last seen?": "the backpack",
    "Where is the mug and what colour is it?": "the mug",
    "Where are the mug and the bottle?": "the mug and the bottle",
    "Where is the mug that I used at 3.5 s?": "the mug that I used at 3.5 s",
    "In which place is the bag?": "the bag",
    "Which room is the fridge in?": "the fridge",
    "On which table is the red mug?": "the red mug",
    "What is the location of the fire extinguisher?": "the fire extinguisher",
    PLACE: "the mug",
    "Wo ist die rote Tasse?": "die rote Tasse",
    "Wo habe ich meine Schl\u00fcssel gelassen?": "meine Schl\u00fcssel",
    "O\u00f9 est la tasse rouge ?": "la tasse rouge",
    "\u00bfD\u00f3nde est\u00e1n mis llaves?": "mis llaves",
    "\u7ea2\u8272\u7684\u676f\u5b50\u5728\u54ea\u91cc\uff1f": "\u7ea2\u8272\u7684\u676f\u5b50",
}
NO_PLACE = [
    "Where is it?",
    "Where are you?",
    "Where am I?",
    "Where is everything?",
    "Where is it safe to put the box?",
    "Where is there space for a box?",
    "Is there a mug, and where is it?",
    "I can't find my keys. Where did I put them?",  # what they are stands in another sentence
    "Where does this door lead?",
    "At what time is the mug seen?",
    "At what position is the robot?",
    "Is the shelf where the books are dark?",
    "What colour is the mug on the table where the lamp is?",
    "How many chairs are there and where are they?",
    "Is the mug on the table?",
    "where",
    "where is",
    "the mug",
    "",
]


@pytest.mark.parametrize(("kind", "question"), [(kind, q) for kind, questions in KINDS.items() for q in questions])
def test_kinds(kind, question):
    assert kind_of(question) == kind


@pytest.mark.parametrize("question", ASKED)
def test_the_thing_whose_place_is_asked(question):
    assert asked_thing(question) == ASKED[question]


@pytest.mark.parametrize("question", NO_PLACE)
def test_no_thing_is_made_up(question):
    assert asked_thing(question) is None


@given(st.text(max_size=300) | st.text("where is ,.?! the can you", max_size=300))
def test_any_text_is_a_question(question):
    assert kind_of(question) in FORMS
    assert asked_thing(question) != ""


@pytest.mark.parametrize(
    "repeated",
    [
        "where is ",
        "where in a ",
        "is there a or ",
        "can you ",
        "a, ",
        "how many ",
        "1.5 ",
        "and ",
        "where the ",
        "tell me ",
    ],
)
def test_no_question_is_slow(repeated):
    """Two thousand characters, as many as a query may have, of what makes naive patterns backtrack for ever."""
    question = (repeated * 2000)[:2000]
    assert kind_of(question) in FORMS and asked_thing(question) != ""


@pytest.mark.parametrize(
    ("question", "options"),
    [
        (COLOR, {"A": "blue", "B": "red", "C": "dark red"}),
        (PLACE, {"A": "on the table", "B": "in the sink", "C": "None of the above"}),
        ("Which one? A) blue, B) red", {"A": "blue", "B": "red"}),
        ("Which one? (A)blue; (B)red", {"A": "blue", "B": "red"}),
        ("Which one?\na) blue\nb) red", {"A": "blue", "B": "red"}),
        ("Which one? (a) blue (b) red", {"A": "blue", "B": "red"}),
        ("Is it a. b. or c.?", {}),
        ("Is it in hall A. or near B. Smith?", {"A": "or near", "B": "Smith?"}),  # looks the same to everyone
        ("Is plan B. the one?", {}),  # options begin with A
        ("What is (A) here?", {}),  # one is no choice
        ("How many mugs?", {}),
    ],
)
def test_options(question, options):
    assert options_of(question) == options
