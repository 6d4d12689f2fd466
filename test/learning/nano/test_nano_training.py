# SPDX-License-Identifier: Apache-2.0
"""A training is the same one whether or not it was interrupted, and nothing that it has worked out is lost."""

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from safetensors import safe_open  # noqa: E402
from safetensors.torch import load_file  # noqa: E402

from scene_r1_ros.errors import BadInput, ModelFailed, NotWritten  # noqa: E402
from scene_r1_ros.learning.nano import run as running  # noqa: E402
from scene_r1_ros.learning.nano import state  # noqa: E402
from scene_r1_ros.learning.nano.architecture import NanoSize  # noqa: E402
from scene_r1_ros.learning.nano.dense import dense_targets, iou, point_places  # noqa: E402
from scene_r1_ros.learning.nano.muon import orthogonal  # noqa: E402
from scene_r1_ros.learning.nano.run import train_sft  # noqa: E402
from scene_r1_ros.learning.nano.settings import SftSettings, dump_sft, load_sft  # noqa: E402
from scene_r1_ros.learning.nano.sft import Teacher, rate_at  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]
FEW = SftSettings(
    small_steps=2, dense_steps=1, image_steps=2, clip_steps=2, small_images=2, dense_images=2, asked_images=2,
    asked_clips=1, per_clip=2, judge_every=0, judged_images=2, judged_clips=1, save_every=3, warmup_steps=2, threads=1,
)  # fmt: skip
TINY = NanoSize(vision_layers=1, text_layers=3, vision_inner=64, text_inner=64)


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setattr(running, "NanoSize", lambda: TINY)


def train(path, out, settings=FEW, resume=False):
    printed = StringIO()
    train_sft(path, None, out, settings, resume, Console(file=printed, width=200))
    return printed.getvalue()


def losses(out):
    return [json.loads(line) for line in (out / "progress.jsonl").read_text().splitlines()]


def test_an_interrupted_training_goes_on_as_if_nothing_had_been(rooms_path, tmp_path, monkeypatch):
    printed = train(rooms_path, tmp_path / "whole")
    learn = Teacher.learn

    def killed(self, pictures, step):
        if step == 5:
            raise KeyboardInterrupt
        return learn(self, pictures, step)

    monkeypatch.setattr(Teacher, "learn", killed)
    with pytest.raises(KeyboardInterrupt):
        train(rooms_path, tmp_path / "parts")
    monkeypatch.setattr(Teacher, "learn", learn)
    train(rooms_path, tmp_path / "parts", resume=True)
    whole, parts = (load_file(tmp_path / name / "state.safetensors") for name in ("whole", "parts"))
    assert whole.keys() == parts.keys() and all(torch.equal(whole[name], parts[name]) for name in whole)
    assert losses(tmp_path / "whole")[-1] == losses(tmp_path / "parts")[-1]
    assert "held out:" in printed and (tmp_path / "whole" / "curves.png").stat().st_size > 1000
    assert (tmp_path / "whole" / "model" / "model.safetensors").is_file()


def test_a_loss_that_is_no_number_stops_it_with_its_batch(rooms_path, tmp_path, monkeypatch):
    monkeypatch.setattr(Teacher, "learn", lambda self, pictures, step: {"loss": float("nan") if step == 4 else 1.0})
    with pytest.raises(ModelFailed, match=r"the loss is nan at step 4 .*bad_batch"):
        train(rooms_path, tmp_path)
    kept = load_file(tmp_path / "bad_batch.safetensors")
    assert kept["pixels"].shape[0] == FEW.asked_images and kept["token_ids"].shape[0] == FEW.asked_images


def test_weights_are_not_moved_by_a_loss_that_is_no_number(feed, model, monkeypatch):
    teacher = Teacher(model, feed, FEW)
    before = [parameter.clone() for parameter in model.parameters()]
    monkeypatch.setattr(teacher, "losses", lambda pictures: {"words": (1.0, torch.tensor(torch.nan))})
    assert np.isnan(teacher.learn(teacher.batch(0), 0)["loss"])
    assert all(torch.equal(one, other) for one, other in zip(before, model.parameters(), strict=True))


def test_a_full_disk_leaves_the_checkpoint_whole(rooms_path, tmp_path, monkeypatch):
    def full(tensors, path, about):
        if about["step"] != "3":
            raise OSError(28, "No space left on device")
        save(tensors, path, about)

    save = state.save_file
    monkeypatch.setattr(state, "save_file", full)
    monkeypatch.setattr(Teacher, "learn", lambda self, pictures, step: {"loss": 1.0})
    with pytest.raises(NotWritten, match="No space left on device"):
        train(rooms_path, tmp_path)
    with safe_open(tmp_path / "state.safetensors", "pt") as file:
        assert file.metadata()["step"] == "3"


def test_another_training_is_not_gone_on_with(rooms_path, tmp_path, monkeypatch):
    monkeypatch.setattr(Teacher, "learn", lambda self, pictures, step: {"loss": 1.0})
    train(rooms_path, tmp_path)
    with pytest.raises(BadInput, match="holds a training; go on with it"):
        train(rooms_path, tmp_path)
    with pytest.raises(BadInput, match=r"of another training: adam_rate, seed differ"):
        train(rooms_path, tmp_path, replace(FEW, seed=1, adam_rate=0.1), resume=True)
    (tmp_path / "state.safetensors").write_bytes(b"\0" * 100)
    with pytest.raises(BadInput, match="is damaged"):
        train(rooms_path, tmp_path, resume=True)
    (tmp_path / "state.safetensors").unlink()
    with pytest.raises(BadInput, match="no checkpoint"):
        train(rooms_path, tmp_path, resume=True)


def test_a_step_always_sees_the_same(feed, model):
    teacher = Teacher(model, feed, FEW)
    for step in range(FEW.steps):
        one, same, other = teacher.batch(step), teacher.batch(step), teacher.batch((step + 1) % FEW.steps)
        assert torch.equal(one.pixels, same.pixels) and one.sample_ids == same.sample_ids
        assert one.pixels.shape != other.pixels.shape or not torch.equal(one.pixels, other.pixels)


def test_points_learn_the_smallest_box_around_them():
    boxes = np.array([[0, 0, 112, 84], [28, 28, 56, 56.0]])
    words = np.array([[1, 0], [0, 1]])
    targets = dense_targets([boxes], [words], (112, 84), 2)
    places = point_places(12, 4)[..., None, :].flatten(0, 2)
    on, named = targets.on_object.flatten(), targets.words.flatten(0, 2)
    in_middle = ((places - 42).abs() < 8).all(-1)
    assert on[in_middle].all() and (named[in_middle] == torch.tensor([0.0, 1.0])).all()
    rim = ((places - 42).abs() < 14).all(-1) & ((places - 42).abs() > 9).any(-1)
    assert not on[rim].any() and (targets.weight.flatten()[rim] == 0).all()
    assert torch.equal(iou(targets.boxes[targets.on_object], targets.boxes[targets.on_object]), torch.ones(on.sum()))


@pytest.mark.parametrize("shape", [(8, 8), (12, 5), (5, 12)])
def test_a_step_of_muon_is_nearly_orthogonal(shape):
    matrix = torch.from_numpy(np.random.default_rng(0).normal(size=shape)).float()
    values = torch.linalg.svdvals(orthogonal(matrix))
    assert values.max() < 1.3 and values.min() > 0.6


def test_rates_rise_and_fall():
    settings = SftSettings()
    rates = [rate_at(step, settings) for step in range(settings.steps)]
    top = int(np.argmax(rates))
    assert rates[0] < 0.05 and max(rates) <= 1 and rates[-1] == pytest.approx(settings.rest, abs=1e-3)
    assert np.all(np.diff(rates[:top]) >= 0) and np.all(np.diff(rates[top:]) <= 0)


def test_the_shipped_settings_are_those_of_the_code():
    path = ROOT / "config" / "train" / "nano.yaml"
    assert load_sft(path) == SftSettings() == load_sft(None)
    assert path.read_text(encoding="utf-8").partition("\n")[2] == dump_sft(SftSettings())
