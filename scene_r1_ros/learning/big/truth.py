# SPDX-License-Identifier: Apache-2.0
"""What an engine carries beside a prompt, as text: the sample to hold a reply against, and the scale of its boxes."""

import json
from dataclasses import replace

from scene_r1_ros.learning.rewards import Scores, model_scale, score
from scene_r1_ros.learning.sample import Sample
from scene_r1_ros.learning.schema import dict_of, sample_of
from scene_r1_ros.reasoning.protocol import ModelSpec


def truth_of(sample: Sample, spec: ModelSpec) -> str:
    """A sample without its reasoning, and pixels per unit of the model's boxes, as JSON."""
    values = {"sample": dict_of(replace(sample, reasoning="")), "scale_xy": model_scale(sample, spec)}
    return json.dumps(values, ensure_ascii=False)


def score_by(truth: str, reply: str) -> Scores:
    """``learning.rewards.score`` of a reply to what ``truth_of`` told.

    Raises:
        BadInput: a field breaks a rule of samples.
        ValueError: it is no JSON.
    """
    values = json.loads(truth)
    return score(reply, sample_of(values["sample"]), tuple(values["scale_xy"]))
