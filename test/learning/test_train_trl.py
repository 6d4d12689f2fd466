# SPDX-License-Identifier: Apache-2.0
"""What can be wrong before a training through TRL starts, or while it goes on."""

import json
import math
import sys
from dataclasses import replace
from importlib import import_module
from types import SimpleNamespace

import pytest
from rich.console import Console

from scene_r1_ros.errors import BadInput, ModelFailed, NotWritten
from scene_r1_ros.learning.big.settings import (
    TrlSettings,
    check_batch,
    dump_settings,
    load_settings,
    writing_steps,
)
from scene_r1_ros.learning.big.train import last_checkpoint, train_trl
from scene_r1_ros.learning.jsonl import write_samples
from scene_r1_ros.learning.rewards import RewardConfig
from scene_r1_ros.reasoning.models import make_spec
from test.command_line import ROOT, several
from test.learning.clips import make_samples, write_clip

pytest.importorskip("trl")
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")  # TRL calls transformers by names that will change
SPEC = make_spec("qwen2_5_vl")
QUIET = Console(quiet=True)
QUICK = TrlSettings(steps=1, num_generations=2, per_device_batch=2, accumulation=1, max_completion_tokens=2)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("clip") / "data")


def start(clip, model, out, settings=QUICK, resume=False, spec=SPEC):
    train_trl(clip, str(model), spec, out, settings, resume, QUIET)


def test_samples_that_cannot_be_learned_from(clip, tiny_qwen, tmp_path):
    with pytest.raises(BadInput, match=r"samples.jsonl cannot be read: No such file"):
        start(tmp_path / "samples.jsonl", tiny_qwen, tmp_path / "out")
    write_samples(tmp_path / "samples.jsonl", [])
    with pytest.raises(BadInput, match=r"holds 0 samples, and none of the tasks temporal, image and answer"):
        start(tmp_path / "samples.jsonl", tiny_qwen, tmp_path / "out")
    write_samples(tmp_path / "samples.jsonl", make_samples())
    with pytest.raises(BadInput, match=r"image images/1.png is missing in .*; copy it there"):
        start(tmp_path / "samples.jsonl", tiny_qwen, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_models_that_cannot_learn(clip, tiny_qwen, tmp_path):
    with pytest.raises(BadInput, match=r"--model nowhere is no folder; give the folder of a checkpoint, or a hub name"):
        start(clip, "nowhere", tmp_path / "out")
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "adapter_config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(BadInput, match=r"is a LoRA adapter; merge it into its base first"):
        start(clip, tmp_path / "adapter", tmp_path / "out")
    with pytest.raises(ModelFailed, match=r"is a qwen2_5_vl, but the spec 'Qwen3-VL' is for qwen3_vl"):
        start(clip, tiny_qwen, tmp_path / "out", spec=make_spec("qwen3_vl"))


def test_a_library_that_is_missing(clip, tiny_qwen, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "trl", None)
    with pytest.raises(ModelFailed, match=r"GRPO needs torch, .*trl.*; pip install 'trl>=1.16'"):
        start(clip, tiny_qwen, tmp_path / "out")


def test_folders_that_hold_a_training_and_those_that_do_not(clip, tiny_qwen, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(BadInput, match=r"--resume: .*out holds no checkpoint; leave it out to start anew"):
        start(clip, tiny_qwen, out, resume=True)
    (out / "checkpoint-4").mkdir(parents=True)
    (out / "checkpoint-4" / "trainer_state.json").write_text("{}", encoding="utf-8")
    with pytest.raises(BadInput, match=r"holds a training already; go on with --resume, or choose another --out"):
        start(clip, tiny_qwen, out)
    with pytest.raises(BadInput, match=r"--resume: .*run.json cannot be read: .*; choose another --out"):
        start(clip, tiny_qwen, out, resume=True)
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(BadInput, match=r"cannot write to .*out: .*; choose a folder you may write to"):
        start(clip, tiny_qwen, tmp_path / "file" / "out")


def test_a_checkpoint_that_was_cut_off_is_passed_over(tmp_path):
    for name in ("checkpoint-4", "checkpoint-20", "checkpoint-30"):
        (tmp_path / name).mkdir()
    for name in ("checkpoint-4", "checkpoint-20"):
        (tmp_path / name / "trainer_state.json").write_text("{}", encoding="utf-8")
    assert last_checkpoint(tmp_path, resume=True) == tmp_path / "checkpoint-20"


def test_another_training_is_not_gone_on_with(clip, tiny_qwen, tmp_path):
    out = tmp_path / "out"
    start(clip, tiny_qwen, out)
    with pytest.raises(BadInput, match=r"--resume: samples, beta differ from what .*out was trained with"):
        start(
            write_clip(tmp_path / "b", make_samples((84, 112))), tiny_qwen, out, replace(QUICK, beta=0.5), resume=True
        )
    start(clip, tiny_qwen, out, replace(QUICK, steps=2), resume=True)
    assert (out / "checkpoint-2").is_dir()


def test_no_room(clip, tiny_qwen, tmp_path, monkeypatch):
    trl_run = import_module("scene_r1_ros.learning.big.trl_run")

    def full(*_, **__):
        raise RuntimeError("CUDA error: out of memory")

    monkeypatch.setattr(trl_run.GRPOTrainer, "train", full)
    with pytest.raises(ModelFailed, match=r"finds no room: .*; lower per_device_batch .*`scene-r1 train memory`"):
        start(clip, tiny_qwen, tmp_path / "out")


def test_a_full_disk(clip, tiny_qwen, tmp_path, monkeypatch):
    trl_run = import_module("scene_r1_ros.learning.big.trl_run")

    def full(*_, **__):
        raise RuntimeError("[enforce fail at inline_container.cc:672] PytorchStreamWriter failed writing file data/1")

    monkeypatch.setattr(trl_run.GRPOTrainer, "_save_checkpoint", full)
    with pytest.raises(NotWritten, match=r"cannot write .*out: .*; make room there and go on with --resume"):
        start(clip, tiny_qwen, tmp_path / "out")


def test_a_training_that_stopped_before_its_first_checkpoint_starts_anew(clip, tiny_qwen, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    for name in ("run.json", "progress.jsonl", "replies.jsonl"):
        (out / name).write_text('{"step": 1}\n', encoding="utf-8")
    start(clip, tiny_qwen, out)
    for name, steps in (("progress.jsonl", [1, 1]), ("replies.jsonl", [1])):  # the last line is of the whole training
        lines = (out / name).read_text(encoding="utf-8").splitlines()
        assert [json.loads(line)["step"] for line in lines] == steps
        assert all(len(line) > 20 for line in lines)


def test_a_loss_that_is_no_number(tmp_path):
    progress = import_module("scene_r1_ros.learning.big.progress")
    state = SimpleNamespace(is_world_process_zero=True, global_step=3, max_steps=9)
    watcher = progress.Progress(tmp_path, QUIET)
    watcher.on_log(None, state, None, {"loss": 0.1, "reward": 1.0})
    with pytest.raises(ModelFailed, match=r"the loss is nan at step 3; start anew with a smaller learning_rate"):
        watcher.on_log(None, state, None, {"loss": math.nan})
    lines = (tmp_path / progress.PROGRESS).read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["step"] for line in lines] == [3, 3]  # what it was stands there


def test_progress_goes_on_where_the_checkpoint_is(tmp_path):
    progress = import_module("scene_r1_ros.learning.big.progress")
    path = tmp_path / "progress.jsonl"
    path.write_text('{"step": 1}\n{"step": 2}\n{"step": 3}\n{"st', encoding="utf-8")
    progress.cut_after(path, 2)
    assert path.read_text(encoding="utf-8") == '{"step": 1}\n{"step": 2}\n'
    progress.cut_after(tmp_path / "nothing.jsonl", 2)
    logs = {
        "reward": 1.03125,
        "rewards/box_iou/mean": 0.31,
        "rewards/answer/mean": None,
        "kl": 0.002,
        "step_time": 4.12,
    }
    assert progress.summary(12, 500, logs) == "step 12/500: reward 1.031, box_iou 0.31, kl 0.002, 4.1 s"


def test_several_gpus_need_a_process_each(monkeypatch):
    trl_run = import_module("scene_r1_ros.learning.big.trl_run")
    monkeypatch.setattr(trl_run.torch.cuda, "device_count", lambda: 2)
    with pytest.raises(
        BadInput, match=r"2 GPUs are visible to one process; start one for each with `accelerate launch"
    ):
        trl_run.check_processes(QUICK)
    monkeypatch.setenv("WORLD_SIZE", "2")
    trl_run.check_processes(QUICK)


def test_images_that_vllm_would_resize(tiny_qwen):
    trl_run = import_module("scene_r1_ros.learning.big.trl_run")
    sizes = {"shortest_edge": 65_536, "longest_edge": 2**24}
    published = SimpleNamespace(images=SimpleNamespace(size=sizes))
    qwen3 = make_spec("qwen3_vl")
    with pytest.raises(BadInput, match=r"images of 224x168 are seen with 224x160 pixels, which vLLM would resize"):
        trl_run.check_server_sizes(published, make_samples((224, 168)), qwen3)
    trl_run.check_server_sizes(published, make_samples((640, 480)), qwen3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stepz: 3", r"unknown setting 'stepz'; known here: steps, "),
        ("beta: high", r"beta = 'high'; expected float"),
        ("rewards: {box_iou: -1}", r"rewards: box_iou = -1.0; expected 0.0 to 100.0"),
        ("vllm: ftp://host", r"vllm = 'ftp://host'; expected nothing, colocate, or the address of a server"),
        ("vllm: colocate\ntrain_vision: true", r"vllm takes no LoRA adapter of a vision tower"),
        ("rewards: {format: 0, temporal_iou: 0, box_iou: 0, answer: 0}", r"all weights of rewards are 0"),
        ("per_device_batch: 3", r"sees 24 replies .* no multiple of num_generations = 7"),
    ],
)
def test_settings_that_are_refused(tmp_path, text, message):
    path = tmp_path / "grpo.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=message):
        check_batch(replace(load_settings(path), num_generations=7), 1)


def test_the_shipped_settings_are_the_defaults():
    path = ROOT / "config" / "train" / "grpo.yaml"
    assert load_settings(path) == TrlSettings() == load_settings(None)
    assert path.read_text(encoding="utf-8").partition("\n")[2] == dump_settings(TrlSettings())
    assert load_settings(None, steps=7, full=True) == TrlSettings(steps=7, lora=False)
    assert TrlSettings().chosen_learning_rate == 1e-5 and TrlSettings(lora=False).chosen_learning_rate == 1e-6
    check_batch(TrlSettings(), 1)


def test_replies_are_written_in_whole_groups():
    settings = TrlSettings(num_generations=8, per_device_batch=4, accumulation=8)
    assert [writing_steps(settings, n) for n in (1, 2, 8)] == [2, 1, 1]
    assert writing_steps(replace(settings, vllm="colocate"), 1) == 8


def test_the_loss_is_that_of_the_paper(tmp_path):
    trl_run = import_module("scene_r1_ros.learning.big.trl_run")
    weights = RewardConfig(format=0.5, temporal_iou=1.0, box_iou=2.0, answer=3.0)
    arguments = trl_run.make_arguments(tmp_path, replace(QUICK, rewards=weights))
    assert (arguments.loss_type, arguments.scale_rewards, arguments.beta) == ("grpo", "group", 0.04)
    assert arguments.reward_weights == [0.5, 1.0, 2.0, 3.0]
    server = trl_run.vllm_arguments(replace(QUICK, vllm="http://host:8000"))
    assert (server["vllm_mode"], server["vllm_server_base_url"]) == ("server", "http://host:8000")
    assert trl_run.vllm_arguments(replace(QUICK, vllm="colocate"))["vllm_gpu_memory_utilization"] == 0.3


@pytest.mark.parametrize("name", ["one_gpu", "several_gpus", "several_nodes"])
def test_accelerate_takes_the_shipped_configurations(name):
    config_args = import_module("accelerate.commands.config.config_args")
    config = config_args.load_config_from_file(str(ROOT / "config" / "train" / f"{name}.yaml"))
    assert config.mixed_precision == "bf16"
    assert (config.distributed_type == "DEEPSPEED") == (name != "one_gpu")
    if name != "one_gpu":
        assert config.deepspeed_config["zero_stage"] == 3


def test_the_command_line(clip, tmp_path):
    commands = [
        ("train", "trl", tmp_path / "none.jsonl", "--model", "nowhere"),
        ("train", "trl", clip, "--model", "nowhere", "--spec", "qwen9"),
        ("train", "memory", "--model", "9b"),
        ("data", "export", clip, tmp_path / "easyr1", "--to", "easyr1"),
        ("data", "export", clip, tmp_path / "easyr1", "--to", "easyr1"),
    ]
    said = several(*commands)
    assert [code for code, _ in said] == [2, 2, 2, 0, 2]
    for (_, text), expected in zip(
        said, ("none.jsonl", "qwen9", "9b", "3 samples for easyr1", "not empty"), strict=True
    ):
        assert expected in text
