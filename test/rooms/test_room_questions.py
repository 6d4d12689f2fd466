# SPDX-License-Identifier: Apache-2.0
"""Questions about clips of rooms put together by hand: the answers are known."""

from random import Random

import pytest

from scene_r1_ros.rooms.comparisons import comparison, order, relation
from scene_r1_ros.rooms.prior import chance_larger, may_lie_on
from scene_r1_ros.rooms.questions import Excerpt, color, count, options_with, presence
from scene_r1_ros.rooms.scene_graph import Clip
from test.rooms.things import clip, picture, seen, thing

MUG, BALL, VASE = thing(1, "red mug", (0, 0, 0)), thing(2, "blue ball", (1, 0, 0)), thing(3, "green vase", (4, 0, 0))
SOFA = thing(4, "purple sofa", (2, 2, 0), (1.8, 0.8, 0.8))
WITH, WITHOUT = clip((MUG, BALL)), clip((BALL,), (BALL, VASE))


def asked(maker, *clips, draws=60):
    """All questions that a maker ever asks, with their answers."""
    excerpts = [Excerpt(one) for one in clips]
    return {
        (q.text, q.answer)
        for seed in range(draws)
        for q, _ in zip(maker(excerpts, Random(seed)), range(30), strict=False)
    }


def test_presence_is_asked_both_ways_of_what_one_clip_shows_and_another_does_not():
    said = asked(presence, WITH, WITHOUT)
    assert {("Is there a mug?", "yes"), ("Is there a mug?", "no"), ("Do you see a red mug?", "no")} <= said
    assert not any("ball" in text for text, _ in said)  # both show it


def test_counts_are_of_what_is_seen_well():
    mugs = [thing(number, "red mug") for number in (1, 2, 3)]
    said = asked(count, clip(tuple(mugs[:2]), (mugs[2],)), clip((mugs[0],)), clip((BALL,)))
    assert {("How many mugs are there?", "3"), ("How many mugs are there?", "1"), ("Count the mugs.", "0")} <= said
    assert not {answer for _, answer in said} - {"0", "1", "3"}


def test_what_is_part_of_other_things_is_not_counted():
    books, case = (thing(1, "red book"), thing(2, "blue book")), thing(3, "wooden bookcase")
    assert asked(count, clip((*books, case)), clip((books[0], case))) == set()


def test_things_on_a_table_are_counted():
    table = thing(9, "wooden table", size=(1.2, 0.8, 0.7))
    on_it = [thing(number, label, on=9) for number, label in ((1, "red mug"), (2, "blue ball"))]
    said = asked(count, clip((table, *on_it)), clip((table, on_it[0])))
    assert {("How many things are on the table?", "2"), ("How many things are on the table?", "1")} <= said


def test_colours_are_asked_free_and_with_options():
    said = asked(color, WITH)
    assert ("What colour is the mug?", "red") in said
    options = [(text, answer) for text, answer in said if "(A)" in text]
    assert options
    for text, answer in options:
        assert f"({answer[0]}) {answer[3:]}" in text


def test_options_hold_no_colour_that_could_be_taken_for_the_right_one():
    for seed in range(30):
        options = options_with("red", Random(seed))
        assert len(set(options)) == 4 and "red" in options and not {"orange", "brown"} & set(options)


def test_nearer_is_asked_where_it_is_plain():
    said = asked(comparison, clip((MUG, BALL, VASE)))
    assert ("Which is nearer to the mug, the ball or the vase?", "ball") in said
    assert ("Is the vase nearer to the mug than the ball?", "no") in said
    assert not any(answer == "vase" and "nearer to the mug" in text for text, answer in said)


def test_left_of_is_asked_only_where_it_holds_in_all_frames():
    assert ("Is the mug left of the ball?", "yes") in asked(relation, clip((MUG, BALL), (MUG, BALL)))
    assert ("Is the mug right of the ball?", "no") in asked(relation, clip((MUG, BALL), (MUG, BALL)))
    assert asked(relation, clip((MUG, BALL), (BALL, MUG))) == set()


def test_what_is_on_something_is_asked_of_one_thing():
    sofa, cushion = SOFA, thing(7, "red cushion", on=4)
    said = asked(relation, clip((sofa, cushion)))
    assert ("What is on the sofa?", "cushion") in said
    other = thing(8, "blue cushion", on=4)
    assert not any(text.startswith("What is on") for text, _ in asked(relation, clip((sofa, cushion, other))))


def test_order_is_asked_where_things_come_clearly_apart():
    shown = clip((MUG,), (MUG,), (BALL,), (BALL,), (VASE,))
    said = asked(order, shown)
    assert {
        ("Which is seen first, the ball or the mug?", "mug"),
        ("Which is seen last, the mug or the vase?", "vase"),
    } <= said
    assert ("Which of these is seen second: the vase, the mug or the ball?", "ball") in said
    assert asked(order, clip((MUG,), (BALL,))) == set()  # one frame later is not clear


def test_order_is_not_asked_of_what_was_hinted_at_before():
    mug, ball = (seen(one, (10, 40, 30, 60)) for one in (MUG, BALL))
    hinted = picture(mug, hinted=(seen(BALL, (100, 40, 102, 60), share=0.1),))
    pictures = (hinted, picture(mug, time_s=1.0), picture(ball, time_s=2.0), picture(ball, time_s=3.0))
    assert asked(order, Clip(pictures)) == set()


def test_kinds_tell_what_can_be_guessed():
    assert chance_larger("sofa", "mug", 0, 1.25) == 1
    assert chance_larger("ball", "ball", 0, 1.25) == pytest.approx(0.5, abs=0.05)
    assert may_lie_on("cushion", "sofa") and not may_lie_on("kettle", "sofa")
