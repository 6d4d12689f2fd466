# SPDX-License-Identifier: Apache-2.0
"""Steps of one size in every direction of a weight matrix, so that rare directions learn as fast as frequent ones.

Muon (Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks"). torch has it too, but in bfloat16,
which takes a CPU without such instructions a hundred times longer. Needs torch.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

STEPS = 5
COEFFICIENTS = (3.4445, -4.775, 2.0315)  # of the iteration's polynomial, from the source


class Muon(torch.optim.Optimizer):
    """For matrices alone; the three of a joined query, key and value are taken apart."""

    def __init__(self, matrices: Iterable[Tensor], lr: float, momentum: float = 0.95, weight_decay: float = 0.01):
        super().__init__(matrices, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        for group in self.param_groups:
            for matrix in group["params"]:
                if matrix.grad is not None:
                    self._move(matrix, group)

    def _move(self, matrix: Tensor, group: dict[str, float]) -> None:
        state = self.state[matrix]
        if not state:
            state["momentum"] = torch.zeros_like(matrix)
        average = state["momentum"].mul_(group["momentum"]).add_(matrix.grad)
        ahead = matrix.grad + group["momentum"] * average
        rows, columns = matrix.shape
        parts = ahead.chunk(3) if rows == 3 * columns else (ahead,)
        step = torch.cat([orthogonal(part) * max(1.0, part.shape[0] / part.shape[1]) ** 0.5 for part in parts])
        matrix.mul_(1 - group["lr"] * group["weight_decay"]).add_(step, alpha=-group["lr"])


def orthogonal(matrix: Tensor) -> Tensor:
    """The matrix with its singular values all near 1, by a Newton-Schulz iteration."""
    a, b, c = COEFFICIENTS
    is_tall = matrix.shape[0] > matrix.shape[1]
    x = matrix / (matrix.norm() + 1e-7)
    x = x.T if is_tall else x
    for _ in range(STEPS):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if is_tall else x
