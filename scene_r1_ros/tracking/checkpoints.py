# SPDX-License-Identifier: Apache-2.0
"""Reads the weights of a learned tracker from a file that may be hostile."""

from pathlib import Path
from typing import Any

from scene_r1_ros.errors import ModelFailed


def read_weights(path: Path) -> dict[str, Any]:
    """The tensors by name of a .safetensors, or of a .pt as Meta publishes them; nothing in it is ever run.

    Raises:
        ModelFailed: missing, of another format, or a pickle that holds more than tensors.
    """
    if not path.is_file():
        raise ModelFailed(
            f"tracker checkpoint {str(path)!r} is no file; download one, e.g. sam2.1_hiera_small.pt, or give its hub "
            "name, e.g. facebook/sam2.1-hiera-small"
        )
    if path.suffix not in (".pt", ".pth", ".safetensors"):
        raise ModelFailed(f"tracker checkpoint {str(path)!r} has the suffix {path.suffix!r}; "
                          "expected .pt, .pth or .safetensors")  # fmt: skip
    content = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickle(path)
    weights = content.get("model", content) if isinstance(content, dict) else content
    import torch

    if not isinstance(weights, dict) or not all(
        isinstance(name, str) and isinstance(value, torch.Tensor) for name, value in weights.items()
    ):
        raise ModelFailed(f"tracker checkpoint {str(path)!r} holds no tensors by name; is it the right file?")
    return weights


def _read_safetensors(path: Path) -> Any:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelFailed(f"tracker checkpoint {str(path)!r} is no safetensors file: {error}; "
                          "was its download cut short?") from error  # fmt: skip


def _read_pickle(path: Path) -> Any:
    """With torch's own unpickler, which makes tensors and plain containers and calls nothing else."""
    from pickle import UnpicklingError

    import torch

    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise ModelFailed(
            f"tracker checkpoint {str(path)!r} is refused: it holds more than tensors, or is no checkpoint "
            f"({_reason(error)}); nothing in it was run. Download the original file"
        ) from error
    except Exception as error:  # damaged: torch's reader says AssertionError, TypeError, struct.error ...
        raise ModelFailed(f"tracker checkpoint {str(path)!r} cannot be read: {str(error)[:200]}; "
                          "was its download cut short?") from error  # fmt: skip


def _reason(error: Exception) -> str:
    """What torch's unpickler refused, without torch's advice how to read the file unsafely."""
    said = str(error).rpartition("WeightsUnpickler error:")[2].strip()
    return said.partition("\n")[0].partition(". ")[0][:200]
