# SPDX-License-Identifier: Apache-2.0
"""A sample as a model is shown it: the messages that a robot sends, and its images at the size that the model sees."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from scene_r1_ros.errors import BadInput
from scene_r1_ros.learning.images import image_file, read_image
from scene_r1_ros.learning.replies import messages_of
from scene_r1_ros.learning.sample import Sample, Shot
from scene_r1_ros.reasoning.jpeg import seen_wh
from scene_r1_ros.reasoning.protocol import ModelSpec

log = logging.getLogger(__name__)


def conversation(sample: Sample, spec: ModelSpec) -> list[dict[str, Any]]:
    """The messages that a robot sends for a sample; ``{"type": "image"}`` stands where each image goes.

    Raises:
        BadInput: it shows more frames than the model is shown at once, or is of the task objects, which no robot asks.
    """
    if len(sample.shots) > spec.max_frames:
        raise BadInput(
            f"sample {sample.sample_id!r} shows {len(sample.shots)} frames, and {spec.name} is shown at most "
            f"{spec.max_frames}; thin them out, or raise max_frames in its YAML"
        )
    return messages_of(sample, spec)


def seen_image(shot: Shot, folder: Path, spec: ModelSpec) -> Image.Image:
    """A frame as RGB at the size that the model sees, so that no image processor has to resize it again.

    Raises:
        BadInput: the file is missing, is no image, or has another size than the sample says.
    """
    original = Image.fromarray(read_image(folder, shot))
    return original.resize(seen_wh(*original.size, spec), Image.Resampling.BICUBIC)  # as the processors do


def check_images(samples: Sequence[Sample], folder: Path) -> None:
    """
    Raises:
        BadInput: an image of the samples is missing.
    """
    for name in dict.fromkeys(shot.image for sample in samples for shot in sample.shots):
        image_file(folder, name)


def usable(samples: Sequence[Sample], folder: Path, spec: ModelSpec, where: str) -> list[Sample]:
    """The samples that a robot would ask, each with all its images there.

    Args:
        where: they come from, for messages.

    Raises:
        BadInput: there is none, one shows too many frames, or an image is missing.
    """
    asked = [sample for sample in samples if sample.task != "objects"]
    if not asked:
        raise BadInput(f"{where} holds {len(samples)} samples, and none of the tasks temporal, image and answer")
    if len(asked) < len(samples):
        log.warning("%d samples of the task objects are left out: no robot asks for that", len(samples) - len(asked))
    for sample in asked:
        conversation(sample, spec)
    check_images(asked, folder)
    return asked
