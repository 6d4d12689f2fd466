# SPDX-License-Identifier: Apache-2.0
"""GRPO through TRL, run for real on random checkpoints of both architectures."""

import io
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from scene_r1_ros.config import ModelConfig
from scene_r1_ros.learning.big import trl_rewards
from scene_r1_ros.learning.big.settings import TrlSettings
from scene_r1_ros.learning.big.train import train_trl
from scene_r1_ros.learning.replies import reply_of
from scene_r1_ros.learning.rewards import RewardConfig, Scores
from scene_r1_ros.reasoning.jpeg import seen_wh
from scene_r1_ros.reasoning.models import make_spec
from scene_r1_ros.reasoning.qwen import ARCHITECTURES, TransformersModel
from scene_r1_ros.reasoning.qwen.prompt import make_prompt
from test.learning.clips import make_samples, write_clip
from test.reasoning.scripted import make_frame
from test.reasoning.test_qwen import clip_request, ignore, never

torch = pytest.importorskip("torch")
pytest.importorskip("trl")
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")  # TRL calls transformers by names that will change

QUICK = TrlSettings(
    steps=2, num_generations=4, per_device_batch=4, accumulation=1, max_completion_tokens=12, lora_rank=4, save_every=2,
    learning_rate=1e-2, gradient_checkpointing=False,
)  # fmt: skip
# Of (20, 30, 60, 70), the right box: itself, its left half, and a place beside it; and then a reply in another form.
BOXES = ((20, 30, 60, 70), (20, 30, 40, 70), (70, 30, 90, 70))
WEIGHTS = RewardConfig(format=0.25, box_iou=2.0)
EXPECTED = (0.25 + 2.0, 0.25 + 2.0 * 0.5, 0.25, 0.0)


@pytest.fixture(scope="module", params=ARCHITECTURES)
def architecture(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def checkpoint(architecture, tmp_path_factory):
    from scene_r1_ros.evaluation import random_qwen

    return random_qwen.build(tmp_path_factory.mktemp(architecture), architecture, initializer_range=0.1)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("clip") / "data")


def replies_of(architecture) -> list[str]:
    """The boxes in the model's own units, of an image of 112x84 pixels, and none."""
    unit = np.array([1.0, 1.0]) if architecture == "qwen2_5_vl" else np.array([1000 / 112, 1000 / 84])
    boxes = [[round(float(v), 4) for v in np.array(box) * np.tile(unit, 2)] for box in BOXES]
    return [f'<think>I see it.</think><answer>{{"bbox_2d": {box}, "label": "mug"}}</answer>' for box in boxes] + ["mug"]


def trainer_of(checkpoint, architecture, clip, out, samples=None, **changes):
    from scene_r1_ros.learning.big.trl_run import make_trainer

    settings = replace(QUICK, **changes)
    return make_trainer(samples or make_samples(), clip.parent, str(checkpoint), make_spec(architecture), out, settings)


def say(trainer, *replies: str) -> None:
    """From now on the model writes these replies, one after the other, whatever it is asked."""
    tokenizer = trainer.processing_class.tokenizer
    ids = [[*tokenizer(reply)["input_ids"], tokenizer.eos_token_id] for reply in replies]
    trainer._generate_single_turn = lambda prompt_ids, *_, **__: ([ids[i % 4] for i in range(len(prompt_ids))], None)


def weights_of(trainer) -> dict:
    return {name: weight.detach().clone() for name, weight in trainer.model.named_parameters()}


def moved(before: dict, trainer) -> set[str]:
    return {name for name, weight in trainer.model.named_parameters() if not torch.equal(weight, before[name])}


def test_rewards_and_advantages_are_those_worked_out_by_hand(checkpoint, architecture, clip, tmp_path):
    trainer = trainer_of(checkpoint, architecture, clip, tmp_path, make_samples()[:1], rewards=WEIGHTS)
    say(trainer, *replies_of(architecture))
    rows = [trainer.train_dataset[0]] * 4
    batch = trainer._generate_and_score_completions(rows)
    rewards = np.array(EXPECTED)
    by_hand = (rewards - rewards.mean()) / (rewards.std(ddof=1) + 1e-4)
    np.testing.assert_allclose(batch["advantages"].numpy(), by_hand, rtol=1e-4)
    metrics = trainer._metrics["train"]
    assert metrics["reward"] == [pytest.approx(rewards.mean(), rel=1e-4)]
    assert metrics["rewards/format/mean"] == [0.75]
    assert metrics["rewards/box_iou/mean"] == [pytest.approx((1 + 0.5) / 4, rel=1e-4)]
    assert np.isnan(metrics["rewards/temporal_iou/mean"][0]) and np.isnan(metrics["rewards/answer/mean"][0])


def test_each_family_is_rewarded_for_the_right_box_in_its_own_units(checkpoint, architecture, tmp_path):
    spec, samples = make_spec(architecture), make_samples((900, 700))
    clip = write_clip(tmp_path / "data", samples)
    trainer = trainer_of(checkpoint, architecture, clip, tmp_path / "out", samples)
    right = reply_of(samples[0], spec, seen_wh(900, 700, spec))
    other = reply_of(samples[0], replace(spec, box_convention="pixel"), (900, 700))
    say(trainer, right, right, other, other)
    trainer._generate_and_score_completions([trainer.train_dataset[0]] * 4)
    got = list(trainer._logs["rewards"]["box_iou"])
    assert min(got[:2]) > 0.9
    assert max(got[2:]) < 0.7


def test_the_prompt_and_the_pixels_are_those_of_the_robot(checkpoint, architecture, clip, tmp_path):
    spec, samples = make_spec(architecture), make_samples()
    trainer = trainer_of(checkpoint, architecture, clip, tmp_path)
    for i, sample in enumerate(samples):
        row = trainer.train_dataset[i]
        inputs = trainer.processing_class(
            images=[row["images"]],
            text=[trainer.processing_class.apply_chat_template(row["prompt"], add_generation_prompt=True)],
            return_tensors="pt",
        )
        model = TransformersModel(ModelConfig(kind="transformers", path=str(checkpoint), device="cpu"), spec)
        frames = tuple(make_frame(s.time_s, color=shown(s, clip.parent)) for s in sample.shots)
        request = replace(
            clip_request(*(s.time_s for s in sample.shots)), task=sample.task, query=sample.query, frames=frames
        )
        prompt = make_prompt(request, model.checkpoint.tokenizer, spec)
        np.testing.assert_array_equal(inputs["input_ids"][0].numpy(), prompt.token_ids)
        size = {"shortest_edge": spec.min_pixels, "longest_edge": spec.max_pixels}
        pixels = model.checkpoint.images([frame.color for frame in frames], size=size, return_tensors="pt")
        torch.testing.assert_close(inputs["pixel_values"], pixels["pixel_values"], rtol=0, atol=0)


def shown(shot, folder):
    from PIL import Image

    return np.asarray(Image.open(folder / shot.image))


def test_lora_moves_its_adapter_and_nothing_of_the_base(checkpoint, architecture, clip, tmp_path):
    trainer = trainer_of(checkpoint, architecture, clip, tmp_path, gradient_checkpointing=True)
    say(trainer, *replies_of(architecture))
    before = weights_of(trainer)
    trainer.train()
    adapter = {name for name in before if "lora_" in name}
    assert moved(before, trainer) == adapter
    assert len(adapter) == 2 * 7 * 2  # A and B of seven layers in two blocks
    assert all("language_model" in name for name in adapter)


@pytest.mark.parametrize("train_vision", [False, True])
def test_full_training_moves_all_but_a_frozen_vision_tower(checkpoint, architecture, clip, tmp_path, train_vision):
    trainer = trainer_of(checkpoint, architecture, clip, tmp_path, lora=False, train_vision=train_vision, steps=1)
    say(trainer, *replies_of(architecture))
    before = weights_of(trainer)
    trainer.train()
    expected = {name for name in before if train_vision or ".visual." not in name}
    assert moved(before, trainer) == expected


def test_an_adapter_answers_through_the_path_of_the_robot(checkpoint, architecture, clip, tmp_path):
    out, printed = tmp_path / "out", io.StringIO()
    console = Console(file=printed, width=200)
    train_trl(clip, str(checkpoint), make_spec(architecture), out, QUICK, False, console)
    assert f"transformers:{out / 'model'}" in printed.getvalue() and "step 2/2: reward" in printed.getvalue()
    spec = replace(make_spec(architecture), max_new_tokens=5)
    model = TransformersModel(ModelConfig(kind="transformers", path=str(out / "model"), device="cpu"), spec)
    assert model.reply(clip_request(0.0, 0.5), ignore, never).output_tokens > 0
    steps = [json.loads(line)["step"] for line in (out / "progress.jsonl").read_text(encoding="utf-8").splitlines()]
    assert steps == [1, 2, 2]  # the last of the whole training
    replies = [json.loads(line) for line in (out / "replies.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(replies) == 2 and replies[0]["scores"]["format"] == 0.0
    assert (out / "curves.png").stat().st_size > 1000


def test_a_resumed_training_ends_as_one_that_never_stopped(checkpoint, architecture, clip, tmp_path, monkeypatch):
    # Random models never get a reward, and would not move: here every reply gets one of its own.
    monkeypatch.setattr(trl_rewards, "score", lambda reply, *_: Scores(format=sum(map(ord, reply)) % 97 / 96))
    settings, spec = replace(QUICK, steps=3, save_every=1), make_spec(architecture)
    quiet = Console(quiet=True)
    train_trl(clip, str(checkpoint), spec, tmp_path / "whole", settings, False, quiet)
    shutil.copytree(tmp_path / "whole", tmp_path / "stopped")
    for name in ("checkpoint-2", "checkpoint-3", "model"):
        shutil.rmtree(tmp_path / "stopped" / name)
    train_trl(clip, str(checkpoint), spec, tmp_path / "stopped", settings, True, quiet)
    files = ("whole/model", "stopped/model", "whole/checkpoint-1")
    whole, resumed, first = ((tmp_path / name / "adapter_model.safetensors").read_bytes() for name in files)
    assert whole == resumed != first
    for name, steps in (("progress.jsonl", [1, 2, 3, 3]), ("replies.jsonl", [1, 2, 3])):
        lines = (tmp_path / "stopped" / name).read_text(encoding="utf-8").splitlines()
        assert [json.loads(line)["step"] for line in lines] == steps
