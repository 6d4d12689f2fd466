# SPDX-License-Identifier: Apache-2.0
"""What the textures of ``materials`` look like from so far that a pixel is wider than their grain.

Each takes points (3, N) in the frame of the body, metres, and the width (N,) of a pixel there, metres.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.rooms.materials import NOISE_SIZE, PATTERNS, TEXTURES, Material, linear, noise_table

F32 = NDArray[np.float32]
# Textures of which only the mean is left.
MEAN = {"plain": 1.0, "plaster": 0.965}
FAINT = ("wallpaper",)  # patterns whose edges need not be smooth


def cell_tone(i: NDArray, j: NDArray) -> F32:
    """A tone, 0 to 1, for each cell of a grid."""
    return noise_table()[(i * 7).astype(np.intp) % NOISE_SIZE, (j * 11).astype(np.intp) % NOISE_SIZE, 3]


def covered(distance: F32, half: float, width: F32) -> F32:
    """How much of a pixel a line of half width ``half`` covers, ``distance`` from its middle; metres."""
    overlap = np.minimum(distance + width / 2, half) - np.maximum(distance - width / 2, -half)
    return np.clip(overlap / width, 0, 1)


def fabric(points: F32, _: F32) -> F32:
    """Worn here and there; the weave is added as noise."""
    x, y, z = points
    return 1 + np.float32(0.06) * np.sin(19 * x + 11 * z + 2 * np.sin(17 * y))


def wood(points: F32, _: F32) -> F32:
    """Rings that wander; of the grain only the mean is left."""
    x, y, z = points
    wander = 7 + 3 * np.sin(4 * x + 21 * z) + 2 * np.sin(2.6 * x + 17 * y)
    return np.float32(0.97) + np.float32(0.1) * np.sin(90 * y + wander)


def planks(points: F32, width: F32) -> F32:
    row = np.floor(points[1] / np.float32(0.14))
    along = points[0] / np.float32(1.2) + row * np.float32(0.37)
    board = np.floor(along)
    across_m = (0.5 - np.abs(points[1] / np.float32(0.14) - row - np.float32(0.5))) * np.float32(0.14)
    end_m = (0.5 - np.abs(along - board - np.float32(0.5))) * np.float32(1.2)
    joint = np.maximum(covered(across_m, 0.0021, 1.5 * width), covered(end_m, 0.0036, 1.5 * width))
    tone = np.float32(0.72) + np.float32(0.2) * (cell_tone(board, row) - np.float32(0.5)) + np.float32(0.15)
    return tone + joint * (np.float32(0.35) - tone)


def tiles(points: F32, width: F32) -> F32:
    x, y = points[:2] / np.float32(0.4)
    i, j = np.floor(x), np.floor(y)
    inside_m = (0.5 - np.maximum(np.abs(x - i - np.float32(0.5)), np.abs(y - j - np.float32(0.5)))) * np.float32(0.4)
    joint = covered(inside_m, 0.006, 1.5 * width)
    tone = np.float32(0.95) + np.float32(0.13) * (cell_tone(i, j) - np.float32(0.5))
    return tone + joint * (np.float32(0.55) - tone)


def rug(points: F32, width: F32) -> F32:
    band = np.abs(points[0]) % np.float32(0.3) < 0.06
    return fabric(points, width) * np.where(band, np.float32(1.6), np.float32(1))


QUICK: dict[str, Callable[[F32, F32], F32]] = {
    function.__name__: function for function in (fabric, wood, planks, tiles, rug)
}


class Textures:
    """The textures of a room's parts, each in its own frame; parts are turned about the vertical only."""

    def __init__(self, materials: Sequence[Material], turns: Sequence[NDArray], origins: Sequence[NDArray]):
        self._materials = materials
        self._is_rich = np.array([material.texture not in MEAN for material in materials])
        self._cos_sin = np.array([R[:2, 0] for R in turns], np.float32).T.copy()
        self._origin = np.array(origins, np.float32).T.copy()
        textures = [material.texture for material in materials]
        self._kinds = sorted(set(textures) & set(QUICK))
        # What the pixels of a part have done to them: one of the kinds, or a pattern of their own.
        own = len(self._kinds)
        numbers = {texture: number for number, texture in enumerate(self._kinds)}
        self._group = np.array([numbers.get(texture, own + part) for part, texture in enumerate(textures)])

    def apply(self, colors: F32, part: NDArray[np.intp], points: F32, pixel_m: F32) -> F32:
        """Multiply the colours (3, N) of parts (N,) at points (3, N) of the world with their textures, in place.

        Returns (N,) 1 where a pattern shows its other colour, else 0.
        """
        factor, mark = np.ones(len(part), np.float32), np.zeros(len(part), np.float32)
        rich = np.flatnonzero(self._is_rich[part])
        its_part = part[rich]
        groups = self._group[its_part]
        places, width = self._local(points.take(rich, axis=1), its_part), pixel_m[rich]
        for group in np.flatnonzero(np.bincount(groups)).tolist():
            mine = np.flatnonzero(groups == group)
            at, there = rich[mine], places.take(mine, axis=1)
            if group < len(self._kinds):
                factor[at] = QUICK[self._kinds[group]](there, width[mine])
            else:
                mark[at] = self._pattern(self._materials[group - len(self._kinds)], colors, at, there)
        colors *= factor
        return mark

    def _pattern(self, material: Material, colors: F32, at: NDArray[np.intp], places: F32) -> NDArray[np.bool_]:
        """Give pixels ``at`` the second colour where it is; returns where that makes an edge."""
        if material.texture in PATTERNS:
            other = PATTERNS[material.texture](places.T / np.float32(material.period_m))
            colors[:, at[other]] = linear(material.second)[:, None]
            return other & (material.texture not in FAINT)
        colors[:, at] *= TEXTURES[material.texture](places.T).T
        return np.zeros(len(at), bool)

    def _local(self, points: F32, part: NDArray[np.intp]) -> F32:
        (x, y, z), (cos, sin) = points - self._origin.take(part, axis=1), self._cos_sin.take(part, axis=1)
        return np.stack([cos * x + sin * y, cos * y - sin * x, z])
