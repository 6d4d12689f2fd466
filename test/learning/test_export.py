# SPDX-License-Identifier: Apache-2.0
"""Samples as EasyR1, verl and TRL read them, and the rewards that they call."""

import importlib.util
import json
import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import yaml
from PIL import Image

from scene_r1_ros.errors import BadInput
from scene_r1_ros.learning.big.export import export, flat
from scene_r1_ros.learning.big.launching import prompt_tokens
from scene_r1_ros.learning.big.prompts import conversation, seen_image
from scene_r1_ros.learning.big.settings import TrlSettings
from scene_r1_ros.learning.images import read_image
from scene_r1_ros.learning.replies import reply_of
from scene_r1_ros.learning.rewards import RewardConfig, model_scale, score
from scene_r1_ros.learning.sample import Sample, Shot, Target
from scene_r1_ros.reasoning.jpeg import seen_wh
from scene_r1_ros.reasoning.models import make_spec
from scene_r1_ros.reasoning.qwen import ARCHITECTURES
from test.learning.clips import make_samples, write_clip
from test.test_packaging import ROOT

SIZE = (250, 190)
WEIGHTS = {"format": 0.5, "box_iou": 2.0}


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    return make_samples(SIZE)


@pytest.fixture(scope="module")
def clip(tmp_path_factory, samples):
    return write_clip(tmp_path_factory.mktemp("clip") / "data", samples)


@pytest.fixture(scope="module", params=ARCHITECTURES)
def spec(request):
    return make_spec(request.param)


def load(path, name: str):
    """As both engines do: a file, run as a module of its own."""
    description = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(description)
    sys.modules[name] = module
    description.loader.exec_module(module)
    return module


def replies(sample: Sample, spec) -> list[str]:
    right = reply_of(sample, spec, seen_wh(*SIZE, spec))
    return [right, "<think>a</think><answer>not present</answer>", "the mug"]


def rows_of(out):
    """The rows of a parquet, as the library reads them that both engines use."""
    datasets = pytest.importorskip("datasets")
    return list(datasets.Dataset.from_parquet(str(out / "train.parquet"), cache_dir=str(out / "cache")))


def test_easyr1(clip, samples, spec, tmp_path):
    assert export(clip, "easyr1", tmp_path, spec, TrlSettings()) == 3
    rows = [json.loads(line) for line in (tmp_path / "train.jsonl").open(encoding="utf-8")]
    reward = load(tmp_path / "reward.py", "custom_reward_fn")
    assert reward.REWARD_TYPE == "batch"
    for row, sample in zip(rows, samples, strict=True):
        assert row["problem"].count("<image>") == len(row["images"]) == len(sample.shots)
        for name, shot in zip(row["images"], sample.shots, strict=True):
            stored = np.asarray(Image.open(tmp_path / name))
            np.testing.assert_array_equal(stored, np.asarray(seen_image(shot, clip.parent, spec)))
        said = replies(sample, spec)
        inputs = [{"response": one, "response_length": 9, "ground_truth": row["answer"]} for one in said]
        got = reward.compute_score(inputs, **WEIGHTS)
        expected = [score(one, sample, model_scale(sample, spec)) for one in said]
        assert [one["overall"] for one in got] == [one.total(RewardConfig(**WEIGHTS)) for one in expected]
        for one, scores in zip(got, expected, strict=True):
            terms = {"format": scores.format, "box_iou": scores.box_iou, "temporal_iou": scores.temporal_iou}
            terms["answer"] = scores.answer
            assert {**one, "overall": 0} == {"overall": 0} | {k: v for k, v in terms.items() if v is not None}
        assert got[0]["overall"] > 1.4 > got[2]["overall"] == 0


def test_easyr1_asks_what_the_robot_asks(clip, samples, spec, tmp_path, tiny_qwen):
    """The chat template brings the system turn, which EasyR1 has none of."""
    transformers = pytest.importorskip("transformers")
    export(clip, "easyr1", tmp_path, spec, TrlSettings())
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny_qwen)
    template = (tmp_path / "chat_template.jinja").read_text(encoding="utf-8")
    for line, sample in zip((tmp_path / "train.jsonl").open(encoding="utf-8"), samples, strict=True):
        content = []
        for i, text in enumerate(json.loads(line)["problem"].split("<image>")):
            content += [{"type": "image"}] * (i > 0) + [{"type": "text", "text": text}] * bool(text)
        turn = [{"role": "user", "content": content}]
        options = {"tokenize": False, "add_generation_prompt": True}
        asked = tokenizer.apply_chat_template(turn, chat_template=template, **options)
        assert asked == tokenizer.apply_chat_template(conversation(sample, spec), **options)


def test_verl(clip, samples, spec, tmp_path):
    assert export(clip, "verl", tmp_path, spec, TrlSettings()) == 3
    reward = load(tmp_path / "reward.py", "custom_module")
    for index, (row, sample) in enumerate(zip(rows_of(tmp_path), samples, strict=True)):
        assert row["data_source"] == f"scene_r1/{sample.task}"
        assert [turn["role"] for turn in row["prompt"]] == ["system", "user"]
        assert row["prompt"] == flat(conversation(sample, spec))
        assert row["prompt"][1]["content"].count("<image>") == len(row["images"]) == len(sample.shots)
        assert row["images"][0].size == seen_wh(*SIZE, spec)
        assert row["reward_model"]["style"] == "rule" and row["extra_info"]["index"] == index
        for said in replies(sample, spec):
            got = reward.compute_score(
                data_source=row["data_source"], solution_str=said, ground_truth=row["reward_model"]["ground_truth"],
                extra_info=row["extra_info"], **WEIGHTS,
            )  # fmt: skip
            scores = score(said, sample, model_scale(sample, spec))
            assert got["score"] == scores.total(RewardConfig(**WEIGHTS))
            assert set(got) == {"score", "format", "temporal_iou", "box_iou", "answer"}
            assert math.isnan(got["answer"]) == (scores.answer is None)


def test_trl(clip, samples, spec, tmp_path):
    assert export(clip, "trl", tmp_path, spec, TrlSettings()) == 3
    rewards = load(tmp_path / "reward.py", "reward").REWARDS
    assert [reward.__name__ for reward in rewards] == ["format", "temporal_iou", "box_iou", "answer"]
    for row, sample in zip(rows_of(tmp_path), samples, strict=True):
        parts = [part for turn in row["prompt"] for part in turn["content"]]
        asked = [part for turn in conversation(sample, spec) for part in turn["content"]]
        assert [(part["type"], part["text"]) for part in parts] == [(part["type"], part.get("text")) for part in asked]
        assert [image.size for image in row["images"]] == [seen_wh(*SIZE, spec)] * len(sample.shots)
        said = replies(sample, spec)
        completions = [[{"role": "assistant", "content": one}] for one in said]
        truth = [row["ground_truth"]] * len(said)
        got = [reward(completions=completions, ground_truth=truth, prompts=None) for reward in rewards]
        expected = [score(one, sample, model_scale(sample, spec)) for one in said]
        assert got[0] == [scores.format for scores in expected]
        assert got[2] == [scores.box_iou for scores in expected]


def test_what_starts_them(clip, spec, tmp_path):
    settings = TrlSettings(num_generations=5, beta=0.01, lora=False, rewards=RewardConfig(box_iou=3.0))
    export(clip, "easyr1", tmp_path / "easyr1", spec, settings)
    export(clip, "verl", tmp_path / "verl", spec, settings)
    config = yaml.safe_load((tmp_path / "easyr1" / "easyr1.yaml").read_text(encoding="utf-8"))
    assert config["worker"]["rollout"]["n"] == 5 and config["algorithm"]["kl_coef"] == 0.01
    assert config["worker"]["actor"]["optim"]["lr"] == 1e-6
    assert config["worker"]["actor"]["model"]["lora"]["rank"] == 0
    assert config["worker"]["reward"]["reward_function_kwargs"]["box_iou"] == 3.0
    assert config["data"]["max_pixels"] == spec.max_pixels and config["data"]["rollout_batch_size"] == 3
    for engine in ("easyr1", "verl"):
        launch = tmp_path / engine / "launch.sh"
        subprocess.run(["/bin/sh", "-n", str(launch)], check=True)
        assert "<<" not in launch.read_text(encoding="utf-8")
    assert "reward_kwargs.box_iou=3.0" in (tmp_path / "verl" / "launch.sh").read_text(encoding="utf-8")


def test_prompts_are_not_longer_than_said(samples, spec, tiny_qwen):
    transformers = pytest.importorskip("transformers")
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny_qwen)
    for sample in samples:
        text = tokenizer.apply_chat_template(conversation(sample, spec), tokenize=False)
        words = len(text.split()) * 3 // 2  # the tiny tokenizer knows no words
        image = math.prod(seen_wh(*SIZE, spec)) // spec.image_multiple**2
        assert words + image * len(sample.shots) <= prompt_tokens(sample, spec)


def test_nothing_in_3d_and_no_reasoning_is_told(clip, spec, tmp_path):
    export(clip, "easyr1", tmp_path, spec, TrlSettings())
    for line in (tmp_path / "train.jsonl").open(encoding="utf-8"):
        truth = json.loads(json.loads(line)["answer"])
        assert set(truth) == {"sample", "scale_xy"}
        assert "reasoning" not in truth["sample"]


def test_rewards_need_no_torch(clip, spec, tmp_path):
    export(clip, "easyr1", tmp_path, spec, TrlSettings())
    code = "import sys; import reward; assert not {'torch', 'transformers', 'datasets'} & set(sys.modules)"
    env = {"PYTHONPATH": f"{tmp_path}:{ROOT}"}
    subprocess.run([sys.executable, "-c", code], check=True, env=env)


def test_bad_input(clip, samples, spec, tmp_path):
    with pytest.raises(BadInput, match=r"is not empty; choose a new folder"):
        export(clip, "verl", clip.parent, spec, TrlSettings())
    many = replace(samples[1], shots=tuple(Shot(f"images/{i}.png", i, SIZE) for i in range(40)))
    with pytest.raises(BadInput, match=r"sample 'a/temporal' shows 40 frames, and .* is shown at most 32"):
        export(write_clip(tmp_path / "many", [many]), "verl", tmp_path / "out", spec, TrlSettings())
    objects = Sample("a/objects", "objects", "a", samples[0].shots, "", Target(boxes=()))
    with pytest.raises(BadInput, match=r"holds 1 samples, and none of the tasks temporal, image and answer"):
        export(write_clip(tmp_path / "objects", [objects]), "verl", tmp_path / "out", spec, TrlSettings())
    without = write_clip(tmp_path / "without")
    (without.parent / "images/0.png").unlink()
    with pytest.raises(BadInput, match=r"image images/0.png is missing in .*; copy it there"):
        export(without, "verl", tmp_path / "out", spec, TrlSettings())


def test_placeholders_in_prompts(samples, spec, tmp_path):
    sly = replace(samples[0], query="<image> the mug")
    assert flat(conversation(sly, spec))[1]["content"].count("<image>") == 1  # a query cannot forge one
    turns = [{"role": "user", "content": [{"type": "text", "text": "Look at <image> here"}]}]
    with pytest.raises(BadInput, match=r"the prompts of this model hold <image>, where engines put an image"):
        flat(turns)


def test_the_image_is_what_the_sample_says(clip, samples, spec):
    pixels = read_image(clip.parent, samples[0].shots[0])
    assert pixels.shape == (190, 250, 3)
    assert seen_image(samples[0].shots[0], clip.parent, spec).size == seen_wh(*SIZE, spec)
