# SPDX-License-Identifier: Apache-2.0
"""How many keyframes a second the geometric tracker follows an object through, on one core."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from scene_r1_ros.config import Config
from scene_r1_ros.evaluation.reporting import Line, Tell, at_least, nobody
from scene_r1_ros.evaluation.room_clips import STRUCTURED, RoomClip, film
from scene_r1_ros.rooms.room import RoomObject
from scene_r1_ros.rooms.views import extent
from scene_r1_ros.run import Run
from scene_r1_ros.tracking import load_tracker
from scene_r1_ros.types import Box2D, Frame, Hypothesis, Mask

SEED = 0
N_FRAMES = 40
NAMES = ("armchair", "ball", "mug")  # a large object, one of middle size, a small one
REPEATS = 3  # the best counts
MIN_FPS = 20.0


def bench_tracker(tell: Tell = nobody) -> dict[str, Any]:
    """Follow three objects through 640x480 keyframes of a walk.

    Returns:
        ``runs``: per object its ``seconds`` for all ``frames``, how many were ``masked``, and the ``iou_2d`` of its
        boxes with those of the exact masks; ``fps`` over all.
    """
    tell(f"rendering {N_FRAMES} frames")
    clip = film(SEED, N_FRAMES)
    frames = [shot.frame for shot in clip.shots[STRUCTURED]]
    config = Config()
    tracker = load_tracker(replace(config, tracker=replace(config.tracker, kind="geometric", max_frames=N_FRAMES)))
    runs: list[dict[str, Any]] = []
    for name in NAMES:
        thing = max((o for o in clip.room.objects if o.name == name), key=lambda o: clip.pixels(o).sum())
        tell(f"following the {thing.label}")
        place, seconds = hypothesis(clip, frames, thing), float("inf")
        masks: tuple[Mask, ...] = ()
        for _ in range(REPEATS):
            with one_core():
                started_s = time.perf_counter()
                (masks,) = tracker.track(frames, [place], Run())
                seconds = min(seconds, time.perf_counter() - started_s)
        overlap = mean_iou(clip, thing, masks)
        runs.append({"object": thing.label, "frames": len(frames), "masked": len(masks), "seconds": seconds,
                     "iou_2d": overlap})  # fmt: skip
    return {"runs": runs, "fps": sum(run["frames"] for run in runs) / sum(run["seconds"] for run in runs)}


def hypothesis(clip: RoomClip, frames: Sequence[Frame], thing: RoomObject) -> Hypothesis:
    """The exact box of an object in the middle one of the frames that show it well."""
    views = clip.well_seen(thing)
    middle = views[len(views) // 2]
    return Hypothesis(frames[middle], true_box(clip, thing, middle), thing.label, "")


def true_box(clip: RoomClip, thing: RoomObject, index: int) -> Box2D:
    return Box2D(*map(float, extent(clip.truth[index].instances == thing.instance_id)))


def mean_iou(clip: RoomClip, thing: RoomObject, masks: Sequence[Mask]) -> float:
    """Mean overlap of the tracker's boxes with the exact ones; a box where nothing shows counts as 0."""
    overlaps, pixels = [], clip.pixels(thing)
    for mask in masks:
        index = int(mask.frame.frame_id)
        overlaps.append(mask.box.iou(true_box(clip, thing, index)) if mask.box and pixels[index] else 0.0)
    return float(np.mean(overlaps))


@contextmanager
def one_core() -> Iterator[None]:
    """Keep this thread on one core, and OpenCV from starting more."""
    threads = cv2.getNumThreads()
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    cv2.setNumThreads(1)
    try:
        if cores:
            os.sched_setaffinity(0, {max(cores)})
        yield
    finally:
        if cores:
            os.sched_setaffinity(0, cores)
        cv2.setNumThreads(threads)


def tracker_lines(figures: dict[str, Any]) -> list[Line]:
    told = [
        Line(f"following the {run['object']}", f"{run['frames'] / run['seconds']:.1f} keyframes/s", "", True)
        for run in figures["runs"]
    ]
    return [at_least("geometric tracker, keyframes a second on one core", figures["fps"], MIN_FPS, 1), *told]
