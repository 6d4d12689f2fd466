# SPDX-License-Identifier: Apache-2.0
"""What the training of a nano model can be told; ``config/train/nano.yaml`` shows all of it."""

from dataclasses import dataclass
from pathlib import Path

from scene_r1_ros.config import lines_of, override, read_yaml, setting


@dataclass(frozen=True)
class SftSettings:
    """The supervised start: first what every point of an image shows, then questions about images, then clips too."""

    small_steps: int = setting(1500, "steps that learn what points show, on images of a quarter of the size", 0, 10**7)
    dense_steps: int = setting(500, "... then so many at full size", 0, 10**7)
    image_steps: int = setting(1500, "then steps with questions about single images", 0, 10**7)
    clip_steps: int = setting(2500, "then steps of which every other one is about clips", 0, 10**7)
    small_images: int = setting(64, "images of a small step", 1, 4096)
    dense_images: int = setting(24, "images of a full step", 1, 4096)
    asked_images: int = setting(16, "images of a step with questions", 1, 4096)
    per_image: int = setting(4, "questions about one image, at most", 1, 100)
    asked_clips: int = setting(3, "clips of a step about clips", 1, 100)
    per_clip: int = setting(8, "questions about one clip, at most", 1, 100)
    muon_rate: float = setting(0.02, "learning rate of matrices (Muon)", 0.0, 1.0)
    adam_rate: float = setting(0.002, "learning rate of all else (AdamW)", 0.0, 1.0)
    warmup_steps: int = setting(60, "steps in which the rates rise", 0, 10**6)
    rest: float = setting(0.03, "share of the rates that is left at the end of their cosine", 0.0, 1.0)
    judge_every: int = setting(500, "steps between looks at samples of other scenes; 0: at the end", 0, 10**7)
    judged_images: int = setting(96, "images of such a look", 1, 100_000)
    judged_clips: int = setting(16, "... and clips", 1, 100_000)
    save_every: int = setting(200, "steps between checkpoints", 1, 10**7)
    seed: int = setting(0, "of the weights, and of the order of the samples", 0, 2**31)
    threads: int = setting(0, "of the processor; another number may change the last digits of a sum; 0: all", 0, 1024)

    @property
    def steps(self) -> int:
        return self.small_steps + self.dense_steps + self.image_steps + self.clip_steps


def load_sft(path: Path | None) -> SftSettings:
    """The settings of a YAML that names only what differs from the defaults; None: the defaults.

    Raises:
        BadInput: unreadable, an unknown name, a wrong type or a value out of range.
    """
    values = read_yaml(path, "training configuration", like="like config/train/nano.yaml") if path else None
    return override(SftSettings(), {} if values is None else values, str(path))


def dump_sft(settings: SftSettings) -> str:
    """All settings as YAML, each below its help."""
    return "\n".join(lines_of(settings, "")) + "\n"
