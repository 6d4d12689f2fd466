# SPDX-License-Identifier: Apache-2.0
"""GRPO of a Qwen VL checkpoint through TRL.

The loss is that of the paper on GRPO (DeepSeekMath, arXiv 2402.03300): the mean over a reply's tokens first, a KL term,
and advantages (r - mean) / std within each group of replies to one prompt. TRL's own defaults are others: the loss of
DAPO, and no KL term.

TRL takes no video for GRPO, so a clip is given as images with their times in the text between them, which is also how a
robot asks. Needs torch, transformers, peft and trl; imported where a training starts.
"""

import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import PrinterCallback
from trl import GRPOConfig, GRPOTrainer

from scene_r1_ros.errors import BadInput, ModelFailed, NotWritten
from scene_r1_ros.learning.big.processor import make_processor
from scene_r1_ros.learning.big.progress import REPLIES
from scene_r1_ros.learning.big.prompts import conversation, seen_image
from scene_r1_ros.learning.big.settings import TrlSettings, check_batch, writing_steps
from scene_r1_ros.learning.big.trl_rewards import TERMS, reward_functions
from scene_r1_ros.learning.big.weights import freeze, lora_config
from scene_r1_ros.learning.rewards import model_scale
from scene_r1_ros.learning.sample import Sample
from scene_r1_ros.reasoning.protocol import ModelSpec
from scene_r1_ros.reasoning.qwen.loading import Checkpoint, load_checkpoint
from scene_r1_ros.reasoning.qwen.weights import is_out_of_memory

MODEL = "model"  # folder of what was learned
NO_ROOM = (
    "lower per_device_batch (and raise accumulation), max_completion_tokens or num_generations, or give more GPUs; "
    "`scene-r1 train memory` estimates what is needed"
)
DISK_FULL = ("No space left", "Disk quota exceeded", "failed writing file")


def make_trainer(
    samples: Sequence[Sample], folder: Path, model: str, spec: ModelSpec, out: Path, settings: TrlSettings
) -> GRPOTrainer:
    """A trainer that is ready to run.

    Args:
        samples: to learn from, with their images in ``folder``.
        folder: of the images.
        model: folder or hub name of a checkpoint.
        spec: how it is asked and how it writes boxes.
        out: where everything goes.
        settings: all the rest.

    Raises:
        ModelFailed: the model cannot be loaded.
        BadInput: the settings do not go with the number of processes.
    """
    check_processes(settings)
    arguments = make_arguments(out, settings)  # first: where several processes share the weights, it tells loading so
    checkpoint = load_checkpoint(model, spec, "cpu", chosen_dtype(settings))  # the trainer moves it to its device
    if settings.vllm:
        check_server_sizes(checkpoint, samples, spec)
    processor = make_processor(checkpoint, spec, Path(checkpoint.model.config.name_or_path))
    _name(checkpoint.model, model)
    if not settings.lora:
        freeze(checkpoint.model, settings.train_vision)
    trainer = GRPOTrainer(
        model=checkpoint.model,
        reward_funcs=[*reward_functions(out / REPLIES)],
        args=arguments,
        train_dataset=make_dataset(samples, folder, spec),
        processing_class=processor,
        peft_config=lora_config(settings.lora_rank, settings.train_vision) if settings.lora else None,
    )
    trainer.remove_callback(PrinterCallback)  # its line has thirty figures
    return trainer


def check_processes(settings: TrlSettings) -> None:
    """
    Raises:
        BadInput: the replies of an update are no whole groups, or several GPUs are seen by one process.
    """
    check_batch(settings, n_processes())
    if n_processes() == 1 and torch.cuda.device_count() > 1:
        raise BadInput(
            f"{torch.cuda.device_count()} GPUs are visible to one process; start one for each with `accelerate launch "
            "--config_file config/train/several_gpus.yaml --module scene_r1_ros.cli train trl ...`, or show it one GPU "
            "(CUDA_VISIBLE_DEVICES=0)"
        )


def n_processes() -> int:
    return int(os.environ.get("WORLD_SIZE", "1"))  # as ``accelerate launch`` sets it


def make_arguments(out: Path, settings: TrlSettings) -> GRPOConfig:
    on_gpu = torch.cuda.is_available()
    weights = asdict(settings.rewards)
    return GRPOConfig(
        output_dir=str(out),
        loss_type="grpo",
        scale_rewards="group",
        beta=settings.beta,
        epsilon=settings.epsilon,
        reward_weights=[weights[term] for term in TERMS],
        num_generations=settings.num_generations,
        per_device_train_batch_size=settings.per_device_batch,
        gradient_accumulation_steps=settings.accumulation,
        steps_per_generation=writing_steps(settings, n_processes()),
        max_completion_length=settings.max_completion_tokens,
        temperature=settings.temperature,
        max_steps=settings.steps,
        learning_rate=settings.chosen_learning_rate,
        gradient_checkpointing=settings.gradient_checkpointing,
        gradient_checkpointing_kwargs={"use_reentrant": False},
        bf16=on_gpu,
        use_cpu=not on_gpu,
        seed=settings.seed,
        save_steps=settings.save_every,
        save_total_limit=3,
        logging_steps=1,
        logging_nan_inf_filter=False,
        report_to="none",
        disable_tqdm=True,
        **vllm_arguments(settings),
    )


def vllm_arguments(settings: TrlSettings) -> dict[str, Any]:
    """Who writes the replies. An image token in a reply would have no image: transformers never samples one, through
    TRL, and vLLM is told not to.
    """
    if not settings.vllm:
        return {}
    common = {"use_vllm": True, "generation_kwargs": {"bad_words": ["<|image_pad|>", "<|video_pad|>"]}}
    if settings.vllm == "colocate":
        return {**common, "vllm_mode": "colocate", "vllm_gpu_memory_utilization": settings.vllm_memory}
    return {**common, "vllm_mode": "server", "vllm_server_base_url": settings.vllm}


def chosen_dtype(settings: TrlSettings) -> torch.dtype:
    """On a GPU, a base that stays as it is takes bfloat16. What learns is float32: a step is small."""
    return torch.bfloat16 if torch.cuda.is_available() and settings.lora else torch.float32


def check_server_sizes(checkpoint: Checkpoint, samples: Sequence[Sample], spec: ModelSpec) -> None:
    """vLLM resizes images by the limits of the checkpoint, which must leave them as the spec has made them.

    Raises:
        BadInput: one would be resized, and then takes another number of tokens than the prompt gives it.
    """
    from scene_r1_ros.reasoning.jpeg import seen_wh

    low, high = (checkpoint.images.size[edge] for edge in ("shortest_edge", "longest_edge"))
    for wh in {shot.size_wh: None for sample in samples for shot in sample.shots}:
        width, height = seen_wh(*wh, spec)
        if not low <= width * height <= high:
            raise BadInput(
                f"images of {wh[0]}x{wh[1]} are seen with {width}x{height} pixels, which vLLM would resize: the image "
                f"processor of the checkpoint takes {low} to {high} pixels; change shortest_edge and longest_edge in a "
                "copy of it, use other images, or train without vllm"
            )


def make_dataset(samples: Sequence[Sample], folder: Path, spec: ModelSpec) -> Dataset:
    """Prompts with their images, which are read when they are needed; the rewards get the sample and its scale."""

    def row(sample: Sample) -> dict[str, Any]:
        images = [seen_image(shot, folder, spec) for shot in sample.shots]
        prompt = conversation(sample, spec)
        return {"prompt": prompt, "images": images, "sample": sample, "scale_xy": model_scale(sample, spec)}

    def rows(batch: dict[str, list[int]]) -> dict[str, list[Any]]:
        made = [row(samples[i]) for i in batch["index"]]
        return {name: [one[name] for one in made] for name in made[0]}

    return Dataset.from_dict({"index": list(range(len(samples)))}).with_transform(rows)


def _name(model: Any, path_or_name: str) -> None:
    """An adapter names its base: by its hub name, or by the folder wherever it is loaded from."""
    folder = Path(path_or_name).expanduser()
    model.name_or_path = str(folder.resolve()) if folder.is_dir() else path_or_name


def run(trainer: GRPOTrainer, out: Path, checkpoint: Path | None) -> None:
    """Train, from a checkpoint on if there is one, and store what was learned in ``out / MODEL``.

    Raises:
        ModelFailed: there is not room enough, or the loss is no number any more.
        NotWritten: the disk is full; checkpoints that are whole stay.
    """
    try:
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        trainer.save_model(str(out / MODEL))
    except Exception as error:  # torch, safetensors and the system name a full disk each in their own way
        if is_out_of_memory(error):
            raise ModelFailed(f"the training finds no room: {error}; {NO_ROOM}") from error
        if any(text in str(error) for text in DISK_FULL):
            raise NotWritten(f"cannot write {out}: {error}; make room there and go on with --resume") from error
        raise
