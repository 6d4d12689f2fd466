# SPDX-License-Identifier: Apache-2.0
"""Places and times in a reasoning text: (x, y) in pixels of the image, and 4.5s. Nothing else is written so."""

import re

COORDINATE = r"\d{1,5}(?:\.\d{1,3})?"
PLACE = re.compile(rf"\((?P<x>{COORDINATE}), (?P<y>{COORDINATE})\)")
TIME = re.compile(r"(?<![\w.])(?P<seconds>\d{1,7}(?:\.\d{1,6})?)s\b")


def scaled(reasoning: str, scale_xy: tuple[float, float]) -> str:
    """The same text with its places in other units, in whole numbers as models write them.

    >>> scaled("the mug at (34, 56) stands", (0.5, 2.0))
    'the mug at (17, 112) stands'
    """
    sx, sy = scale_xy
    return PLACE.sub(lambda p: f"({round(float(p['x']) * sx)}, {round(float(p['y']) * sy)})", reasoning)


def timed(reasoning: str) -> str:
    """The same text with its times in hundredths of a second, as they stand before the frames of a prompt.

    >>> timed("from 4.5s to 6s")
    'from 4.50s to 6.00s'
    """
    return TIME.sub(lambda time: f"{float(time['seconds']):.2f}s", reasoning)
