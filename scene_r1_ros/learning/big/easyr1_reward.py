# SPDX-License-Identifier: Apache-2.0
"""The reward for EasyR1 (github.com/hiyouga/EasyR1), as one file: worker.reward.reward_function = THIS:compute_score.

The package scene_r1_ros must be installed where it runs; torch is not needed.
"""

from dataclasses import asdict
from typing import Any

from scene_r1_ros.learning.big.truth import score_by
from scene_r1_ros.learning.rewards import RewardConfig, Scores

REWARD_NAME = "scene_r1"
REWARD_TYPE = "batch"


def compute_score(reward_inputs: list[dict[str, Any]], **weights: float) -> list[dict[str, float]]:
    """The weighted sum ("overall") and each term that applies, for each reply.

    Args:
        reward_inputs: each with the keys "response" and "ground_truth", which is what ``scene-r1 data export`` wrote.
        weights: of the terms, where they differ from ``RewardConfig``; EasyR1 gives reward_function_kwargs.
    """
    worth = RewardConfig(**weights)
    scored = [score_by(one["ground_truth"], one["response"]) for one in reward_inputs]
    return [{"overall": scores.total(worth), **_applying(scores)} for scores in scored]


def _applying(scores: Scores) -> dict[str, float]:
    """Its terms, without those that do not apply: EasyR1 takes the mean of what is there."""
    return {name: value for name, value in asdict(scores).items() if value is not None}
