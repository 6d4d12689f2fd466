# SPDX-License-Identifier: Apache-2.0
"""What every checkpoint has in common, of a language model or of a tracker: how it is named and where it runs."""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

from scene_r1_ros.errors import ModelFailed

HUB_NAME = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}", re.ASCII)


def is_hub_name(path_or_name: str) -> bool:
    """``OWNER/NAME``, and nothing on this disk is called so."""
    return bool(HUB_NAME.fullmatch(path_or_name)) and not Path(path_or_name).expanduser().exists()


def import_transformers(need: str) -> Any:
    """The module transformers, with torch beside it.

    Raises:
        ModelFailed: one is missing; ``need`` says what for.
    """
    try:
        import_module("torch")  # transformers can be imported without it, but has no model then
        return import_module("transformers")
    except (ImportError, OSError) as error:  # OSError: a shared library of torch is missing
        raise ModelFailed(f"{need}: {error}; pip install torch transformers safetensors") from error


def chosen_device(wanted: str, setting: str) -> str:
    """``cpu`` or ``cuda``; ``setting`` is the name of the setting that says what is wanted.

    Raises:
        ModelFailed: a GPU is asked for where torch sees none.
    """
    import torch

    available = torch.cuda.is_available()
    if wanted == "cuda" and not available:
        raise ModelFailed(f"{setting} = 'cuda', but torch sees no GPU; install a driver and a CUDA build of torch, "
                          f"or set {setting}: auto or cpu")  # fmt: skip
    return "cuda" if available and wanted != "cpu" else "cpu"
