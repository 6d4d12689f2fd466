# SPDX-License-Identifier: Apache-2.0
"""What leads to an answer, in a few short sentences that are true of the frames.

The grammar is small on purpose, so that ``rooms.faithful`` can read it back: a thing is named with an article, and the
places or times behind it are its own, up to the next thing or the end of the sentence.
"""

from collections.abc import Iterable, Sequence
from random import Random

from scene_r1_ros.rooms.expressions import Expression
from scene_r1_ros.rooms.naming import article
from scene_r1_ros.rooms.relations import RELATIONS
from scene_r1_ros.rooms.room import RoomObject
from scene_r1_ros.rooms.scene_graph import Clip, Picture

MAX_RIVALS = 3
MAX_TIMES = 8


def place(picture: Picture, thing: RoomObject) -> str:
    x, y = picture.clear[thing.instance_id].center_xy
    return f"({x}, {y})"


def named(thing: RoomObject) -> str:
    return f"{article(thing.label)} {thing.label}"


def at_places(picture: Picture, things: Iterable[RoomObject]) -> str:
    """As "a red mug at (34, 56) and a blue mug at (80, 60)"."""
    return listed([f"{named(thing)} at {place(picture, thing)}" for thing in things])


def listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def image_reasoning(expression: Expression, picture: Picture, rng: Random) -> str:
    """Where the target is; of a relation, where its anchor is first; where its rivals are and what rules them out."""
    if not expression.targets:
        return absent_reasoning(expression, rng, lambda rivals: at_places(picture, rivals))
    if expression.kind == "several":
        return several_reasoning(expression, picture, rng)
    target = expression.targets[0]
    label, where = target.label, place(picture, target)
    if expression.kind == "affordance":
        forms = (
            "The {label} at {where} is {purpose}.",
            "{purpose_start}: the {label} at {where}.",
        )
        purpose = expression.words
        return rng.choice(forms).format(
            label=label, where=where, purpose=purpose, purpose_start=purpose[0].upper() + purpose[1:]
        )
    parts = [anchors_sentence(expression, picture)] if expression.anchors else []
    rivals = expression.rivals[: MAX_RIVALS - len(expression.anchors) // 2]
    if rivals and expression.kind in ("relation", "view"):
        parts.append(f"I see {at_places(picture, in_order(picture, (*rivals, target)))}.")
        parts.append(conclusion(expression, f"the {label} at {where}", rng))
    elif expression.kind in ("relation", "view"):
        parts.append(conclusion(expression, f"the {label} at {where}", rng))
    else:
        form = rng.choice(PATTERNED if expression.detail == "pattern" else PLAIN)
        parts.append(form.format(label=label, where=where, pattern=target.pattern))
        if rivals:
            parts.append(ruled_out(expression, at_places(picture, rivals), len(rivals), rng))
    return " ".join(parts)


PLAIN = (
    "The {label} is at {where}.",
    "I see the {label} at {where}.",
    "There is the {label}, at {where}.",
)
PATTERNED = ("The {label} at {where} is {pattern}.", "I see the {label} at {where}; it is {pattern}.")


def in_order(picture: Picture, things: Iterable[RoomObject]) -> list[RoomObject]:
    """From left to right, so that the order does not give the answer away."""
    return sorted(things, key=lambda thing: picture.clear[thing.instance_id].center_xy)


def anchors_sentence(expression: Expression, picture: Picture) -> str:
    """As "The table is at (100, 90)."."""
    anchors = [f"the {a.label} {'at' if i else 'is at'} {place(picture, a)}" for i, a in enumerate(expression.anchors)]
    return f"{capital(listed(anchors))}."


def capital(text: str) -> str:
    return text[0].upper() + text[1:]


def ruled_out(expression: Expression, rivals: str, count: int, rng: Random) -> str:
    """As "A blue mug at (80, 60) has another colour."."""
    if expression.detail == "pattern":
        why = f"{'is' if count == 1 else 'are'} not {expression.words.split()[0]}"
    else:
        why = "has another colour" if count == 1 else "have other colours"
    return capital(rng.choice(("{} {}.", "but {} {}.")).format(rivals, why))


def conclusion(expression: Expression, target: str, rng: Random) -> str:
    """As "The red mug at (34, 56) is on the brown table."."""
    holds = relation_words(expression)
    forms = (
        ["{target} is {holds}.", "Of these, {target} is {holds}."] if expression.rivals else ["{target} is {holds}."]
    )
    if expression.rivals:
        forms.append("Only {target} is {holds}.")
    return capital(rng.choice(forms).format(target=target, holds=holds))


def relation_words(expression: Expression) -> str:
    anchors = " and ".join(f"the {anchor.label}" for anchor in expression.anchors)
    if expression.detail in RELATIONS:
        return f"{RELATIONS[expression.detail][1][0].removesuffix(' the')} {anchors}"
    words = {
        "between": f"between {anchors}",
        "nearest": f"nearest to {anchors}",
        "farthest": f"farthest from {anchors}",
        "leftmost": "farthest left",
        "rightmost": "farthest right",
        "nearest to camera": "nearest to the camera",
        "farthest from camera": "farthest from the camera",
        "largest": "the largest",
        "smallest": "the smallest",
    }
    return words[expression.detail]


def several_reasoning(expression: Expression, picture: Picture, rng: Random) -> str:
    targets = in_order(picture, expression.targets)
    text = rng.choice(("I see {}.", "I count {}.", "They are {}.")).format(at_places(picture, targets))
    if rivals := expression.rivals[:MAX_RIVALS]:
        text += " " + ruled_out(expression, at_places(picture, rivals), len(rivals), rng)
    return text


def absent_reasoning(expression: Expression, rng: Random, where) -> str:
    """What is similar is named with its place or times; else that nothing is."""
    words = f"{article(expression.words)} {expression.words}" if expression.kind == "absent" else expression.words
    text = rng.choice(("I see no {}.", "There is no {} here.", "No {} can be seen.")).format(expression.words)
    if expression.detail == "unknown word":
        return rng.choice((f"I know nothing that is called {words}, and see none.", f"Nothing here is called {words}."))
    if expression.rivals:
        rivals = expression.rivals[:MAX_RIVALS]
        head = rng.choice(("Similar: {}.", "There is only {}.", "What I see is {}.")).format(where(rivals))
        return f"{head} {text}" if rng.random() < 0.5 else f"{text} {head}"
    return text


def times_of(clip: Clip, indices: Iterable[int]) -> str:
    return listed([f"{clip.times_s[i]:.1f}s" for i in indices])


def temporal_reasoning(expression: Expression, clip: Clip, rng: Random) -> str:
    """Each time that shows the target, or first, best and last of the longest stretch; then rivals with a time each."""
    if not expression.targets:
        return absent_reasoning(expression, rng, lambda rivals: at_best_times(clip, rivals))
    target = expression.targets[0]
    parts = [seen_when(clip, target, rng)]
    if expression.anchors:
        parts.append(capital(f"it is {relation_words(expression)}."))
    rivals = expression.rivals[:MAX_RIVALS]
    if rivals:
        times = at_best_times(clip, rivals)
        if expression.kind == "relation":
            parts.append(capital(f"{times} {'is' if len(rivals) == 1 else 'are'} not."))
        else:
            parts.append(capital(ruled_out(expression, times, len(rivals), rng)))
    return " ".join(parts)


def at_best_times(clip: Clip, things: Iterable[RoomObject]) -> str:
    return listed([f"{named(thing)} at {clip.times_s[clip.best(thing.instance_id)]:.1f}s" for thing in things])


def seen_when(clip: Clip, target: RoomObject, rng: Random) -> str:
    indices = clip.shown[target.instance_id]
    best = f"{clip.times_s[clip.best(target.instance_id)]:.1f}s"
    if len(indices) <= MAX_TIMES:
        forms = ("The {label} is seen at {times}, best at {best}.", "I see the {label} at {times}, best at {best}.")
        return rng.choice(forms).format(label=target.label, times=times_of(clip, indices), best=best)
    run = clip.longest_run(target.instance_id)
    first, last = (f"{clip.times_s[i]:.1f}s" for i in (run[0], run[-1]))
    best = f"{clip.times_s[max(run, key=lambda i: clip.pictures[i].clear[target.instance_id].pixels)]:.1f}s"
    forms = (
        "The longest look at the {label} begins at {first}, is best at {best} and ends at {last}.",
        "The {label} stays in view from {first} to {last}, best at {best}.",
    )
    return rng.choice(forms).format(label=target.label, first=first, best=best, last=last)
