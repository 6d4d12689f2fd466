# SPDX-License-Identifier: Apache-2.0
"""Further pieces of furniture as parts. Metres, z up, standing on z = 0, front towards -y.

What carries the object's own colour is made of ``PAINT``.
"""

import numpy as np

from scene_r1_ros.rooms.furniture import METAL, OAK, WALNUT, Part, legs_of
from scene_r1_ros.rooms.materials import Material
from scene_r1_ros.rooms.primitives import Mesh, box, cylinder, joined, revolved, rounded_box

PAINT = Material((255, 0, 255))
CLOTH = Material((255, 0, 255), "fabric")
GLOSSY = Material((255, 0, 255), gloss=0.35)
LINEN = Material((238, 236, 230), "fabric")
DARK = Material((34, 34, 38), gloss=0.3)
SCREEN = Material((22, 26, 36), gloss=0.6)


def round_table() -> list[Part]:
    """0.74 m high, 1 m across, on one foot."""
    foot = revolved([(0, 0), (0.26, 0), (0.26, 0.025), (0.05, 0.06), (0.045, 0.705)])
    top = revolved([(0, 0.705), (0.5, 0.705), (0.5, 0.74), (0, 0.74)])
    return [(joined(foot, top), PAINT)]


def table_on_boards() -> list[Part]:
    """0.74 m high, 1.2 m wide, on two upright boards."""
    boards = [box(0.04, 0.66, 0.7).moved(s * 0.5, 0, 0) for s in (-1, 1)]
    return [(joined(box(1.2, 0.75, 0.04).moved(0, 0, 0.7), *boards, box(0.98, 0.02, 0.2).moved(0, 0, 0.45)), PAINT)]


def shell_chair() -> list[Part]:
    """A round-edged seat and back on metal legs, the back on the +y side."""
    seat = rounded_box(0.46, 0.44, 0.06, 0.025).moved(0, 0, 0.42)
    back = rounded_box(0.44, 0.05, 0.42, 0.02).moved(0, 0.2, 0.46)
    return [(joined(seat, back), PAINT), (joined(*legs_of(0.4, 0.38, 0.43, 0.03)), METAL)]


def padded_chair() -> list[Part]:
    """A wooden frame, seat and back covered with cloth."""
    pads = [rounded_box(0.44, 0.44, 0.08, 0.03).moved(0, 0, 0.42), box(0.4, 0.04, 0.3).moved(0, 0.19, 0.62)]
    posts = [box(0.04, 0.035, 0.5).moved(s * 0.19, 0.195, 0.45) for s in (-1, 1)]
    return [(joined(*pads), CLOTH), (joined(*posts, *legs_of(0.38, 0.38, 0.43, 0.04)), WALNUT)]


def round_stool() -> list[Part]:
    legs = legs_of(0.22, 0.22, 0.42, 0.035)
    seat = revolved([(0, 0.42), (0.19, 0.42), (0.19, 0.47), (0, 0.47)])
    ring = [box(0.22, 0.02, 0.02).moved(0, s * 0.11, 0.16) for s in (-1, 1)]
    return [(seat, PAINT), (joined(*legs, *ring), WALNUT)]


def bar_stool() -> list[Part]:
    """0.66 m high, on a metal foot."""
    foot = revolved([(0, 0), (0.2, 0), (0.19, 0.02), (0.025, 0.03), (0.025, 0.6)])
    seat = revolved([(0, 0.59), (0.15, 0.59), (0.185, 0.62), (0.185, 0.66), (0, 0.66)])
    return [(seat, GLOSSY), (foot, METAL)]


def bench() -> list[Part]:
    seat = box(1.15, 0.36, 0.05).moved(0, 0, 0.4)
    sides = [box(0.05, 0.32, 0.4).moved(s * 0.46, 0, 0) for s in (-1, 1)]
    return [(joined(seat, *sides, box(0.88, 0.04, 0.07).moved(0, 0, 0.15)), PAINT)]


def padded_bench() -> list[Part]:
    return [
        (rounded_box(1.1, 0.42, 0.14, 0.05).moved(0, 0, 0.31), CLOTH),
        (joined(*legs_of(0.96, 0.3, 0.33, 0.05)), WALNUT),
    ]


def bed(width: float) -> list[Part]:
    """2 m long; the head is at the wall (+y), with pillows; its colour is that of the blanket."""
    frame = [box(width, 2.0, 0.2).moved(0, 0, 0.1), box(width + 0.04, 0.06, 0.85).moved(0, 1.0, 0)]
    legs = legs_of(width - 0.12, 1.8, 0.12, 0.07)
    mattress = rounded_box(width - 0.04, 1.9, 0.2, 0.06).moved(0, 0, 0.28)
    blanket = rounded_box(width + 0.04, 1.36, 0.24, 0.05).moved(0, -0.32, 0.27)
    count = 1 if width < 1.2 else 2
    places = [(i - (count - 1) / 2) * width / count for i in range(count)]
    pillows = [rounded_box(width / count - 0.2, 0.34, 0.12, 0.055).moved(x, 0.72, 0.47) for x in places]
    return [(joined(*frame, *legs), OAK), (joined(mattress, *pillows), LINEN), (blanket, CLOTH)]


def cabinet() -> list[Part]:
    """Two doors with knobs, 0.8 m high."""
    body = box(0.9, 0.4, 0.74).moved(0, 0, 0.06)
    doors = [box(0.43, 0.012, 0.68).moved(s * 0.222, -0.205, 0.09) for s in (-1, 1)]
    knobs = [box(0.025, 0.03, 0.1).moved(s * 0.05, -0.22, 0.42) for s in (-1, 1)]
    return [(joined(body, *doors), PAINT), (joined(*knobs, *legs_of(0.8, 0.3, 0.06, 0.05)), DARK)]


def drawers() -> list[Part]:
    """A cabinet of three drawers, 0.76 m high."""
    fronts = [box(0.76, 0.014, 0.21).moved(0, -0.205, z) for z in (0.07, 0.3, 0.53)]
    handles = [box(0.2, 0.03, 0.025).moved(0, -0.222, z + 0.1) for z in (0.07, 0.3, 0.53)]
    return [
        (joined(box(0.8, 0.4, 0.72).moved(0, 0, 0.04), *fronts), PAINT),
        (joined(*handles, box(0.7, 0.3, 0.04)), DARK),
    ]


def shelves(height: float) -> list[Part]:
    """An open bookcase 0.95 m wide; see ``levels``."""
    sides = [box(0.03, 0.3, height).moved(s * 0.46, 0, 0) for s in (-1, 1)]
    boards = [box(0.95, 0.3, 0.025).moved(0, 0, z) for z in levels(height)]
    return [(joined(*sides, *boards, box(0.95, 0.01, height).moved(0, 0.145, 0)), PAINT)]


def levels(height: float) -> list[float]:
    """Where the boards of ``shelves`` begin, from the floor upwards; each is 0.025 m thick."""
    count = max(round((height - 0.085) / 0.36), 2) + 1
    return [float(z) for z in np.linspace(0.06, height - 0.025, count)]


def arc_lamp() -> list[Part]:
    """A floor lamp with a wide drum as its shade."""
    pole = joined(revolved([(0, 0), (0.16, 0), (0.15, 0.03), (0.014, 0.04), (0.014, 1.25)]))
    shade = joined(cylinder(0.23, 0.3).moved(0, 0, 1.2))
    return [(pole, METAL), (shade, Material((255, 0, 255), "fabric", glow=0.35))]


def cone_lamp() -> list[Part]:
    legs = [slanted(0.22, 1.3, turn) for turn in (0.5, 2.6, 4.7)]
    shade = revolved([(0, 1.26), (0.24, 1.26), (0.1, 1.6), (0, 1.6)])
    return [(joined(*legs), WALNUT), (shade, Material((255, 0, 255), "fabric", glow=0.35))]


def slanted(reach: float, height: float, turn: float) -> Mesh:
    """A thin leg from the middle at ``height`` outwards to the floor."""
    leg = box(0.03, 0.03, height)
    corners = leg.corners.copy()
    away = reach * (1 - corners[..., 2] / height)
    corners[..., 0] += away * np.cos(turn)
    corners[..., 1] += away * np.sin(turn)
    return Mesh(corners, leg.normals)


def television() -> list[Part]:
    """0.9 m wide, on a foot."""
    body = box(0.92, 0.05, 0.54).moved(0, 0, 0.07)
    screen = box(0.87, 0.01, 0.49).moved(0, -0.026, 0.095)
    return [(joined(body, box(0.06, 0.05, 0.08), box(0.42, 0.2, 0.015)), PAINT), (screen, SCREEN)]


def suitcase() -> list[Part]:
    """Upright, with a handle and wheels."""
    body = rounded_box(0.42, 0.24, 0.58, 0.05).moved(0, 0, 0.04)
    ribs = [box(0.03, 0.245, 0.5).moved(x, 0, 0.08) for x in (-0.12, 0, 0.12)]
    rods = [box(0.018, 0.018, 0.16).moved(s * 0.09, 0.07, 0.6) for s in (-1, 1)]
    wheels = legs_of(0.34, 0.16, 0.05, 0.05)
    return [(joined(body, *ribs), GLOSSY), (joined(*rods, box(0.2, 0.03, 0.03).moved(0, 0.07, 0.75), *wheels), DARK)]


def trash_can() -> list[Part]:
    """An open bucket that is wider at its top."""
    return [(revolved([(0, 0), (0.13, 0), (0.17, 0.38), (0.16, 0.38), (0.122, 0.02), (0, 0.02)]), PAINT)]


def pedal_bin() -> list[Part]:
    """A closed one with a domed dark lid."""
    lid = revolved([(0.158, 0.44), (0.158, 0.47), (0.1, 0.52), (0, 0.535)])
    return [(cylinder(0.15, 0.44), GLOSSY), (joined(lid, box(0.1, 0.08, 0.02).moved(0, -0.17, 0.02)), DARK)]
