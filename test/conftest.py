# SPDX-License-Identifier: Apache-2.0
"""Fixtures that several folders share."""

import os
from pathlib import Path

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"  # no test asks a hub; read when transformers is first imported
DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def data() -> Path:
    """Real recordings for development, which are not part of the project."""
    if not DATA.is_dir():
        pytest.skip("the development recordings are not beside this checkout")
    return DATA


@pytest.fixture(scope="session")
def tiny_qwen(tmp_path_factory):
    """Folder of a random Qwen2.5-VL checkpoint of the real architecture."""
    from scene_r1_ros.evaluation import random_qwen

    return random_qwen.build(tmp_path_factory.mktemp("tiny_qwen"))
