# SPDX-License-Identifier: Apache-2.0
"""Random checkpoints of the real Qwen VL architectures, small enough to make on the spot: for measuring and testing
what does not depend on the weights. Needs torch and transformers.
"""

import json
from pathlib import Path
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    GenerationConfig,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2Tokenizer,
    Qwen2VLImageProcessorPil,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
)

from scene_r1_ros.reasoning.protocol import Request
from scene_r1_ros.reasoning.qwen import TransformersModel
from scene_r1_ros.reasoning.qwen.prompt import make_prompt

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>"]
CORPUS = ["<think>the red mug stands left of the sink</think><answer>5s to 10s</answer>", '{"bbox_2d": [1, 2, 3, 4]}']
WORDS = Regex(r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+")
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% for part in message.content %}"
    "{% if part.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ part.text }}{% endif %}"
    "{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TEXT: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [2, 3, 3]},  # sums to head_dim / 2
}
VISION: dict[str, Any] = {"depth": 2, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2, "out_hidden_size": 32}


def build(folder: Path, architecture: str = "qwen2_5_vl", initializer_range: float = 0.02) -> Path:
    """Write a random ``qwen2_5_vl`` or ``qwen3_vl`` checkpoint, always the same one, into ``folder``.

    Its replies hardly depend on what it is shown; with an ``initializer_range`` of 0.3 they do.
    """
    torch.manual_seed(0)
    tokenizer, spread = build_tokenizer(), {"initializer_range": initializer_range}
    names = {"image": "image_pad", "vision_start": "vision_start", "vision_end": "vision_end"}
    ids: dict[str, Any] = {
        f"{name}_token_id": tokenizer.convert_tokens_to_ids(f"<|{token}|>") for name, token in names.items()
    }
    ends = {"eos_token_id": tokenizer.eos_token_id, "bos_token_id": None}
    text, vision = {**TEXT, **spread, **ends, "vocab_size": len(tokenizer)}, {**VISION, **spread}
    model, patch_size = build_model(architecture, text, vision, ids)
    model.generation_config = GenerationConfig(eos_token_id=tokenizer.eos_token_id, repetition_penalty=1.05)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    Qwen2VLImageProcessorPil(patch_size=patch_size).save_pretrained(folder)
    return folder


def build_model(
    architecture: str, text: dict[str, Any], vision: dict[str, Any], ids: dict[str, Any]
) -> tuple[Any, int]:
    """A model with random weights, and the size of its patches in pixels."""
    if architecture == "qwen2_5_vl":
        vision = {**vision, "fullatt_block_indexes": [1]}
        return Qwen2_5_VLForConditionalGeneration(Qwen2_5_VLConfig(text_config=text, vision_config=vision, **ids)), 14
    text, vision = {**text, "head_dim": 16}, {**vision, "deepstack_visual_indexes": [0], "num_position_embeddings": 64}
    return Qwen3VLForConditionalGeneration(Qwen3VLConfig(text_config=text, vision_config=vision, **ids)), 16


def build_tokenizer() -> Qwen2Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(WORDS, "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        CORPUS * 4, trainers.BpeTrainer(vocab_size=320, initial_alphabet=alphabet, show_progress=False)
    )
    trained = json.loads(tokenizer.to_str())["model"]
    special: dict[str, Any] = {
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "additional_special_tokens": SPECIAL,
    }
    merges: Any = [tuple(pair) for pair in trained["merges"]]
    return Qwen2Tokenizer(vocab=trained["vocab"], merges=merges, chat_template=CHAT_TEMPLATE, **special)


def whole_inputs(model: TransformersModel, request: Request) -> dict[str, Any]:
    """What transformers' own ``generate`` takes for a request: its whole prompt, and all pixels of its frames."""
    prompt = make_prompt(request, model.checkpoint.tokenizer, model.spec)
    size = {"shortest_edge": model.spec.min_pixels, "longest_edge": model.spec.max_pixels}
    images = model.checkpoint.images([frame.color for frame in request.frames], size=size, return_tensors="pt")
    ids = torch.from_numpy(prompt.token_ids[None])
    kinds = torch.from_numpy((prompt.marks < 0).astype("int32")[None])  # 1 where a piece of an image stands
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "mm_token_type_ids": kinds, **images}
