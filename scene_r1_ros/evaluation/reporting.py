# SPDX-License-Identifier: Apache-2.0
"""How figures are told: lines with a target each, and numbers in tables."""

from collections.abc import Callable
from typing import NamedTuple

Tell = Callable[[str], object]  # hears what is measured next


def nobody(_: str) -> None:
    """Listens to a measurement that nobody watches."""


class Line(NamedTuple):
    """One figure; ``target`` is empty where there is none, and then ``met`` is True."""

    what: str
    measured: str
    target: str
    met: bool


def at_least(what: str, value: float, target: float, digits: int = 2) -> Line:
    return Line(what, f"{value:.{digits}f}", f"at least {target:g}", value >= target)


def at_most(what: str, value: float | None, target: float, unit: str = "", digits: int = 2) -> Line:
    """A line whose value must not be larger; None, where there was nothing to measure, does not meet it."""
    shown = "nothing" if value is None else f"{value:.{digits}f}{unit}"
    return Line(what, shown, f"at most {target:g}{unit}", value is not None and value <= target)
