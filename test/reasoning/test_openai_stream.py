# SPDX-License-Identifier: Apache-2.0
import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scene_r1_ros.reasoning.openai_stream import BadStream, ReplyStream, quote, told_in

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def line(event) -> bytes:
    return b"data: " + json.dumps(event).encode() + b"\n\n"


def delta(**fields) -> bytes:
    return line({"choices": [{"index": 0, "delta": fields, "finish_reason": None}]})


def read(content: bytes) -> tuple[ReplyStream, list[str]]:
    heard: list[str] = []
    stream = ReplyStream(heard.append)
    stream.feed(content)
    assert "".join(heard) == stream.text
    return stream, heard


GOOD = b": keep-alive\r\n\r\nevent: message\n" + delta(role="assistant") + delta(content="mug é") + delta(content=" 杯")
GOOD += line({"choices": [{"delta": {}, "finish_reason": "length"}]}) + line({"usage": {"prompt_tokens": 7}})
GOOD += b"data:[DONE]\r\n\r\n" + delta(content="too late")


@given(st.lists(st.integers(0, len(GOOD)), max_size=20))
def test_pieces_of_any_size_give_the_same_words(cuts):
    heard: list[str] = []
    stream = ReplyStream(heard.append)
    at = [0, *sorted(cuts), len(GOOD)]
    for start, end in pairwise(at):
        stream.feed(GOOD[start:end])
    assert (stream.text, heard) == ("mug é 杯", ["mug é", " 杯"])
    assert (stream.finished, stream.done, stream.input_tokens, stream.output_tokens) == (True, True, 7, 2)


@given(st.binary(max_size=200) | st.binary(max_size=200).map(lambda b: b"data: " + b + b"\n"))
def test_any_bytes_are_words_or_a_typed_error(content):
    try:
        read(content)
    except BadStream as error:
        assert len(str(error)) < 1000


@settings(max_examples=50)
@given(ANYTHING, ANYTHING)
def test_any_json_is_words_or_a_typed_error(event, inner):
    for sent in (event, {"choices": inner}, {"choices": [inner]}, {"choices": [{"delta": inner}]}, {"usage": inner},
                 {"error": inner}, {"choices": [{"delta": {"content": inner, "reasoning": event}}]}):  # fmt: skip
        try:
            stream, _ = read(line(sent))
        except BadStream:
            continue
        stream.text.encode()  # no lone surrogates
        assert stream.input_tokens >= 0


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_thinking_that_a_server_took_out_is_put_back(name):
    stream, heard = read(
        delta(**{name: "it is "}) + delta(**{name: "red"}) + delta(content="<answer>a") + delta(content="b")
    )
    assert stream.text == "<think>it is red</think><answer>ab"
    assert heard == ["<think>it is ", "red", "</think><answer>a", "b"]


def test_what_no_terminal_should_obey_is_replaced():
    stream, _ = read(b'data: {"choices": [{"delta": {"content": "a\\u001b[2J\\ud800b"}}]}\n')
    assert stream.text == "a\ufffd[2J\ufffdb"


@pytest.mark.parametrize("count", [-1, 1.5, "7", None, True, 10**12])
def test_counts_that_are_none(count):
    told = {"prompt_tokens": count, "completion_tokens": count, "prompt_tokens_details": {"cached_tokens": count}}
    stream, _ = read(line({"usage": told}))
    assert (stream.input_tokens, stream.cached_tokens, stream.output_tokens) == (0, 0, 0)


@pytest.mark.parametrize(
    ("details", "cached"),
    [({"cached_tokens": 5}, 5), ({"cached_tokens": 8}, 7), ({}, 0), (None, 0), ([5], 0), ({"cached_tokens": [5]}, 0)],
)
def test_no_more_tokens_are_known_than_were_sent(details, cached):
    stream, _ = read(line({"usage": {"prompt_tokens": 7, "prompt_tokens_details": details}}))
    assert stream.cached_tokens == cached


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ({"error": {"message": "too long"}}, "'too long'"),  # OpenAI, vLLM
        ({"error": "too long"}, "'too long'"),  # transformers
        ({"object": "error", "message": "too long"}, "'too long'"),  # SGLang
        ({"detail": "too long"}, "'too long'"),  # FastAPI
        ({"why": 1}, "'{\"why\": 1}'"),
    ],
)
def test_errors_of_every_server_are_told(message, told):
    assert told_in(message) == told


def test_a_quote_is_short_and_on_one_line():
    assert quote(b"a\nb\x1b\xff") == "'a b\ufffd\ufffd'"
    assert len(quote("x" * 10**6)) <= 302
