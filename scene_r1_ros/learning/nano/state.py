# SPDX-License-Identifier: Apache-2.0
"""A training as a file: weights, what the optimizers remember, and how far it came. One file of safetensors, which is
whole or not there. Needs torch.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from scene_r1_ros.errors import BadInput
from scene_r1_ros.learning.atomic import replacing

STATE = "state.safetensors"


@dataclass(frozen=True, eq=False)
class Learner:
    """All that changes while a model learns."""

    modules: Mapping[str, nn.Module]
    optimizers: Mapping[str, torch.optim.Optimizer]

    def tensors(self) -> dict[str, Tensor]:
        named = {
            f"{name}/{key}": tensor.contiguous()
            for name, module in self.modules.items()
            for key, tensor in module.state_dict().items()
            if key != "lm_head.weight"  # the embeddings once more
        }
        for name, optimizer in self.optimizers.items():
            for number, memory in optimizer.state_dict()["state"].items():
                named |= {f"{name}/{number}/{key}": torch.as_tensor(value) for key, value in memory.items()}
        return named

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """
        Raises:
            KeyError, RuntimeError: the tensors are of another model.
        """
        for name, module in self.modules.items():
            own = {key: tensors[f"{name}/{key}"] for key in module.state_dict() if key != "lm_head.weight"}
            module.load_state_dict(own, strict=False)
        for name, optimizer in self.optimizers.items():
            memory: dict[int, dict[str, Tensor]] = {}
            for key in (key for key in tensors if key.startswith(f"{name}/")):
                _, number, what = key.split("/")
                memory.setdefault(int(number), {})[what] = tensors[key]
            optimizer.load_state_dict({**optimizer.state_dict(), "state": memory})


def save_state(folder: Path, learner: Learner, step: int, about: Mapping[str, Any]) -> None:
    """
    Raises:
        NotWritten: it cannot be written; the older file stays.
    """
    with replacing(folder / STATE) as new:
        save_file(learner.tensors(), new, {"step": str(step), "about": json.dumps(about)})


def load_state(folder: Path, learner: Learner, about: Mapping[str, Any]) -> int:
    """The step at which a training was saved, which its learner then has again.

    Raises:
        BadInput: there is none, it is damaged, or it was another training: ``about`` tells them apart.
    """
    path = folder / STATE
    remedy = f"train anew without --resume, or into another folder than {folder}"
    try:
        with safe_open(path, "pt") as file:
            saved = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - the file is no mapping
        step, before = int(saved["step"]), json.loads(saved["about"])
    except FileNotFoundError as error:
        raise BadInput(f"there is no checkpoint {path} to go on from; train without --resume") from error
    except Exception as error:  # safetensors has an exception of its own, json and int others
        raise BadInput(f"checkpoint {path} is damaged: {error}; {remedy}") from error
    if before != dict(about):
        changed = sorted(key for key in {*before, *about} if before.get(key) != about.get(key))
        raise BadInput(f"checkpoint {path} is of another training: {', '.join(changed)} differ; {remedy}")
    try:
        learner.restore(tensors)
    except (KeyError, RuntimeError, ValueError) as error:
        raise BadInput(f"checkpoint {path} does not fit this model: {error}; {remedy}") from error
    return step
