# SPDX-License-Identifier: Apache-2.0
"""The rewards of ``learning.rewards`` as TRL takes them: one function per term, so that each is logged by itself."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from scene_r1_ros.learning.rewards import Scores, score
from scene_r1_ros.learning.sample import Sample

TERMS = tuple(term.name for term in fields(Scores))

Replies = Sequence[Sequence[dict[str, str]]]  # as TRL gives them: one message each
Reward = Callable[..., list[float | None]]


def reward_functions(log: Path | None = None) -> list[Reward]:
    """A function for each term, in the order of ``TERMS``, under its name.

    Each returns a number for each reply, or None where the term does not apply to its sample: TRL then leaves it out
    of the sum, and out of the mean that it logs. 0.0 is a wrong reply.

    Args:
        log: jsonl that the first reply of each batch is appended to, with its sample and its scores.
    """
    return [_reward(term, log if term == TERMS[0] else None) for term in TERMS]


def _reward(term: str, log: Path | None) -> Reward:
    def reward(
        completions: Replies, sample: list[Sample], scale_xy: list[tuple[float, float]], trainer_state: Any, **_: Any
    ) -> list[float | None]:
        texts = [reply[0]["content"] for reply in completions]
        scores = [score(*judged) for judged in zip(texts, sample, scale_xy, strict=True)]
        if log and trainer_state.is_world_process_zero:
            note_reply(log, trainer_state.global_step + 1, texts[0], sample[0], scores[0])
        return [getattr(one, term) for one in scores]

    reward.__name__ = term  # TRL logs it under this name
    return reward


def note_reply(log: Path, step: int, reply: str, sample: Sample, scores: Scores) -> None:
    """Append a reply, what was asked, and what it got; ``step`` is the update that it leads to."""
    line = {"step": step, "sample": sample.sample_id, "query": sample.query, "reply": reply, "scores": asdict(scores)}
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
