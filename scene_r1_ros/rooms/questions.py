# SPDX-License-Identifier: Apache-2.0
"""Questions about clips of a room, with answers and what leads to them.

Each kind is drawn so that its words alone tell little: what can be answered both ways by two clips of one room is
asked of either, pairs are named in random order, and counts are drawn evenly from those that clips of the room show.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random

from scene_r1_ros.rooms.expressions import Scope, shuffled
from scene_r1_ros.rooms.materials import PALETTE
from scene_r1_ros.rooms.naming import (
    MATERIALS,
    NO,
    PARTS,
    YES,
    Fits,
    all_of,
    article,
    color_fits,
    is_color,
    is_kind,
    kind_fits,
    plural,
    second_colors,
)
from scene_r1_ros.rooms.reasoning_text import at_best_times
from scene_r1_ros.rooms.room import RoomObject
from scene_r1_ros.rooms.scene_graph import Clip

NUMBERS = ("no", "one", "two", "three", "four", "five", "six")
MAX_COUNT = 6
WELL_SHARE, WELL_PIXELS = 0.45, 60  # what is counted or compared is seen at least so well in one picture
OPTIONS = 4


@dataclass(frozen=True, eq=False)
class Excerpt:
    """A clip with what can be said about it."""

    clip: Clip

    @cached_property
    def scope(self) -> Scope:
        return Scope.of_clip(self.clip)

    @cached_property
    def well_seen(self) -> frozenset[int]:
        """instance_ids of what at least one picture shows well."""
        return frozenset(
            instance_id
            for instance_id, indices in self.clip.shown.items()
            if any(
                seen.share >= WELL_SHARE and seen.pixels >= WELL_PIXELS
                for seen in (self.clip.pictures[i].clear[instance_id] for i in indices)
            )
        )

    def first_s(self, thing: RoomObject) -> float:
        return self.clip.times_s[self.clip.shown[thing.instance_id][0]]

    def best_s(self, thing: RoomObject) -> float:
        return self.clip.times_s[self.clip.best(thing.instance_id)]

    def words(self, thing: RoomObject) -> str | None:
        """The shortest words that name it alone, if it is seen well."""
        return self.scope.plain_words.get(thing.instance_id) if thing.instance_id in self.well_seen else None


@dataclass(frozen=True)
class Question:
    excerpt: Excerpt
    text: str
    answer: str
    reasoning: str
    tags: tuple[str, ...]


Maker = Callable[[Sequence[Excerpt], Random], Iterator[Question]]


def presence(excerpts: Sequence[Excerpt], rng: Random) -> Iterator[Question]:
    """Of a thing that one clip of the room shows and another does not; which of them is asked is a coin's choice."""
    for thing in shuffled(union(excerpts), rng):
        words, fits = thing.name, is_kind(thing.name)
        if rng.random() < 0.6 and thing.color not in MATERIALS:
            words, fits = thing.label, all_of(fits, is_color(thing.color))
        yes = [e for e in excerpts if (only := e.scope.only(fits)) and only.instance_id in e.well_seen]
        no = [e for e in excerpts if e.scope.none(fits)]
        if yes and no:
            there = rng.random() < 0.5
            excerpt = rng.choice(yes if there else no)
            forms = ("Is there {a} {}?", "Do you see {a} {}?", "Can you see {a} {}?", "Is {a} {} visible?")
            text = rng.choice(forms).format(words, a=article(words))
            reasoning = present(excerpt, fits, rng) if there else missing(excerpt, thing, words, rng)
            yield Question(excerpt, text, "yes" if there else "no", reasoning, ("presence",))


def union(excerpts: Sequence[Excerpt]) -> tuple[RoomObject, ...]:
    things = {thing.instance_id: thing for e in excerpts for thing in e.scope.clear}
    return tuple(things[i] for i in sorted(things))


def present(excerpt: Excerpt, fits: Fits, rng: Random) -> str:
    things = [thing for thing in excerpt.scope.clear if fits(thing) == YES]
    return rng.choice(("I see {}.", "There is {}.", "The frames show {}.")).format(at_best_times(excerpt.clip, things))


def missing(excerpt: Excerpt, thing: RoomObject, words: str, rng: Random) -> str:
    text = rng.choice(("I see no {0}.", "I look through all frames and see no {0}.", "There is no {0}.")).format(words)
    alike = [other for other in excerpt.scope.clear if is_kind(thing.name)(other) != NO][:2]
    return f"{text} There is only {at_best_times(excerpt.clip, alike)}." if alike else text


def count(excerpts: Sequence[Excerpt], rng: Random) -> Iterator[Question]:
    """How many of a kind, or on something. A number is drawn first, evenly, then what there are so many of.

    Asked is what other clips of the room show another number of, rather what they show several of: else the words tell.
    """
    found: dict[int, list[Counted]] = {}
    for counts in countable(excerpts).values():
        if len({len(one.things) for one in counts}) > 1 and (rng.random() < ONE_AT_MOST or most_of(counts) > 1):
            for one in counts:
                found.setdefault(len(one.things), []).append(one)
    for _ in range(N_COUNTS * bool(found)):
        one = rng.choice(found[rng.choice(sorted(found))])
        text = rng.choice(ON_FORMS if one.support else OF_A_KIND).format(one.words)
        yield Question(one.excerpt, text, str(len(one.things)), counting(one), ("count",))


OF_A_KIND = ("How many {} are there?", "How many {} do you see?", "Count the {}.", "How many {} can be seen?")
ON_FORMS = ("How many things are on the {}?", "How many things do you see on the {}?")
ONE_AT_MOST = 0.2  # of the kinds that no clip shows two of are asked for
N_COUNTS = 12
BOARDS = ("table", "cabinet", "bench")  # things on them are all there is on them, and are seen from all sides
WHOLE = 0.6  # of a board in one picture, so that nothing on it is missed


@dataclass(frozen=True)
class Counted:
    """What is counted in a clip."""

    excerpt: Excerpt
    words: str  # of the kind, in the plural; or of the support
    things: tuple[RoomObject, ...]
    support: RoomObject | None = None


def most_of(counts: list[Counted]) -> int:
    return max(len(one.things) for one in counts)


def countable(excerpts: Sequence[Excerpt]) -> dict[str, list[Counted]]:
    """By the words for it, what can be counted in each clip."""
    found: dict[str, list[Counted]] = {}
    for name in sorted({thing.name for thing in union(excerpts)}):
        for excerpt in excerpts if (many := plural(name)) else ():
            if (things := counted(excerpt, name)) is not None and len(things) <= MAX_COUNT:
                found.setdefault(str(many), []).append(Counted(excerpt, str(many), things))
    for excerpt in excerpts:
        for support in excerpt.scope.clear:
            words = excerpt.words(support)
            things = carried(excerpt, support) if words and support.name in BOARDS else None
            if things is not None and len(things) <= MAX_COUNT:
                found.setdefault(f"on {support.name}", []).append(Counted(excerpt, str(words), things, support))
    return found


def carried(excerpt: Excerpt, support: RoomObject) -> tuple[RoomObject, ...] | None:
    """All that stands on something; None where some of it is not seen well, or may be out of view."""
    views = (excerpt.clip.pictures[i].clear[support.instance_id] for i in excerpt.clip.shown[support.instance_id])
    if max(view.share for view in views) < WHOLE:
        return None
    things = [t for t in (*excerpt.scope.clear, *excerpt.scope.hinted) if t.support_id == support.instance_id]
    return tuple(things) if all(thing.instance_id in excerpt.well_seen for thing in things) else None


def counted(excerpt: Excerpt, name: str) -> tuple[RoomObject, ...] | None:
    """All of a kind; None where one is not seen well, or could be argued about."""
    fits = is_kind(name)
    if not excerpt.scope.none(
        lambda thing: max((kind_fits(whole, thing.name) for whole in PARTS.get(name, ())), default=NO)
    ):
        return None
    if excerpt.scope.none(fits):
        return ()
    things = excerpt.scope.every(fits)
    return things if things and all(thing.instance_id in excerpt.well_seen for thing in things) else None


def counting(one: Counted) -> str:
    where = f"The {one.support.label} is seen at {one.excerpt.best_s(one.support):.1f}s. " if one.support else ""
    if not one.things:
        return f"{where}I see nothing on it." if where else f"I go through the frames and see no {one.words}."
    ordered = sorted(one.things, key=one.excerpt.best_s)
    return f"{where}I count {at_best_times(one.excerpt.clip, ordered)}. That makes {NUMBERS[len(one.things)]}."


def color(excerpts: Sequence[Excerpt], rng: Random) -> Iterator[Question]:
    """Of a thing that its kind alone names; free, or with options that nobody takes for the right one."""
    for excerpt in rng.sample(excerpts, len(excerpts)):
        for thing in shuffled(excerpt.scope.clear, rng):
            if excerpt.words(thing) != thing.name or not has_one_color(thing):
                continue
            forms = ("What colour is the {}?", "What color is the {}?", "Which colour does the {} have?")
            text, answer, tag = rng.choice(forms).format(thing.name), thing.color, "free"
            if rng.random() < 0.5:
                options = options_with(thing.color, rng)
                letters = "ABCDEFGH"[: len(options)]
                text += "".join(f" ({letter}) {option}" for letter, option in zip(letters, options, strict=True))
                answer, tag = f"{letters[options.index(thing.color)]}. {thing.color}", "options"
            reasoning = f"The {thing.label} is seen best at {excerpt.best_s(thing):.1f}s. It is {thing.color}."
            yield Question(excerpt, text, answer, reasoning, ("color", tag))


def has_one_color(thing: RoomObject) -> bool:
    """Whether everybody would name the same colour, and nobody could without seeing it."""
    two_colored = thing.pattern or (thing.name == "ball" and second_colors(thing) - {thing.color})
    return not two_colored and thing.color not in MATERIALS and thing.name != "plant"


def options_with(right: str, rng: Random) -> list[str]:
    others = [other for other in PALETTE if color_fits(right, other) == NO]
    return rng.sample([right, *rng.sample(others, OPTIONS - 1)], OPTIONS)
