# SPDX-License-Identifier: Apache-2.0
"""The rewards for a GRPOTrainer of TRL in a program of your own, as one file: reward_funcs=REWARDS.

The package scene_r1_ros must be installed; `scene-r1 train trl` needs neither this nor an export.
"""

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

from scene_r1_ros.learning.big.truth import score_by
from scene_r1_ros.learning.rewards import Scores


def _reward(term: str) -> Callable[..., list[float | None]]:
    def reward(
        completions: Sequence[Sequence[dict[str, str]]], ground_truth: Sequence[str], **_: Any
    ) -> list[float | None]:
        scored = [score_by(true, said[0]["content"]) for said, true in zip(completions, ground_truth, strict=True)]
        return [getattr(scores, term) for scores in scored]

    reward.__name__ = term  # TRL logs it under this name
    return reward


REWARDS = [_reward(term.name) for term in fields(Scores)]
