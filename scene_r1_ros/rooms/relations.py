# SPDX-License-Identifier: Apache-2.0
"""Expressions that tell a thing from its like by where it is, by its size, or by where the camera looks from."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from random import Random

from scene_r1_ros.rooms.expressions import Expression, Scope, rivals_of, shuffled
from scene_r1_ros.rooms.naming import YES, all_of, is_kind
from scene_r1_ros.rooms.places import (
    AS_LARGE,
    apart,
    away_m,
    clearly_larger,
    clearly_nearer,
    farther,
    left_of,
    lies_between,
    linked_to,
    longest_m,
    nearer,
    next_to,
    on,
    right_of,
    under,
)
from scene_r1_ros.rooms.room import RoomObject
from scene_r1_ros.rooms.scene_graph import Seen

ALONE = 0.3  # how often a relation is asked of the only thing of its kind
Relation = Callable[[Scope, RoomObject, RoomObject], float]  # scope, anchor, thing: YES, MAYBE or NO
RELATIONS: Mapping[str, tuple[Relation, tuple[str, ...]]] = {
    "on": (on, ("on the", "on top of the", "that is on the")),
    "under": (under, ("under the", "that is under the")),
    "next to": (next_to, ("next to the", "beside the", "that is next to the")),
    "left of": (left_of, ("left of the", "to the left of the")),
    "right of": (right_of, ("right of the", "to the right of the")),
}
IN_CLIPS = ("on", "under", "next to")  # that do not depend on where the camera stands


def relation(scope: Scope, rng: Random) -> Iterator[Expression]:
    """As "the mug on the table"; first where there are other mugs."""
    names = list(RELATIONS if scope.seen else IN_CLIPS)
    alone = []
    for thing in shuffled(scope.clear, rng):
        for name in rng.sample(names, len(names)):
            found = related(scope, thing, name, rng)
            if found and found.rivals:
                yield found
            elif found:
                alone.append(found)
    if rng.random() < ALONE:
        yield from alone


def related(scope: Scope, thing: RoomObject, name: str, rng: Random) -> Expression | None:
    """The thing by its relation to any anchor that can be named in plain words."""
    holds, wordings = RELATIONS[name]
    for anchor in shuffled(scope.clear, rng):
        words = scope.plain_words.get(anchor.instance_id)
        if not words or anchor is thing or anchor.name == thing.name or holds(scope, anchor, thing) != YES:
            continue
        if holds is next_to and longest_m(anchor) < AS_LARGE * longest_m(thing):
            continue
        fits = all_of(is_kind(thing.name), partial(holds, scope, anchor))
        if scope.only(fits):
            text = f"{thing.name} {rng.choice(wordings)} {words}"
            return Expression(text, "relation", name, (thing,), rivals_of(scope, thing.name, thing), (anchor,))
    return None


def nearest(scope: Scope, rng: Random) -> Iterator[Expression]:
    """Of two or more of a kind, the nearest to or the farthest from something."""
    for name, group in groups(scope, rng):
        for anchor in shuffled(scope.clear, rng):
            words = scope.plain_words.get(anchor.instance_id)
            linked = any(linked_to(thing, anchor) for thing in group)
            if not words or linked or anchor in group or anchor.name == name:
                continue
            ranked = sorted(group, key=partial(away_m, anchor))
            ends = [("nearest", ranked[0], ranked[1], ranked[0]), ("farthest", ranked[-1], ranked[-1], ranked[-2])]
            for detail, thing, far, near in rng.sample(ends, 2):
                if clearly_nearer(scope, near, far, anchor):
                    text = f"{name} {rng.choice(SUPERLATIVES[detail])} the {words}"
                    yield Expression(text, "relation", detail, (thing,), rest_of(group, thing), (anchor,))


SUPERLATIVES = {
    "nearest": ("nearest to", "closest to"),
    "farthest": ("farthest from", "furthest from"),
    "largest": ("largest", "biggest"),
    "smallest": ("smallest",),
}


def rest_of(group: list[RoomObject], thing: RoomObject) -> tuple[RoomObject, ...]:
    return tuple(other for other in group if other is not thing)


def groups(scope: Scope, rng: Random) -> Iterator[tuple[str, list[RoomObject]]]:
    """Kinds of which there are two or more, all clear, with the things."""
    for name in shuffled_names(scope, rng):
        group = scope.every(is_kind(name))
        if len(group) >= 2:
            yield name, list(group)


def shuffled_names(scope: Scope, rng: Random) -> list[str]:
    names = sorted({thing.name for thing in scope.clear})
    return rng.sample(names, len(names))


def size(scope: Scope, rng: Random) -> Iterator[Expression]:
    """The largest or the smallest of a kind; of two, also "the small book"."""
    for name, group in groups(scope, rng):
        ranked = sorted(group, key=longest_m)
        ends = [("smallest", ranked[0], ranked[0], ranked[1]), ("largest", ranked[-1], ranked[-2], ranked[-1])]
        for detail, thing, less, more in rng.sample(ends, 2):
            if clearly_larger(scope, more, less):
                words = list(SUPERLATIVES[detail])
                if len(group) == 2:
                    words += ["small", "little"] if detail == "smallest" else ["big", "large"]
                yield Expression(f"{rng.choice(words)} {name}", "relation", detail, (thing,), rest_of(group, thing))


def between(scope: Scope, rng: Random) -> Iterator[Expression]:
    """Between two others on the same support, in the room as in the picture."""
    for thing in shuffled(scope.clear, rng):
        beside = [a for a in scope.clear if a.support_id == thing.support_id and a.instance_id in scope.plain_words]
        pairs = [(a, b) for i, a in enumerate(beside) for b in beside[i + 1 :] if thing not in (a, b)]
        for a, b in rng.sample(pairs, min(len(pairs), 6)):
            if thing.name in (a.name, b.name) or lies_between(scope, a, b, thing) != YES:
                continue
            fits = all_of(is_kind(thing.name), partial(lies_between, scope, a, b))
            if scope.only(fits):
                words = [f"the {scope.plain_words[x.instance_id]}" for x in (a, b)]
                text = f"{thing.name} between {words[0]} and {words[1]}"
                yield Expression(text, "relation", "between", (thing,), rivals_of(scope, thing.name, thing), (a, b))


def view(scope: Scope, rng: Random) -> Iterator[Expression]:
    """Of two or more of a kind, by where they are in the picture or how far from the camera."""
    for name, group in groups(scope, rng):
        for detail in rng.sample(list(VIEWS), len(VIEWS)):
            key, margin, wordings = VIEWS[detail]
            ranked = sorted((scope.seen[thing.instance_id] for thing in group), key=key)
            if margin(ranked[0], ranked[1]):
                thing = ranked[0].thing
                text = rng.choice(wordings).format(name)
                yield Expression(text, "view", detail, (thing,), rest_of(group, thing))


VIEWS: Mapping[str, tuple[Callable[[Seen], float], Callable[[Seen, Seen], bool], tuple[str, ...]]] = {
    "leftmost": (lambda s: s.center_xy[0], apart, ("leftmost {}", "{} on the far left")),
    "rightmost": (lambda s: -s.center_xy[0], apart, ("rightmost {}", "{} on the far right")),
    "nearest to camera": (lambda s: s.distance_m, nearer, ("{} nearest to the camera", "closest {}", "nearest {}")),
    "farthest from camera": (lambda s: -s.distance_m, farther, ("{} farthest from the camera", "farthest {}")),
}
