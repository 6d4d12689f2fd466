# SPDX-License-Identifier: Apache-2.0
"""Estimates of memory against what models really have."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from scene_r1_ros.errors import BadInput
from scene_r1_ros.learning.big.memory import (
    FLOAT32,
    kept_parts,
    layer_bytes,
    learning_parts,
    print_estimates,
    total,
    writing_parts,
)
from scene_r1_ros.learning.big.settings import TrlSettings
from scene_r1_ros.learning.big.shapes import shape_of
from scene_r1_ros.reasoning.qwen import ARCHITECTURES

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
peft = pytest.importorskip("peft")

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")  # peft calls transformers by names that will change

LORA, FULL = TrlSettings(lora_rank=4), TrlSettings(lora=False, train_vision=True)


@pytest.fixture(scope="module", params=ARCHITECTURES)
def tiny(request, tmp_path_factory):
    from scene_r1_ros.evaluation import random_qwen

    return random_qwen.build(tmp_path_factory.mktemp(request.param), request.param)


def load(folder):
    return transformers.AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32)


def stepped(model):
    """The optimizer after a step on every weight that learns."""
    optimizer = torch.optim.AdamW([weight for weight in model.parameters() if weight.requires_grad])
    for weight in model.parameters():
        if weight.requires_grad:
            weight.grad = torch.ones_like(weight)
    optimizer.step()
    return optimizer


@pytest.mark.parametrize("settings", [LORA, FULL])
def test_gradients_and_adam_are_counted_to_the_byte(tiny, settings):
    from scene_r1_ros.learning.big.weights import lora_config

    model = load(tiny)
    if settings.lora:
        model = peft.get_peft_model(model, lora_config(settings.lora_rank, settings.train_vision))
    optimizer = stepped(model)
    parts = kept_parts(shape_of(str(tiny), settings.lora_rank, settings.train_vision), settings, gpus=1)
    assert sum(w.grad.nbytes for w in model.parameters() if w.grad is not None) == parts["gradients"]
    moments = [state[name] for state in optimizer.state.values() for name in ("exp_avg", "exp_avg_sq")]
    assert sum(moment.nbytes for moment in moments) == parts["Adam"]


def test_the_cache_is_counted_to_the_byte(tiny):
    model, shape = load(tiny), shape_of(str(tiny), 4, False)
    with torch.inference_mode():
        cache = model(input_ids=torch.arange(40, 60)[None], use_cache=True).past_key_values
    kept = sum(layer.keys.nbytes + layer.values.nbytes for layer in cache.layers)
    settings = TrlSettings(per_device_batch=2, accumulation=1, num_generations=2, max_completion_tokens=5)
    parts = writing_parts(shape, settings, 1, prompt_tokens=15)
    assert 2 * kept == 2 * parts["cache of keys and values"]  # float32 and one here, bfloat16 and two there


def test_a_layer_keeps_about_what_is_estimated(tiny):
    """Counted where torch keeps tensors for gradients, each storage once, without the weights."""
    model, tokens = load(tiny), 64
    stored: dict[int, int] = {}
    weights = {weight.untyped_storage().data_ptr() for weight in model.parameters()}

    def note(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            stored[storage.data_ptr()] = storage.nbytes()
        return tensor

    alive = []  # so that no storage is used twice
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: alive.append(tensor) or note(tensor), lambda t: t):
        model.model.language_model(input_ids=torch.arange(40, 40 + tokens)[None] % 300)
    shape = shape_of(str(tiny), 4, False)
    estimated = shape.layers * tokens * 2 * layer_bytes(shape.hidden, shape.intermediate, shape.kv_width)
    assert 0.9 < sum(stored.values()) / estimated < 1.25


def test_published_models_have_the_parameters_that_are_published():
    assert shape_of("3b", 32, False).parameters == 3_754_622_976
    assert shape_of("7B", 32, False).parameters == 8_292_166_656


def test_what_makes_it_smaller():
    shape, settings = shape_of("3b", 32, False), TrlSettings()

    def sized(gpus=1, **changes):
        return total(shape, replace(settings, **changes), gpus, 4000)

    full = sized(lora=False)
    assert sized() < full / 2
    assert sized(lora=False, gpus=8) < full / 3
    assert sized(lora=False, beta=0.0) == full - FLOAT32 * shape.parameters
    assert sized(vllm="http://host:8000") <= sized()
    assert sized(per_device_batch=2) < sized()
    assert sized(vllm="colocate") > sized(vllm="http://host:8000") + 2 * shape.parameters
    assert sized(gradient_checkpointing=False) > sized()
    assert sized(train_vision=True, lora=False) > full
    kept, lean = (learning_parts(shape, replace(settings, gradient_checkpointing=on), 4000) for on in (False, True))
    assert kept["activations"] > 5 * lean["activations"]


def test_the_table(tiny):
    printed = io.StringIO()
    print_estimates("3b", TrlSettings(), 1, 4000, Console(file=printed, width=120))
    assert "3.75 billion parameters, 59.9 million of LoRA" in printed.getvalue()
    assert printed.getvalue().count("\n") > 10


def test_models_of_which_nothing_is_known(tmp_path):
    with pytest.raises(BadInput, match=r"--model 9b is none of 3b, 7b, and no folder with the config.json"):
        shape_of("9b", 4, False)
    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}', encoding="utf-8")
    with pytest.raises(BadInput, match=r"is a gpt2; expected one of qwen2_5_vl, qwen3_vl"):
        shape_of(str(tmp_path), 4, False)
    (tmp_path / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises(BadInput, match=r"config.json cannot be read: .*; expected that of a Qwen VL model"):
        shape_of(str(tmp_path), 4, False)
