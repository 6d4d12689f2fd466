# SPDX-License-Identifier: Apache-2.0
"""The weights of a checkpoint before they are loaded: what form they have, and whether there is room for them."""

import os
from math import prod
from pathlib import Path
from typing import Any

from scene_r1_ros.errors import ModelFailed

# In what torch raises besides its OutOfMemoryError.
NO_MEMORY = ("out of memory", "ALLOC_FAILED", "can't allocate memory", "not enough memory")
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
NO_ROOM = "choose a smaller model, make room, or let a server with a larger GPU run it (model.kind: openai)"
MEMORY = Path("/proc/meminfo")


def refuse_pickles(folder: Path) -> None:
    """Weights that are pickled only run whatever code they hold when they are read.

    Raises:
        ModelFailed: there are no others.
    """
    pickles = sorted(path.name for pattern in PICKLES for path in folder.glob(pattern))
    if pickles and not any(folder.glob("*.safetensors")):
        raise ModelFailed(
            f"model folder {str(folder)!r} holds its weights pickled ({', '.join(pickles[:3])}), and loading a pickle "
            "runs whatever code it holds; convert them to safetensors where you trust them"
        )


def chosen_dtype(folder: Path, device: str) -> Any:
    """On a GPU bfloat16: float16 holds no such large numbers as these models make. On a CPU float32, which is the
    quickest there, unless only bfloat16 fits into the memory that is free.
    """
    import torch

    if device == "cuda":
        return torch.bfloat16
    return torch.float32 if n_parameters(folder) * 4 < free_bytes(device) else torch.bfloat16


def check_room(folder: Path, dtype: Any, device: str) -> None:
    """
    Raises:
        ModelFailed: the weights alone are larger than what is free.
    """
    needed, free = n_parameters(folder) * dtype.itemsize, free_bytes(device)
    if needed > free:
        raise ModelFailed(
            f"model {str(folder)!r} needs {needed / 2**30:.1f} GiB for its weights alone in {dtype}, and "
            f"{free / 2**30:.1f} GiB are free on {device}; {NO_ROOM}"
        )


def n_parameters(folder: Path) -> int:
    """How many numbers a checkpoint's safetensors hold; only their headers are read."""
    from safetensors import safe_open

    count = 0
    for path in folder.glob("*.safetensors"):
        with safe_open(path, "np") as tensors:
            names = tensors.keys()
            count += sum(prod(tensors.get_slice(name).get_shape()) for name in names)
    return count


def is_out_of_memory(error: BaseException) -> bool:
    import torch

    kinds = (MemoryError, torch.OutOfMemoryError)
    return isinstance(error, kinds) or any(text in str(error) for text in NO_MEMORY)


def free_bytes(device: str) -> int:
    """Memory that can be had without swapping. On a CPU, what the kernel estimates (``man 5 proc``, MemAvailable)."""
    if device == "cuda":
        import torch

        return int(torch.cuda.mem_get_info()[0])
    if MEMORY.is_file():
        fields = dict(line.split(":", 1) for line in MEMORY.read_text(encoding="ascii").splitlines())
        return int(fields["MemAvailable"].split()[0]) * 1024
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")  # other systems
