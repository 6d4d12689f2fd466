# SPDX-License-Identifier: Apache-2.0
"""The answers a good model would give about a room, in the words and the format Scene-R1 answers in.

Boxes, times and text say what the pictures show, and nothing of the room's 3D truth but what stands beside what.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from scene_r1_ros.rooms.queries import Count, Target
from scene_r1_ros.rooms.room import Room, RoomObject
from scene_r1_ros.rooms.views import View

NUMBERS = ("no", "one", "two", "three", "four", "five", "six")


def recorded_answers(
    room: Room, targets: list[Target], count: Count, frames: list[dict[int, View]]
) -> dict[str, list[dict[str, Any]]]:
    """The content of ``recorded.yaml``; ``frames`` holds what each frame of the clip shows, in order of time."""
    shown = {view.stamp_ns: views for views in frames for view in views.values()}
    last_s = max(view.time_s for views in frames for view in views.values())
    answers = [
        {
            "query": target.query,
            "temporal": temporal_answer(target, last_s),
            "image": {
                str(view.stamp_ns): image_answer(room, target, view, shown[view.stamp_ns]) for view in target.views
            },
        }
        for target in targets
    ]
    return {"answers": [*answers, {"query": count.question, "answer": count_answer(count)}]}


def temporal_answer(target: Target, last_s: float) -> str:
    # Rounded outwards to 10 ms, so that no frame of the window falls out of it.
    start_s = math.floor(target.window[0].time_s * 100) / 100
    end_s = math.ceil(target.window[-1].time_s * 100) / 100
    thoughts = [f"I look for {target.query}."]
    if start_s > 0:
        thoughts.append(f"Before {start_s:.2f}s it is out of view, cut by the edge of the picture or seen less well.")
    thoughts.append(f"From {start_s:.2f}s to {end_s:.2f}s it is in every picture and never cut by the edge.")
    if target.window[-1].time_s < last_s:
        thoughts.append("After that I lose it again, or see less of it.")
    return reply(" ".join(thoughts), f"{start_s:.2f}s to {end_s:.2f}s")


def image_answer(room: Room, target: Target, view: View, shown: Mapping[int, View]) -> str:
    x1, y1, x2, y2 = view.box_xyxy
    thoughts = [
        f"The {target.object.label} is in the {third(view)} of the picture, {x2 - x1} pixels wide and {y2 - y1} high."
    ]
    beside = neighbour(room, target.object, shown)
    if beside is not None:
        one = "the" if [o.label for o in room.objects].count(beside.label) == 1 else "a"
        thoughts.append(f"Nearest to it on the {target.object.support}, of what I see, is {one} {beside.label}.")
    answer = f'{{"bbox_2d": [{x1}, {y1}, {x2}, {y2}], "label": "{target.object.label}"}}'
    return reply(" ".join(thoughts), answer)


def count_answer(count: Count) -> str:
    n = len(count.objects)
    seen = ", ".join(f"one best at {view.time_s:.2f}s" for view in count.best_views)
    number = NUMBERS[n] if n < len(NUMBERS) else str(n)
    return reply(f"I go through the clip and count the {count.noun}: {seen}. That makes {number}.", str(n))


def third(view: View) -> str:
    middle = (view.box_xyxy[0] + view.box_xyxy[2]) / 2 / view.width
    return "left third" if middle < 1 / 3 else "right third" if middle > 2 / 3 else "middle"


def neighbour(room: Room, thing: RoomObject, shown: Mapping[int, View]) -> RoomObject | None:
    """The nearest other object on the same support that the frame shows."""
    others = [o for o in room.objects if o.instance_id in shown and o.support == thing.support and o is not thing]
    away = [float(np.linalg.norm(o.box.center_world - thing.box.center_world)) for o in others]
    return others[int(np.argmin(away))] if others else None


def reply(thoughts: str, answer: str) -> str:
    return f"<think>{thoughts}</think><answer>{answer}</answer>"
