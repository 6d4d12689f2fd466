# SPDX-License-Identifier: Apache-2.0
"""LoRA adapters on a checkpoint, trained and stored by peft."""

import json
from dataclasses import replace

import pytest

from scene_r1_ros.config import ModelConfig
from scene_r1_ros.errors import ModelFailed
from scene_r1_ros.reasoning.models import make_spec
from scene_r1_ros.reasoning.qwen import ARCHITECTURES, TransformersModel
from test.reasoning.test_qwen import clip_request, ignore, never

torch = pytest.importorskip("torch")
peft = pytest.importorskip("peft")


@pytest.fixture
def adapter(attentive_qwen, architecture, tmp_path):
    """An adapter whose training has moved it far from zero, where it would change nothing."""
    lora = peft.LoraConfig(
        r=4, target_modules=r".*language_model.*\.(q_proj|v_proj|down_proj)", init_lora_weights=False
    )
    torch.manual_seed(1)
    model = peft.get_peft_model(load(attentive_qwen, architecture).checkpoint.model, lora)
    model.save_pretrained(tmp_path / "adapter")
    edit(tmp_path / "adapter", base_model_name_or_path=str(attentive_qwen))
    return tmp_path / "adapter"


def edit(adapter, **changes):
    path = adapter / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **changes}), encoding="utf-8")


def load(folder, architecture) -> TransformersModel:
    spec = replace(make_spec(architecture), max_new_tokens=10)
    return TransformersModel(ModelConfig(kind="transformers", path=str(folder), device="cpu"), spec)


def test_an_adapter_is_merged_into_its_base(attentive_qwen, adapter, architecture):
    plain, merged = load(attentive_qwen, architecture), load(adapter, architecture)
    apart = peft.PeftModel.from_pretrained(load(attentive_qwen, architecture).checkpoint.model, str(adapter))
    ids = torch.arange(40, 60)[None]
    with torch.inference_mode():
        adapted, without, expected = (
            model(input_ids=ids).logits for model in (merged.checkpoint.model, plain.checkpoint.model, apart)
        )
    torch.testing.assert_close(adapted, expected, rtol=1e-4, atol=1e-4)
    assert (adapted - without).abs().max() > 0.1
    assert merged.reply(clip_request(0.0, 0.5), ignore, never).output_tokens > 0


def test_a_base_that_is_not_here(adapter, architecture):
    edit(adapter, base_model_name_or_path="/home/someone/base")
    with pytest.raises(ModelFailed, match=r"trained on '/home/someone/base', which is no checkpoint here; write the "):
        load(adapter, architecture)


def test_a_pickled_adapter(adapter, architecture):
    (adapter / "adapter_model.safetensors").rename(adapter / "adapter_model.bin")
    with pytest.raises(ModelFailed, match=r"weights pickled \(adapter_model.bin\)"):
        load(adapter, architecture)


def test_a_pickled_adapter_beside_other_tensors(adapter, architecture):
    (adapter / "adapter_model.safetensors").rename(adapter / "other.safetensors")
    torch.save({}, adapter / "adapter_model.bin")
    with pytest.raises(ModelFailed, match=r"has no adapter_model.safetensors; store it with peft"):
        load(adapter, architecture)


def test_an_adapter_that_lacks_tensors(adapter, architecture):
    from safetensors.torch import load_file, save_file

    weights = load_file(adapter / "adapter_model.safetensors")
    name = next(iter(weights))
    weights["of.another.base"] = weights.pop(name)
    save_file(weights, adapter / "adapter_model.safetensors")
    with pytest.raises(ModelFailed, match=r"lacks 1 tensors of the adapter .* and has 1 that are none of it; was it"):
        load(adapter, architecture)


def test_an_adapter_on_itself(adapter, architecture):
    edit(adapter, base_model_name_or_path=str(adapter))
    with pytest.raises(ModelFailed, match="which is no checkpoint here"):
        load(adapter, architecture)


def test_an_adapter_without_weights(adapter, architecture):
    (adapter / "adapter_model.safetensors").unlink()
    with pytest.raises(ModelFailed, match=r"has no adapter_model.safetensors"):
        load(adapter, architecture)


def test_an_adapter_for_a_spec_of_another_architecture(adapter, architecture):
    other = next(a for a in ARCHITECTURES if a != architecture)
    with pytest.raises(ModelFailed, match=f"is a {architecture}, but the spec"):
        load(adapter, other)
