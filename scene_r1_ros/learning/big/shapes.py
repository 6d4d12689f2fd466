# SPDX-License-Identifier: Apache-2.0
"""How large a Qwen VL model is: its parameters, counted on a model without memory. Needs torch and transformers."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scene_r1_ros.errors import BadInput
from scene_r1_ros.learning.big.weights import VISION_TOWER, lora_config
from scene_r1_ros.reasoning.qwen.loading import ARCHITECTURES

# As published in the config.json of Qwen/Qwen2.5-VL-3B-Instruct and Qwen/Qwen2.5-VL-7B-Instruct.
PUBLISHED: dict[str, dict[str, Any]] = {
    "3b": {
        "text_config": {
            "hidden_size": 2048, "intermediate_size": 11008, "num_hidden_layers": 36, "num_attention_heads": 16,
            "num_key_value_heads": 2, "vocab_size": 151_936, "tie_word_embeddings": True,
        },
        "vision_config": {"hidden_size": 1280, "intermediate_size": 3420, "depth": 32, "num_heads": 16,
                          "out_hidden_size": 2048},
        "tie_word_embeddings": True,
    },
    "7b": {
        "text_config": {
            "hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28, "num_attention_heads": 28,
            "num_key_value_heads": 4, "vocab_size": 152_064, "tie_word_embeddings": False,
        },
        "vision_config": {"hidden_size": 1280, "intermediate_size": 3420, "depth": 32, "num_heads": 16,
                          "out_hidden_size": 3584},
        "tie_word_embeddings": False,
    },
}  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """The numbers that memory depends on."""

    language: int  # parameters, embeddings included
    vision: int  # parameters
    lora: int  # parameters of an adapter
    layers: int
    hidden: int
    intermediate: int
    kv_width: int  # numbers that the cache keeps per token and layer, keys and values together
    vocabulary: int
    vision_layers: int
    vision_hidden: int
    vision_intermediate: int

    @property
    def parameters(self) -> int:
        return self.language + self.vision


def shape_of(model: str, lora_rank: int, train_vision: bool) -> Shape:
    """The shape of ``3b``, ``7b``, or of the checkpoint in a folder.

    Raises:
        BadInput: it is neither, or a folder of another kind of model.
    """
    import torch
    import transformers

    config = _config(model)
    with torch.device("meta"):
        empty: Any = transformers.AutoModelForImageTextToText.from_config(config)
    sizes = {name: weight.numel() for name, weight in empty.named_parameters()}  # tied weights once
    vision = sum(size for name, size in sizes.items() if VISION_TOWER in f".{name}")
    text, seen = config.text_config, config.vision_config
    head = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    return Shape(
        language=sum(sizes.values()) - vision,
        vision=vision,
        lora=_lora_size(empty, lora_rank, train_vision),
        layers=text.num_hidden_layers,
        hidden=text.hidden_size,
        intermediate=text.intermediate_size,
        kv_width=2 * text.num_key_value_heads * head,
        vocabulary=text.vocab_size,
        vision_layers=seen.depth,
        vision_hidden=seen.hidden_size,
        vision_intermediate=seen.intermediate_size,
    )


def _config(model: str) -> Any:
    import transformers

    if model.lower() in PUBLISHED:
        return transformers.Qwen2_5_VLConfig(**PUBLISHED[model.lower()])
    folder, known = Path(model).expanduser(), ", ".join(PUBLISHED)
    if not (folder / "config.json").is_file():
        raise BadInput(f"--model {model} is none of {known}, and no folder with the config.json of a checkpoint")
    try:
        config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise BadInput(f"{folder / 'config.json'} cannot be read: {error}; expected that of a Qwen VL model") from error
    if config.model_type not in ARCHITECTURES:
        raise BadInput(f"--model {model} is a {config.model_type}; expected one of {', '.join(ARCHITECTURES)}")
    return config


def _lora_size(empty: Any, rank: int, train_vision: bool) -> int:
    """peft itself puts the adapter on the model without memory."""
    import torch
    from peft import get_peft_model

    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft calls transformers by names that it will change
        adapted = get_peft_model(empty, lora_config(rank, train_vision))
    return sum(weight.numel() for name, weight in adapted.named_parameters() if "lora_" in name)
