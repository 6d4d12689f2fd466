# SPDX-License-Identifier: Apache-2.0
"""GRPO of published vision-language models: through TRL here, or exported for EasyR1 and verl. What is shared by all:
the prompts are the robot's own, and the rewards are ``learning.rewards``.
"""
