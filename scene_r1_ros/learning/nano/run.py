# SPDX-License-Identifier: Apache-2.0
"""``scene-r1 train sft``: from a file of samples to a checkpoint, with everything that can be watched on the way.

Needs torch and transformers.
"""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import torch
from rich.console import Console
from safetensors.torch import save_file
from transformers import AutoTokenizer

from scene_r1_ros.errors import BadInput, ModelFailed
from scene_r1_ros.learning.atomic import replacing
from scene_r1_ros.learning.curves import draw_curves
from scene_r1_ros.learning.jsonl import read_samples
from scene_r1_ros.learning.nano.architecture import NanoSize, build_nano, save_nano
from scene_r1_ros.learning.nano.feed import Feed, Pictures, drawn, thinned
from scene_r1_ros.learning.nano.generate import Sampling
from scene_r1_ros.learning.nano.judge import figures, judged
from scene_r1_ros.learning.nano.packing import Packer
from scene_r1_ros.learning.nano.settings import SftSettings, dump_sft
from scene_r1_ros.learning.nano.sft import Teacher
from scene_r1_ros.learning.nano.state import load_state, save_state
from scene_r1_ros.learning.nano.vocabulary import build_tokenizer
from scene_r1_ros.learning.replies import reply_of, request_of
from scene_r1_ros.learning.sample import Sample
from scene_r1_ros.reasoning.models import make_spec
from scene_r1_ros.reasoning.prompting import instruction
from scene_r1_ros.reasoning.protocol import ModelSpec

SPEC = "nano"
HELD_OUT = 25  # every so-manieth scene is judged on, where no file of such samples is given
PROGRESS, CURVES, MODEL, TOKENIZER, BAD_BATCH = "progress.jsonl", "curves.png", "model", "tokenizer", "bad_batch"
PRINT_EVERY = 25  # steps
SHOWN_REPLIES = 4  # of each look


def train_sft(path: Path, val: Path | None, out: Path, settings: SftSettings, resume: bool, console: Console) -> None:
    """Train, or go on; the checkpoint that can be used lies in ``out/model``.

    Raises:
        BadInput: samples or a checkpoint that cannot be used, or a training that is there already.
        ModelFailed: the loss is no number any more; the batch is kept.
        NotWritten: the disk is full; the last checkpoint stays whole.
    """
    check_folder(out, resume)
    torch.set_num_threads(settings.threads or torch.get_num_threads())
    samples, watched = split(list(read_samples(path)), list(read_samples(val)) if val else [])
    spec = make_spec(SPEC)
    tokenizer = tokenizer_of(out, samples, spec, resume)
    packer = Packer(tokenizer, spec)
    feed = Feed(samples, path.parent, packer)
    looks = Feed(watched, (val or path).parent, packer, feed.words)
    teacher = Teacher(build_nano(tokenizer, NanoSize(), settings.seed), feed, settings)
    about = {**asdict(settings), "words": list(feed.words), "samples": len(samples)}
    (out / "settings.yaml").write_text(dump_sft(settings), encoding="utf-8")
    start = load_state(out, teacher.learner, about) if resume else 0
    Training(teacher, looks, out, about, console).run(start)


def check_folder(out: Path, resume: bool) -> None:
    if not resume and (out / PROGRESS).exists():
        raise BadInput(f"{out} holds a training; go on with it (--resume), or choose another --out")
    out.mkdir(parents=True, exist_ok=True)


def split(samples: list[Sample], others: list[Sample]) -> tuple[list[Sample], list[Sample]]:
    """Samples to learn from, and samples of other scenes to judge by."""
    if others:
        return samples, others
    scenes = sorted({sample.scene for sample in samples})
    held = set(scenes[HELD_OUT - 1 :: HELD_OUT] or scenes[-1:])
    kept = [sample for sample in samples if sample.scene not in held]
    if not kept:
        raise BadInput(f"the samples show {len(scenes)} scene; at least 2 are needed: one is held out to judge by")
    return kept, [sample for sample in samples if sample.scene in held]


def tokenizer_of(out: Path, samples: Sequence[Sample], spec: ModelSpec, resume: bool) -> Any:
    """The one of the training that goes on; else a new one."""
    if resume:
        return AutoTokenizer.from_pretrained(out / TOKENIZER, local_files_only=True)
    tokenizer = build_tokenizer(texts_of(samples, spec))
    tokenizer.save_pretrained(out / TOKENIZER)
    return tokenizer


def texts_of(samples: Iterable[Sample], spec: ModelSpec, most: int = 30_000) -> list[str]:
    """What is said about samples, with the words of the prompts; of many, some."""
    asked = [sample for sample in samples if sample.task != "objects"]
    some = asked[:: max(1, len(asked) // most)]
    asks = [instruction(request_of(sample), spec.prompts) for sample in some]
    return [*asks, *(reply_of(sample, spec, sample.shots[0].size_wh) for sample in some)]


class Training:
    """The loop around the teacher: progress, checkpoints, looks at held-out samples."""

    def __init__(self, teacher: Teacher, looks: Feed, out: Path, about: dict[str, Any], console: Console):
        self.teacher, self.looks, self.out, self.about, self.console = teacher, looks, out, about, console
        self.settings = teacher.settings
        rng = np.random.default_rng(0)
        asked = [group for group in looks.images if group.samples]
        self._images = [thinned(rng, group, 2) for group in drawn(rng, asked, self.settings.judged_images)]
        self._clips = [thinned(rng, group, 4) for group in drawn(rng, looks.clips, self.settings.judged_clips)]

    def run(self, start: int) -> None:
        cut_after(self.out / PROGRESS, start)
        began, means = monotonic(), dict[str, float]()
        for step, pictures in enumerate(self.teacher.batches(start), start):
            parts = self.teacher.learn(pictures, step)
            if not math.isfinite(parts["loss"]):
                self.give_up(pictures, step, parts)
            means |= {name: 0.95 * means.get(name, value) + 0.05 * value for name, value in parts.items()}
            done, last = step + 1, step + 1 == self.settings.steps
            if done % PRINT_EVERY == 0 or last:
                self.tell(done, means, monotonic() - began)
            if done % self.settings.save_every == 0 or last:
                save_state(self.out, self.teacher.learner, done, self.about)
            if last or (self.settings.judge_every and done % self.settings.judge_every == 0):
                self.judge(done)
        save_nano(self.teacher.model, self.teacher.feed.packer.tokenizer, self.out / MODEL)
        self.console.print(f"wrote {self.out / MODEL}", soft_wrap=True, highlight=False)

    def tell(self, step: int, means: dict[str, float], seconds: float) -> None:
        self.note({"step": step, "seconds": round(seconds, 1), **{k: round(v, 4) for k, v in means.items()}})
        text = ", ".join(f"{name} {value:.3f}" for name, value in means.items())
        self.console.print(f"step {step}/{self.settings.steps}: {text}, {seconds:.0f} s", highlight=False)

    def judge(self, step: int) -> None:
        """Ask about scenes that it does not learn from; print and keep the figures, and some replies."""
        packer, folder, how = self.teacher.feed.packer, self.looks.folder, Sampling()
        clips = self._clips if step > self.settings.steps - self.settings.clip_steps else []
        results = [r for some in (self._images, clips) for r in judged(self.teacher.model, packer, folder, some, how)]
        if step <= self.settings.small_steps + self.settings.dense_steps or not results:
            return
        found = figures(results)
        self.note({"step": step, **found})
        self.console.print(f"  held out: {', '.join(f'{k} {v:.2f}' for k, v in found.items())}", highlight=False)
        for sample, text, scores in results[:: max(1, len(results) // SHOWN_REPLIES)]:
            self.console.print(f"  {sample.query!r}: {text!r} {scores}", markup=False, highlight=False)
        draw_curves(self.out / CURVES, curves_of(self.out / PROGRESS))

    def note(self, values: dict[str, Any]) -> None:
        with (self.out / PROGRESS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(values) + "\n")

    def give_up(self, pictures: Pictures, step: int, parts: dict[str, float]) -> None:
        """Keep the batch, so that it can be looked at, and stop."""
        path = self.out / f"{BAD_BATCH}.safetensors"
        tensors = {"pixels": pictures.pixels.contiguous()}
        if pictures.batch is not None:
            tensors["token_ids"] = pictures.batch.token_ids.contiguous()
        with replacing(path) as new:
            save_file(tensors, new, {"samples": json.dumps(pictures.sample_ids), "step": str(step)})
        raise ModelFailed(
            f"the loss is {parts['loss']} at step {step} ({parts}); its batch is in {path}; look at it, or go on from "
            "the last checkpoint with smaller rates (--resume needs the same settings: train anew)"
        )


def cut_after(path: Path, step: int) -> None:
    """Drop what a training that goes on had noted behind its checkpoint."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    kept = [line for line in lines if json.loads(line)["step"] <= step]
    path.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")


def curves_of(path: Path) -> dict[str, list[tuple[float, float]]]:
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    names = dict.fromkeys(name for line in lines for name in line if name not in ("step", "seconds"))
    return {name: [(line["step"], line[name]) for line in lines if name in line] for name in names}
