# SPDX-License-Identifier: Apache-2.0
"""Which model on which server."""

import pytest

from scene_r1_ros.config import ModelConfig
from scene_r1_ros.errors import BadInput
from scene_r1_ros.reasoning.models import load_model
from test.reasoning.server_client import model_at

pytest.importorskip("httpx2", reason="httpx2 is not installed: pip install httpx2")
pytestmark = pytest.mark.usefixtures("quick")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("", "model.path is empty; .*needs a server and its model, http://HOST:8000/v1#MODEL, there"),
        ("http://gpu:8000/v1", "names no model; add it as the server lists it"),
        ("http://gpu:8000/v1#", "names no model"),
        ("gpu:8000/v1#m", "expected a base URL and a model"),
        ("file:///etc/passwd#m", "expected a base URL and a model"),
        ("ftp://gpu/v1#m", "expected a base URL and a model"),
        ("http://#m", "expected a base URL and a model"),
        ("http://gpu:99999/v1#m", "no URL that can be read"),
        ("http://[::1/v1#m", "no URL that can be read"),
        ("http://gpu\n:8000/v1#m", r"expected http://HOST:8000/v1#MODEL"),
        ("http://me:pass1@gpu/v1#m", "holds a password or a query"),
        ("me:pass1@gpu/v1#m", "holds a password or a query"),
        ("http://gpu/v1?api-key=pass1#m", "holds a password or a query"),
    ],
)
def test_addresses_that_are_none(path, message):
    with pytest.raises(BadInput, match=message) as caught:
        load_model(ModelConfig(kind="openai", path=path))
    assert "pass1" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "spec", "right"),
    [("Qwen/Qwen3-VL-8B-Instruct", "qwen2_5_vl", "qwen3_vl"), ("qwen2.5-vl", "qwen3_vl", "qwen2_5_vl")],
)
def test_a_name_that_tells_another_architecture(name, spec, right):
    with pytest.raises(BadInput, match=f"is a {right} by its name, .*; set model.spec: {right}"):
        model_at("http://localhost/v1", name=name, spec=spec)
    assert model_at("http://localhost/v1", name=name, spec=right).spec.architecture == right
