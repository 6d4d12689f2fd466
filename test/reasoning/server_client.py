# SPDX-License-Identifier: Apache-2.0
"""Asks a server of a test through the model that is under test."""

import pytest

from scene_r1_ros.config import ModelConfig
from scene_r1_ros.errors import ModelFailed
from scene_r1_ros.reasoning.models import load_model
from scene_r1_ros.reasoning.protocol import Request
from test.reasoning.scripted import make_frame

KEY = "sk-the-very-secret-key"
FRAMES = tuple(make_frame(float(t), (160, 120)) for t in range(3))
REQUEST = Request("temporal", "the red mug", FRAMES, (0.0, 1.0, 2.0))


def model_at(url, name="some/model", **settings):
    return load_model(ModelConfig(kind="openai", path=f"{url}#{name}", **settings))


def reply(server, request=REQUEST, should_stop=lambda: False, **settings):
    heard: list[str] = []
    answer = model_at(server.url, **settings).reply(request, heard.append, should_stop)
    assert "".join(heard) == answer.text
    return answer


def failure(server, **settings) -> ModelFailed:
    with pytest.raises(ModelFailed) as caught:
        reply(server, **settings)
    return caught.value
