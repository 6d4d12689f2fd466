# SPDX-License-Identifier: Apache-2.0
"""Of each check, what models really say: reasonings and labels that are right raise no alarm, contradictions do."""

from dataclasses import replace

import pytest

from scene_r1_ros.answer import Evidence
from scene_r1_ros.reasoning.audit import check_in_3d, check_label, check_times, check_window
from scene_r1_ros.run import Thought
from scene_r1_ros.types import TimeWindow
from test.reasoning.test_audit import thing

END_S = 30.0
WINDOW = TimeWindow(5.0, 10.0)
MUG = "the red mug left of the sink"

# (query, reasoning) that is right where the answer is WINDOW.
RIGHT = [
    (MUG, "The red mug is visible on the desk from 5.00 s to 10.00 s. Before that, only the chair is shown."),
    (MUG, "From 0s to 4s, the camera shows a sofa. From 5s to 10s a red mug appears next to the sink."),
    (MUG, "The mug's first appearance is at 4.8 s and the last at 10.2 s."),
    (MUG, "It first appears at 4.80 seconds and is last seen at 10.20 seconds."),
    (MUG, "The mug is seen only in the frame at <10.80 seconds>."),
    (MUG, "In the frames at <5.00 seconds> to <10.00 seconds> I see the mug. At <12.00 seconds> it has left the view."),
    (MUG, "At 3.0 s the camera shows the cabinet. At 4.0 s the stove. Hence the object is in the later part."),
    (MUG, "The camera enters the kitchen at 3 s, then turns. The mug follows right after."),
    (MUG, "At 2s the chair. At 3s the table. So the mug should be between those and the fridge at 12s."),
    (MUG, "The kitchen is entered at 3.0 seconds. Afterwards the mug is seen clearly on the counter."),
    (MUG, "The blue mug appears at 15 seconds. The red mug appears earlier in the clip."),
    (MUG, "At 20 s a similar mug is visible, but it is blue. The red one is seen at 6 s."),
    (MUG, "From 12 s on, the view moves to the window, so the mug is only visible earlier."),
    (MUG, "The first two frames (0.00 s, 1.00 s) show the floor, the remaining frames show the mug."),
    (MUG, "I see the floor until 4.5 s, and then the mug."),
    (MUG, "The sink is seen at 2 s. To the left of it is the mug, which is clearest at 7 s."),
    (MUG, "The mug enters the frame at 1 s but is tiny. It becomes large after the camera moves closer."),
    (MUG, "The camera pans right at 3 s, revealing the mug."),
    (MUG, "The red mug is partly visible at 3 s. The clearest view is at 7 s."),
    (MUG, "At 20 s I see another mug. It is on the table at 20 s."),
    (MUG, "The counter is in view at 2 s. It is long."),
    (MUG, "At 2.5 s there is a small mug, which doesn't match."),
    (
        "the red chair",
        "At 15 s the chair shows up, which is similar, but its color is blue. The red chair is before that.",
    ),
    ("the office chair", "At 2 s there is a wooden chair, not an office chair. At 7 s the office chair is seen."),
    ("the trash can", "I can see the hallway at 2 s, and the bin at 8 s."),
    ("the two chairs", "One chair is seen at 3 s, the second at 14 s."),
    ("something to sit on", "The sofa is at 20 s, a bench at 7 s."),
    ("die rote Tasse", "Vorher, bei 2 s, sieht man nur den Tisch. Die rote Tasse folgt."),
]

# (query, reasoning) that names no time in or around WINDOW.
WRONG = [
    (MUG, "The red mug is visible at 28 s."),
    (MUG, "The red mug is on the desk from 20.00 s to 25.00 s."),
    (MUG, "I see it at 2.5 s."),
    (MUG, "The object is visible between 1 and 3 seconds."),
    (MUG, "It first appears at 22 s."),
    (MUG, "The mug first appears at 1 s and is last seen at 3 s."),
    (MUG, "The sink is passed at 7 s. The red mug is seen at 20 s."),
    (MUG, "The blue mug is at 7 s. The red mug is at 20 s."),
    (MUG, "A cup is on the table at 13.4 s."),
    (MUG, "The mug is not visible at 7 s, but at 25 s it is on the desk."),
    (MUG, "The red mug is at 1 s. The clearest frame of it is at 2 s."),
    (MUG, "The mug disappears at 3 s."),
    (MUG, "The mug is in view until 3 s."),
    (MUG, "The mug remains in view from 1 s to 3 s."),
    (MUG, "Visible from 00:20 to 00:25."),
    ("mug", "In the frames at <20.00 seconds> and <22.00 seconds> the mug is on the table."),
    ("the sofa", "The couch comes into view at 20 s and remains until the end."),
    ("the trash can", "The bin stands beside the door at 2 s. The door is closed."),
    ("the chairs", "The chairs are seen at 1 s, 2 s and 3 s."),
    ("something to sit on", "The object is at 20 s."),
    ("Tasse", "Die Tasse ist bei 20 s zu sehen."),
]

OUTSIDE = [
    "The mug is seen at 45 s.",
    "The mug is visible from 25 s to 40 s.",
    "It appears at <31.60 seconds>.",
    "In the frame at 00:45 the mug stands on the desk.",
    "From 00:35 to 00:40 it is in view.",
    "The mug enters the view at 1 min 5 s.",
    "At 32, 34 and 36 seconds the mug is on the table.",
    "Between 40 and 50 seconds the camera passes the sink.",
    "The object is best seen in the frame at 100.0 s.",
    "It is visible around 33 seconds, near the end.",
    "At 5 s it is hidden, at 60 s it is not.",
    "The mug is there from 5s to 35s.",
    "I can identify it in frames 12 to 14, at 48.00 seconds.",
    "Die Tasse ist bei 45 s zu sehen.",
    "The sofa is at 2 s; the mug follows at 31.5 s.",
    "The video shows the mug at 2 minutes.",
]

SAME = [
    ("the bookshelf", "bookcase"), ("the stool", "chair"), ("the bar stool", "chair"), ("the kettle", "teapot"),
    ("the door handle", "doorknob"), ("the laptop", "macbook"), ("the hat", "cap"), ("the cap", "hat"),
    ("the jacket on the chair", "coat"), ("the coat", "jacket"), ("the pen", "marker"), ("the pen", "ballpoint"),
    ("the bed", "mattress"), ("the microwave", "oven"), ("the couch", "sectional"), ("the nightstand", "bedside table"),
    ("the nightstand", "table"), ("the cart", "trolley"), ("the fan", "ventilator"), ("the blackboard", "chalkboard"),
    ("the heater", "radiator"), ("the vacuum cleaner", "vacuum"), ("the vacuum", "hoover"), ("the poster", "sign"),
    ("the cable", "wire"), ("the cord", "cable"), ("the robot", "roomba"), ("the tissue box", "tissues"),
    ("the tissues", "tissue box"), ("the soap dispenser", "soap bottle"), ("the lid", "cap"), ("the tube", "pipe"),
    ("the jug", "pitcher"), ("the woman", "lady"), ("the child", "boy"), ("the dog", "puppy"), ("the cat", "kitten"),
    ("the piano", "keyboard"), ("the folder", "binder"), ("the recycling", "bin"), ("the parcel", "box"),
    ("the crate", "box"), ("the stroller", "pram"), ("the thermos", "flask"), ("the thermos", "bottle"),
    ("the thermos bottle", "thermos"), ("the coke", "can"), ("the beer", "bottle"), ("the coffee", "mug"),
    ("the magazine", "book"), ("the skirting", "baseboard"), ("the suitcase", "luggage"), ("the luggage", "suitcase"),
    ("the counter", "countertop"), ("the worktop", "counter"), ("the kitchen counter", "kitchen island"),
    ("the pencil case", "pencils"), ("the garbage can", "dustbin"), ("the rug", "doormat"), ("the pants", "trousers"),
]  # fmt: skip

DIFFERENT = [
    ("the red mug", "bottle"), ("the cup", "cupboard"), ("the chair", "table"), ("the coffee table", "coffee mug"),
    ("the desk lamp", "desk"), ("the door handle", "door"), ("the sofa", "bed"), ("the book", "lamp"),
    ("the office chair", "office desk"), ("the laptop", "mouse"), ("the toilet paper", "toilet"),
    ("the keyboard", "monitor"), ("the plant", "bottle"), ("the window", "door"), ("the trash can", "chair"),
    ("the backpack", "jacket"), ("the kitchen knife", "kitchen sink"), ("the tissue box", "lamp"), ("the dog", "cat"),
    ("the car key", "car"), ("the pan", "pants"), ("the key", "keyboard"), ("the bookshelf", "sofa"),
    ("the curtain", "carpet"), ("the whiteboard", "table"), ("a bowl of apples", "plate"),
    ("the ceiling fan", "ceiling"),
]  # fmt: skip

# (visible, hidden, absent) keyframes of a thing that is not where it was put.
CONTRADICTED = [(0, 0, 1), (0, 0, 9), (0, 5, 1), (1, 0, 1), (1, 0, 2), (1, 9, 2), (2, 0, 2), (2, 0, 30), (3, 1, 4),
                (4, 0, 5), (5, 5, 5), (6, 2, 7), (9, 0, 10), (10, 0, 10), (20, 0, 200), (49, 3, 50)]  # fmt: skip


@pytest.mark.parametrize(("query", "text"), RIGHT)
def test_what_is_right_about_time_raises_no_alarm(query, text):
    thoughts = [Thought("temporal", text)]
    assert all(check.holds for check in check_window(query, WINDOW, thoughts, END_S) + check_times(thoughts, END_S))


@pytest.mark.parametrize(("query", "text"), WRONG)
def test_a_window_elsewhere_is_seen(query, text):
    (check,) = check_window(query, WINDOW, [Thought("temporal", text)], END_S)
    assert not check.holds


@pytest.mark.parametrize("text", OUTSIDE)
def test_times_outside_the_clip_are_seen(text):
    (check,) = check_times([Thought("temporal", text)], END_S)
    assert not check.holds


@pytest.mark.parametrize(("query", "label"), SAME)
def test_another_name_of_the_same_raises_no_alarm(query, label):
    assert all(check.holds for check in check_label(query, label))


@pytest.mark.parametrize(("query", "label"), DIFFERENT)
def test_another_thing_is_seen(query, label):
    (check,) = check_label(query, label)
    assert not check.holds


@pytest.mark.parametrize(("visible", "hidden", "absent"), CONTRADICTED)
def test_a_thing_that_views_see_through_is_seen(visible, hidden, absent):
    seen = Evidence(0.9, 0.9, 1.0, 0.9, visible, hidden, absent)
    (check,) = check_in_3d(replace(thing(), evidence=seen))
    assert not check.holds
