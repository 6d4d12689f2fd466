# SPDX-License-Identifier: Apache-2.0
"""Rooms put together by hand, without meshes: things with a place, a size and a box in the picture."""

import numpy as np

from scene_r1_ros.answer import OrientedBox
from scene_r1_ros.rooms.expressions import Scope
from scene_r1_ros.rooms.room import RoomObject
from scene_r1_ros.rooms.scene_graph import Clip, Picture, Seen

SIZE_WH = (224, 168)


def thing(number, label, at=(0.0, 0.0, 0.0), size=(0.1, 0.1, 0.1), on=0, pattern="", parts=()):
    """A thing labelled "red mug", whose middle is ``at``."""
    color, _, name = label.partition(" ")
    box = OrientedBox(np.array(at, float), np.array(size, float), np.eye(3))
    position = np.array(at, float)
    return RoomObject(
        number, name, color, "", list(parts), np.eye(3), position, box, np.zeros((1, 3), np.float32), pattern, on
    )


def seen(one, box_xyxy, distance_m=2.0, share=1.0):
    x1, y1, x2, y2 = box_xyxy
    return Seen(one, box_xyxy, (x2 - x1) * (y2 - y1), share, x1 == 0 or x2 == SIZE_WH[0], distance_m)


def picture(*views, hinted=(), time_s=0.0):
    clear, hints = ({view.thing.instance_id: view for view in part} for part in (views, hinted))
    return Picture("images/a.jpg", time_s, SIZE_WH, clear, hints)


def scope(*views, hinted=()):
    return Scope.of_picture(picture(*views, hinted=hinted))


def clip(*shown, step_s=0.5):
    """A clip of one picture for each tuple of things, which stand side by side in it."""
    pictures = []
    for index, things in enumerate(shown):
        views = [seen(one, (10 + 30 * i, 40, 30 + 30 * i, 60)) for i, one in enumerate(things)]
        pictures.append(picture(*views, time_s=index * step_s))
    return Clip(tuple(pictures))
