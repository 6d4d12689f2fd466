# SPDX-License-Identifier: Apache-2.0
"""A random checkpoint of the real architecture, through the path that a trained one takes."""

import json
import shutil
import sys
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest

from scene_r1_ros.config import ModelConfig
from scene_r1_ros.errors import ModelFailed
from scene_r1_ros.reasoning.models import load_model, make_spec
from scene_r1_ros.reasoning.protocol import Request
from scene_r1_ros.reasoning.qwen import TransformersModel, weights
from scene_r1_ros.reasoning.qwen.prompt import make_prompt
from test.reasoning.scripted import make_frame

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

SPEC = replace(make_spec("qwen2_5_vl"), max_new_tokens=12)


def load(folder, spec=SPEC, **settings) -> TransformersModel:
    return TransformersModel(ModelConfig(kind="transformers", path=str(folder), device="cpu", **settings), spec)


@pytest.fixture(scope="module")
def model(tiny_qwen):
    return load(tiny_qwen)


def noise(time_s: float, wh=(123, 77)):
    pixels = np.random.default_rng(int(time_s * 10)).integers(0, 255, (wh[1], wh[0], 3))
    return make_frame(time_s, color=pixels.astype(np.uint8))


def clip_request(*times_s: float, task="temporal", wh=(123, 77)) -> Request:
    return Request(task, "the red mug", tuple(noise(t, wh) for t in times_s), times_s)


def never() -> bool:
    return False


def ignore(text: str) -> None:
    pass


def test_loads_by_configuration(tiny_qwen):
    model = load_model(ModelConfig(kind="transformers", path=str(tiny_qwen), device="cpu"))
    assert model.spec == make_spec("qwen2_5_vl")


def test_streaming_gives_the_text_of_the_reply(model):
    words = []
    reply = model.reply(clip_request(0.0, 0.5, 1.0), words.append, never)
    assert "".join(words) == reply.text
    assert 0 < reply.output_tokens <= 12
    assert reply.input_tokens > 3 * 12  # at least the images


def test_one_frame(model):
    reply = model.reply(clip_request(0.5, task="image"), ignore, never)
    assert reply.image_sizes_wh == ((112, 84),)


@pytest.mark.parametrize(
    ("wh", "max_pixels", "seen_wh"),
    [
        ((640, 480), 401408, (644, 476)),  # to whole patches only
        ((1280, 720), 401408, (840, 448)),  # down to the budget
        ((643, 477), 28 * 28 * 100, (308, 224)),  # far down
        ((57, 33), 401408, (84, 56)),  # up to the least the model takes
        ((640, 480), 1000, (28, 28)),  # a budget below that least
    ],
)
def test_sizes_are_those_the_model_saw(model, wh, max_pixels, seen_wh):
    model.spec, spec = replace(SPEC, max_pixels=max_pixels, max_new_tokens=1), model.spec
    try:
        reply = model.reply(clip_request(0.0, task="image", wh=wh), ignore, never)
    finally:
        model.spec = spec
    assert reply.image_sizes_wh == (seen_wh,)


def test_deterministic(model):
    request = clip_request(0.0, 0.5)
    first, again = (model.reply(request, ignore, never).text for _ in range(2))
    assert first == again


def test_sampling_draws_other_words_but_the_same_each_time(model):
    request, greedy = clip_request(0.0, 0.5), model.spec
    model.spec = replace(greedy, temperature=1.5)
    try:
        drawn, again = (model.reply(request, ignore, never).text for _ in range(2))
    finally:
        model.spec = greedy
    assert drawn == again != model.reply(request, ignore, never).text


def test_images_take_their_place_in_the_text(model):
    """Every image has as many tokens as embeddings, in rows and columns: else all places are those of text."""
    prompt = make_prompt(clip_request(0.0, 0.5), model.checkpoint.tokenizer, model.spec)
    assert [end - start for start, end in prompt.spans] == [w * h // 28**2 for w, h in prompt.sizes_wh] == [12, 12]
    time, row, column = model._reader._positions(prompt)[:, 0, slice(*prompt.spans[0])]
    assert len(time.unique()) == 1
    assert (row - row[0]).tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert (column - column[0]).tolist() == [0, 1, 2, 3] * 3


def test_prompts_are_read_in_pieces_that_cut_no_image(model):
    prompt = make_prompt(clip_request(*(0.5 * t for t in range(8))), model.checkpoint.tokenizer, model.spec)
    n = len(prompt.token_ids)
    for start in (0, prompt.spans[2][1], n - 1):
        for size in (1, 20, 100, 10_000):
            pieces = prompt.chunks(start, size)
            assert [i for piece in pieces for i in range(*piece)] == list(range(start, n))
            shown = [i for piece in pieces for i in prompt.images_in(*piece)]
            assert shown == [i for i, span in enumerate(prompt.spans) if span[0] >= start]


@pytest.mark.parametrize("k", [0, 1, 5])
def test_cancel_stops_within_a_token(model, k):
    polls = iter([False] * (k + 1))
    reply = model.reply(clip_request(0.0), ignore, lambda: next(polls, True))
    assert reply.output_tokens <= k + 1
    assert model.reply(clip_request(0.0), ignore, lambda: True).output_tokens == 0


def test_an_error_of_the_listener_is_its_own(model):
    def broken(text):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        model.reply(clip_request(0.0), broken, never)


def test_out_of_memory_names_the_remedy(model, monkeypatch):
    def full(*args, **kwargs):
        raise torch.OutOfMemoryError("tried to allocate 20 GiB")

    monkeypatch.setattr(model.checkpoint.model, "forward", full)
    with pytest.raises(ModelFailed, match=r"out of memory on cpu .* 20 GiB; lower max_frames, max_pixels"):
        model.reply(clip_request(0.0), ignore, never)


def test_qwen3_loads_and_replies(tmp_path):
    from scene_r1_ros.evaluation import random_qwen

    spec = replace(make_spec("qwen3_vl"), max_new_tokens=4)
    model = load(random_qwen.build(tmp_path, "qwen3_vl"), spec)
    assert model.reply(clip_request(0.0, 0.5), ignore, never).image_sizes_wh == ((128, 64),) * 2


def test_torchvision_is_not_needed(model):
    assert type(model.checkpoint.images).__name__ == "Qwen2VLImageProcessorPil"
    assert "torchvision" not in sys.modules or find_spec("torchvision")  # where it is installed, others import it


# what is refused -----------------------------------------------------------------------------------------------------


@pytest.fixture
def copy(tiny_qwen, tmp_path):
    return shutil.copytree(tiny_qwen, tmp_path / "copy")


def edit(path, **changes):
    values = {**json.loads(path.read_text(encoding="utf-8")), **changes}
    path.write_text(json.dumps(values), encoding="utf-8")


def refused(path, message, device="cpu"):
    with pytest.raises(ModelFailed, match=message):
        TransformersModel(ModelConfig(kind="transformers", path=str(path), device=device), SPEC)


def test_pickled_weights(copy):
    torch.save({}, copy / "pytorch_model.bin")
    load(copy)  # beside safetensors they are not even opened
    (copy / "model.safetensors").unlink()
    refused(copy, r"weights pickled \(pytorch_model.bin\).*convert them to safetensors")


def test_missing_folder(tmp_path):
    refused(tmp_path / "nothing", "'.*nothing' is no folder; give the folder of a checkpoint, or a hub name")


def test_unreachable_hub_name():
    refused(
        "nobody/nothing-of-this-name",
        r"'nobody/nothing-of-this-name' cannot be downloaded \(\w+\); check its name and the network, or",
    )


def test_another_architecture(copy):
    edit(copy / "config.json", model_type="llama")
    refused(copy, "is a 'llama'; expected one of qwen2_5_vl, qwen3_vl")


def test_a_spec_for_another_architecture(tiny_qwen):
    with pytest.raises(ModelFailed, match=r"a qwen2_5_vl, but .* is for qwen3_vl, .* model.spec: qwen2_5_vl"):
        load(tiny_qwen, make_spec("qwen3_vl"))


def test_code_in_the_checkpoint_is_not_run(copy):
    edit(copy / "config.json", model_type="mine", auto_map={"AutoConfig": "evil.Config"})
    (copy / "evil.py").write_text("raise SystemExit('code of a checkpoint was run')", encoding="utf-8")
    refused(copy, "cannot be loaded")


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json", "preprocessor_config.json"])
def test_a_missing_file(copy, name):
    (copy / name).unlink()
    refused(copy, "cannot be loaded")


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json", "preprocessor_config.json"])
def test_a_broken_file(copy, name):
    (copy / name).write_bytes(b"{\x00")
    refused(copy, "cannot be loaded")


def test_weights_that_lack_a_tensor(copy):
    from safetensors.torch import load_file, save_file

    weights = load_file(copy / "model.safetensors")
    weights.pop(next(name for name in weights if name.endswith("norm.weight")))
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    refused(copy, "its weights lack 1 tensors")


def test_a_template_without_images(copy):
    (copy / "chat_template.jinja").write_text("{{ messages[0].content[0].text }}", encoding="utf-8")
    model = load(copy)
    with pytest.raises(ModelFailed, match="places 0 images where 2 were given"):
        model.reply(clip_request(0.0, 0.5), ignore, never)


def test_a_spec_of_another_patch_size(tiny_qwen):
    with pytest.raises(ModelFailed, match=r"in multiples of 28 pixels, but .* says image_multiple: 32; correct it"):
        load(tiny_qwen, replace(SPEC, image_multiple=32))


def test_no_free_memory(tiny_qwen, monkeypatch):
    monkeypatch.setattr(weights, "free_bytes", lambda device: 1000)
    refused(tiny_qwen, r"needs 0.0 GiB for its weights alone in torch.bfloat16, and 0.0 GiB are free on cpu; choose")


def test_memory_that_is_free_is_known():
    assert 2**20 < weights.free_bytes("cpu") < 2**50


def test_parameters_are_counted(tiny_qwen, model):
    assert weights.n_parameters(tiny_qwen) == sum(p.numel() for p in model.checkpoint.model.parameters())


def test_little_memory_takes_half_the_bytes(tiny_qwen, monkeypatch):
    bytes_in_float32 = 4 * weights.n_parameters(tiny_qwen)
    monkeypatch.setattr(weights, "free_bytes", lambda device: bytes_in_float32 - 1)
    assert load(tiny_qwen).checkpoint.model.dtype == torch.bfloat16
    monkeypatch.setattr(weights, "free_bytes", lambda device: bytes_in_float32 + 1)
    assert load(tiny_qwen).checkpoint.model.dtype == torch.float32


def test_no_gpu(tiny_qwen, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    refused(tiny_qwen, "model.device = 'cuda', but torch sees no GPU", device="cuda")


@pytest.mark.parametrize("library", ["torch", "transformers"])
def test_missing_library(tiny_qwen, monkeypatch, library):
    monkeypatch.setitem(sys.modules, library, None)
    refused(tiny_qwen, "pip install torch transformers safetensors")
