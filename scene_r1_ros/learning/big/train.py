# SPDX-License-Identifier: Apache-2.0
"""The steps of ``scene-r1 train trl``: check everything that can be wrong, then load, then train."""

import hashlib
import json
import os
import warnings
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

from rich.console import Console

from scene_r1_ros.checkpoints import import_transformers, is_hub_name
from scene_r1_ros.errors import BadInput, ModelFailed
from scene_r1_ros.learning.atomic import replacing
from scene_r1_ros.learning.big.prompts import usable
from scene_r1_ros.learning.big.settings import TrlSettings
from scene_r1_ros.learning.jsonl import read_samples
from scene_r1_ros.reasoning.protocol import ModelSpec
from scene_r1_ros.reasoning.qwen.loading import ADAPTER
from scene_r1_ros.report.save import writable

RUN = "run.json"  # what a folder was trained with
FREE = frozenset({"steps", "save_every"})  # settings that may change when a training goes on
NEED = "GRPO needs torch, transformers, accelerate, peft, trl and datasets"


def train_trl(
    path: Path, model: str, spec: ModelSpec, out: Path, settings: TrlSettings, resume: bool, console: Console
) -> None:
    """Train a checkpoint on a file of samples, and store what was learned in ``out``.

    Raises:
        BadInput: samples, images, settings or folders that cannot be used.
        ModelFailed: the model or a library cannot be loaded, or there is not room enough.
        NotWritten: the folder cannot be written.
    """
    samples = usable(list(read_samples(path)), path.parent, spec, str(path))
    check_model(model)
    checkpoint = last_checkpoint(out, resume)
    trained_with = {"samples": _digest(path), "model": model, "spec": asdict(spec), "settings": asdict(settings)}
    if checkpoint:
        check_same(out, trained_with)
    needs_trl()
    writable(out)
    from scene_r1_ros.learning.big.progress import Progress
    from scene_r1_ros.learning.big.trl_run import MODEL, make_trainer, run

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # TRL calls transformers by names that it will change
        trainer = make_trainer(samples, path.parent, model, spec, out, settings)
        trainer.add_callback(Progress(out, console))
        if is_main():
            note(out, trained_with)
        run(trainer, out, checkpoint)
    learned = out / MODEL
    if is_main():
        console.print(
            f"learned: {learned}; a robot takes it as transformers:{learned}", highlight=False, soft_wrap=True
        )


def check_model(model: str) -> None:
    """
    Raises:
        BadInput: it is neither a folder nor a hub name, or an adapter, of which no adapter can be made.
    """
    folder = Path(model).expanduser()
    if not folder.is_dir() and not is_hub_name(model):
        raise BadInput(f"--model {model} is no folder; give the folder of a checkpoint, or a hub name such as "
                       "Qwen/Qwen2.5-VL-3B-Instruct")  # fmt: skip
    if (folder / ADAPTER).is_file():
        raise BadInput(
            f"--model {model} is a LoRA adapter; merge it into its base first (merge_and_unload and save_pretrained of "
            "peft), and train that"
        )


def last_checkpoint(out: Path, resume: bool) -> Path | None:
    """The newest whole checkpoint of a folder, None to start anew: ``trainer_state.json`` is what is written last.

    Raises:
        BadInput: there is none to go on from, or there is one and nobody asked to go on.
    """
    whole = {int(path.name.rpartition("-")[2]): path for path in out.glob("checkpoint-*[0-9]")
             if (path / "trainer_state.json").is_file()}  # fmt: skip
    if resume and not whole:
        raise BadInput(f"--resume: {out} holds no checkpoint; leave it out to start anew")
    if whole and not resume:
        raise BadInput(f"{out} holds a training already; go on with --resume, or choose another --out")
    return whole[max(whole)] if whole else None


def is_main() -> bool:
    """The first of the processes that ``accelerate launch`` starts; the only one that writes."""
    return os.environ.get("RANK", "0") == "0"


def check_same(out: Path, trained_with: dict[str, Any]) -> None:
    """
    Raises:
        BadInput: a training that goes on shall use other samples, another model or other settings than ``FREE``.
    """
    try:
        before = json.loads((out / RUN).read_text(encoding="utf-8"))
        differing = _differing(before, json.loads(json.dumps(trained_with)))
    except (OSError, ValueError, LookupError) as error:
        raise BadInput(f"--resume: {out / RUN} cannot be read: {error}; choose another --out") from error
    if differing:
        raise BadInput(f"--resume: {', '.join(differing)} differ from what {out} was trained with ({out / RUN})")


def _differing(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    names = [name for name in ("samples", "model", "spec") if before[name] != now[name]]
    old, new = before["settings"], now["settings"]
    return names + [name for name in new if old.get(name) != new[name] and name not in FREE]


def note(out: Path, trained_with: dict[str, Any]) -> None:
    """Say in ``RUN`` what a folder is trained with.

    Raises:
        NotWritten: the folder cannot be written.
    """
    with replacing(out / RUN) as new:
        new.write_text(json.dumps(trained_with, indent=1), encoding="utf-8")


def _digest(path: Path) -> str:
    return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()


def needs_trl() -> None:
    """
    Raises:
        ModelFailed: a library is missing.
    """
    import_transformers(NEED)
    try:
        for name in ("accelerate", "datasets", "peft", "trl"):
            import_module(name)
    except ImportError as error:
        raise ModelFailed(f"{NEED}: {error}; pip install 'trl>=1.16' datasets peft accelerate") from error
