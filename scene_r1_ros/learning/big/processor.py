# SPDX-License-Identifier: Apache-2.0
"""What TRL needs of a Qwen VL processor: the tokenizer and the Pillow image processor as one object.

The processor classes of transformers also want a video processor, and that wants torchvision. Frames are given as
images with their times in the text between them, so neither is needed. Needs transformers; imported where a training
starts.
"""

import shutil
from pathlib import Path
from typing import Any

from transformers.processing_utils import ProcessorMixin

from scene_r1_ros.reasoning.protocol import ModelSpec
from scene_r1_ros.reasoning.qwen.loading import Checkpoint
from scene_r1_ros.reasoning.qwen.prompt import IMAGE_PAD

# Of a checkpoint's files, those that a training does not change: tokenizer, chat template, image processor.
KEPT = ("*token*.json", "*processor*.json", "vocab.json", "merges.txt", "*.jinja", "chat_template.json")


class FramesProcessor(ProcessorMixin):
    """Images and text to what a Qwen VL model reads."""

    return_mm_token_type_ids = True

    def __init__(self, image_processor: Any, tokenizer: Any, chat_template: Any = None, folder: Path | None = None):
        self.image_token = IMAGE_PAD
        self.image_token_id = tokenizer.convert_tokens_to_ids(IMAGE_PAD)
        self.folder = folder  # of the checkpoint
        super().__init__(image_processor, tokenizer, chat_template=chat_template)

    def replace_image_token(self, image_inputs: dict, image_idx: int, **_: Any) -> str:
        """As many tokens as the image has embeddings: called by transformers, for each image of a text."""
        patches = int(image_inputs["image_grid_thw"][image_idx].prod())
        return self.image_token * (patches // self.image_processor.merge_size**2)

    def save_pretrained(self, save_directory: Any, push_to_hub: bool = False, **_: Any) -> None:
        """The files of the checkpoint itself, so that what is trained loads wherever the checkpoint does."""
        Path(save_directory).mkdir(parents=True, exist_ok=True)
        for path in sorted({path for pattern in KEPT for path in (self.folder or Path()).glob(pattern)}):
            shutil.copyfile(path, Path(save_directory) / path.name)


def make_processor(checkpoint: Checkpoint, spec: ModelSpec, folder: Path) -> FramesProcessor:
    """The processor of a checkpoint, with the image sizes of ``spec`` instead of its own."""
    images, tokenizer = checkpoint.images, checkpoint.tokenizer
    images.size = {"shortest_edge": spec.min_pixels, "longest_edge": spec.max_pixels}
    tokenizer.padding_side = "left"  # what is generated follows the prompt at once
    return FramesProcessor(images, tokenizer, chat_template=tokenizer.chat_template, folder=folder)
