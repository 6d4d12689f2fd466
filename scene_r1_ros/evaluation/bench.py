# SPDX-License-Identifier: Apache-2.0
"""``scene-r1 bench``: every figure beside what it is measured against, in one run, printed and stored as JSON."""

import json
import platform
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from scene_r1_ros.errors import BadInput
from scene_r1_ros.evaluation.bench_memory import bench_memory
from scene_r1_ros.evaluation.bench_ros import bench_intake, bench_sync

MAX_CPU_RATIO = 1.5  # the intake against a bare subscriber
MAX_SYNC_US = 50.0


def run_bench(out: Path, console: Console) -> int:
    """Measure, print and store; returns 1 where a target is missed."""
    figures: dict[str, Any] = {"machine": f"{platform.machine()}, Python {platform.python_version()}"}
    for name, bench, title in (
        ("intake", bench_intake, "intake of 640x480 at 30 Hz beside a bare subscriber, a minute"),
        ("sync", bench_sync, "synchroniser"),
        ("memory", bench_memory, "memory"),
    ):
        with console.status(f"Measuring: {title}"):
            figures[name] = bench()
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise BadInput(f"cannot write the figures to {out}: {error}") from error
    rows = targets(figures)
    console.print(as_table(rows))
    console.print(f"stored in {out}")
    return 0 if all(met for *_, met in rows) else 1


def targets(figures: dict[str, Any]) -> list[tuple[str, str, str, bool]]:
    """(what, measured, target, met) of everything that has a target, and the cost of a keyframe, which has none."""
    intake, memory = figures["intake"], figures["memory"]
    slowest_us = max(cost for case in figures["sync"].values() for cost in case.values())
    return [
        ("intake, frames per second", f"{intake['intake_fps']:.1f}", "30 Hz sent", intake["incomplete"] == 0),
        ("images lost after discovery", str(intake["lost"]), "none", intake["lost"] == 0),
        (
            "CPU beside a bare subscriber",
            f"{intake['ratio']:.2f} ({intake['intake_cpu_s']:.2f} s / {intake['bare_cpu_s']:.2f} s)",
            f"at most {MAX_CPU_RATIO}",
            intake["ratio"] <= MAX_CPU_RATIO,
        ),
        (
            "synchroniser, slowest case",
            f"{slowest_us:.1f} us a message",
            f"under {MAX_SYNC_US:.0f} us",
            slowest_us < MAX_SYNC_US,
        ),
        ("memory", f"{memory['bytes_per_keyframe'] / 1e6:.2f} MB a keyframe", "", True),
        ("", f"{1e3 * memory['seconds_per_keyframe']:.2f} ms a keyframe, {memory['ratio']:.1f} copies", "", True),
    ]


def as_table(rows: list[tuple[str, str, str, bool]]) -> Table:
    table = Table("what", "measured", "target", "")
    for what, measured, target, met in rows:
        table.add_row(what, measured, target, "" if not target else "[green]met" if met else "[red]missed")
    return table
