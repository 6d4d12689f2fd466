# SPDX-License-Identifier: Apache-2.0
"""How a model learns from 2D boxes, time windows and text answers: samples, rewards, supervised start, GRPO."""
