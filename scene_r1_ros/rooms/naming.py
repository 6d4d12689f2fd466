# SPDX-License-Identifier: Apache-2.0
"""Whether words fit a thing: yes, no, or open to argument. Only what nobody would argue about becomes a sentence.

The three values are those of Kleene's logic, so that the minimum is "and".
"""

from collections.abc import Callable
from functools import cache, lru_cache

import numpy as np

from scene_r1_ros.reasoning.nouns import head_nouns, names_one
from scene_r1_ros.reasoning.several import names_several
from scene_r1_ros.rooms.primitives import Mesh
from scene_r1_ros.rooms.room import RoomObject

YES, MAYBE, NO = 1.0, 0.5, 0.0
Fits = Callable[[RoomObject], float]  # YES, MAYBE or NO

LARGE_PART = 0.12  # of a thing's surface
# Colours that people mix up, in shadow or in themselves.
ALIKE = tuple(
    frozenset(pair.split())
    for pair in (
        "red orange", "red brown", "red pink", "orange yellow", "orange brown", "blue purple", "purple pink",
        "white grey", "white beige", "grey black", "grey silver", "brown wooden", "beige wooden", "orange wooden",
        "yellow wooden", "brown black", "beige yellow", "beige brown", "blue black", "grey metal", "silver metal",
        "black metal", "white silver", "beige grey", "purple black", "blue turquoise", "green turquoise",
    )
)  # fmt: skip
MATERIALS = ("wooden", "metal", "glass")
PALE, DARK = 195, 75  # of 255: the least channel of what is called white, the greatest of what is called black
# What could also be meant by a word, beyond the synonyms of ``reasoning.nouns``; and what is surely not.
ALSO = {
    "book": ("bookcase",),
    "bench": ("sofa",),
    "bowl": ("mug",),
    "mug": ("bowl", "kettle"),
    "bottle": ("vase",),
    "vase": ("bottle", "candle"),
    "candle": ("vase",),
    "kettle": ("mug",),
    "trash can": ("storage box",),
    "storage box": ("trash can", "cube", "suitcase"),
    "suitcase": ("storage box",),
    "cube": ("storage box",),
    "cabinet": ("bookcase",),
    "bookcase": ("cabinet",),
    "stool": ("table",),
}
CLEAR = (frozenset(("stool", "chair")),)
# Kinds that are also a part of others: nobody can say how many there are.
PARTS = {"book": ("bookcase",), "cushion": ("sofa", "armchair", "bed", "chair", "bench")}
# Things to look for in vain. None of them is like a part of the room itself, or like what stands in it.
NOWHERE = (
    "bicycle", "guitar", "umbrella", "accordion", "ladder", "drum", "kite", "fire extinguisher",
    "wheelchair", "ironing board", "surfboard", "tent", "fishing rod", "traffic cone", "sled", "violin", "canoe",
)  # fmt: skip
UNKNOWN_WORDS = ("blorf", "zimple", "quandle", "trask", "vennick", "plomber", "snood", "grillet", "fribble", "doxel")
# What people say that a thing is for: (kinds that fit, kinds that could).
AFFORDANCES = {
    "something to sit on": (
        ("chair", "armchair", "sofa", "stool", "bench"),
        ("bed", "storage box", "cushion", "table"),
    ),
    "what you can drink from": (("mug",), ("bottle", "bowl", "vase", "kettle")),
    "something to drink from": (("mug",), ("bottle", "bowl", "vase", "kettle")),
    "something to read": (("book",), ("bookcase", "television")),
    "something to play with": (("ball", "teddy"), ("cushion", "cube", "television")),
    "something to sleep in": (("bed",), ("sofa", "armchair", "bench")),
    "something to put flowers in": (("vase",), ("bottle", "bowl", "mug", "plant", "trash can", "kettle")),
    "what tells the time": (("clock",), ("television",)),
    "something that gives light": (("lamp",), ("candle", "television")),
    "something to boil water in": (("kettle",), ("bowl", "mug")),
    "something to throw rubbish into": (("trash can",), ("storage box", "bowl", "vase")),
    "something to pack for a journey": (("suitcase",), ("storage box",)),
    "something that grows": (("plant",), ("vase",)),
}


@cache
def kind_fits(asked: str, name: str) -> float:
    """Whether a thing of kind ``name`` may be called ``asked``.

    >>> kind_fits("lamp", "floor lamp"), kind_fits("chair", "armchair"), kind_fits("mug", "ball")
    (1.0, 0.5, 0.0)
    """
    if name == asked or name.endswith(f" {asked}"):
        return YES
    if name in ALSO.get(asked, ()) or any(name.endswith(f" {also}") for also in ALSO.get(asked, ())):
        return MAYBE
    if frozenset((asked, name)) in CLEAR:
        return NO
    if asked.endswith(name) or asked.split()[-1] == name.split()[-1]:  # "armchair" for a chair, "floor" for table lamp
        return NO
    return MAYBE if names_one(name, head_nouns(f"the {asked}")) or name.endswith(asked) else NO


@cache
def color_fits(asked: str, color: str) -> float:
    if asked == color:
        return YES
    return MAYBE if frozenset((asked, color)) in ALIKE else NO


def is_kind(asked: str) -> Fits:
    return lambda thing: kind_fits(asked, thing.name)


def is_color(asked: str) -> Fits:
    """What has parts or a pattern in white or black beside its own colour could be called so."""

    def fits(thing: RoomObject) -> float:
        value = color_fits(asked, thing.color)
        return MAYBE if value == NO and asked in ("white", "black") and asked in second_colors(thing) else value

    return fits


@lru_cache(maxsize=256)
def second_colors(thing: RoomObject) -> frozenset[str]:
    """Of "white" and "black", those that much of it is in."""
    areas = [surface_m2(mesh) for mesh, _ in thing.parts]
    large = [material for (_, material), area in zip(thing.parts, areas, strict=True) if area > LARGE_PART * sum(areas)]
    tones = [tone for m in large for tone in ((m.rgb, m.second) if thing.pattern else (m.rgb,))]
    dark, pale = any(max(tone) < DARK for tone in tones), any(min(tone) > PALE for tone in tones)
    return frozenset(name for name, there in (("black", dark), ("white", pale)) if there)


def surface_m2(mesh: Mesh) -> float:
    a, b, c = mesh.corners.transpose(1, 0, 2)
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)


def is_pattern(asked: str) -> Fits:
    return lambda thing: YES if thing.pattern == asked else NO


def is_for(purpose: str) -> Fits:
    """Whether a thing is good for one of ``AFFORDANCES``."""
    certain, possible = AFFORDANCES[purpose]

    def fits(thing: RoomObject) -> float:
        if sure := max(kind_fits(kind, thing.name) for kind in certain):
            return sure
        return MAYBE if any(kind_fits(kind, thing.name) for kind in possible) else NO

    return fits


def all_of(*fits: Fits) -> Fits:
    """The least that any says; the first should be the quickest, the others are asked of what it lets pass."""

    def fits_all(thing: RoomObject) -> float:
        value = YES
        for fit in fits:
            value = min(value, fit(thing))
            if value == NO:
                break
        return value

    return fits_all


@cache
def plural(name: str) -> str | None:
    """The plural of a kind, None where nobody could tell it from one thing ("glasses")."""
    if name.endswith(("s", "x", "ch", "sh")):
        many = f"{name}es"
    elif name.endswith("y") and name[-2] not in "aeiou":
        many = f"{name[:-1]}ies"
    elif name.endswith("shelf"):
        many = f"{name[:-1]}ves"
    else:
        many = f"{name}s"
    return many if names_several(f"the {many}") else None


def article(words: str) -> str:
    return "an" if words[0] in "aeiou" else "a"
