# SPDX-License-Identifier: Apache-2.0
"""Samples in the form that other engines read, with the reward they call and what starts them.

The prompts are the robot's, images stand where ``<image>`` is, and each image is stored at the size that the model
sees, so that no engine resizes it and moves its boxes. No code of the engines is here.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from importlib.resources import files
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from scene_r1_ros.errors import BadInput, ModelFailed
from scene_r1_ros.learning.atomic import replacing
from scene_r1_ros.learning.big.launching import filled, launch_values
from scene_r1_ros.learning.big.prompts import conversation, seen_image, usable
from scene_r1_ros.learning.big.settings import TrlSettings
from scene_r1_ros.learning.big.truth import truth_of
from scene_r1_ros.learning.images import write_image
from scene_r1_ros.learning.jsonl import read_samples
from scene_r1_ros.learning.sample import Sample, Shot
from scene_r1_ros.reasoning.protocol import ModelSpec

Engine = Literal["easyr1", "verl", "trl"]
PLACEHOLDER = "<image>"
RESERVED = (PLACEHOLDER, "<video>")  # the engines put an image or a video wherever one stands
ROWS = 64  # of a parquet that are written at once


def export(path: Path, engine: Engine, out: Path, spec: ModelSpec, settings: TrlSettings) -> int:
    """Write the samples of a file into a new folder for an engine, and return how many there are.

    Raises:
        BadInput: samples or images that cannot be used, or the folder is there already.
        ModelFailed: pyarrow or datasets are missing (verl and trl read parquet).
        NotWritten: the folder cannot be written, or the disk is full.
    """
    samples = usable(list(read_samples(path)), path.parent, spec, str(path))
    if out.exists() and any(out.iterdir()):
        raise BadInput(f"{out} is not empty; choose a new folder")
    WRITERS[engine](samples, path.parent, out, spec, settings)
    reward = files("scene_r1_ros.learning.big") / f"{engine}_reward.py"
    write_image(out, "reward.py", reward.read_bytes())
    return len(samples)


def _easyr1(samples: Sequence[Sample], folder: Path, out: Path, spec: ModelSpec, settings: TrlSettings) -> None:
    """train.jsonl with the columns problem, answer and images (paths); EasyR1 has no system turn, so that the chat
    template brings it.
    """
    with replacing(out / "train.jsonl") as new, new.open("w", encoding="utf-8") as file:
        for sample in samples:
            file.write(json.dumps(easyr1_row(sample, spec), ensure_ascii=False) + "\n")
    for shot in dict.fromkeys(shot for sample in samples for shot in sample.shots):
        write_image(out, image_name(shot), png_of(shot, folder, spec))
    values = launch_values(samples, spec, settings)
    system = flat(conversation(samples[0], spec))[0]["content"]
    write_image(out, "chat_template.jinja", filled("easyr1.jinja", {"system": system}).encode())
    write_image(out, "easyr1.yaml", filled("easyr1.yaml", values).encode())
    write_image(out, "launch.sh", filled("easyr1.sh", values).encode())


def easyr1_row(sample: Sample, spec: ModelSpec) -> dict[str, Any]:
    """A sample as a line for EasyR1, without the system turn."""
    user = flat(conversation(sample, spec))[-1]["content"]
    return {"problem": user, "answer": truth_of(sample, spec), "images": [image_name(shot) for shot in sample.shots]}


def image_name(shot: Shot) -> str:
    """Where an exported image lies; each is a PNG, which changes no pixel."""
    return shot.image if shot.image.lower().endswith(".png") else f"{shot.image}.png"


def png_of(shot: Shot, folder: Path, spec: ModelSpec) -> bytes:
    data = BytesIO()
    seen_image(shot, folder, spec).save(data, "PNG")
    return data.getvalue()


def flat(messages: list[dict[str, Any]]) -> list[dict[str, str]]:
    """The same conversation with text only, ``<image>`` where each image goes.

    Raises:
        BadInput: the words hold such a placeholder themselves.
    """
    parts = [part for message in messages for part in message["content"]]
    if found := [word for word in RESERVED if any(word in part.get("text", "") for part in parts)]:
        raise BadInput(
            f"the prompts of this model hold {found[0]}, where engines put an image; write it in another way"
        )
    return [
        {"role": message["role"], "content": "".join(part.get("text", PLACEHOLDER) for part in message["content"])}
        for message in messages
    ]


def _verl(samples: Sequence[Sample], folder: Path, out: Path, spec: ModelSpec, settings: TrlSettings) -> None:
    """train.parquet with the columns that verl reads, images within."""

    def row(index: int, sample: Sample) -> dict[str, Any]:
        return {
            "data_source": f"scene_r1/{sample.task}",
            "prompt": flat(conversation(sample, spec)),
            "images": [{"bytes": png_of(shot, folder, spec), "path": None} for shot in sample.shots],
            "ability": sample.task,
            "reward_model": {"style": "rule", "ground_truth": truth_of(sample, spec)},
            "extra_info": {"index": index, "id": sample.sample_id, "scene": sample.scene},
        }

    _write_parquet(out / "train.parquet", (row(i, sample) for i, sample in enumerate(samples)), _verl_features)
    write_image(out, "launch.sh", filled("verl.sh", launch_values(samples, spec, settings)).encode())


def _trl(samples: Sequence[Sample], folder: Path, out: Path, spec: ModelSpec, settings: TrlSettings) -> None:
    """train.parquet with the columns prompt, images and ground_truth, for a GRPOTrainer of one's own."""

    def row(sample: Sample) -> dict[str, Any]:
        images = [{"bytes": png_of(shot, folder, spec), "path": None} for shot in sample.shots]
        return {"prompt": conversation(sample, spec), "images": images, "ground_truth": truth_of(sample, spec)}

    _write_parquet(out / "train.parquet", (row(sample) for sample in samples), _trl_features)


WRITERS: dict[Engine, Callable[[Sequence[Sample], Path, Path, ModelSpec, TrlSettings], None]] = {
    "easyr1": _easyr1,
    "verl": _verl,
    "trl": _trl,
}


def _verl_features() -> Any:
    from datasets import Features, Image, Value

    text = Value("string")
    return Features(
        {
            "data_source": text,
            "prompt": [{"role": text, "content": text}],
            "images": [Image()],
            "ability": text,
            "reward_model": {"style": text, "ground_truth": text},
            "extra_info": {"index": Value("int64"), "id": text, "scene": text},
        }
    )


def _trl_features() -> Any:
    from datasets import Features, Image, Value

    text = Value("string")
    return Features(
        {
            "prompt": [{"role": text, "content": [{"type": text, "text": text}]}],
            "images": [Image()],
            "ground_truth": text,
        }
    )


def _write_parquet(path: Path, rows: Iterator[dict[str, Any]], features: Callable[[], Any]) -> None:
    try:
        import pyarrow
        from pyarrow.parquet import ParquetWriter

        schema = features().arrow_schema
    except ImportError as error:
        raise ModelFailed(f"parquet needs pyarrow and datasets: {error}; pip install datasets") from error
    with replacing(path) as new, ParquetWriter(new, schema) as file:
        while batch := list(islice(rows, ROWS)):
            file.write_table(pyarrow.Table.from_pylist(batch, schema))
