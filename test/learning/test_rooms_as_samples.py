# SPDX-License-Identifier: Apache-2.0
"""Samples of a rendered room, from the file to the reward: what is right is worth all, what is lazy little."""

import json

import pytest

from scene_r1_ros.learning.checking import check_file
from scene_r1_ros.learning.jsonl import read_samples
from scene_r1_ros.learning.replies import messages_of, reply_of
from scene_r1_ros.learning.rewards import RewardConfig, model_scale, score
from scene_r1_ros.reasoning.jpeg import seen_wh
from scene_r1_ros.reasoning.models import make_spec
from scene_r1_ros.rooms.dataset import write_rooms
from test.learning.test_nothing_3d import KEYS, pairs_of

FULL = RewardConfig()


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write_rooms(tmp_path_factory.mktemp("rooms"), "train", 1, first_seed=5)


@pytest.fixture(scope="module")
def samples(path):
    return list(read_samples(path))


def test_nothing_is_wrong_with_them(path):
    checked = check_file(path)
    assert checked.problems == []
    assert set(checked.tasks) == {"temporal", "image", "answer", "objects"}


def test_nothing_3d_is_in_them(path):
    lines = path.read_text().splitlines()
    assert {key for line in lines for key, _ in pairs_of(json.loads(line))} == KEYS


@pytest.mark.parametrize("name", ["qwen2_5_vl", "qwen3_vl"])
def test_the_right_reply_is_worth_all(samples, name):
    spec = make_spec(name)
    for one in samples:
        scores = score(reply_of(one, spec, seen_wh(*one.shots[0].size_wh, spec)), one, model_scale(one, spec))
        assert scores.total(FULL) > 1.15, (one.sample_id, scores)  # whole units of a model lose a little of small boxes


@pytest.mark.parametrize(
    "lazy", ["not present", "0s to 1000s", "[0, 0, 1000, 1000]", "[300, 300, 700, 700]", "yes", "1"]
)
def test_a_reply_that_never_looks_is_worth_little(samples, lazy):
    spec = make_spec("qwen3_vl")
    reply = f"<think>a</think><answer>{lazy}</answer>"
    worth = [score(reply, one, model_scale(one, spec)).total(FULL) - FULL.format for one in samples]
    assert sum(worth) / len(worth) < 0.2


def test_each_is_asked_as_the_robot_would(samples):
    spec = make_spec("qwen2_5_vl")
    for one in samples:
        if one.task != "objects":
            content = messages_of(one, spec)[1]["content"]
            assert sum(part["type"] == "image" for part in content) == len(one.shots)
