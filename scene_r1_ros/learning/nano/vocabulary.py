# SPDX-License-Identifier: Apache-2.0
"""The nano model's own tokenizer: whole words, whole numbers and the fixed parts of a reply are one token each.

Anything else is spelled in bytes, so that no query is lost. Upper case is read as lower case. Needs transformers.
"""

from collections.abc import Iterable

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

IMAGE_PAD, VISION_END = "<|image_pad|>", "<|vision_end|>"
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", VISION_END, IMAGE_PAD]
# What every reply is built of; as single tokens they cost one step each.
PARTS = [
    "<think>", "</think>\n<answer>", "</answer>", '{"bbox_2d": [', '], "label": "', '"}', " seconds>", "not present",
]  # fmt: skip
MAX_NUMBER = 399  # pixels of an image at its input, and seconds of a clip; larger ones are two tokens
WORDS = Regex(r" ?\p{L}+|\p{N}{1,3}|[^\s\p{L}\p{N}]+ ?(?=\p{N})|[^\s\p{L}\p{N}]+|\s+")
CHAT_TEMPLATE = (
    "{% for message in messages %}{% for part in message.content %}"
    "{% if part.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ part.text }}{% endif %}"
    "{% endfor %}{% endfor %}{% if add_generation_prompt %}<|im_start|>{% endif %}"
)


def build_tokenizer(texts: Iterable[str], size: int = 1536) -> PreTrainedTokenizerFast:
    """A tokenizer for texts like these; the same texts give the same one."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(WORDS, "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.add_tokens([AddedToken(part, normalized=False) for part in PARTS])
    numbers = [*map(str, range(MAX_NUMBER + 1)), *(f"{digit:02d}" for digit in range(10))]  # 4.05s
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=SPECIAL, initial_alphabet=alphabet, min_frequency=2, show_progress=False
    )
    tokenizer.train_from_iterator([*texts, *(" ".join(numbers) for _ in range(1000))], trainer)
    tokenizer.add_tokens([AddedToken(part, normalized=False) for part in PARTS])
    ends = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, chat_template=CHAT_TEMPLATE, **ends)
