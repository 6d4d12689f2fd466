# SPDX-License-Identifier: Apache-2.0
"""`transformers serve` as a program that also runs beside a torch for CPU.

What the server shows a model is prepared by torchvision. There it can be imported once the shim is, but cannot read a
JPEG; Pillow does.
"""

import io
from importlib import import_module
from typing import Any

import numpy as np
import torch
from PIL import Image


def decode_image(encoded: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
    """The bytes of a picture, (N,) uint8, as (3, H, W) uint8 RGB."""
    with Image.open(io.BytesIO(encoded.numpy().tobytes())) as image:
        return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)


if __name__ == "__main__":
    if torch.version.cuda is None:
        import_module("test.tracking.torchvision_shim")  # before anything imports torchvision
        import_module("torchvision.io").decode_image = decode_image
    from transformers.cli.transformers import app

    app()
