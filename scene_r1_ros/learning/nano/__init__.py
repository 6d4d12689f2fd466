# SPDX-License-Identifier: Apache-2.0
"""The nano model: the architecture of Qwen2.5-VL at a few million parameters, trained here from nothing."""
