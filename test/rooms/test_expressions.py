# SPDX-License-Identifier: Apache-2.0
"""Each expression names exactly what it says, and nothing is said that a person could take for something else."""

from random import Random

import pytest

from scene_r1_ros.reasoning.nouns import head_nouns
from scene_r1_ros.reasoning.several import names_several
from scene_r1_ros.rooms.catalogue import KINDS
from scene_r1_ros.rooms.expressions import absent, affordance, attribute, category, several
from scene_r1_ros.rooms.materials import Material
from scene_r1_ros.rooms.naming import (
    AFFORDANCES,
    MAYBE,
    NO,
    NOWHERE,
    UNKNOWN_WORDS,
    YES,
    all_of,
    color_fits,
    is_color,
    is_kind,
    kind_fits,
    plural,
)
from scene_r1_ros.rooms.phrasing import ONE, SEVERAL
from scene_r1_ros.rooms.primitives import box
from scene_r1_ros.rooms.relations import between, nearest, relation, size, view
from test.rooms.things import scope, seen, thing

LEFT, MIDDLE, RIGHT = (10, 50, 40, 80), (90, 50, 120, 80), (170, 50, 200, 80)


def words_of(maker, *views, hinted=(), draws=40, **options):
    """All that a maker ever says, with the labels of what it means."""
    said = {}
    for seed in range(draws):
        for one in maker(scope(*views, hinted=hinted), Random(seed), **options):
            said[one.words] = sorted(target.instance_id for target in one.targets)
    return said


@pytest.mark.parametrize(
    ("asked", "name", "fits"),
    [
        ("mug", "mug", YES),
        ("lamp", "floor lamp", YES),
        ("floor lamp", "table lamp", NO),
        ("chair", "armchair", MAYBE),  # it ends so
        ("armchair", "chair", NO),
        ("stool", "chair", NO),
        ("book", "bookcase", MAYBE),  # it may hold some
        ("vase", "bottle", MAYBE),
        ("mug", "sofa", NO),
    ],
)
def test_whether_a_kind_may_be_called_so(asked, name, fits):
    assert kind_fits(asked, name) == fits


def test_colours_that_people_mix_up_are_open_to_argument():
    assert color_fits("red", "red") == YES
    assert color_fits("red", "orange") == color_fits("orange", "red") == MAYBE
    assert color_fits("red", "blue") == NO


def test_what_is_striped_white_could_be_called_white():
    striped = thing(1, "red ball", pattern="striped", parts=[(box(1, 1, 1), Material((200, 30, 30), "striped"))])
    plain = thing(2, "red ball", parts=[(box(1, 1, 1), Material((200, 30, 30)))])
    small_eye = thing(3, "red ball", parts=[*plain.parts, (box(0.1, 0.1, 0.1), Material((240, 240, 240)))])
    assert [is_color("white")(one) for one in (striped, plain, small_eye)] == [MAYBE, NO, NO]
    assert [is_color("red")(one) for one in (striped, plain, small_eye)] == [YES, YES, YES]


def test_all_of_is_the_least_that_any_says():
    fits = all_of(is_kind("chair"), is_color("red"))
    assert [fits(thing(1, label)) for label in ("red chair", "red armchair", "blue chair")] == [YES, MAYBE, NO]


def test_a_kind_alone_is_said_only_of_the_only_one():
    mug, other, ball = thing(1, "red mug"), thing(2, "blue mug"), thing(3, "red ball")
    assert words_of(category, seen(mug, LEFT), seen(ball, RIGHT)) == {"mug": [1], "ball": [3]}
    assert words_of(category, seen(mug, LEFT), seen(other, RIGHT)) == {}


@pytest.mark.parametrize("label", ["blue mug", "white bowl"], ids=["another", "one that could be called so"])
def test_what_is_hardly_seen_makes_words_ambiguous(label):
    mug, hint = seen(thing(1, "red mug"), LEFT), seen(thing(2, label), RIGHT, share=0.1)
    assert words_of(category, mug, hinted=(hint,)) == {}


def test_a_colour_is_said_only_where_no_other_could_be_called_so():
    mugs = [seen(thing(1, "red mug"), LEFT), seen(thing(2, "blue mug"), MIDDLE)]
    assert words_of(attribute, *mugs) == {"red mug": [1], "blue mug": [2]}
    orange = seen(thing(3, "orange mug"), RIGHT)
    assert words_of(attribute, *mugs, orange) == {"blue mug": [2]}


def test_a_pattern_tells_things_apart():
    striped, plain = thing(1, "red armchair", pattern="striped"), thing(2, "red armchair")
    assert words_of(attribute, seen(striped, LEFT), seen(plain, RIGHT)) == {"striped armchair": [1]}


def test_a_purpose_names_the_only_thing_that_could_serve_it():
    sofa, mug = seen(thing(1, "red sofa"), LEFT), seen(thing(2, "red mug"), RIGHT)
    assert words_of(affordance, sofa, mug)["something to sit on"] == [1]
    assert "something to sit on" not in words_of(affordance, sofa, mug, seen(thing(3, "red bed"), MIDDLE))


def test_several_are_all_of_a_kind():
    chairs = [
        seen(thing(1, "red chair"), LEFT),
        seen(thing(2, "red chair"), MIDDLE),
        seen(thing(3, "blue chair"), RIGHT),
    ]
    assert words_of(several, *chairs) == {"chairs": [1, 2, 3], "red chairs": [1, 2]}
    assert words_of(several, *chairs, hinted=(seen(thing(4, "blue chair"), MIDDLE),)) == {"red chairs": [1, 2]}


def test_what_is_absent_is_nowhere_in_sight_and_could_not_be_thought_to_be():
    mug, ball = thing(1, "red mug"), thing(2, "blue ball")
    room = (mug, ball, thing(3, "orange mug"), thing(4, "green sofa"))
    said = words_of(absent, seen(mug, LEFT), seen(ball, RIGHT), room=room)
    assert {"blue mug", "green mug", "sofa", "green sofa", "red ball"} <= said.keys()
    assert not {"red mug", "mug", "orange mug", "ball", "blue ball"} & said.keys()
    assert not any(said.values())


def test_a_relation_needs_an_anchor_with_a_name_and_margins_to_both_sides():
    table, chair = thing(1, "red table", (0, 0, 0.4), (1.2, 0.8, 0.8)), thing(2, "blue chair", (5, 5, 0.4))
    one, other = thing(3, "red mug", (0, 0, 0.85), on=1), thing(4, "blue mug", (5, 5, 0.8), on=2)
    views = [seen(table, (20, 80, 100, 160)), seen(chair, (150, 80, 210, 160)), seen(one, (50, 60, 60, 80)),
             seen(other, (190, 60, 200, 80))]  # fmt: skip
    said = words_of(relation, *views)
    assert said["mug on the table"] == [3] and said["mug on top of the chair"] == [4]
    assert said["mug left of the chair"] == [3]
    assert not any(" left of the table" in words or "table on" in words for words in said)


def test_under_is_below_the_top_and_within_it():
    table = thing(1, "red table", (0, 0, 0.4), (1.2, 0.8, 0.8))
    below, aside = thing(2, "red ball", (0.2, 0, 0.1), (0.2,) * 3), thing(3, "blue ball", (0.9, 0, 0.1), (0.2,) * 3)
    views = [seen(table, (20, 40, 140, 160)), seen(below, (70, 120, 90, 140)), seen(aside, (190, 120, 210, 140))]
    said = words_of(relation, *views)
    assert said["ball under the table"] == [2]
    assert "ball next to the table" not in said  # the other one is so, too, some would say


def test_the_nearest_must_be_so_in_the_room_and_must_not_look_otherwise():
    lamp = seen(thing(1, "red floor lamp"), LEFT)
    near, far = thing(2, "red mug", (0.5, 0, 0)), thing(3, "blue mug", (2, 0, 0))
    said = words_of(nearest, lamp, seen(near, MIDDLE), seen(far, RIGHT))
    assert said["mug nearest to the floor lamp"] == [2] and said["mug farthest from the floor lamp"] == [3]
    assert words_of(nearest, lamp, seen(near, RIGHT), seen(far, MIDDLE)) == {}
    close = thing(3, "blue mug", (0.6, 0, 0))
    assert words_of(nearest, lamp, seen(near, MIDDLE), seen(close, RIGHT)) == {}


def test_the_largest_is_larger_by_a_margin():
    large, small = thing(1, "red book", size=(0.3, 0.2, 0.05)), thing(2, "blue book", size=(0.2, 0.15, 0.04))
    views = [seen(large, (10, 50, 50, 80)), seen(small, (170, 50, 195, 70))]
    said = words_of(size, *views)
    assert said["largest book"] == [1] and said["smallest book"] == said["small book"] == [2]
    almost = thing(2, "blue book", size=(0.28, 0.19, 0.05))
    assert words_of(size, views[0], seen(almost, (170, 50, 195, 70))) == {}


def test_between_is_so_in_the_room_and_in_the_picture():
    mug, ball, vase = (
        thing(1, "red mug", (0, 0, 0)),
        thing(2, "blue ball", (1, 0.05, 0)),
        thing(3, "red vase", (2, 0, 0)),
    )
    said = words_of(between, seen(mug, LEFT), seen(ball, MIDDLE), seen(vase, RIGHT))
    assert set(map(tuple, said.values())) == {(2,)}
    assert words_of(between, seen(mug, LEFT), seen(ball, RIGHT), seen(vase, MIDDLE)) == {}


def test_views_depend_on_the_picture_and_the_camera():
    chairs = [seen(thing(1, "red chair"), (10, 50, 40, 90), 2.0), seen(thing(2, "red chair"), RIGHT, 3.0)]
    said = words_of(view, *chairs)
    assert said["leftmost chair"] == said["closest chair"] == [1]
    assert said["chair on the far right"] == said["farthest chair"] == [2]
    higher = [seen(thing(1, "red chair"), LEFT, 2.0), seen(thing(2, "red chair"), RIGHT, 3.0)]
    assert "closest chair" not in words_of(view, *higher)  # the nearer one would stand lower in the picture
    side_by_side = [seen(thing(1, "red chair"), LEFT), seen(thing(2, "red chair"), (14, 50, 44, 80), 2.2)]
    assert words_of(view, *side_by_side) == {}


@pytest.mark.parametrize("name", [*KINDS, *NOWHERE, *UNKNOWN_WORDS])
def test_the_package_reads_each_kind_as_one_thing(name):
    for form in ONE:
        assert not names_several(form.format(name)), form
    assert not names_several(f"the {name} on the table")
    if name.split()[-1] != "machine":
        assert head_nouns(f"the red {name} on the table") & set(name.split())


@pytest.mark.parametrize("name", KINDS)
def test_the_package_reads_each_plural_as_several(name):
    assert plural(name)
    for form in SEVERAL:
        if not form.startswith("where"):
            assert names_several(form.format(plural(name))), form


def test_no_purpose_is_read_as_several():
    assert not any(names_several(purpose) for purpose in AFFORDANCES)


def test_what_is_nowhere_is_like_nothing_that_rooms_hold():
    assert not [(asked, name) for asked in NOWHERE for name in KINDS if kind_fits(asked, name) != NO]


def test_purposes_speak_of_kinds_that_rooms_hold():
    named = {kind for certain, possible in AFFORDANCES.values() for kind in (*certain, *possible)}
    assert named - set(KINDS) == {"lamp"}
