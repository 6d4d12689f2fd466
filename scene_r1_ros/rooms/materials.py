# SPDX-License-Identifier: Apache-2.0
"""What surfaces look like: a colour, and a texture that is a function of the place on the body."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

# sRGB. Far apart from each other, so that under warm light in a shadow each is still called by its name.
PALETTE = {
    "red": (190, 30, 34),
    "blue": (32, 72, 178),
    "green": (34, 122, 56),
    "yellow": (232, 190, 36),
    "white": (236, 234, 228),
    "orange": (232, 112, 24),
    "purple": (104, 48, 140),
    "brown": (116, 76, 46),
    "grey": (128, 130, 134),
}
NOISE_SIZE = 64
PICTURE_BOTTOM_M = 1.43  # where the picture hangs


@dataclass(frozen=True)
class Material:
    """``texture`` names a function below; ``gloss`` is the strength of the highlight, ``glow`` of its own light."""

    rgb: tuple[int, int, int]  # sRGB
    texture: str = "plain"
    gloss: float = 0.0
    glow: float = 0.0
    second: tuple[int, int, int] = (238, 236, 230)  # sRGB, the other colour of a pattern
    period_m: float = 0.1  # of a pattern


def albedo(material: Material, points: NDArray[np.floating]) -> NDArray[np.floating]:
    """(N, 3) linear reflectance at points (N, 3) of the body's own frame, metres."""
    base = linear(material.rgb)
    if material.texture in PATTERNS:
        other = PATTERNS[material.texture](points / material.period_m)[:, None]
        return np.where(other, linear(material.second), base)
    return np.clip(base * TEXTURES[material.texture](points), 0, 1)


def linear(rgb: tuple[int, int, int]) -> NDArray[np.float32]:
    return ((np.array(rgb) / 255) ** 2.2).astype(np.float32)


@lru_cache(maxsize=1)
def noise_table() -> NDArray[np.floating]:
    return np.random.default_rng(7).random((NOISE_SIZE,) * 3, np.float32)


def noise(points: NDArray[np.floating], scale: tuple[float, float, float]) -> NDArray[np.floating]:
    """(N,) smooth noise, 0 to 1; ``scale`` is cells per metre along x, y, z."""
    return map_coordinates(noise_table(), (points * scale).T, order=1, mode="grid-wrap", output=np.float32)


def speckle(points: NDArray[np.floating], per_m: float) -> NDArray[np.floating]:
    """(N,) unsmoothed noise, 0 to 1, in cells so small that nobody sees their edges; five times as quick."""
    x, y, z = (points.T * per_m).astype(np.int32) % NOISE_SIZE
    return noise_table()[x, y, z]


def plain(points: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.ones((len(points), 1))


def plaster(points: NDArray[np.floating]) -> NDArray[np.floating]:
    return (0.92 + 0.09 * speckle(points, 200))[:, None]


def fabric(points: NDArray[np.floating]) -> NDArray[np.floating]:
    weave = speckle(points, 250) - 0.5
    worn = noise(points, (9, 9, 9)) - 0.5
    return (1 + 0.45 * weave + 0.25 * worn)[:, None]


def wood(points: NDArray[np.floating]) -> NDArray[np.floating]:
    """Grain along x, with rings that wander."""
    wander = noise(points, (2, 12, 12))
    grain = noise(points, (6, 160, 160))
    rings = 0.5 + 0.5 * np.sin(points[:, 1] * 90 + wander * 14)
    return (0.72 + 0.2 * rings + 0.3 * grain)[:, None]


def planks(points: NDArray[np.floating]) -> NDArray[np.floating]:
    """A floor of boards 0.14 m wide and 1.2 m long, each row shifted, with dark joints."""
    row = np.floor(points[:, 1] / 0.14)
    along = points[:, 0] / 1.2 + row * 0.37
    tone = noise(np.stack([np.floor(along), row, row * 0], axis=1), (7.3, 3.7, 1))
    across = np.abs(points[:, 1] / 0.14 - row - 0.5)
    joint = (across > 0.485) | (np.abs(along - np.floor(along) - 0.5) > 0.497)
    grain = noise(points + row[:, None], (5, 130, 130))
    return np.where(joint, 0.35, 0.72 + 0.3 * tone + 0.3 * (grain - 0.5))[:, None]


def tiles(points: NDArray[np.floating]) -> NDArray[np.floating]:
    """A floor of tiles 0.4 m wide, each of its own tone, with dark joints."""
    cell = np.floor(points[:, :2] / 0.4)
    inside = np.abs(points[:, :2] / 0.4 - cell - 0.5).max(axis=1) < 0.485
    tone = noise(np.stack([cell[:, 0], cell[:, 1], cell[:, 0] * 0], axis=1), (7.3, 3.7, 1))
    return np.where(inside, 0.85 + 0.2 * tone, 0.55)[:, None]


def rug(points: NDArray[np.floating]) -> NDArray[np.floating]:
    """Pale bands on a fabric."""
    band = np.abs(points[:, 0]) % 0.3 < 0.06
    pale = np.where(band[:, None], np.array([1.7, 1.6, 1.5]), 1.0)
    return pale * fabric(points)


def picture(points: NDArray[np.floating]) -> NDArray[np.floating]:
    """A landscape: sky, hills and a field, by height."""
    height = points[:, 2] - PICTURE_BOTTOM_M
    hills = height - 0.25 - 0.12 * noise(points, (4, 4, 0)) - 0.05 * np.sin(points[:, 0] * 9)
    field = height - 0.16 - 0.03 * np.sin(points[:, 0] * 5)
    colors = np.array([[0.85, 0.75, 0.2], [0.12, 0.35, 0.16], [0.42, 0.66, 0.95]])
    return colors[np.where(field < 0, 0, np.where(hills < 0, 1, 2))]


TEXTURES: dict[str, Callable[[NDArray[np.floating]], NDArray[np.floating]]] = {
    function.__name__: function for function in (plain, plaster, fabric, wood, planks, tiles, rug, picture)
}


# Patterns in space, of points in periods: where the second colour is. Turned, so that no flat side runs along them.
TURNED = np.array([[0.80, 0.36, -0.48], [0.0, 0.80, 0.60], [0.60, -0.48, 0.64]], np.float32)


def striped(points: NDArray[np.floating]) -> NDArray[np.bool_]:
    return (points[:, 0] * 0.6 + points[:, 1] * 0.3 + points[:, 2]) % 1 < 0.4


def checked(points: NDArray[np.floating]) -> NDArray[np.bool_]:
    return np.floor(2 * points + 0.37).sum(axis=1) % 2 < 1


def dotted(points: NDArray[np.floating]) -> NDArray[np.bool_]:
    return np.cos(2 * np.pi * points @ TURNED).sum(axis=1) > 0.75


def wallpaper(points: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Upright stripes on whichever wall."""
    return (points[:, 0] + points[:, 1]) % 1 < 0.5


def blocks(points: NDArray[np.floating]) -> NDArray[np.bool_]:
    """A modern painting: a few large fields."""
    return (np.floor(points[:, 2] * 2.3) + np.floor((points[:, 0] + points[:, 1]) * 1.7)) % 2 < 1


PATTERNS: dict[str, Callable[[NDArray[np.floating]], NDArray[np.bool_]]] = {
    function.__name__: function for function in (striped, checked, dotted, wallpaper, blocks)
}
