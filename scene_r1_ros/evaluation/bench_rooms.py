# SPDX-License-Identifier: Apache-2.0
"""How quickly furnished rooms become pictures to learn from, beside the full renderer."""

from collections.abc import Callable
from functools import partial
from time import process_time
from typing import Any

from scene_r1_ros.evaluation.reporting import Line, Tell, at_least, nobody
from scene_r1_ros.rooms import furnished_room, render, render_views, tour
from scene_r1_ros.rooms.render import CAMERA

VIEW = CAMERA.resized(168, 168)
N_ROOMS, N_FRAMES, N_FULL = 8, 32, 3
MIN_FRAMES_PER_CPU_S = 100.0  # two cores make 200 a second


def bench_rooms(tell: Tell = nobody) -> dict[str, Any]:
    """Build rooms, walk through them and render; seconds are those of one core's work, whatever else the machine does.

    Returns:
        ``frames_per_cpu_s`` of 168x168, rooms and tours included, in the quickest room; ``median_frames_per_cpu_s``;
        ``full_frames_per_cpu_s`` of 640x480 with depth by the full renderer; and the ``ratio`` of first and last.
    """
    quick(0, 2)  # what is made once
    tell(f"{N_ROOMS} rooms of {N_FRAMES} frames")
    costs_s = sorted(seconds(partial(quick, seed, N_FRAMES)) / N_FRAMES for seed in range(1, N_ROOMS + 1))
    tell("the full renderer")
    full_s = min(seconds(partial(full, seed)) / N_FULL for seed in (1, 2))
    return {
        "frames_per_cpu_s": 1 / costs_s[0],
        "median_frames_per_cpu_s": 1 / costs_s[N_ROOMS // 2],
        "full_frames_per_cpu_s": 1 / full_s,
        "ratio": full_s / costs_s[0],
    }


def quick(seed: int, n_frames: int) -> None:
    room = furnished_room(seed)
    for _ in render_views(room, tour(room, seed, n_frames), VIEW):
        pass


def full(seed: int) -> None:
    room = furnished_room(seed)
    for _ in render(room, tour(room, seed, N_FULL)):
        pass


def seconds(work: Callable[[], None]) -> float:
    started = process_time()
    work()
    return process_time() - started


def rooms_lines(figures: dict[str, Any]) -> list[Line]:
    typical, full_fps = figures["median_frames_per_cpu_s"], figures["full_frames_per_cpu_s"]
    return [
        at_least("rooms, frames of 168x168 a core and second", figures["frames_per_cpu_s"], MIN_FRAMES_PER_CPU_S, 0),
        Line("", f"{typical:.0f} in the median room, {figures['ratio']:.0f} times the full {full_fps:.1f}", "", True),
    ]
