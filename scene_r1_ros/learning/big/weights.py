# SPDX-License-Identifier: Apache-2.0
"""Which weights of a Qwen VL model learn."""

from typing import Any

# The linear layers of a transformer block, as both families name them.
LANGUAGE = r".*language_model\.layers\..*\.(?:q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"
VISION = r".*visual\..*\.(?:qkv|proj|gate_proj|up_proj|down_proj|linear_fc1|linear_fc2)"
VISION_TOWER = ".visual."


def lora_targets(train_vision: bool) -> str:
    """A regular expression of the layers that get an adapter, for peft."""
    return f"{LANGUAGE}|{VISION}" if train_vision else LANGUAGE


def lora_config(rank: int, train_vision: bool) -> Any:
    """An adapter of ``rank``, scaled by 2, as peft takes it. The base stays as it is, bit for bit."""
    from peft import LoraConfig

    return LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=lora_targets(train_vision), task_type="CAUSAL_LM")


def freeze(model: Any, train_vision: bool) -> None:
    """All weights learn, but for those of the vision tower unless ``train_vision``."""
    for name, weight in model.named_parameters():
        weight.requires_grad_(train_vision or VISION_TOWER not in f".{name}")
