# SPDX-License-Identifier: Apache-2.0
"""``scene-r1 bench``: every figure beside what it is measured against, in one run, printed and stored as JSON."""

import json
import platform
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.status import Status
from rich.table import Table

from scene_r1_ros.errors import BadInput
from scene_r1_ros.evaluation.bench_calibration import bench_calibration, calibration_lines, calibration_table
from scene_r1_ros.evaluation.bench_lift import bench_lift, lift_lines, lift_table
from scene_r1_ros.evaluation.bench_masks import bench_masks, masks_lines, masks_table
from scene_r1_ros.evaluation.bench_memory import bench_memory
from scene_r1_ros.evaluation.bench_reuse import bench_reuse, reuse_lines, reuse_table
from scene_r1_ros.evaluation.bench_rooms import bench_rooms, rooms_lines
from scene_r1_ros.evaluation.bench_tracker import bench_tracker, tracker_lines
from scene_r1_ros.evaluation.reporting import Line, Tell
from scene_r1_ros.evaluation.what import What

MAX_CPU_RATIO = 1.5  # the intake against a bare subscriber
MAX_SYNC_US = 50.0


@dataclass(frozen=True)
class Bench:
    """One measurement: figures as JSON holds them, and what they say."""

    measure: Callable[[Tell], dict[str, Any]]
    lines: Callable[[dict[str, Any]], list[Line]]
    table: Callable[[dict[str, Any]], Table] | None = None


def bench_ros(tell: Tell) -> dict[str, Any]:
    """Needs ROS 2 on this machine."""
    from scene_r1_ros.evaluation.bench_ros import bench_intake, bench_sync

    tell("intake of 640x480 at 30 Hz beside a bare subscriber, a minute")
    intake = bench_intake()
    tell("synchroniser and memory")
    return {"intake": intake, "sync": bench_sync(), "memory": bench_memory()}


def ros_lines(figures: dict[str, Any]) -> list[Line]:
    intake, memory = figures["intake"], figures["memory"]
    slowest_us = max(cost for case in figures["sync"].values() for cost in case.values())
    return [
        Line("intake, frames per second", f"{intake['intake_fps']:.1f}", "30 Hz sent", intake["incomplete"] == 0),
        Line("images lost after discovery", str(intake["lost"]), "none", intake["lost"] == 0),
        Line(
            "CPU beside a bare subscriber",
            f"{intake['ratio']:.2f} ({intake['intake_cpu_s']:.2f} s / {intake['bare_cpu_s']:.2f} s)",
            f"at most {MAX_CPU_RATIO}",
            intake["ratio"] <= MAX_CPU_RATIO,
        ),
        Line(
            "synchroniser, slowest case",
            f"{slowest_us:.1f} us a message",
            f"under {MAX_SYNC_US:.0f} us",
            slowest_us < MAX_SYNC_US,
        ),
        Line("memory", f"{memory['bytes_per_keyframe'] / 1e6:.2f} MB a keyframe", "", True),
        Line("", f"{1e3 * memory['seconds_per_keyframe']:.2f} ms a keyframe, {memory['ratio']:.1f} copies", "", True),
    ]


BENCHES = {
    What.MASKS: Bench(bench_masks, masks_lines, masks_table),
    What.LIFT: Bench(bench_lift, lift_lines, lift_table),
    What.TRACKER: Bench(bench_tracker, tracker_lines),
    What.CALIBRATION: Bench(bench_calibration, calibration_lines, calibration_table),
    What.REUSE: Bench(bench_reuse, reuse_lines, reuse_table),
    What.ROOMS: Bench(bench_rooms, rooms_lines),
    What.ROS: Bench(bench_ros, ros_lines),
}


def run_bench(what: What, out: Path, console: Console) -> int:
    """Measure, print and store; returns 1 where a target is missed.

    Raises:
        BadInput: the file cannot be written, said before anything is measured.
    """
    check_writable(out)
    figures: dict[str, Any] = {"machine": f"{platform.machine()}, Python {platform.python_version()}"}
    lines: list[Line] = []
    for name, bench in BENCHES.items():
        if what not in (What.ALL, name):
            continue
        with console.status(f"Measuring {name.value}") as status:
            figures[name.value] = bench.measure(partial(show, status, name))
        if bench.table:
            console.print(bench.table(figures[name.value]))
        lines += bench.lines(figures[name.value])
    figures["targets"] = [line._asdict() for line in lines]
    out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    console.print(as_table(lines))
    console.print(f"stored in {out}")
    return 0 if all(line.met for line in lines) else 1


def show(status: Status, name: What, step: str) -> None:
    status.update(f"Measuring {name.value}: {step}")


def check_writable(out: Path) -> None:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.open("ab").close()
    except OSError as error:
        raise BadInput(f"cannot write the figures to {out}: {error}; name another file with --out") from error


def as_table(lines: list[Line]) -> Table:
    table = Table("what", "measured", "target", "")
    for what, measured, target, met in lines:
        table.add_row(what, measured, target, "" if not target else "[green]met" if met else "[red]missed")
    return table
