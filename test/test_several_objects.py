# SPDX-License-Identifier: Apache-2.0
"""Queries for several things: all of them are found, each once, and nothing that is none."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from scene_r1_ros.answer import DOUBTFUL, OrientedBox
from scene_r1_ros.config import Config, VerifyConfig
from scene_r1_ros.errors import ErrorCode
from scene_r1_ros.evaluation.metrics import box_iou_3d
from scene_r1_ros.evaluation.room_clips import MIN_PIXELS, STRUCTURED, film
from scene_r1_ros.reasoning.clip import Clip
from scene_r1_ros.report.overlay import overlay
from scene_r1_ros.report.plan import plan
from scene_r1_ros.report.terminal import verdict
from scene_r1_ros.rooms.views import extent
from scene_r1_ros.run import Run
from scene_r1_ros.scene_r1 import SceneR1
from scene_r1_ros.tracking import load_tracker
from scene_r1_ros.tries import Tries, overlap, same_thing
from scene_r1_ros.types import Box2D, Frame, Hypothesis, Mask
from scene_r1_ros.wording import summary
from test.reasoning.scripted import Scripted
from test.scenes import BLOCK_COLOR, CAMERA, FLOOR_COLOR, around, cast

CONFIG = Config()
CENTERS = ((-0.4, -0.1, 0.125), (0.0, 0.3, 0.125), (0.4, -0.1, 0.125))
BLOCKS = [OrientedBox(np.array(center), np.array([0.2, 0.15, 0.25]), np.eye(3)) for center in CENTERS]


def seen(index: int, T_world_camera: np.ndarray) -> tuple[Frame, list[Mask]]:
    """A frame of the three blocks on the floor, and the exact mask of each."""
    casts = [cast(T_world_camera, block=block) for block in BLOCKS]
    depth_m = np.stack([np.where(depth > 0, depth, np.inf) for depth, _ in casts])
    nearest = depth_m.min(axis=0)
    on = [shown & (depth == nearest) for depth, (_, shown) in zip(depth_m, casts, strict=True)]
    noise = np.random.default_rng(index).integers(-12, 13, (*nearest.shape, 3))
    color = np.where(np.any(on, axis=0)[..., None], BLOCK_COLOR, FLOOR_COLOR) + noise
    depth = np.where(np.isfinite(nearest), nearest, 0).astype(np.float32)
    frame = Frame(f"{index:06d}", 10**9 + index * 10**8, color.astype(np.uint8), depth, CAMERA, T_world_camera)
    return frame, [Mask(frame, pixels, 1.0) for pixels in on]


VIEWS = [seen(i, T) for i, T in enumerate(around(8, radius_m=1.4, height_m=1.0))]
FRAMES = [frame for frame, _ in VIEWS]
BOXES = {frame.frame_id: [mask.box for mask in masks] for frame, masks in VIEWS}


class Knowing(Scripted):
    """Says in each frame what the test gives it: boxes by the frame's id."""

    def __init__(self, boxes, **spec):
        super().__init__(**spec)
        self.boxes = boxes

    def reply(self, request, on_text, should_stop):
        said = [{"bbox_2d": box.xyxy, "label": "block"} for box in self.boxes.get(request.frames[0].frame_id, [])]
        image = json.dumps(said) if said else "not present"
        window = f"0s to {request.times_s[-1]:.2f}s"
        self.texts = [f"<answer>{window if request.task == 'temporal' else image}</answer>"]
        return super().reply(request, on_text, should_stop)


def found(boxes, query="the blocks", config=CONFIG, run=None, **spec):
    return SceneR1(Knowing(boxes, **spec), load_tracker(config), config).ground(query, FRAMES, run)


def true_ones(answer) -> list[int]:
    """Which of the blocks the objects are, best first; -1 for none."""
    ious = [[box_iou_3d(one.box, block) for block in BLOCKS] for one in answer.objects]
    return [int(np.argmax(row)) if max(row) > 0.6 else -1 for row in ious]


def test_all_that_a_reply_names_are_found():
    answer = found(BOXES)
    assert answer.status == "found" and sorted(true_ones(answer)) == [0, 1, 2]
    assert answer.text.startswith("3 found: block: at (") and answer.text.count("m large") == 3
    scores = [one.score for one in answer.objects]
    assert len(set(scores)) == 3 and all(len(one.masks) >= 4 and len(one.points_world) for one in answer.objects)
    assert sum(step.stage == "track" for step in answer.rationale) == 3  # the boxes of other frames confirm them


def test_of_one_thing_boxes_are_alternatives():
    answer = found(BOXES, query="the block")
    assert len(answer.objects) == 1 and true_ones(answer) != [-1] and answer.text.startswith("block: at (")


def test_things_of_different_frames_come_together():
    ids = [frame.frame_id for frame in FRAMES]
    one_each = {name: [BOXES[name][i % 3]] for i, name in enumerate(ids)}
    answer = found(one_each, image_frames=8)
    assert sorted(true_ones(answer)) == [0, 1, 2]


def test_what_is_boxed_twice_comes_out_once():
    def upper(box: Box2D) -> Box2D:
        return Box2D(box.x1, box.y1, box.x2, box.y1 + 0.6 * (box.y2 - box.y1))

    twice = {name: [part for box in boxes for part in (box, upper(box))] for name, boxes in BOXES.items()}
    assert sorted(true_ones(found(twice))) == [0, 1, 2]


def test_what_one_frame_names_and_others_see_and_do_not_is_left_out():
    """A piece of the bare floor, once: it holds in 3D, but no other frame has it."""
    first = next(iter(found(BOXES).objects)).source.frame_id
    wrong = {name: [*boxes, Box2D(5, 80, 40, 115)] if name == first else boxes for name, boxes in BOXES.items()}
    answer = found(wrong)
    assert sorted(true_ones(answer)) == [0, 1, 2]
    assert sum(step.stage == "verify" for step in answer.rationale) == 4


@pytest.mark.parametrize("loose_px", [0.0, 2.0])
def test_a_box_shows_one_thing(loose_px):
    """What lies so that it would cover the boxes of another thing, if not as well, has none for itself."""
    (first, second), boxes = found(BOXES).objects[:2], [(VIEWS[i][0], BOXES[VIEWS[i][0].frame_id]) for i in (2, 5)]
    beside = replace(first, points_world=first.points_world + np.float32((0.03, 0.03, 0.03)), masks=())
    tries = Tries(CONFIG.verify, Clip.of(FRAMES), several=True)
    tries.boxes = [Hypothesis(frame, grown(box, loose_px), "block", "") for frame, named in boxes for box in named]
    tries.found = [beside, first, second]
    assert all(max(overlap(beside, box) for box in tries.boxes if box.frame is frame) > 0.5 for frame, _ in boxes)
    assert set(tries.objects) == {first, second} and not same_thing(beside, first)


def test_in_doubt_one_of_several_is_answered_too():
    """As the only one of a query for one thing is."""
    floor = {"000003": [Box2D(5, 80, 40, 115)], "000005": [Box2D(2, 2, 5, 5)]}
    (unsure,) = found(floor, image_frames=8).objects
    assert unsure.score < DOUBTFUL


def test_the_number_of_tries_is_for_each_of_them():
    never = Config(verify=VerifyConfig(min_reprojection_iou=1.0, max_tries=2))
    answer = found(BOXES, config=never)
    assert answer.error_code == ErrorCode.NOT_FOUND and len(answer.tries) == 3 * 2
    assert len(found(BOXES, "the block", never).tries) == 2


def test_with_one_try_each_all_that_a_reply_names_are_found():
    once = Config(verify=VerifyConfig(max_tries=1))
    assert sorted(true_ones(found(BOXES, config=once))) == [0, 1, 2]


def grown(box: Box2D, px: float) -> Box2D:
    return Box2D(box.x1 - px, box.y1 - px, box.x2 + px, box.y2 + px)


def spine(x_m: float, wide_m: float = 0.025):
    """The object that the front of a book in a shelf is, ``wide_m`` x 0.2 m, facing y."""
    x, z = np.meshgrid(np.arange(x_m, x_m + wide_m, 0.005), np.arange(0, 0.2, 0.005))
    points_world = np.stack([x, np.zeros_like(x), z], axis=-1).reshape(-1, 3).astype(np.float32)
    box = OrientedBox(points_world.mean(axis=0), np.array([wide_m, 0.005, 0.2]), np.eye(3))
    return SimpleNamespace(points_world=points_world, box=box)


def test_thin_things_side_by_side_are_two():
    assert not same_thing(spine(0.0), spine(0.025)) and same_thing(spine(0.0), spine(0.005))
    assert same_thing(spine(0.0), spine(0.0, wide_m=0.3))  # a part of it


def test_what_was_found_in_time_is_answered():
    run = Run(timeout_s=30.0)

    def late(progress):
        if progress.stage == "track" and "verify" in run.timings_s:
            run.timeout_s = 0.0

    run.on_progress = late
    answer = found(BOXES, run=run)
    assert answer.status == "found" and len(answer.objects) == 1


def test_pictures_and_words_show_all(tmp_path):
    answer = found(BOXES)
    best, *others = answer.objects
    alone, together = overlay(best), overlay(best, *others)
    for other in others:
        (pixels,) = (mask.pixels for mask in other.masks if mask.frame is best.source)
        assert (together[pixels] != alone[pixels]).any(axis=-1).mean() > 0.8
    assert (plan(FRAMES, answer.objects, CONFIG.lift) != plan(FRAMES, [best], CONFIG.lift)).any()
    unsure = replace(answer, objects=(best, replace(others[0], score=0.1)))
    assert summary(*unsure.objects).endswith(" m large (not sure).") and summary(*unsure.objects).count("not sure") == 1
    assert verdict(unsure)[0] == "found, least confidence 0.10: low, look at the pictures."


class TrueMasks:
    """Follows the thing that a box shows best into every view, without an error."""

    def __init__(self, clip):
        self.clip = clip

    def track(self, frames, prompts, run):
        views = list(zip(frames, self.clip.truth, strict=True))
        return [self._masks(prompt, views) for prompt in prompts]

    def _masks(self, prompt, views):
        truth = next(view for frame, view in views if frame is prompt.frame)
        x1, y1, x2, y2 = map(int, prompt.box.xyxy)
        of_things = [thing.instance_id for thing in self.clip.room.objects if thing.name == "chair"]
        shown = [np.count_nonzero(truth.instances[y1:y2, x1:x2] == thing) for thing in of_things]
        pixels = ((frame, view.instances == of_things[int(np.argmax(shown))]) for frame, view in views)
        return tuple(Mask(frame, on, 1.0) for frame, on in pixels if on.sum() >= MIN_PIXELS)


@pytest.fixture(scope="module")
def room():
    return film(1, 5, (STRUCTURED,), lit=False)


def test_the_chairs_of_a_room(room):
    frames = [shot.frame for shot in room.shots[STRUCTURED]]
    chairs = [thing for thing in room.room.objects if thing.name == "chair"]
    shown = {
        f.frame_id: [v.instances == c.instance_id for c in chairs] for f, v in zip(frames, room.truth, strict=True)
    }
    boxes = {name: [Box2D(*extent(on)) for on in shows if on.sum() > MIN_PIXELS] for name, shows in shown.items()}
    heart = SceneR1(Knowing(boxes), TrueMasks(room), CONFIG)
    answer = heart.ground("all the chairs", frames)
    best = [int(np.argmax([box_iou_3d(one.box, chair.box) for chair in chairs])) for one in answer.objects]
    assert len(chairs) == 3 and sorted(best) == [0, 1, 2]
    for one, which in zip(answer.objects, best, strict=True):
        assert np.linalg.norm(one.box.center_world - chairs[which].box.center_world) < 0.15
