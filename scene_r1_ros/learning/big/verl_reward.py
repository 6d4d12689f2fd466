# SPDX-License-Identifier: Apache-2.0
"""The reward for verl (github.com/volcengine/verl), as one file: custom_reward_function.path = THIS.

The package scene_r1_ros must be installed where it runs; torch is not needed.
"""

import math
from dataclasses import asdict
from typing import Any

from scene_r1_ros.learning.big.truth import score_by
from scene_r1_ros.learning.rewards import RewardConfig


def compute_score(
    data_source: str, solution_str: str, ground_truth: str, extra_info: dict[str, Any] | None = None, **weights: float
) -> dict[str, float]:
    """The weighted sum ("score") and each term. verl wants the same keys of every reply: a term that does not apply is
    NaN, and as each task is a ``data_source`` of its own, only figures that mean nothing become NaN.

    Args:
        data_source: "scene_r1/" and the task.
        solution_str: the reply.
        ground_truth: what ``scene-r1 data export`` wrote.
        extra_info: not used.
        weights: of the terms, where they differ from ``RewardConfig``; verl gives reward_kwargs.
    """
    scores = score_by(ground_truth, solution_str)
    terms = {name: math.nan if value is None else value for name, value in asdict(scores).items()}
    return {"score": scores.total(RewardConfig(**weights)), **terms}
