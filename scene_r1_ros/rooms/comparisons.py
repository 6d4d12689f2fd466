# SPDX-License-Identifier: Apache-2.0
"""Questions about two or more things of a clip: which is taller or nearer, what is on what, what is seen first."""

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, islice, pairwise
from random import Random

from scene_r1_ros.rooms.expressions import shuffled
from scene_r1_ros.rooms.naming import MAYBE, YES
from scene_r1_ros.rooms.places import CLEARLY_LARGER, aside, away_m, clearly_nearer, is_larger, linked_to, longest_m
from scene_r1_ros.rooms.prior import chance_larger, may_lie_on
from scene_r1_ros.rooms.questions import Excerpt, Maker, Question, color, count, presence
from scene_r1_ros.rooms.reasoning_text import at_best_times
from scene_r1_ros.rooms.room import RoomObject

TALLER = 1.25
NOT_TALL = frozenset(("cushion", "book", "bowl", "ball", "cube"))  # nobody speaks of their height ...
NOT_BULKY = frozenset(("plant", "floor lamp", "table lamp", "candle"))  # ... or of the size of these, thin in parts
LATER_FRAMES = 2  # between the first clear views of two things of which one is seen first
MAX_PAIRS = 40
Pair = tuple[RoomObject, RoomObject]


def comparison(excerpts: Sequence[Excerpt], rng: Random) -> Iterator[Question]:
    """Larger, taller, or nearer to something; as a choice between two, or as yes or no."""
    for excerpt in rng.sample(excerpts, len(excerpts)):
        couples = pairs(excerpt, rng)
        for way in (*rng.sample(OF_SIZE, len(OF_SIZE)), nearer):  # first what is rare
            found = (question for first, second in couples if (question := way(excerpt, first, second, rng)))
            yield from islice(found, 1)


def pairs(excerpt: Excerpt, rng: Random) -> list[Pair]:
    """Pairs of things with words of their own, each in random order."""
    named = [thing for thing in excerpt.scope.clear if excerpt.words(thing)]
    every = list(combinations(named, 2))
    return [(a, b) if rng.random() < 0.5 else (b, a) for a, b in rng.sample(every, min(len(every), MAX_PAIRS))]


def larger(excerpt: Excerpt, first: RoomObject, second: RoomObject, rng: Random) -> Question | None:
    more, less = sorted((first, second), key=longest_m, reverse=True)
    if {first.name, second.name} & NOT_BULKY or not is_larger(more, less, CLEARLY_LARGER):
        return None
    if not together(excerpt, first, second) or not open_to_doubt(more, less, 0, CLEARLY_LARGER, rng):
        return None
    return compared(excerpt, (first, second), more, "larger", rng)


def taller(excerpt: Excerpt, first: RoomObject, second: RoomObject, rng: Random) -> Question | None:
    more, less = sorted((first, second), key=lambda thing: thing.box.size_m[2], reverse=True)
    if {first.name, second.name} & NOT_TALL or more.box.size_m[2] < TALLER * less.box.size_m[2]:
        return None
    if not together(excerpt, first, second) or not open_to_doubt(more, less, 1, TALLER, rng):
        return None
    return compared(excerpt, (first, second), more, "taller", rng)


def open_to_doubt(more: RoomObject, less: RoomObject, edge: int, ratio: float, rng: Random) -> bool:
    """Keep as many pairs in which one kind is larger than the other as in which it is smaller."""
    chance = chance_larger(more.name, less.name, edge, ratio)
    return chance < 1 and rng.random() < (1 - chance) / max(chance, 0.5)


def nearer(excerpt: Excerpt, first: RoomObject, second: RoomObject, rng: Random) -> Question | None:
    couple = (first, second)
    others = [thing for thing in excerpt.scope.clear if excerpt.words(thing) and thing not in couple]
    anchors = [thing for thing in others if not any(linked_to(one, thing) for one in couple)]
    for anchor in rng.sample(anchors, min(4, len(anchors))):
        near, far = sorted((first, second), key=lambda thing: away_m(anchor, thing))
        if together(excerpt, first, second, anchor) and clearly_nearer(excerpt.scope, near, far, anchor):
            return compared(excerpt, (first, second), near, f"nearer to the {excerpt.words(anchor)}", rng)
    return None


OF_SIZE = (larger, taller)


def together(excerpt: Excerpt, *things: RoomObject) -> bool:
    """Whether one picture shows them all clearly."""
    return bool(set.intersection(*(set(excerpt.clip.shown[thing.instance_id]) for thing in things)))


def compared(excerpt: Excerpt, asked: Pair, right: RoomObject, how: str, rng: Random) -> Question:
    first, second = (excerpt.words(thing) for thing in asked)
    answer = str(excerpt.words(right))
    seen = f"I see {at_best_times(excerpt.clip, asked)}."
    tags = ("comparison", how.split()[0])
    if rng.random() < 0.5:
        text = rng.choice(("Which is {}, the {} or the {}?", "What is {}: the {} or the {}?")).format(
            how, first, second
        )
        return Question(excerpt, text, answer, f"{seen} The {right.label} is {how}.", (*tags, "which"))
    yes = asked[0] is right
    reasoning = f"{seen} The {right.label} is {how}."
    text = f"Is the {first} {how} than the {second}?"
    return Question(excerpt, text, "yes" if yes else "no", reasoning, (*tags, "yes no"))


def relation(excerpts: Sequence[Excerpt], rng: Random) -> Iterator[Question]:
    """What is on something, whether it is, and whether one thing is left of another in all frames that show both."""
    for excerpt in rng.choices(excerpts, k=3 * len(excerpts)):
        for way in rng.sample(WAYS, len(WAYS)):
            yield from way(excerpt, rng)


def what_is_on(excerpt: Excerpt, rng: Random) -> Iterator[Question]:
    for support in shuffled(excerpt.scope.clear, rng):
        things = [t for t in (*excerpt.scope.clear, *excerpt.scope.hinted) if t.support_id == support.instance_id]
        words = excerpt.words(support)
        if words and len(things) == 1 and things[0].instance_id in excerpt.well_seen:
            text = rng.choice(("What is on the {}?", "What stands on the {}?", "What can be seen on the {}?")).format(
                words
            )
            seen = f"I see {at_best_times(excerpt.clip, (support, things[0]))}."
            reasoning = f"{seen} The {things[0].label} is on the {support.label}."
            yield Question(excerpt, text, things[0].name, reasoning, ("relation", "what is on"))
            return


def is_on(excerpt: Excerpt, rng: Random) -> Iterator[Question]:
    """Of a support, and by a coin's choice what stands on it, or what stands elsewhere but could stand on it."""
    things = [t for t in shuffled(excerpt.scope.clear, rng) if excerpt.words(t) and t.support_id in excerpt.well_seen]
    for support in shuffled(excerpt.scope.clear, rng):
        here = [t for t in things if t.support_id == support.instance_id]
        elsewhere = [t for t in things if t not in here and may_lie_on(t.name, support.name)]
        if excerpt.words(support) and here and elsewhere:
            yes = rng.random() < 0.5
            thing = (here if yes else elsewhere)[0]
            carrier = excerpt.clip.things[thing.support_id]
            text = f"Is the {excerpt.words(thing)} on the {excerpt.words(support)}?"
            seen = f"I see {at_best_times(excerpt.clip, (thing, carrier))}."
            reasoning = f"{seen} The {thing.label} is on the {carrier.label}."
            yield Question(excerpt, text, "yes" if yes else "no", reasoning, ("relation", "is on"))
            return


def is_left(excerpt: Excerpt, rng: Random) -> Iterator[Question]:
    for first, second in pairs(excerpt, rng):
        frames = set(excerpt.clip.shown[first.instance_id]) & set(excerpt.clip.shown[second.instance_id])
        seen = [excerpt.clip.pictures[i].clear for i in sorted(frames)]
        left = {aside(clear[first.instance_id], clear[second.instance_id]) for clear in seen}
        right = {aside(clear[second.instance_id], clear[first.instance_id]) for clear in seen}
        if len(frames) < 2 or MAYBE in left | right or {len(left), len(right)} != {1} or left == right:
            continue
        side = rng.choice(("left", "right"))
        yes = (left if side == "left" else right) == {YES}
        both = min(frames)
        text = f"Is the {excerpt.words(first)} {side} of the {excerpt.words(second)}?"
        other = side if yes else {"left": "right", "right": "left"}[side]
        when = excerpt.clip.times_s[both]
        seen_at = f"I see the {first.label} at {when:.1f}s and the {second.label} at {when:.1f}s."
        reasoning = f"{seen_at} The {first.label} is {other} of the {second.label}."
        yield Question(excerpt, text, "yes" if yes else "no", reasoning, ("relation", "left of"))
        return


WAYS: tuple[Callable[[Excerpt, Random], Iterator[Question]], ...] = (what_is_on, is_on, is_left)


def order(excerpts: Sequence[Excerpt], rng: Random) -> Iterator[Question]:
    """What comes into view first, last, or after something else; clearly apart in time."""
    for excerpt in rng.sample(excerpts, len(excerpts)):
        named = [thing for thing in excerpt.scope.clear if excerpt.words(thing)]
        for number in rng.sample((2, 3), 2):
            for _ in range(4):
                if len(named) < number:
                    continue
                things = rng.sample(named, number)
                ranked = sorted(things, key=excerpt.first_s)
                if all(clearly_later(excerpt, a, b) for a, b in pairwise(ranked)):
                    yield in_turn(excerpt, things, ranked, rng)


def clearly_later(excerpt: Excerpt, first: RoomObject, second: RoomObject) -> bool:
    """Whether the second is not even hinted at until the first has been seen clearly, and comes some frames later."""
    one, other = (excerpt.clip.shown[thing.instance_id][0] for thing in (first, second))
    before = excerpt.clip.pictures[: one + 1]
    return other >= one + LATER_FRAMES and not any(second.instance_id in p.hinted for p in before)


def in_turn(excerpt: Excerpt, things: list[RoomObject], ranked: list[RoomObject], rng: Random) -> Question:
    words = [f"the {excerpt.words(thing)}" for thing in things]
    firsts = " and ".join(f"the {t.label} at {excerpt.first_s(t):.1f}s" for t in ranked)
    seen = f"First seen are {firsts}." if len(things) == 2 else f"First seen are {firsts.replace(' and ', ', ', 1)}."
    if len(things) == 2:
        last = rng.random() < 0.5
        right = ranked[-1] if last else ranked[0]
        word = "last" if last else "first"
        form = rng.choice(("Which is seen {}, {} or {}?", "What comes into view {}, {} or {}?"))
        text = form.format(word, *words)
    else:
        word = rng.choice(("first", "second", "last"))
        right = ranked[("first", "second", "last").index(word)]
        text = f"Which of these is seen {word}: {words[0]}, {words[1]} or {words[2]}?"
    reasoning = f"{seen} So the {right.label} comes {word}."
    return Question(excerpt, text, str(excerpt.words(right)), reasoning, ("order", word, f"of {len(things)}"))


KINDS: dict[str, Maker] = {
    "presence": presence,
    "count": count,
    "color": color,
    "comparison": comparison,
    "relation": relation,
    "order": order,
}
