# SPDX-License-Identifier: Apache-2.0
"""Samples of one room: what its pictures and clips can teach, drawn evenly over the kinds."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from random import Random

from scene_r1_ros.learning.sample import LearningTask, NamedBox, Sample, Shot, Target
from scene_r1_ros.rooms.comparisons import KINDS
from scene_r1_ros.rooms.expressions import Expression, Scope, absent, affordance, attribute, category, several
from scene_r1_ros.rooms.phrasing import phrased
from scene_r1_ros.rooms.questions import Excerpt, Question
from scene_r1_ros.rooms.reasoning_text import image_reasoning, temporal_reasoning
from scene_r1_ros.rooms.relations import between, nearest, relation, size, view
from scene_r1_ros.rooms.room import RoomObject
from scene_r1_ros.rooms.scene_graph import Clip, Picture
from scene_r1_ros.types import Box2D, TimeWindow

PER_PICTURE, PER_CLOSE_UP = 3, 2
TEMPORAL, QUESTIONS = 20, 20  # of a room
ABSENT_IMAGE, ABSENT_TEMPORAL = 0.15, 0.2
EXCERPTS = 16  # clips cut out of a tour, beside the whole of it
MIN_CLIP, MIN_RUN = 8, 2  # frames
CLEAR_BEST = 0.5  # other stretches of a target have at most this share of the frames of its longest
MAX_DRAWS = 12  # of a kind of question, until one is new
ONLY_A_PART = 0.5  # a window longer than this share of the clip tells little
Maker = Callable[[Scope, Random], Iterator[Expression]]

# Kinds of expressions with how often each is tried first.
IMAGE: dict[str, tuple[Maker, float]] = {
    "category": (category, 1.2),
    "attribute": (attribute, 2.5),
    "relation": (relation, 6.0),
    "nearest": (nearest, 3.0),
    "size": (size, 3.0),
    "between": (between, 1.0),
    "view": (view, 4.0),
    "affordance": (affordance, 0.4),
    "several": (several, 0.5),
}
TEMPORAL_KINDS: dict[str, tuple[Maker, float]] = {
    name: IMAGE[name] for name in ("category", "attribute", "relation", "nearest", "size", "affordance")
}


def room_samples(
    scene: str, things: tuple[RoomObject, ...], tour: Sequence[Picture], close_ups: Sequence[Picture], rng: Random
) -> list[Sample]:
    """All samples of a room, with ids that count up from 0.

    Args:
        scene: of each sample, e.g. "train/0000123".
        things: all objects of the room.
    """
    excerpts = cut_out(tour, rng)
    drawn = [
        *(sample for picture in tour for sample in image_samples(picture, things, PER_PICTURE, rng)),
        *(sample for picture in close_ups for sample in image_samples(picture, things, PER_CLOSE_UP, rng, "close-up")),
        *temporal_samples(excerpts, things, rng),
        *question_samples(excerpts, rng),
        *(objects_sample(picture) for picture in (*tour, *close_ups) if picture.clear or not picture.hinted),
    ]
    return [make(sample_id=f"{scene}/{number}", scene=scene) for number, make in enumerate(drawn)]


Draft = Callable[..., Sample]  # wants the ids


def image_samples(
    picture: Picture, things: tuple[RoomObject, ...], number: int, rng: Random, *tags: str
) -> Iterator[Draft]:
    scope, words = Scope.of_picture(picture), set[str]()
    for _ in range(number):
        if expression := drawn_expression(scope, things, IMAGE, ABSENT_IMAGE, words, rng):
            words.add(expression.words)
            boxes = tuple(named_box(picture, thing) for thing in expression.targets)
            yield draft(
                "image", (shot(picture, 0.0),), phrased(expression, rng), Target(boxes=boxes),
                image_reasoning(expression, picture, rng), (*expression.tags, *tags),
            )  # fmt: skip


def drawn_expression(
    scope: Scope, things: tuple[RoomObject, ...], kinds: dict[str, tuple[Maker, float]], absent_share: float,
    taken: set[str], rng: Random, fits: Callable[[Expression], bool] = lambda expression: True,
) -> Expression | None:  # fmt: skip
    """One expression that is not taken: of a kind drawn by weight, or of the next one where that gives none."""
    makers: list[Maker] = [kinds[name][0] for name in weighted_order(kinds, rng)]
    if rng.random() < absent_share:
        makers = [partial(absent, room=things)]
    for maker in makers:
        for expression in maker(scope, rng):
            if expression.words not in taken and fits(expression):
                return expression
    return None


def weighted_order(kinds: dict[str, tuple[Maker, float]], rng: Random) -> list[str]:
    """All names, in random order, heavy ones rather first (Efraimidis and Spirakis 2006)."""
    return sorted(kinds, key=lambda name: rng.random() ** (1 / kinds[name][1]), reverse=True)


def named_box(picture: Picture, thing: RoomObject) -> NamedBox:
    return NamedBox(thing.label, Box2D(*picture.clear[thing.instance_id].box_xyxy))


def shot(picture: Picture, time_s: float) -> Shot:
    return Shot(picture.image, time_s, picture.size_wh)


def draft(
    task: LearningTask, shots: tuple[Shot, ...], query: str, target: Target, reasoning: str, tags: tuple[str, ...]
) -> Draft:
    return partial(Sample, task=task, shots=shots, query=query, target=target, reasoning=reasoning, tags=tags)


def objects_sample(picture: Picture) -> Draft:
    boxes = tuple(named_box(picture, seen.thing) for seen in picture.clear.values())
    return draft("objects", (shot(picture, 0.0),), "", Target(boxes=boxes), "", ())


def cut_out(tour: Sequence[Picture], rng: Random) -> list[Excerpt]:
    """The whole tour, and clips out of it of ``MIN_CLIP`` frames or more."""
    clips = [Clip(tuple(tour))]
    for _ in range(EXCERPTS):
        frames = rng.randint(min(MIN_CLIP, len(tour)), len(tour))
        start = rng.randint(0, len(tour) - frames)
        clips.append(Clip(tuple(tour[start : start + frames])))
    return [Excerpt(clip) for clip in clips]


def temporal_samples(excerpts: list[Excerpt], things: tuple[RoomObject, ...], rng: Random) -> Iterator[Draft]:
    taken: dict[int, set[str]] = {}
    for _ in range(TEMPORAL):
        index = 0 if rng.random() < 0.2 else rng.randrange(len(excerpts))
        excerpt, words = excerpts[index], taken.setdefault(index, set())
        expression = drawn_expression(
            excerpt.scope, things, TEMPORAL_KINDS, ABSENT_TEMPORAL, words, rng, partial(has_window, excerpt.clip)
        )
        if expression:
            words.add(expression.words)
            windows = tuple(window_of(excerpt.clip, thing) for thing in expression.targets)
            yield draft(
                "temporal", shots_of(excerpt.clip), phrased(expression, rng), Target(windows=windows),
                temporal_reasoning(expression, excerpt.clip, rng), expression.tags,
            )  # fmt: skip


def has_window(clip: Clip, expression: Expression) -> bool:
    """Whether one stretch of the clip clearly shows the target best, and its anchors too; trivially so where absent."""
    for thing in expression.targets:
        runs = sorted((len(run) for run in clip.runs(thing.instance_id)), reverse=True)
        if runs[0] < MIN_RUN or sum(runs[1:]) > CLEAR_BEST * runs[0] or runs[0] > ONLY_A_PART * len(clip.pictures):
            return False
        run = set(clip.longest_run(thing.instance_id))
        if clip.best(thing.instance_id) not in run:
            return False
        if not all(run & set(clip.shown[anchor.instance_id]) for anchor in expression.anchors):
            return False
    return True


def window_of(clip: Clip, thing: RoomObject) -> TimeWindow:
    run = clip.longest_run(thing.instance_id)
    return TimeWindow(clip.times_s[run[0]], clip.times_s[run[-1]])


def shots_of(clip: Clip) -> tuple[Shot, ...]:
    return tuple(shot(picture, time_s) for picture, time_s in zip(clip.pictures, clip.times_s, strict=True))


def question_samples(excerpts: list[Excerpt], rng: Random) -> Iterator[Draft]:
    """Each kind in turn; one that the room has no more of leaves its turn to the next."""
    makers = {name: maker(excerpts, rng) for name, maker in KINDS.items()}
    asked: set[tuple[int, str]] = set()
    turn = rng.sample(list(makers), len(makers))
    for number in range(QUESTIONS):
        for name in [turn[(number + k) % len(turn)] for k in range(len(turn))]:
            if question := next(unasked(makers[name], asked), None):
                asked.add((id(question.excerpt), question.text))
                yield draft(
                    "answer", shots_of(question.excerpt.clip), question.text, Target(answer=question.answer),
                    question.reasoning, question.tags,
                )  # fmt: skip
                break


def unasked(questions: Iterator[Question], asked: set[tuple[int, str]]) -> Iterator[Question]:
    for question in islice(questions, MAX_DRAWS):
        if (id(question.excerpt), question.text) not in asked:
            yield question
