# SPDX-License-Identifier: Apache-2.0
"""Things that lie about, as parts: a mesh with a material each. Metres, z up, resting on z = 0."""

import numpy as np

from scene_r1_ros.rooms.furniture import Part
from scene_r1_ros.rooms.materials import Material
from scene_r1_ros.rooms.primitives import box, joined, revolved, sphere, tube

RGB = tuple[int, int, int]


def mug(rgb: RGB) -> list[Part]:
    """0.09 m wide and 0.11 m high, with a handle towards +x."""
    body = revolved([(0, 0), (0.043, 0), (0.046, 0.11), (0.041, 0.11), (0.038, 0.012), (0, 0.012)])
    turn = np.linspace(-np.pi / 2, np.pi / 2, 9)
    path = np.stack([0.042 + 0.024 * np.cos(turn), 0 * turn, 0.056 + 0.03 * np.sin(turn)], axis=1)
    return [(joined(body, tube(path, 0.008)), Material(rgb, gloss=0.35))]


def ball(rgb: RGB) -> list[Part]:
    """0.24 m across."""
    return [(sphere(0.12), Material(rgb, gloss=0.25))]


def bottle(rgb: RGB) -> list[Part]:
    """0.27 m high, with a pale label."""
    glass = revolved(
        [(0, 0), (0.036, 0), (0.038, 0.01), (0.038, 0.16), (0.033, 0.185), (0.015, 0.22), (0.014, 0.26)], smooth=True
    )
    cap = revolved([(0.016, 0.25), (0.016, 0.272), (0, 0.272)])
    label = revolved([(0.0385, 0.05), (0.0385, 0.12)])
    return [(glass, Material(rgb, gloss=0.6)), (joined(cap, label), Material((226, 220, 204)))]


def book(rgb: RGB) -> list[Part]:
    """Lying flat, 0.035 m thick."""
    covers = joined(box(0.16, 0.22, 0.003), box(0.16, 0.22, 0.003).moved(0, 0, 0.032))
    spine = box(0.004, 0.22, 0.035).moved(-0.078, 0, 0)
    pages = box(0.15, 0.212, 0.029).moved(0.001, 0, 0.003)
    return [(joined(covers, spine), Material(rgb, "plaster")), (pages, Material((232, 224, 204), "plaster"))]


def bowl(rgb: RGB) -> list[Part]:
    rise = np.linspace(0, np.pi / 2.2, 8)
    outer = np.stack([0.045 + 0.08 * np.sin(rise), 0.085 * (1 - np.cos(rise))], axis=1)
    inner = outer[::-1] - np.array([0.005, -0.004])
    return [(revolved([(0, 0), *outer, *inner, (0, inner[-1][1])], smooth=False), Material(rgb, gloss=0.3))]


def vase(rgb: RGB) -> list[Part]:
    profile = [(0, 0), (0.05, 0), (0.075, 0.06), (0.08, 0.11), (0.055, 0.18), (0.032, 0.23), (0.045, 0.27)]
    return [(revolved(profile, smooth=True), Material(rgb, gloss=0.4))]


def crate(rgb: RGB) -> list[Part]:
    """An open storage box, 0.36 m wide."""
    wall = 0.015
    sides = [box(0.36, wall, 0.22).moved(0, s * (0.13 - wall / 2), 0) for s in (-1, 1)]
    ends = [box(wall, 0.26, 0.22).moved(s * (0.18 - wall / 2), 0, 0) for s in (-1, 1)]
    return [(joined(box(0.36, 0.26, wall), *sides, *ends), Material(rgb, "fabric"))]
