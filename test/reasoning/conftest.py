# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the reasoning tests."""

import pytest

from scene_r1_ros.reasoning import openai_server
from scene_r1_ros.reasoning.clip import Clip
from scene_r1_ros.reasoning.qwen import ARCHITECTURES
from test.reasoning.chat_server import ChatServer
from test.reasoning.scripted import make_frame


@pytest.fixture
def clip() -> Clip:
    """Ten frames, one per second."""
    return Clip.of([make_frame(float(t)) for t in range(10)])


@pytest.fixture
def serve():
    """``serve(*behaviours)`` starts a server."""
    started = []

    def start(*behaviours, **options):
        started.append(ChatServer(*behaviours, **options))
        return started[-1]

    yield start
    for server in started:
        server.close()


@pytest.fixture
def quick(monkeypatch):
    """A busy server is asked again at once; no key of this machine goes anywhere."""
    monkeypatch.setattr(openai_server, "BACKOFF_S", 0.001)
    for name in ("SCENE_R1_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module", params=ARCHITECTURES)
def architecture(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def attentive_qwen(architecture, tmp_path_factory):
    """Folder of a random checkpoint of each architecture, whose replies depend on what it is shown."""
    from scene_r1_ros.evaluation import random_qwen

    return random_qwen.build(tmp_path_factory.mktemp(architecture), architecture, initializer_range=0.3)
