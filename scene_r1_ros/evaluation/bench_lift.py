# SPDX-License-Identifier: Apache-2.0
"""What lifting costs: beside the naive routes and beside only reading its input, per added view, and in memory."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from scene_r1_ros.errors import SceneR1Error
from scene_r1_ros.evaluation.lift_memory import save_masks
from scene_r1_ros.evaluation.reporting import Line, Tell, at_least, at_most, nobody
from scene_r1_ros.evaluation.room_clips import LARGE_COLOR, STRUCTURED, RoomClip, film
from scene_r1_ros.evaluation.routes import EVERY_PIXEL, OURS, ROUTES, VOXEL_FILTER, ours
from scene_r1_ros.rooms.room import RoomObject
from scene_r1_ros.types import Mask

SEED = 0
SPEED_VIEWS = 32
VIEWS = (5, 10, 25, 50, 100, 200)
MEMORY_VIEWS = 100
REPEATS = 3  # of every route and number of views; the best counts
SIZE_M, DISTANCES_M = 0.8, (2.0, 3.0)  # of the object
READ = "reading all depth and masks"
LIMIT_S = 300.0  # a child that takes longer is stuck


def bench_lift(tell: Tell = nobody) -> dict[str, Any]:
    """Returns ``speed``, ``speed_largest``, ``growth`` and ``memory``, see below."""
    tell(f"rendering {SPEED_VIEWS} frames of 1296x968")
    clip = film(SEED, SPEED_VIEWS, (LARGE_COLOR,), lit=False)
    figures: dict[str, Any] = {"speed": bench_speed(clip, typical(clip), tell)}
    figures["speed_largest"] = bench_speed(clip, largest(clip), tell)
    tell(f"rendering {VIEWS[-1]} frames of 640x480")
    long = film(SEED, VIEWS[-1], lit=False)
    figures["growth"] = bench_growth(long, tell)
    tell(f"memory of {MEMORY_VIEWS} views")
    figures["memory"] = bench_memory(long)
    return figures


def typical(clip: RoomClip) -> RoomObject:
    """What the targets speak of: of the objects 2 to 3 m away, if there are any, the one nearest to 0.8 m in size."""
    seen = well_seen(clip)
    low_m, high_m = DISTANCES_M
    fitting = [one for one in seen if low_m <= clip.distance_m(*one) <= high_m] or seen
    return min(fitting, key=lambda one: abs(longest_m(clip, *one) - SIZE_M))[0]


def largest(clip: RoomClip) -> RoomObject:
    """The object with the longest edge, which takes every route longest."""
    return max(well_seen(clip), key=lambda one: longest_m(clip, *one))[0]


def well_seen(clip: RoomClip) -> list[tuple[RoomObject, list[int]]]:
    """The objects that some frames show well, with these frames."""
    seen = [(thing, clip.well_seen(thing)) for thing in clip.room.objects]
    return [(thing, views) for thing, views in seen if len(views) > 0]


def longest_m(clip: RoomClip, thing: RoomObject, views: Sequence[int]) -> float:
    return float(clip.surface(thing, views).box.size_m.max())


def masks_of(clip: RoomClip, sensor: str, thing: RoomObject, n: int) -> list[Mask]:
    """Exact masks of an object in ``n`` frames, evenly over the walk."""
    picks = np.linspace(0, len(clip.truth) - 1, n).round().astype(int)
    shots = [clip.shots[sensor][i] for i in picks]
    return [Mask(shot.frame, shot.instances == thing.instance_id, 1.0) for shot in shots]


def bench_speed(clip: RoomClip, thing: RoomObject, tell: Tell = nobody) -> dict[str, Any]:
    """Lift one object from the same masks by every route.

    Returns:
        ``seconds``: the best of ``REPEATS`` runs of each route, taken by turns, and of summing all depth and masks with
        numpy; ``scores`` of each route; ``object``, ``longest_m`` (its longest edge), ``views`` and ``mask_pixels``.
    """
    masks = masks_of(clip, LARGE_COLOR, thing, len(clip.truth))
    truth = clip.surface(thing, range(len(clip.truth)))
    seconds: dict[str, float] = {}
    for _ in range(REPEATS):
        seconds[READ] = best(seconds.get(READ), read, masks)
        for name, route in ROUTES.items():
            tell(f"the {thing.label} in {len(masks)} views of 1296x968: {name}")
            seconds[name] = best(seconds.get(name), route, fresh(masks))
    scores = {name: truth.score(*route(masks)) for name, route in ROUTES.items()}
    return {
        "object": thing.label,
        "longest_m": float(truth.box.size_m.max()),
        "views": len(masks),
        "mask_pixels": sum(int(np.count_nonzero(mask.pixels)) for mask in masks),
        "seconds": seconds,
        "scores": {name: vars(score) for name, score in scores.items()},
    }


def read(masks: Sequence[Mask]) -> float:
    """What nobody can do without: every depth and every mask pixel, once."""
    return float(sum(mask.frame.depth_m.sum() + mask.pixels.sum() for mask in masks))


def fresh(masks: Sequence[Mask]) -> list[Mask]:
    """The same masks without anything that frames and masks remember of an earlier run."""
    return [Mask(replace(mask.frame), mask.pixels, mask.confidence) for mask in masks]


def best(so_far: float | None, work: Callable[[Sequence[Mask]], object], masks: Sequence[Mask]) -> float:
    """Seconds of the quickest so far."""
    started_s = time.perf_counter()
    work(masks)
    took_s = time.perf_counter() - started_s
    return took_s if so_far is None else min(so_far, took_s)


def bench_growth(clip: RoomClip, tell: Tell = nobody, views: Sequence[int] = VIEWS) -> dict[str, Any]:
    """Lift the same object from ever more views.

    Returns:
        ``seconds`` per number of views; ``added``: seconds per view beyond the number before, at first beyond none.
    """
    thing = typical(clip)
    seconds: dict[int, float] = {}
    for n in views:
        tell(f"{n} views of 640x480")
        masks = masks_of(clip, STRUCTURED, thing, n)
        for _ in range(REPEATS):
            seconds[n] = best(seconds.get(n), ours, fresh(masks))
    steps = zip((0, *views[:-1]), views, strict=True)
    added = {n: (seconds[n] - seconds.get(before, 0.0)) / (n - before) for before, n in steps}
    return {"object": thing.label, "views": list(views), "seconds": seconds, "added": added}


def bench_memory(clip: RoomClip, n: int = MEMORY_VIEWS) -> dict[str, Any]:
    """Lift in a process of its own that holds only its input; see ``lift_memory`` for what comes back.

    Raises:
        SceneR1Error: the process failed, with what it said.
    """
    masks = masks_of(clip, STRUCTURED, typical(clip), n)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "masks.npz"
        save_masks(path, masks)
        command = [sys.executable, "-m", "scene_r1_ros.evaluation.lift_memory", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)  # noqa: S603 - our own interpreter and module
    if done.returncode != 0:
        raise SceneR1Error(f"benchmark: lifting {n} views in a process of its own failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def lift_lines(figures: dict[str, Any]) -> list[Line]:
    """The targets, for the object they speak of, and the same ratios for the largest object."""
    growth, memory = figures["growth"], figures["memory"]
    sizes = growth["views"]
    flat = growth["added"][sizes[-1]] / growth["added"][sizes[0]]
    scores = figures["speed"]["scores"]
    every, voxels, reading = ratios(figures["speed"])
    lead = scores[OURS]["iou"] - scores[VOXEL_FILTER]["iou"]
    large = "{:.1f} and {:.1f} times faster, {:.1f} times reading".format(*ratios(figures["speed_largest"]))
    return [
        at_least("times faster than every pixel of colour", every, 30, 1),
        at_least("times faster than voxel + filter", voxels, 1),
        at_least("... and its box IoU above that route's", lead, 0, 3),
        at_most("times as long as only reading depth and masks", reading, 8, digits=1),
        Line(f"the same of the largest, the {named(figures['speed_largest'])}", large, "", True),
        at_most(f"a view added to {sizes[-2]}, beside one of the first {sizes[0]}", flat, 1.5, " times"),
        at_most(f"memory for {memory['views']} views beside their {memory['input_mb']:.0f} MB", memory["extra_mb"], 200,
                " MB", 0),
    ]  # fmt: skip


def ratios(speed: dict[str, Any]) -> tuple[float, float, float]:
    """How many times longer every pixel, and voxel + filter, take than this lift; and this lift than only reading."""
    took_s = speed["seconds"]
    return took_s[EVERY_PIXEL] / took_s[OURS], took_s[VOXEL_FILTER] / took_s[OURS], took_s[OURS] / took_s[READ]


def named(speed: dict[str, Any]) -> str:
    return f"{speed['object']} of {speed['longest_m']:.1f} m"


def lift_table(figures: dict[str, Any]) -> Table:
    growth = figures["growth"]
    table = Table("lifting", "seconds", "box IoU", "F 2 cm")
    for speed in (figures["speed"], figures["speed_largest"]):
        table.add_row(f"[bold]{named(speed)} in {speed['views']} views of 1296x968")
        for name, took_s in sorted(speed["seconds"].items(), key=lambda item: item[1]):
            score = speed["scores"].get(name)
            quality = (f"{score['iou']:.3f}", f"{score['f_score']:.3f}") if score else ("", "")
            table.add_row(f"  {name}", f"{took_s:.3f}", *quality)
    table.add_section()
    for n in growth["views"]:
        each = f"{1e3 * growth['added'][n]:.1f} ms an added view"
        table.add_row(f"{n} views of 640x480, {each}", f"{growth['seconds'][n]:.3f}")
    return table
