# SPDX-License-Identifier: Apache-2.0
"""Qwen2.5-VL and Qwen3-VL checkpoints on this machine, with what they saw and read kept between queries."""

from scene_r1_ros.reasoning.qwen.loading import ARCHITECTURES
from scene_r1_ros.reasoning.qwen.model import TransformersModel

__all__ = ["ARCHITECTURES", "TransformersModel"]
