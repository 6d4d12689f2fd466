# SPDX-License-Identifier: Apache-2.0
"""The files that start EasyR1 or verl on exported samples: templates in ``engines/``, filled in from the settings."""

import re
from collections.abc import Sequence
from dataclasses import asdict
from importlib.resources import files
from typing import Any

from scene_r1_ros.learning.big.prompts import conversation
from scene_r1_ros.learning.big.settings import TrlSettings
from scene_r1_ros.learning.sample import Sample, Shot
from scene_r1_ros.reasoning.jpeg import seen_wh
from scene_r1_ros.reasoning.protocol import ModelSpec

MODELS = {"qwen2_5_vl": "Qwen/Qwen2.5-VL-7B-Instruct", "qwen3_vl": "Qwen/Qwen3-VL-8B-Instruct"}
SLOT = re.compile(r"<<(?P<name>\w{1,40})>>")  # shell, YAML and Jinja use every other kind of bracket
MAX_PROMPTS = 64  # of a step
# The published processor of Qwen3-VL enlarges smaller images to this, pixels; its boxes do not depend on their size.
LEAST_PIXELS = {"qwen3_vl": 65_536}
CHARACTERS_PER_TOKEN = 2  # at least, of the prompts
STEP = 256  # tokens that the longest prompt is rounded up to


def filled(name: str, values: dict[str, Any]) -> str:
    """The text of ``engines/<name>.txt`` with the values in its slots."""
    text = (files("scene_r1_ros.learning.big") / "engines" / f"{name}.txt").read_text(encoding="utf-8")
    return SLOT.sub(lambda slot: str(values[slot["name"]]), text)


def launch_values(samples: Sequence[Sample], spec: ModelSpec, settings: TrlSettings) -> dict[str, Any]:
    """What the templates name."""
    return {
        **{name: value for name, value in asdict(settings).items() if name != "rewards"},
        **asdict(settings.rewards),
        "learning_rate": f"{settings.chosen_learning_rate:.2e}",  # with a point: YAML takes 1e-05 for text
        "lora_rank": settings.lora_rank if settings.lora else 0,
        "lora_alpha": 2 * settings.lora_rank,
        "freeze_vision": str(not settings.train_vision).lower(),
        "min_pixels": spec.min_pixels,
        "max_pixels": spec.max_pixels,
        "prompts": min(MAX_PROMPTS, len(samples)),
        "max_images": max(len(sample.shots) for sample in samples),
        "max_prompt_tokens": -(-max(prompt_tokens(sample, spec) for sample in samples) // STEP) * STEP,
        "model": MODELS.get(spec.architecture, "FOLDER"),
    }


def prompt_tokens(sample: Sample, spec: ModelSpec) -> int:
    """No fewer than a sample's prompt takes."""
    parts = [part for message in conversation(sample, spec) for part in message["content"]]
    characters = sum(len(part.get("text", "")) for part in parts)
    return characters // CHARACTERS_PER_TOKEN + sum(_image_tokens(shot, spec) for shot in sample.shots)


def _image_tokens(shot: Shot, spec: ModelSpec) -> int:
    width, height = seen_wh(*shot.size_wh, spec)
    pixels = max(width * height, LEAST_PIXELS.get(spec.architecture, 0))
    return -(-pixels * 5 // (4 * spec.image_multiple**2))  # a quarter more, for sides that are rounded up
