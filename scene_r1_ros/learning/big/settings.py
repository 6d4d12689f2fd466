# SPDX-License-Identifier: Apache-2.0
"""What a training of a published model can be told; ``config/train/grpo.yaml`` shows all of it."""

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from scene_r1_ros.config import lines_of, override, read_yaml, setting
from scene_r1_ros.errors import BadInput
from scene_r1_ros.learning.rewards import RewardConfig


@dataclass(frozen=True)
class TrlSettings:
    """GRPO through TRL. The loss is that of the paper on GRPO (arXiv 2402.03300): see ``learning.big.trl_run``."""

    steps: int = setting(500, "updates of the weights", 1, 10_000_000)
    lora: bool = setting(True, "learn a LoRA adapter; false: all weights")
    lora_rank: int = setting(32, "lora: rank of the adapter", 1, 1024)
    train_vision: bool = setting(
        False,
        "learn the vision tower too: worth it where images look unlike those of the web (infrared, fisheye); it knows "
        "usual ones already, costs memory, and vLLM takes no adapter of it",
    )
    learning_rate: float = setting(0.0, "of AdamW, at the start; 0: 1e-5 for LoRA, 1e-6 for all weights", 0.0, 1.0)
    num_generations: int = setting(8, "replies to one prompt, which are compared with each other", 2, 1024)
    per_device_batch: int = setting(4, "replies that one GPU learns from at once", 1, 4096)
    accumulation: int = setting(8, "... times so many before the weights are updated", 1, 4096)
    max_completion_tokens: int = setting(512, "a longer reply is cut off", 1, 100_000)
    temperature: float = setting(1.0, "of sampling", 0.01, 2.0)
    beta: float = setting(0.04, "weight of the KL term, which holds the model near to what it was", 0.0, 10.0)
    epsilon: float = setting(0.2, "clip of the ratio of new to old probability", 0.0, 1.0)
    gradient_checkpointing: bool = setting(True, "compute activations twice instead of keeping them")
    save_every: int = setting(50, "updates between checkpoints, of which the last three are kept", 1, 1_000_000)
    seed: int = setting(0, "of sampling, and of the order of the samples", 0, 2**31)
    vllm: str = setting(
        "",
        "who writes the replies. Empty: the model itself, through transformers; colocate: vLLM on the same GPUs; "
        "http://HOST:8000: a server started by `trl vllm-serve`",
    )
    vllm_memory: float = setting(0.3, "vllm = colocate: its share of a GPU's memory", 0.01, 0.99)
    rewards: RewardConfig = field(default_factory=RewardConfig)

    @property
    def chosen_learning_rate(self) -> float:
        return self.learning_rate or (1e-5 if self.lora else 1e-6)


def load_settings(path: Path | None, steps: int = 0, full: bool = False) -> TrlSettings:
    """The settings of a YAML that names only what differs from the defaults; None: the defaults.

    Args:
        path: of the YAML.
        steps: above 0, in place of its own.
        full: all weights learn, whatever it says.

    Raises:
        BadInput: unreadable, an unknown name, a wrong type, a value out of range, or values that contradict each other.
    """
    values = read_yaml(path, "training configuration", like="like config/train/grpo.yaml") if path else None
    settings = override(TrlSettings(), {} if values is None else values, str(path))
    return checked_settings(replace(settings, steps=steps or settings.steps, lora=settings.lora and not full))


def checked_settings(settings: TrlSettings) -> TrlSettings:
    """
    Raises:
        BadInput: values that contradict each other.
    """
    if settings.vllm not in ("", "colocate") and not settings.vllm.startswith(("http://", "https://")):
        raise BadInput(
            f"vllm = {settings.vllm!r}; expected nothing, colocate, or the address of a server, http://HOST:8000"
        )
    if settings.vllm and settings.lora and settings.train_vision:
        raise BadInput("vllm takes no LoRA adapter of a vision tower; set train_vision: false, or lora: false")
    if not any(asdict(settings.rewards).values()):
        raise BadInput("all weights of rewards are 0: there is nothing to learn from; set one above 0")
    return settings


def check_batch(settings: TrlSettings, n_processes: int) -> None:
    """
    Raises:
        BadInput: the replies of one update are no whole number of groups.
    """
    replies = settings.per_device_batch * settings.accumulation * n_processes
    if replies % settings.num_generations:
        raise BadInput(
            f"an update sees {replies} replies ({settings.per_device_batch} per_device_batch x {settings.accumulation} "
            f"accumulation x {n_processes} processes), which is no multiple of num_generations = "
            f"{settings.num_generations}; change one of them"
        )


def writing_steps(settings: TrlSettings, n_processes: int) -> int:
    """How many times ``per_device_batch`` replies are written at once. vLLM is best given all of an update;
    transformers keeps keys, values and images of a prompt for each reply, and gets as few as make whole groups.
    """
    if settings.vllm:
        return settings.accumulation
    steps = [n for n in range(1, settings.accumulation + 1) if settings.accumulation % n == 0]
    return next(n for n in steps if n * settings.per_device_batch * n_processes % settings.num_generations == 0)


def dump_settings(settings: TrlSettings) -> str:
    """All settings as YAML, each below its help."""
    return "\n".join(lines_of(settings, "")) + "\n"
