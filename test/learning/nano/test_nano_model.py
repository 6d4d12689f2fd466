# SPDX-License-Identifier: Apache-2.0
"""What is learned with is what the robot runs: the same tokens, positions, pictures and logits as transformers has."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from transformers import Qwen2VLImageProcessorPil  # noqa: E402

from scene_r1_ros.config import ModelConfig  # noqa: E402
from scene_r1_ros.learning.images import read_image  # noqa: E402
from scene_r1_ros.learning.nano.architecture import MERGE, PATCH_PX, NanoSize, build_nano, save_nano  # noqa: E402
from scene_r1_ros.learning.nano.feed import FULL_WH  # noqa: E402
from scene_r1_ros.learning.nano.forward import read, see  # noqa: E402
from scene_r1_ros.learning.nano.generate import Sampling, replies_to  # noqa: E402
from scene_r1_ros.learning.nano.packing import batched  # noqa: E402
from scene_r1_ros.learning.replies import reply_of  # noqa: E402
from scene_r1_ros.reasoning.protocol import Request  # noqa: E402
from scene_r1_ros.reasoning.qwen import TransformersModel  # noqa: E402
from scene_r1_ros.reasoning.qwen.prompt import make_prompt  # noqa: E402
from test.reasoning.scripted import make_frame  # noqa: E402

SIZE = {"shortest_edge": 56 * 56, "longest_edge": 38_500}


@pytest.fixture(scope="module")
def clip(feed):
    """A short clip with at least two questions, and its frames."""
    group = min((g for g in feed.clips if len(g.samples) > 1), key=lambda g: len(g.shots))
    return group, np.stack([read_image(feed.folder, shot) for shot in group.shots])


def processed(images):
    return Qwen2VLImageProcessorPil(patch_size=PATCH_PX, merge_size=MERGE)(list(images), size=SIZE, return_tensors="pt")


def test_it_sees_what_transformers_sees(model, clip):
    inputs = processed(clip[1][:3])
    with torch.inference_mode():
        theirs = model.model.get_image_features(inputs["pixel_values"], inputs["image_grid_thw"], return_dict=True)
        ours = see(model, torch.from_numpy(clip[1][:3]))
    assert torch.allclose(torch.stack(list(theirs.pooler_output)), ours, atol=1e-5)


def test_questions_in_one_row_are_read_as_if_each_were_alone(model, packer, clip):
    group, images = clip
    row, inputs = packer.row(group.samples[:2], FULL_WH), processed(images)
    with torch.inference_mode():
        hidden, _ = read(model, batched([row], 0), see(model, torch.from_numpy(images)))
        ours = model.lm_head(hidden)[0]
        for number in (1, 2):
            kept = torch.from_numpy((row.segments == 0) | (row.segments == number))
            ids = torch.from_numpy(row.token_ids)[kept][None]
            theirs = model(
                input_ids=ids, mm_token_type_ids=(ids == model.config.image_token_id).int(), **inputs
            ).logits[0]
            assert torch.allclose(theirs, ours[kept], atol=1e-4)


def test_many_replies_at_once_are_those_of_generate(model, packer, clip):
    group, images = clip
    with torch.inference_mode():
        sights = see(model, torch.from_numpy(images))
        ours = replies_to(model, packer, [group.samples[:2]], [sights], FULL_WH, Sampling(max_new_tokens=8))
    for sample, tokens in zip(group.samples[:2], ours, strict=True):
        ids = torch.from_numpy(packer.row([sample], FULL_WH, with_replies=False).token_ids)[None]
        kinds = (ids == model.config.image_token_id).int()
        said = model.generate(
            input_ids=ids, mm_token_type_ids=kinds, **processed(images), max_new_tokens=8, do_sample=False
        )
        assert said[0, ids.shape[1] :].tolist()[: len(tokens)] == tokens


def test_the_robot_asks_in_the_same_tokens(packer, spec):
    frames = (make_frame(0), make_frame(1))
    request = Request("temporal", "the red mug", frames, (0.0, 1.25))
    prompt = make_prompt(request, packer.tokenizer, spec)
    assert packer.tokenizer.decode(prompt.token_ids[-12:]).endswith('when: "the red mug"<|im_start|>')


def test_right_replies_survive_the_tokenizer(packer, samples, spec):
    for sample in samples:
        if sample.task != "objects":
            reply = reply_of(sample, spec, FULL_WH)
            assert packer.tokenizer.decode(packer.tokenizer(reply)["input_ids"]) == reply.lower()


def test_words_it_never_learned_are_not_lost(packer):
    for text in ("der rote Becher", "カップ", "🍎 left of the snood"):
        assert packer.tokenizer.decode(packer.tokenizer(text)["input_ids"]) == text.lower()


def test_a_number_is_one_token(packer):
    for number in ("0", "7", "05", "28", "224", "335"):
        assert len(packer.tokenizer(number)["input_ids"]) == 1


def test_the_model_at_its_full_size_is_loaded_as_any_other_and_small_enough(packer, tmp_path, spec):
    save_nano(build_nano(packer.tokenizer, NanoSize(), seed=0), packer.tokenizer, tmp_path)
    assert (tmp_path / "model.safetensors").stat().st_size <= 16e6
    loaded = TransformersModel(ModelConfig(kind="transformers", path=str(tmp_path), device="cpu"), spec)
    frame = make_frame(0)
    reply = loaded.reply(Request("image", "the red mug", (frame,), (0.0,)), lambda text: None, lambda: False)
    assert reply.input_tokens > 0 and reply.image_sizes_wh[0][0] % spec.image_multiple == 0


def test_the_same_seed_gives_the_same_weights(packer):
    size = NanoSize(vision_layers=1, text_layers=1)
    one, same, other = (build_nano(packer.tokenizer, size, seed).lm_head.weight for seed in (3, 3, 4))
    assert torch.equal(one, same) and not torch.equal(one, other)
