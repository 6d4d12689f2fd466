# SPDX-License-Identifier: Apache-2.0
"""What can be guessed about things from their kinds alone, so that no question is asked that needs no picture."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.rooms.catalogue import KINDS

DRAWS = 256


@cache
def sizes_m(name: str) -> NDArray[np.float64]:
    """(DRAWS, 2) longest edge and height of things of a kind, metres, as rooms draw them."""
    kind, rng = KINDS[name], np.random.default_rng(5)
    extents = np.array([shape.bounds[1] - shape.bounds[0] for shape in kind.shapes()])
    wide, tall = (rng.uniform(*factors, DRAWS) for factors in (kind.wide, kind.tall))
    deep = rng.uniform(*kind.deep, DRAWS) if kind.deep else wide
    drawn = extents[rng.integers(len(extents), size=DRAWS)] * np.stack([wide, deep, tall], axis=1)
    return np.stack([drawn.max(axis=1), drawn[:, 2]], axis=1)


@cache
def chance_larger(name: str, other: str, edge: int, ratio: float) -> float:
    """That a thing of one kind is the larger one, where the two are apart by a ratio; 0 to 1.

    Args:
        edge: 0 for the longest, 1 for the height.
    """
    one, two = sizes_m(name)[:, None, edge], sizes_m(other)[None, :, edge]
    larger, smaller = float((one >= ratio * two).mean()), float((two >= ratio * one).mean())
    return larger / max(larger + smaller, 1e-9)


@cache
def may_lie_on(name: str, support: str) -> bool:
    """Whether rooms put a thing of a kind on things of another."""
    takes = {kind for shape in KINDS[support].shapes() for surface in shape.surfaces for kind in surface.takes}
    return bool(takes & set(KINDS[name].lies_on))
