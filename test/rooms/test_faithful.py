# SPDX-License-Identifier: Apache-2.0
"""What a rationale states is read back and held against the frames; made up text never breaks it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scene_r1_ros.learning.sample import NamedBox
from scene_r1_ros.rooms.faithful import Shown, faithful_share, statements
from scene_r1_ros.types import Box2D

MUG, BALL = NamedBox("red mug", Box2D(10, 20, 30, 40)), NamedBox("blue ball", Box2D(100, 50, 120, 70))
CAN = NamedBox("grey trash can", Box2D(150, 50, 170, 90))
FRAMES = (Shown(0.0, (MUG,)), Shown(1.5, (MUG, BALL)), Shown(3.0, (CAN,)))


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("The red mug is at (20, 30).", 1.0),
        ("The mug is at (20, 30).", 1.0),  # fewer words are true, too
        ("The red mug is at (20, 45).", 0.0),  # beside it
        ("The red mug is at (30, 30).", 0.0),  # its border is exclusive
        ("The blue mug is at (20, 30).", 0.0),  # another colour
        ("The ball is at (20, 30).", 0.0),  # another thing
        ("The red mug is at (20, 30). A blue ball at (20, 30) has another colour.", 0.5),
        ("I see a red mug at (20, 30) and a blue ball at (110, 60).", 1.0),
        ("I see the red mug at 0.0s and 1.5s, best at 1.5s.", 1.0),
        ("I see the red mug at 0.0s, 1.5s and 3.0s.", 2 / 3),
        ("The red mug is seen at 0.7s.", 0.0),  # no frame is of that time
        ("First seen are the red mug at 0.0s and the blue ball at 1.5s. So the red mug comes first.", 1.0),
        ("I see no green mug.", 1.0),
        ("There is no red mug here.", 0.0),
        ("I see no mugs.", 0.0),
        ("The trash can is at (160, 60).", 1.0),
        ("Seen at (20, 30).", 0.0),  # of what?
        ("At 0.0s I see nothing.", 0.0),
        ("Nothing here is called a blorf.", None),
        ("", None),
        ("The red mug is left of the blue ball.", None),  # neither place nor time
    ],
)
def test_the_share_of_statements_that_hold(text, share):
    assert faithful_share(text, FRAMES) == (share if share is None else pytest.approx(share))


def test_places_and_times_belong_to_the_thing_before_them_and_not_to_the_next_sentence():
    said = statements("The wooden table is at (100, 90). At (20, 30) and 4.5s something lies.")
    assert [sorted(statement.label) for statement in said] == [["table", "wooden"], [], []]


@settings(max_examples=40)
@given(st.text(max_size=300) | st.text(alphabet="the no a(12, 3) 4.5s.redmug", max_size=300))
def test_any_text_can_be_read(text):
    share = faithful_share(text, FRAMES)
    assert share is None or 0 <= share <= 1


def test_a_long_hostile_text_is_read_at_once():
    assert faithful_share("(1, " * 100_000 + "the " * 100_000 + "9" * 100_000 + "s", FRAMES) == 0
