# SPDX-License-Identifier: Apache-2.0
"""What can be asked about a room: three objects of different size, and a count. Every sentence is true and unique."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from scene_r1_ros.errors import BadInput
from scene_r1_ros.rooms.room import Room, RoomObject
from scene_r1_ros.rooms.views import View, longest_run, well_seen

# Each class of size with the names that have a clear shape and stand free.
SIZES = {"large": ("armchair",), "medium": ("ball", "storage box"), "small": ("mug", "bottle")}
COUNTED = {"chair": "wooden chairs", "mug": "mugs", "ball": "balls"}


@dataclass(frozen=True)
class Target:
    """An object that is asked for."""

    query: str
    size: str  # "large", "medium" or "small"
    object: RoomObject
    views: list[View]  # all that show it well
    window: list[View]  # the longest stretch of these


@dataclass(frozen=True)
class Count:
    """A question how many there are of something, and where each is seen best."""

    question: str
    noun: str
    objects: list[RoomObject]
    best_views: list[View]  # one per object


def targets(room: Room, views: Mapping[int, list[View]], step_s: float) -> list[Target]:
    """One object of each size: the one the clip shows well for the longest time.

    Raises:
        BadInput: the clip shows none of a size well.
    """
    chosen = []
    for size, names in SIZES.items():
        candidates = [target_of(room, o, size, views, step_s) for o in room.objects if o.name in names]
        best = max(candidates, key=lambda target: len(target.window))
        if not best.window:
            raise BadInput(
                f"the walk through the room of seed {room.seed} shows no {' or '.join(names)} whole; "
                "use more frames or another seed"
            )
        chosen.append(best)
    return chosen


def target_of(room: Room, thing: RoomObject, size: str, views: Mapping[int, list[View]], step_s: float) -> Target:
    good = well_seen(views.get(thing.instance_id, []))
    return Target(sentence(room, thing), size, thing, good, longest_run(good, step_s))


def sentence(room: Room, thing: RoomObject) -> str:
    """A noun phrase that fits this object and no other in the room."""
    alike = [o for o in room.objects if (o.name, o.color) == (thing.name, thing.color)]
    if len(alike) > 1:
        raise BadInput(
            f"the room of seed {room.seed} has {len(alike)} of '{thing.label}'; no sentence tells them apart"
        )
    return f"the {thing.label}" if thing.name in SIZES["large"] else f"the {thing.label} on the {thing.support}"


def count(room: Room, views: Mapping[int, list[View]]) -> Count:
    """How many there are of a kind, of which the clip shows every one.

    Raises:
        BadInput: of every kind, one is never seen.
    """
    for name, noun in COUNTED.items():
        things = [o for o in room.objects if o.name == name]
        if all(o.instance_id in views for o in things):
            best = [max(views[o.instance_id], key=lambda view: view.pixels) for o in things]
            return Count(f"How many {noun} are there?", noun, things, best)
    raise BadInput(f"the walk through the room of seed {room.seed} is too short to count anything; use more frames")


def three_of(views: list[View]) -> list[View]:
    """Up to three views, spread over all."""
    picks = np.unique(np.linspace(0, len(views) - 1, 3).round().astype(int))
    return [views[i] for i in picks]
