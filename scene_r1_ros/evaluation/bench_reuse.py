# SPDX-License-Identifier: Apache-2.0
"""How much sooner a second query over the same frames is answered, because what was seen and read is kept.

The checkpoints are random and tiny: a larger one gains more, for it takes its time to read frames, and here the fixed
costs of a query count the most.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

from rich.table import Table

from scene_r1_ros.config import ModelConfig
from scene_r1_ros.evaluation.reporting import Line, Tell, at_least, nobody
from scene_r1_ros.evaluation.room_clips import STRUCTURED, film
from scene_r1_ros.reasoning.models import make_spec
from scene_r1_ros.reasoning.protocol import Reply, Request
from scene_r1_ros.reasoning.qwen import ARCHITECTURES, TransformersModel
from scene_r1_ros.types import Frame

SEED, N_FRAMES = 0, 32
QUERIES = ("the red mug left of the sink", "the chair nearest to the window", "a lamp")
N_TOKENS = 8  # of a reply
MIN_RATIO = 8.0


def bench_reuse(tell: Tell = nobody) -> dict[str, Any]:
    """Ask tiny random checkpoints of each architecture about 32 frames of 640x480.

    Returns:
        Per architecture: ``first_s``, ``second_s`` (the best of two) and ``peer_s``, seconds until the first word of a
        first and of a second query and of transformers' own ``generate``; ``input_tokens``; ``vision_mb`` and
        ``prefix_mb``, what is kept; ``same``, whether all replies are those without caches.
    """
    tell(f"rendering {N_FRAMES} frames")
    frames = [shot.frame for shot in film(SEED, N_FRAMES).shots[STRUCTURED]]
    return {name: measured(name, frames, tell) for name in ARCHITECTURES}


def measured(architecture: str, frames: Sequence[Frame], tell: Tell) -> dict[str, Any]:
    from scene_r1_ros.evaluation import random_qwen

    with tempfile.TemporaryDirectory() as folder:
        random_qwen.build(Path(folder), architecture, initializer_range=0.3)  # else replies hardly depend on frames
        config = ModelConfig(kind="transformers", path=folder, device="cpu")
        spec = replace(make_spec(architecture), max_frames=N_FRAMES, max_new_tokens=N_TOKENS)
        model = TransformersModel(config, spec)
        plain = TransformersModel(replace(config, vision_cache_bytes=0, prefix_cache_bytes=0), spec)
    asked = [request(query, frames) for query in QUERIES]
    tell(f"{architecture}: with what is kept")
    replies = [reply(model, one) for one in asked]
    tell(f"{architecture}: without")
    without = [reply(plain, one) for one in asked[:2]]
    tell(f"{architecture}: transformers' own generate")
    return {
        "first_s": replies[0].first_token_s,
        "second_s": min(one.first_token_s for one in replies[1:]),
        "peer_s": generate_s(plain, asked[1]),
        "input_tokens": replies[1].input_tokens,
        "vision_mb": model.vision.nbytes / 1e6,
        "prefix_mb": model.prefixes.nbytes / 1e6,
        "same": all(a.text == b.text for a, b in zip(replies, without, strict=False)),
    }


def request(query: str, frames: Sequence[Frame]) -> Request:
    times_s = tuple((frame.stamp_ns - frames[0].stamp_ns) * 1e-9 for frame in frames)
    return Request("temporal", query, tuple(frames), times_s)


def reply(model: TransformersModel, one: Request) -> Reply:
    return model.reply(one, lambda text: None, lambda: False)


def generate_s(model: TransformersModel, one: Request) -> float:
    """Seconds that transformers takes for one token: image processor, vision encoder and language model."""
    import torch

    from scene_r1_ros.evaluation.random_qwen import whole_inputs

    started_s = perf_counter()
    with torch.inference_mode():
        model.checkpoint.model.generate(**whole_inputs(model, one), do_sample=False, max_new_tokens=1)
    return perf_counter() - started_s


def reuse_lines(figures: dict[str, Any]) -> list[Line]:
    lines = []
    for name, row in figures.items():
        lines.append(
            at_least(
                f"{name}: first word of a second query, times sooner", row["first_s"] / row["second_s"], MIN_RATIO, 1
            )
        )
        lines.append(Line(f"{name}: replies as without caches", "yes" if row["same"] else "no", "yes", row["same"]))
    return lines


def reuse_table(figures: dict[str, Any]) -> Table:
    names = ("first query", "second", "transformers' generate", "tokens", "vision kept", "keys and values kept")
    table = Table("", *names, title=f"Seconds until the first word, {N_FRAMES} frames of 640x480")
    for name, row in figures.items():
        seconds = (f"{row[key]:.3f} s" for key in ("first_s", "second_s", "peer_s"))
        kept = (f"{row[key]:.1f} MB" for key in ("vision_mb", "prefix_mb"))
        table.add_row(name, *seconds, str(row["input_tokens"]), *kept)
    return table
