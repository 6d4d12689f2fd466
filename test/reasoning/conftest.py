# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the reasoning tests."""

import pytest

from scene_r1_ros.reasoning.clip import Clip
from test.reasoning.scripted import make_frame


@pytest.fixture
def clip() -> Clip:
    """Ten frames, one per second."""
    return Clip.of([make_frame(float(t)) for t in range(10)])
