# SPDX-License-Identifier: Apache-2.0
"""What was seen and read before is not computed again, and changes no token of a reply."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scene_r1_ros.config import ModelConfig
from scene_r1_ros.errors import ModelFailed
from scene_r1_ros.reasoning.jpeg import seen_wh
from scene_r1_ros.reasoning.models import make_spec
from scene_r1_ros.reasoning.protocol import Request
from scene_r1_ros.reasoning.qwen import TransformersModel
from scene_r1_ros.reasoning.qwen.prompt import key_of
from test.reasoning.scripted import make_frame

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

QUERIES = ("the red mug left of the sink", "a chair", "how many chairs are there?", "Wo ist die Tasse?")
TASKS = ("temporal", "answer", "image")


def load(folder, architecture, **settings) -> TransformersModel:
    spec = replace(make_spec(architecture), max_new_tokens=10)
    return TransformersModel(ModelConfig(kind="transformers", path=str(folder), device="cpu", **settings), spec)


@pytest.fixture
def model(attentive_qwen, architecture):
    return load(attentive_qwen, architecture)


@pytest.fixture(scope="module")
def plain(attentive_qwen, architecture):
    return load(attentive_qwen, architecture, vision_cache_bytes=0, prefix_cache_bytes=0)


def frame(time_s: int, wh=(123, 77)):
    pixels = np.random.default_rng(time_s).integers(0, 255, (wh[1], wh[0], 3))
    return make_frame(float(time_s), color=pixels.astype(np.uint8))


FRAMES = [frame(t) for t in range(4)] + [frame(t, wh=(90, 130)) for t in range(4, 7)]  # kept: one camera, then another


def request(query: str, times, task="temporal") -> Request:
    times = list(times)[:1] if task == "image" else list(times)
    return Request(task, query, tuple(FRAMES[t] for t in times), tuple(map(float, times)))


def says(model, asked: Request):
    return model.reply(asked, lambda text: None, lambda: False)


def generated(model, asked: Request) -> str:
    """The reply of transformers' own loop to the whole prompt at once, all pixels included."""
    from scene_r1_ros.evaluation.random_qwen import whole_inputs

    inputs = whole_inputs(model, asked)
    with torch.inference_mode():
        output = model.checkpoint.model.generate(
            **inputs, do_sample=False, repetition_penalty=1.0, max_new_tokens=model.spec.max_new_tokens
        )
    text = model.checkpoint.tokenizer.decode(output[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    return text.rstrip("\N{REPLACEMENT CHARACTER}")  # a character whose last bytes did not come


def instruction_tokens(model, asked: Request) -> int:
    from scene_r1_ros.reasoning.qwen.prompt import make_prompt

    prompt = make_prompt(asked, model.checkpoint.tokenizer, model.spec)
    return len(prompt.token_ids) - len(prompt.frames_only().token_ids)


@pytest.mark.parametrize("task", TASKS)
def test_the_reply_is_that_of_transformers_own_loop(model, task):
    first, second = (request(query, range(7), task) for query in QUERIES[:2])
    for asked in (first, second, first):
        assert says(model, asked).text.rstrip("\N{REPLACEMENT CHARACTER}") == generated(model, asked)


def logits(model, asked: Request):
    """Of the first token of the reply, as the model computes them with what it has kept."""
    from scene_r1_ros.reasoning.qwen.prompt import make_prompt

    prompt, reader = make_prompt(asked, model.checkpoint.tokenizer, model.spec), model._reader
    with torch.inference_mode(), reader._prefix(prompt) as prefix:
        return reader._read(prompt, reader._positions(prompt), prefix, model.spec)


def test_what_is_kept_changes_no_logit(model):
    """A finer look than at words. They differ between queries and frames, else equality would prove nothing."""
    from scene_r1_ros.evaluation.random_qwen import whole_inputs

    seen = []
    for asked in (request(query, times) for times in (range(3), range(5), range(1, 4)) for query in QUERIES[:2]):
        with torch.inference_mode():
            expected = model.checkpoint.model(**whole_inputs(model, asked)).logits[0, -1]
        torch.testing.assert_close(logits(model, asked), expected, rtol=1e-4, atol=1e-4)
        assert all((expected - other).abs().max() > 0.01 for other in seen)
        seen.append(expected)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(QUERIES), st.integers(0, 3), st.integers(1, 4), st.sampled_from(TASKS),
                          st.booleans()), min_size=2, max_size=6))  # fmt: skip
def test_any_order_of_queries_gets_the_same_tokens_as_without_caches(attentive_qwen, architecture, plain, asked):
    model = load(attentive_qwen, architecture)
    for query, start, count, task, ahead in asked:
        one = request(query, range(start, start + count), task)
        if ahead:
            model.prepare(one, lambda: False)
        with_caches, without = says(model, one), says(plain, one)
        assert (with_caches.text, with_caches.output_tokens) == (without.text, without.output_tokens)


def test_the_second_query_only_reads_its_own_words(model):
    assert says(model, request(QUERIES[0], range(6))).cached_tokens == 0
    for later in (request(QUERIES[1], range(6)), request(QUERIES[2], range(6), "answer")):
        reply = says(model, later)
        assert reply.input_tokens - reply.cached_tokens <= instruction_tokens(model, later)


def test_frames_that_are_appended_are_the_only_ones_that_are_read(model, monkeypatch):
    says(model, request(QUERIES[0], range(4)))
    looked = []
    see = model.checkpoint.model.model.get_image_features
    monkeypatch.setattr(
        model.checkpoint.model.model, "get_image_features", lambda *a, **k: (looked.append(1), see(*a, **k))[1]
    )
    reply = says(model, request(QUERIES[1], range(6)))
    assert len(looked) == 2
    assert reply.cached_tokens > 4 * 12


def test_a_frame_in_another_prompt_is_not_looked_at_again(model, monkeypatch):
    says(model, request(QUERIES[0], range(4)))
    monkeypatch.setattr(model.checkpoint.model.model, "get_image_features", None)
    assert says(model, request(QUERIES[0], [2], "image")).text
    assert says(model, request(QUERIES[0], [1, 3])).text


def test_asking_about_one_frame_leaves_the_video_known(model):
    says(model, request(QUERIES[0], range(6)))
    says(model, request(QUERIES[0], [2], "image"))
    assert says(model, request(QUERIES[1], range(6))).cached_tokens > 6 * 12


def test_the_same_pixels_at_other_times_are_another_prompt(model, plain):
    asked = request(QUERIES[0], range(4))
    later = replace(asked, times_s=tuple(t + 100.0 for t in asked.times_s))
    says(model, asked)
    assert says(model, later).text == says(plain, later).text


def test_what_is_prepared_is_known_to_the_first_query(model, plain):
    asked = request(QUERIES[0], range(6))
    model.prepare(replace(asked, query=""), lambda: False)
    reply = says(model, asked)
    assert reply.cached_tokens > 6 * 12
    assert reply.text == says(plain, asked).text


@pytest.mark.parametrize("n", [1, 6])
def test_reading_ahead_what_was_read_changes_nothing(model, n):
    """As a server does between goals: what the goal has read ends where the frames end, on a token of an image."""
    asked = request(QUERIES[0], range(n))
    says(model, asked)
    before, kept = logits(model, asked), model.prefixes.nbytes
    for _ in range(3):
        model.prepare(asked, lambda: False)
        torch.testing.assert_close(logits(model, asked), before, rtol=1e-4, atol=1e-4)
    assert model.prefixes.nbytes == kept


def test_reading_ahead_waits_for_nobody(model):
    with model._lock:  # a reply is under way
        model.prepare(request(QUERIES[0], range(3)), lambda: False)
    assert model.prefixes.nbytes == 0


def test_a_closer_look_leaves_the_first_one_known(model):
    """Also where both begin with the same frame."""
    first, closer = request(QUERIES[0], [0, 2, 4, 6]), request(QUERIES[0], [0, 1, 2, 3])
    says(model, first)
    says(model, closer)
    reply = says(model, replace(first, query=QUERIES[1]))
    assert reply.input_tokens - reply.cached_tokens <= instruction_tokens(model, replace(first, query=QUERIES[1]))


def test_where_room_is_short_single_images_leave_before_videos(attentive_qwen, architecture):
    model = load(attentive_qwen, architecture)
    video = request(QUERIES[0], range(6))
    says(model, video)
    model.prefixes.max_bytes = int(model.prefixes.nbytes * 1.7)
    for start in range(6):
        says(model, request(QUERIES[0], [start], "image"))
    reply = says(model, replace(video, query=QUERIES[1]))
    assert reply.cached_tokens > 6 * 12
    other = request(QUERIES[0], [1, 3, 5, 2, 4, 0])
    says(model, other)  # of videos, the last one stays
    assert says(model, replace(other, query=QUERIES[1])).cached_tokens > 6 * 12


def test_room_is_made_before_a_prompt_is_read(attentive_qwen, architecture, monkeypatch):
    model, held = load(attentive_qwen, architecture), []
    says(model, request(QUERIES[0], range(6)))
    model.prefixes.max_bytes = int(model.prefixes.nbytes * 1.1)
    read = model._reader._read
    monkeypatch.setattr(model._reader, "_read", lambda *a: (held.append(model.prefixes.nbytes), read(*a))[1])
    says(model, request(QUERIES[0], range(6, 0, -1)))
    assert held == [0]


def test_a_prefix_too_large_is_told_of_once(attentive_qwen, architecture, caplog):
    model = load(attentive_qwen, architecture, prefix_cache_bytes=100_000)
    for query in QUERIES[:2]:
        says(model, request(query, range(6)))
    assert ["is not kept" in record.getMessage() for record in caplog.records] == [True]
    model.prepare(request(QUERIES[0], range(6)), lambda: False)  # for nothing: it would not be kept
    assert model.prefixes.too_small and model.prefixes.nbytes == 0


def test_the_sight_that_was_used_last_stays(model):
    first, second, third = (request(QUERIES[0], [t], "image") for t in range(3))
    says(model, first)
    says(model, second)
    model.vision.max_bytes = model.vision.nbytes
    model.prefixes.clear()
    says(model, first)
    says(model, third)  # for which the second leaves
    keys = [key_of(one.frames[0], seen_wh(123, 77, model.spec)) for one in (first, second, third)]
    assert [key in model.vision for key in keys] == [True, False, True]
    model.vision.max_bytes = 10
    says(model, request(QUERIES[0], [3], "image"))  # larger than all the room: drives nobody out
    assert [key in model.vision for key in keys] == [True, False, True]


@pytest.mark.parametrize("error", ["CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "can't allocate memory"])
def test_out_of_memory_lets_go_of_what_was_kept(model, monkeypatch, error):
    says(model, request(QUERIES[0], range(3)))
    assert model.vision.nbytes > 0 and model.prefixes.nbytes > 0

    def full(*args, **kwargs):
        raise RuntimeError(error)

    monkeypatch.setattr(model.checkpoint.model, "forward", full)
    with pytest.raises(ModelFailed, match=f"ran out of memory .* {error}; lower max_frames"):
        says(model, request(QUERIES[1], range(3)))
    assert (model.vision.nbytes, model.prefixes.nbytes) == (0, 0)


@pytest.mark.parametrize("polls", [0, 1, 2, 3, 5, 8])
def test_a_cancel_anywhere_leaves_nothing_wrong_behind(model, plain, polls):
    """Also between two layers, of which one has read more than the other."""
    asked, left = request(QUERIES[0], range(5)), iter([False] * polls)
    model.reply(asked, lambda text: None, lambda: next(left, True))
    assert says(model, asked).text == says(plain, asked).text
    left = iter([False] * polls)
    model.prepare(request(QUERIES[1], range(6)), lambda: next(left, True))
    assert says(model, request(QUERIES[1], range(6))).text == says(plain, request(QUERIES[1], range(6))).text


def test_memory_stays_within_its_budgets(attentive_qwen, architecture):
    model = load(attentive_qwen, architecture, vision_cache_bytes=20_000, prefix_cache_bytes=600_000)
    for start in range(4):
        for query in QUERIES:
            says(model, request(query, range(start, start + 3)))
            says(model, request(query, [start], "image"))
            assert model.vision.nbytes <= 20_000
            assert model.prefixes.nbytes <= 600_000
    assert model.vision.nbytes > 0
    assert model.prefixes.nbytes > 0


def test_no_budget_keeps_nothing(plain):
    says(plain, request(QUERIES[0], range(3)))
    assert (plain.vision.nbytes, plain.prefixes.nbytes) == (0, 0)
    assert says(plain, request(QUERIES[0], range(3))).cached_tokens == 0
