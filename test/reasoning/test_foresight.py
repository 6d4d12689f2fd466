# SPDX-License-Identifier: Apache-2.0
"""Frames that a model has read before anyone asked."""

from dataclasses import replace

import numpy as np
import pytest

from scene_r1_ros.config import ModelConfig
from scene_r1_ros.errors import ParseFailed
from scene_r1_ros.reasoning.clip import Clip
from scene_r1_ros.reasoning.foresight import read_ahead
from scene_r1_ros.reasoning.models import load_model
from scene_r1_ros.reasoning.protocol import Foresighted
from scene_r1_ros.reasoning.qwen.prompt import make_prompt
from scene_r1_ros.reasoning.recorded import RecordedModel
from scene_r1_ros.reasoning.temporal import ground_in_time
from scene_r1_ros.run import Run
from test.reasoning.scripted import make_frame

pytest.importorskip("torch")
pytest.importorskip("transformers")


def noise(time_s: float):
    pixels = np.random.default_rng(int(time_s * 10)).integers(0, 255, (60, 80, 3))
    return make_frame(time_s, color=pixels.astype(np.uint8))


@pytest.fixture
def model(tiny_qwen):
    made = load_model(ModelConfig(kind="transformers", path=str(tiny_qwen), device="cpu"))
    made.spec = replace(made.spec, max_new_tokens=4)
    return made


@pytest.mark.parametrize("n", [1, 5, 40])  # more than the model is shown at once, too
def test_the_first_query_finds_its_frames_read(model, n, monkeypatch):
    frames, unread, reply = [noise(0.5 * t) for t in range(n)], [], model.reply

    def watched(request, *listeners):
        prompt, said = make_prompt(request, model.checkpoint.tokenizer, model.spec), reply(request, *listeners)
        unread.append(len(prompt.frames_only().token_ids) - said.cached_tokens)
        return said

    monkeypatch.setattr(model, "reply", watched)
    read_ahead(model, frames, lambda: False)
    with pytest.raises(ParseFailed), Run().stage("temporal"):  # random words are no window
        ground_in_time(model, "the mug", Clip.of(frames), Run())
    assert unread[0] <= 0


def test_only_minds_that_keep_what_they_read_are_asked_to(model, tmp_path):
    path = tmp_path / "answers.yaml"
    path.write_text("answers: []\n", encoding="utf-8")
    assert isinstance(model, Foresighted)
    assert not isinstance(RecordedModel(path), Foresighted)
