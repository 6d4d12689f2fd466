# SPDX-License-Identifier: Apache-2.0
"""Referring expressions: words for exactly one thing of a picture or a clip, for all of a kind, or for none.

Each is checked against everything in its scope: one thing must fit, and none other may be argued to.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from random import Random

from scene_r1_ros.rooms.naming import (
    AFFORDANCES,
    MATERIALS,
    MAYBE,
    NO,
    NOWHERE,
    UNKNOWN_WORDS,
    YES,
    Fits,
    all_of,
    is_color,
    is_for,
    is_kind,
    is_pattern,
    plural,
)
from scene_r1_ros.rooms.room import RoomObject
from scene_r1_ros.rooms.scene_graph import Clip, Picture, Seen

ALONE = 0.5  # how often a colour is said of the only thing of its kind


@dataclass(frozen=True, eq=False)
class Scope:
    """What an expression is about: the things of one picture, or of a clip."""

    clear: tuple[RoomObject, ...]
    hinted: tuple[RoomObject, ...]  # seen, but never clearly
    seen: Mapping[int, Seen] = field(default_factory=dict)  # by instance_id, clear or not; empty for a clip

    @classmethod
    def of_picture(cls, picture: Picture) -> "Scope":
        clear, hinted = ([seen.thing for seen in part.values()] for part in (picture.clear, picture.hinted))
        return cls(tuple(clear), tuple(hinted), {**picture.clear, **picture.hinted})

    @classmethod
    def of_clip(cls, clip: Clip) -> "Scope":
        things = [clip.things[i] for i in sorted(clip.things)]
        return cls(
            tuple(thing for thing in things if thing.instance_id in clip.shown),
            tuple(thing for thing in things if thing.instance_id not in clip.shown),
        )

    def only(self, fits: Fits) -> RoomObject | None:
        """The one clear thing that fits, where nothing else could be meant."""
        values = [(fits(thing), thing) for thing in self.clear]
        possible = [(value, thing) for value, thing in values if value != NO]
        if len(possible) != 1 or possible[0][0] != YES or any(fits(thing) != NO for thing in self.hinted):
            return None
        return possible[0][1]

    def none(self, fits: Fits) -> bool:
        """Whether nothing fits, and nothing could be argued to."""
        return all(fits(thing) == NO for thing in (*self.clear, *self.hinted))

    def every(self, fits: Fits) -> tuple[RoomObject, ...]:
        """All clear things that fit; empty where any could be argued about."""
        values = [fits(thing) for thing in self.clear]
        if MAYBE in values or any(fits(thing) != NO for thing in self.hinted):
            return ()
        return tuple(thing for thing, value in zip(self.clear, values, strict=True) if value == YES)

    @cached_property
    def plain_words(self) -> dict[int, str]:
        """instance_id -> the shortest words that name it alone: its kind, or its colour and kind. Not all have any."""
        words = {}
        for thing in self.clear:
            if self.only(is_kind(thing.name)):
                words[thing.instance_id] = thing.name
            elif self.only(all_of(is_kind(thing.name), is_color(thing.color))):
                words[thing.instance_id] = thing.label
        return words


@dataclass(frozen=True, eq=False)
class Expression:
    """Words, without an article, and what they name."""

    words: str  # "red mug on the table"; "something to sit on"
    kind: str  # "category", "attribute", "relation", "view", "affordance", "several" or "absent"
    detail: str  # "color", "on", "leftmost" ...
    targets: tuple[RoomObject, ...]  # one; several; none
    rivals: tuple[RoomObject, ...] = ()  # clear, of the same kind, but not meant
    anchors: tuple[RoomObject, ...] = ()  # what a relation refers to

    @property
    def tags(self) -> tuple[str, ...]:
        if self.kind in ("relation", "view"):
            return (self.kind, self.detail, "among several" if self.rivals else "only one")
        return (self.kind, self.detail) if self.detail else (self.kind,)


def rivals_of(scope: Scope, name: str, *targets: RoomObject) -> tuple[RoomObject, ...]:
    """Other clear things that are called by the name."""
    fits = is_kind(name)
    return tuple(thing for thing in scope.clear if thing not in targets and fits(thing) == YES)


def shuffled(things: tuple[RoomObject, ...], rng: Random) -> list[RoomObject]:
    return rng.sample(things, len(things))


def category(scope: Scope, rng: Random) -> Iterator[Expression]:
    for thing in shuffled(scope.clear, rng):
        if scope.only(is_kind(thing.name)):
            yield Expression(thing.name, "category", "", (thing,))


def attribute(scope: Scope, rng: Random) -> Iterator[Expression]:
    """By colour or pattern; first where there are rivals to tell it from."""
    alone = []
    for thing in shuffled(scope.clear, rng):
        ways = [(thing.color, "color", is_color(thing.color))]
        if thing.pattern:
            ways.insert(rng.randrange(2), (thing.pattern, "pattern", is_pattern(thing.pattern)))
        for adjective, detail, fits in ways:
            if scope.only(all_of(is_kind(thing.name), fits)):
                rivals = rivals_of(scope, thing.name, thing)
                found = Expression(f"{adjective} {thing.name}", "attribute", detail, (thing,), rivals)
                if rivals:
                    yield found
                else:
                    alone.append(found)
    if rng.random() < ALONE:
        yield from alone


def affordance(scope: Scope, rng: Random) -> Iterator[Expression]:
    for purpose in rng.sample(list(AFFORDANCES), len(AFFORDANCES)):
        if target := scope.only(is_for(purpose)):
            yield Expression(purpose, "affordance", "", (target,))


def several(scope: Scope, rng: Random) -> Iterator[Expression]:
    """All of a kind, two to six of them; of one colour, too."""
    for thing in shuffled(scope.clear, rng):
        many = plural(thing.name)
        ways = [(many, is_kind(thing.name))]
        if thing.color not in MATERIALS:
            ways.append((f"{thing.color} {many}", all_of(is_kind(thing.name), is_color(thing.color))))
        for words, fits in rng.sample(ways, len(ways)):
            every = scope.every(fits) if many else ()
            if many and words and 2 <= len(every) <= 6:
                yield Expression(words, "several", "", every, rivals_of(scope, thing.name, *every))


def absent(scope: Scope, rng: Random, room: tuple[RoomObject, ...]) -> Iterator[Expression]:
    """What is not there: a kind in another colour, a thing that other pictures show, what no room has, no real word."""
    ways = {"other color": other_color, "elsewhere": elsewhere, "nowhere": nowhere, "unknown word": unknown_word}
    for way in sorted(ways, key=lambda name: rng.random() ** (1 / ABSENT_WEIGHTS[name]), reverse=True):
        yield from ways[way](scope, rng, room)


ABSENT_WEIGHTS = {"other color": 4, "elsewhere": 4, "nowhere": 1, "unknown word": 0.5}


def other_color(scope: Scope, rng: Random, room: tuple[RoomObject, ...]) -> Iterator[Expression]:
    """As "the green mug", where there is a red one."""
    colors = sorted({thing.color for thing in room} - set(MATERIALS))
    for thing in shuffled(scope.clear, rng):
        if thing.color in MATERIALS:
            continue
        for color in rng.sample(colors, len(colors)):
            if scope.none(all_of(is_kind(thing.name), is_color(color))):
                rivals = rivals_of(scope, thing.name)
                yield Expression(f"{color} {thing.name}", "absent", "other color", (), rivals)
                break


def elsewhere(scope: Scope, rng: Random, room: tuple[RoomObject, ...]) -> Iterator[Expression]:
    """A thing of the room that is not in this picture or clip; by its kind where it can be."""
    for thing in shuffled(room, rng):
        if scope.none(is_kind(thing.name)) and rng.random() < 0.5:
            yield Expression(thing.name, "absent", "elsewhere", ())
        elif scope.none(all_of(is_kind(thing.name), is_color(thing.color))):
            rivals = rivals_of(scope, thing.name)
            yield Expression(thing.label, "absent", "elsewhere", (), rivals)


def nowhere(scope: Scope, rng: Random, room: tuple[RoomObject, ...]) -> Iterator[Expression]:
    for name in rng.sample(NOWHERE, len(NOWHERE)):
        if scope.none(is_kind(name)):
            yield Expression(name, "absent", "nowhere", ())


def unknown_word(scope: Scope, rng: Random, room: tuple[RoomObject, ...]) -> Iterator[Expression]:
    word = rng.choice(UNKNOWN_WORDS)
    yield Expression(word, "absent", "unknown word", ())
