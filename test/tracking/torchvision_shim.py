# SPDX-License-Identifier: Apache-2.0
"""Lets torchvision be imported where its compiled part cannot be loaded: wheels for CUDA beside a torch for CPU.

torchvision then registers what it knows of two operators that nobody declared, and fails. They are declared here, and
stay without a kernel: timm, for which torchvision is imported, calls neither.
"""

import torch

_LIBRARY = torch.library.Library("torchvision", "FRAGMENT")
_LIBRARY.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
_LIBRARY.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
