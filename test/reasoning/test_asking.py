# SPDX-License-Identifier: Apache-2.0
"""Asking a model: what it reasoned and what it took are kept, and it writes no more than it may."""

import logging
from dataclasses import replace

import pytest

from scene_r1_ros.answer import Usage
from scene_r1_ros.errors import DeadlineExceeded, ErrorCode, OutOfTokens, ParseFailed
from scene_r1_ros.reasoning.asking import ask
from scene_r1_ros.reasoning.protocol import Reply, Request
from scene_r1_ros.run import Run, Thought
from test.reasoning.scripted import Scripted, make_frame

FRAMES = (make_frame(0.0), make_frame(1.0))
REQUEST = Request("temporal", "the mug", FRAMES, (0.0, 1.0))
THINKS = "<think>It is red.</think><answer>0s to 1s</answer>"


class Counting(Scripted):
    """A scripted mind that counts: each reply is ``tokens`` long."""

    def __init__(self, *texts: str, tokens: int):
        super().__init__(*texts)
        self.tokens = tokens

    def reply(self, request, on_text, should_stop) -> Reply:
        counts = {"input_tokens": 100, "cached_tokens": 90, "output_tokens": self.tokens, "first_token_s": 0.5}
        return replace(super().reply(request, on_text, should_stop), **counts)


def unreadable(reply: Reply) -> str:
    raise ParseFailed("no window", reply.text)


def asked(model: Scripted, run: Run, read=lambda reply: reply.text) -> str:
    with run.stage("temporal"):
        return ask(model, REQUEST, run, read)[0]


def test_what_each_stage_took_adds_up():
    run = Run()
    for _ in range(2):
        asked(Counting(THINKS, tokens=7), run)
    assert run.usage == {"temporal": Usage(2, 4, 200, 180, 14, 1.0)}


def test_a_reply_that_cannot_be_read_is_paid_for_but_not_reasoned_with():
    run, model = Run(), Counting("<think>At 9 s.</think>", THINKS, tokens=7)
    assert asked(model, run, lambda reply: reply.text if reply.text == THINKS else unreadable(reply)) == THINKS
    assert run.thoughts == [Thought("temporal", "It is red.")]
    assert (run.usage["temporal"].calls, run.usage["temporal"].output_tokens) == (2, 14)


def test_once_the_tokens_are_used_up_the_model_is_asked_no_more():
    run, model = Run(max_output_tokens=20), Counting(*[THINKS] * 4, tokens=10)
    for _ in range(2):
        asked(model, run)
    with pytest.raises(OutOfTokens) as refused:
        asked(model, run)
    assert str(refused.value) == (
        "the model has written 20 tokens for this query, in stage 'temporal'; at most 20 are allowed: allow more "
        "(model.max_output_tokens), or use a model that thinks in fewer words"
    )
    assert isinstance(refused.value, DeadlineExceeded) and refused.value.code == ErrorCode.TIMEOUT
    assert len(model.requests) == 2


def test_what_cannot_be_read_is_not_asked_again_beyond_the_tokens(caplog):
    run, model = Run(max_output_tokens=10), Counting("soon", THINKS, tokens=10)
    with caplog.at_level(logging.WARNING), pytest.raises(OutOfTokens):
        asked(model, run, unreadable)
    assert len(model.requests) == 1 and "no window" in caplog.text


def test_without_a_limit_it_may_write_on():
    run = Run()
    asked(Counting(THINKS, tokens=10**9), run)
    asked(Counting(THINKS, tokens=1), run)
