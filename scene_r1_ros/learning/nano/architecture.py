# SPDX-License-Identifier: Apache-2.0
"""Qwen2.5-VL, small: a vision encoder and a language model of five layers each. Needs torch and transformers."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import (
    GenerationConfig,
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2VLImageProcessorPil,
)

PATCH_PX, MERGE = 14, 2
CELL_PX = PATCH_PX * MERGE  # pixels of an image that one token of the language model stands for
# The three axes of the rotary position take turns from the highest frequency to the lowest. In blocks, as large models
# have them, the columns would get the lowest only, which do not tell 8 columns apart.
AXES = 12


@dataclass(frozen=True)
class NanoSize:
    """How large the model is. Five million parameters, 10 MB in float16."""

    vision_width: int = 192
    vision_layers: int = 5
    vision_inner: int = 512
    text_width: int = 192
    text_layers: int = 5
    text_inner: int = 512
    heads: int = 4
    key_heads: int = 2


def build_nano(tokenizer: PreTrainedTokenizerFast, size: NanoSize, seed: int) -> Qwen2_5_VLForConditionalGeneration:
    """The model with random weights, float32 on the CPU; the same seed gives the same weights."""
    torch.manual_seed(seed)
    head_half = size.text_width // size.heads // 2
    text = {
        "hidden_size": size.text_width,
        "intermediate_size": size.text_inner,
        "num_hidden_layers": size.text_layers,
        "num_attention_heads": size.heads,
        "num_key_value_heads": size.key_heads,
        "vocab_size": len(tokenizer),
        "tie_word_embeddings": True,
        "max_position_embeddings": 8192,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 10_000.0,
            "mrope_section": [head_half // AXES] * AXES,
        },
        "bos_token_id": None,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    vision = {
        "depth": size.vision_layers,
        "hidden_size": size.vision_width,
        "intermediate_size": size.vision_inner,
        "num_heads": size.heads,
        "out_hidden_size": size.text_width,
        "patch_size": PATCH_PX,
        "spatial_merge_size": MERGE,
        "fullatt_block_indexes": list(range(size.vision_layers)),  # images are so small that each layer sees all
    }
    places: Any = image_tokens(tokenizer)
    config = Qwen2_5_VLConfig(text_config=text, vision_config=vision, tie_word_embeddings=True, **places)
    model = Qwen2_5_VLForConditionalGeneration(config)
    spread_out(model, max(size.vision_layers, size.text_layers))
    return model


@torch.no_grad()
def spread_out(model: torch.nn.Module, layers: int) -> None:
    """Random weights by the width of each matrix (the default of transformers suits widths of thousands), and smaller
    where a layer adds to its input, so that a deep sum does not grow (Radford et al. 2019).
    """
    for name, weights in model.named_parameters():
        if weights.ndim >= 2 and "embed_tokens" not in name:
            adds = name.endswith(("attn.proj.weight", "o_proj.weight", "down_proj.weight"))
            torch.nn.init.normal_(weights, std=(weights[0].numel() * (2 * layers if adds else 1)) ** -0.5)


def image_tokens(tokenizer: PreTrainedTokenizerFast) -> dict[str, int]:
    names = {"image": "image_pad", "vision_start": "vision_start", "vision_end": "vision_end"}
    vocabulary = tokenizer.get_vocab()
    return {f"{name}_token_id": vocabulary[f"<|{token}|>"] for name, token in names.items()}


def save_nano(model: Any, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """A checkpoint as any Qwen2.5-VL has it, in float16: half the bytes, and no less precise than bfloat16."""
    state = model.state_dict()
    weights = {name: tensor.to(torch.float16) for name, tensor in state.items() if name != "lm_head.weight"}
    model.generation_config = GenerationConfig(eos_token_id=tokenizer.eos_token_id)
    model.save_pretrained(folder, state_dict=weights)
    tokenizer.save_pretrained(folder)
    Qwen2VLImageProcessorPil(patch_size=PATCH_PX, merge_size=MERGE).save_pretrained(folder)
