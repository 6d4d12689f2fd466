# SPDX-License-Identifier: Apache-2.0
"""Two rendered rooms as samples, and a nano model that is smaller still, with random weights."""

import pytest

from scene_r1_ros.learning.jsonl import read_samples
from scene_r1_ros.reasoning.models import make_spec
from scene_r1_ros.rooms.dataset import write_rooms


@pytest.fixture(scope="session")
def rooms_path(tmp_path_factory):
    return write_rooms(tmp_path_factory.mktemp("rooms"), "train", 2, 0, 1)


@pytest.fixture(scope="session")
def samples(rooms_path):
    return list(read_samples(rooms_path))


@pytest.fixture(scope="session")
def spec():
    return make_spec("nano")


@pytest.fixture(scope="session")
def packer(samples, spec):
    from scene_r1_ros.learning.nano.packing import Packer
    from scene_r1_ros.learning.nano.run import texts_of
    from scene_r1_ros.learning.nano.vocabulary import build_tokenizer

    return Packer(build_tokenizer(texts_of(samples, spec)), spec)


@pytest.fixture(scope="session")
def model(packer):
    from scene_r1_ros.learning.nano.architecture import NanoSize, build_nano

    size = NanoSize(vision_layers=2, text_layers=2, vision_inner=64, text_inner=64)
    return build_nano(packer.tokenizer, size, seed=0).eval()


@pytest.fixture(scope="session")
def feed(samples, rooms_path, packer):
    from scene_r1_ros.learning.nano.feed import Feed

    return Feed(samples, rooms_path.parent, packer)
