# SPDX-License-Identifier: Apache-2.0
"""Further small things as parts. Metres, z up, resting on z = 0, front towards -y. ``PAINT`` as there."""

import numpy as np

from scene_r1_ros.rooms.furniture import METAL, OAK, Part
from scene_r1_ros.rooms.materials import Material
from scene_r1_ros.rooms.more_furniture import CLOTH, DARK, GLOSSY, PAINT
from scene_r1_ros.rooms.primitives import Mesh, box, cylinder, joined, revolved, rounded_box, sphere, tube

FACE = Material((242, 240, 232))
FLAME = Material((255, 214, 120), glow=1.2)


def turned_up(mesh: Mesh) -> Mesh:
    """Lay the z axis of a body along -y: a disc stands on its edge."""
    R = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0.0]])
    return mesh.placed(R, (0, 0, 0))


def round_body(radius: float) -> Mesh:
    """A sphere that rests on z = 0, of few triangles: it is always small in a picture."""
    rise = np.linspace(-np.pi / 2, np.pi / 2, 9)
    return revolved(np.stack([np.cos(rise), np.sin(rise) + 1], axis=1) * radius, smooth=True, segments=14)


def tall_mug() -> list[Part]:
    """A cup that is wider at its top, with a square handle."""
    body = revolved([(0, 0), (0.032, 0), (0.05, 0.12), (0.045, 0.12), (0.03, 0.012), (0, 0.012)])
    handle = [box(0.05, 0.014, 0.014).moved(0.06, 0, z) for z in (0.035, 0.085)]
    return [(joined(body, *handle, box(0.014, 0.014, 0.064).moved(0.078, 0, 0.035)), GLOSSY)]


def square_bottle() -> list[Part]:
    neck = revolved([(0.022, 0.17), (0.02, 0.24), (0, 0.24)])
    return [
        (joined(rounded_box(0.08, 0.08, 0.18, 0.015), neck), GLOSSY),
        (cylinder(0.026, 0.03).moved(0, 0, 0.235), DARK),
    ]


def beach_ball() -> list[Part]:
    """A ball with a band around it, on which it rests."""
    radius = 0.1214
    band = turned_up(revolved([(radius, -0.02), (radius, 0.02)])).moved(0, 0, radius)
    return [(sphere(0.12).moved(0, 0, radius - 0.12), GLOSSY), (band, FACE)]


def wide_bowl() -> list[Part]:
    outer = [(0, 0), (0.06, 0), (0.065, 0.015), (0.15, 0.07)]
    inner = [(0.143, 0.073), (0.06, 0.022), (0, 0.022)]
    return [(revolved([*outer, *inner]), GLOSSY)]


def tall_vase() -> list[Part]:
    profile = [(0, 0), (0.06, 0), (0.045, 0.1), (0.04, 0.2), (0.075, 0.34), (0.066, 0.34), (0.03, 0.2), (0, 0.12)]
    return [(revolved(profile), GLOSSY)]


def closed_box() -> list[Part]:
    """A storage box with a lid and a pale label."""
    body, lid = box(0.34, 0.26, 0.2), box(0.36, 0.28, 0.05).moved(0, 0, 0.2)
    return [(joined(body, lid), PAINT), (box(0.12, 0.264, 0.07).moved(0, 0, 0.08), FACE)]


def cushion() -> list[Part]:
    """Leaning backwards (+y)."""
    pillow = rounded_box(0.42, 0.15, 0.4, 0.07)
    tilt = np.radians(14)
    c, s = np.cos(tilt), np.sin(tilt)
    leaning = pillow.placed(np.array([[1, 0, 0], [0, c, s], [0, -s, c]]), (0, 0, 0))
    return [(leaning.moved(0, 0, -leaning.corners[..., 2].min()), CLOTH)]


def flat_cushion() -> list[Part]:
    return [(rounded_box(0.44, 0.44, 0.15, 0.07), CLOTH)]


def table_lamp() -> list[Part]:
    """The shade carries the colour."""
    foot = revolved([(0, 0), (0.08, 0), (0.07, 0.02), (0.015, 0.04), (0.015, 0.22)])
    shade = revolved([(0, 0.19), (0.13, 0.19), (0.085, 0.37), (0, 0.37)])
    return [(foot, METAL), (shade, Material((255, 0, 255), "fabric", glow=0.35))]


def ball_lamp() -> list[Part]:
    """A round foot under a drum-shaped shade."""
    return [
        (sphere(0.075), OAK),
        (cylinder(0.012, 0.2), METAL),
        (cylinder(0.12, 0.17).moved(0, 0, 0.18), Material((255, 0, 255), "fabric", glow=0.35)),
    ]


def kettle() -> list[Part]:
    """Handle over the lid, spout towards +x."""
    body = revolved([(0, 0), (0.1, 0), (0.105, 0.03), (0.085, 0.13), (0.05, 0.165), (0, 0.17)], smooth=False)
    spout = tube([(0.07, 0, 0.06), (0.11, 0, 0.08), (0.135, 0, 0.12), (0.155, 0, 0.155)], 0.017)
    turn = np.linspace(0.1, np.pi - 0.1, 9)
    arch = np.stack([0.075 * np.cos(turn), 0 * turn, 0.13 + 0.12 * np.sin(turn)], axis=1)
    return [(joined(body, spout), GLOSSY), (joined(tube(arch, 0.011), round_body(0.018).moved(0, 0, 0.165)), DARK)]


def electric_kettle() -> list[Part]:
    """Straight and tall, the handle towards +x."""
    body = revolved([(0, 0.02), (0.08, 0.02), (0.062, 0.23), (0, 0.24)])
    handle = tube([(0.06, 0, 0.21), (0.115, 0, 0.215), (0.13, 0, 0.16), (0.12, 0, 0.08), (0.075, 0, 0.06)], 0.012)
    spout = box(0.04, 0.03, 0.04).moved(-0.07, 0, 0.185)
    return [(joined(body, spout), GLOSSY), (joined(cylinder(0.085, 0.02), handle), DARK)]


def clock() -> list[Part]:
    """An alarm clock on two feet, with two bells and a white face."""
    rim = turned_up(cylinder(0.085, 0.06)).moved(0, 0.03, 0.1)
    face = turned_up(cylinder(0.07, 0.01)).moved(0, -0.024, 0.1)
    bells = [round_body(0.032).moved(s * 0.055, 0, 0.155) for s in (-1, 1)]
    feet = [box(0.02, 0.03, 0.04).moved(s * 0.05, 0, 0) for s in (-1, 1)]
    hands = [box(0.007, 0.003, 0.055).moved(0, -0.0355, 0.1), box(0.04, 0.003, 0.008).moved(0.02, -0.0355, 0.096)]
    return [(joined(rim, *bells, *feet), GLOSSY), (face, FACE), (joined(*hands), DARK)]


def mantel_clock() -> list[Part]:
    """A block with a round white face."""
    face = turned_up(cylinder(0.07, 0.012)).moved(0, -0.04, 0.1)
    hands = [box(0.008, 0.004, 0.05).moved(0, -0.053, 0.1), box(0.04, 0.004, 0.008).moved(-0.02, -0.053, 0.096)]
    return [(rounded_box(0.22, 0.09, 0.2, 0.02), PAINT), (face, FACE), (joined(*hands), DARK)]


def teddy() -> list[Part]:
    """Sitting, with round ears and a pale muzzle."""
    fur = [
        stretched(round_body(0.11), 1, 0.9, 1.15),
        round_body(0.085).moved(0, -0.01, 0.22),
        *(round_body(0.034).moved(s * 0.066, 0, 0.345) for s in (-1, 1)),
        *(stretched(round_body(0.042), 1, 1.3, 1).moved(s * 0.075, -0.12, 0) for s in (-1, 1)),
        *(stretched(round_body(0.036), 1, 1.1, 1.5).moved(s * 0.115, -0.03, 0.1) for s in (-1, 1)),
    ]
    nose = [
        round_body(0.012).moved(0, -0.122, 0.285),
        *(round_body(0.011).moved(s * 0.033, -0.088, 0.32) for s in (-1, 1)),
    ]
    muzzle = [round_body(0.036).moved(0, -0.082, 0.24)]
    return [(joined(*fur), CLOTH), (joined(*muzzle), FACE), (joined(*nose), DARK)]


def candle() -> list[Part]:
    """On a saucer, burning."""
    flame = revolved([(0, 0.2), (0.011, 0.215), (0, 0.25)])
    saucer = revolved([(0, 0), (0.05, 0), (0.075, 0.018), (0.05, 0.012), (0, 0.012)])
    return [(cylinder(0.032, 0.2), PAINT), (flame, FLAME), (saucer, METAL)]


def candlestick() -> list[Part]:
    foot = revolved(
        [(0, 0), (0.055, 0), (0.05, 0.015), (0.012, 0.03), (0.012, 0.1), (0.028, 0.11), (0.028, 0.125), (0, 0.125)]
    )
    flame = revolved([(0, 0.29), (0.01, 0.305), (0, 0.335)])
    return [(cylinder(0.017, 0.17).moved(0, 0, 0.12), PAINT), (flame, FLAME), (foot, METAL)]


def cube() -> list[Part]:
    """A toy with rounded edges."""
    return [(rounded_box(0.15, 0.15, 0.15, 0.015), PAINT)]


def thick_book() -> list[Part]:
    """Lying flat, 0.06 m thick."""
    covers = joined(box(0.18, 0.25, 0.005), box(0.18, 0.25, 0.005).moved(0, 0, 0.055))
    pages = box(0.17, 0.24, 0.05).moved(0.002, 0, 0.005)
    return [(joined(covers, box(0.006, 0.25, 0.06).moved(-0.087, 0, 0)), PAINT), (pages, FACE)]


def stretched(mesh: Mesh, x: float, y: float, z: float) -> Mesh:
    """The body made longer along each of its own axes; normals follow."""
    normals = mesh.normals / (x, y, z)
    return Mesh(mesh.corners * (x, y, z), normals / np.linalg.norm(normals, axis=2, keepdims=True))
