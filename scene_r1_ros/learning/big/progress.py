# SPDX-License-Identifier: Apache-2.0
"""What is written while a model trains: every figure as jsonl, and curves of those that matter as a PNG.

Needs transformers; imported where a training starts.
"""

import json
import math
from pathlib import Path
from typing import Any

from rich.console import Console
from transformers import TrainerCallback

from scene_r1_ros.errors import ModelFailed
from scene_r1_ros.learning.big.trl_rewards import TERMS
from scene_r1_ros.learning.curves import draw_curves

PROGRESS, REPLIES, CURVES = "progress.jsonl", "replies.jsonl", "curves.png"
DRAWN = (
    "reward",
    "reward_std",
    *(f"rewards/{term}/mean" for term in TERMS),
    "kl",
    "completions/mean_length",
    "completions/clipped_ratio",
    "entropy",
    "frac_reward_zero_std",
    "loss",
)


class Progress(TrainerCallback):
    """Prints a line for each step, and writes ``PROGRESS`` and ``CURVES`` into a folder. A training that goes on drops
    what came after its checkpoint.
    """

    def __init__(self, folder: Path, console: Console):
        self.folder, self.console = folder, console

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.is_world_process_zero:
            for name in (PROGRESS, REPLIES):
                cut_after(self.folder / name, state.global_step)

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        """
        Raises:
            ModelFailed: the loss is no number any more.
        """
        if state.is_world_process_zero:
            with (self.folder / PROGRESS).open("a", encoding="utf-8") as file:
                file.write(json.dumps({"step": state.global_step, **(logs or {})}) + "\n")
            if logs and "reward" in logs:  # not the last line, of the whole training
                self.console.print(summary(state.global_step, state.max_steps, logs), highlight=False)
        if not math.isfinite((logs or {}).get("loss", 0.0)):
            raise ModelFailed(
                f"the loss is {logs['loss'] if logs else None} at step {state.global_step}; start anew with a smaller "
                f"learning_rate, from the last checkpoint in {self.folder} that is whole"
            )

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.is_world_process_zero:
            draw_progress(self.folder)

    on_train_end = on_save


def summary(step: int, steps: int, logs: dict[str, Any]) -> str:
    """A line for people: "step 12/500: reward 1.03, box_iou 0.31, kl 0.002, 4.1 s"."""
    names = {"reward": "reward", **{f"rewards/{term}/mean": term for term in TERMS}, "kl": "kl", "loss": "loss"}
    figures = [f"{short} {logs[name]:.4g}" for name, short in names.items() if logs.get(name) is not None]
    seconds = [f"{logs['step_time']:.1f} s"] if "step_time" in logs else []
    return f"step {step}/{steps}: {', '.join([*figures, *seconds])}"


def cut_after(path: Path, step: int) -> None:
    """Drop the lines of later steps, and one that was cut off."""
    if not path.is_file():
        return
    kept = [line for line in path.read_text(encoding="utf-8").splitlines() if _step_of(line) <= step]
    path.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")


def _step_of(line: str) -> float:
    try:
        return json.loads(line)["step"]
    except ValueError:
        return math.inf


def draw_progress(folder: Path) -> None:
    """The curves of ``PROGRESS``, as far as it goes."""
    lines = [json.loads(line) for line in (folder / PROGRESS).read_text(encoding="utf-8").splitlines()]
    curves = {name: [(line["step"], line[name]) for line in lines if line.get(name) is not None] for name in DRAWN}
    draw_curves(folder / CURVES, curves)
