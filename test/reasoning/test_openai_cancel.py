# SPDX-License-Identifier: Apache-2.0
"""Nothing keeps waiting or computing for a query that is over."""

import threading

import pytest

from scene_r1_ros.errors import Canceled, DeadlineExceeded
from scene_r1_ros.reasoning.asking import ask
from scene_r1_ros.run import Run
from test.reasoning.chat_server import (
    hangs,
    says,
    status,
)
from test.reasoning.server_client import REQUEST, model_at, reply

pytest.importorskip("httpx2", reason="httpx2 is not installed: pip install httpx2")
pytestmark = pytest.mark.usefixtures("quick")


@pytest.mark.parametrize("words", [(), ("the ", "red ")])
def test_cancel_closes_the_connection(serve, words):
    """Before the first word or after any, the server sees the client leave, and nothing runs on here."""
    server = serve(hangs(*words))
    before = set(threading.enumerate())
    run = Run()
    said = []

    def stop_once_said() -> bool:
        if server.chats and said == list(words):
            run.cancel()
        return run.should_stop()

    answer = model_at(server.url).reply(REQUEST, said.append, stop_once_said)
    assert answer.text == "".join(words) and len(answer.image_sizes_wh) == 3
    assert server.left.wait(10)
    assert not [t for t in set(threading.enumerate()) - before if "process_request" not in t.name]


def test_after_a_cancel_no_word_is_said(serve):
    server = serve(says(*"abcdef"))
    heard = []
    answer = model_at(server.url).reply(REQUEST, heard.append, lambda: len(heard) >= 2)
    assert (heard, answer.text) == (["a", "b"], "ab")


def test_cancel_while_it_waits_to_ask_again(serve, caplog):
    server = serve(status(429, Retry_After="100"))
    run = Run()

    def stop_once_waiting() -> bool:
        if "asked again in 100.0 s" in caplog.text:
            run.cancel()
        return run.should_stop()

    assert reply(server, should_stop=stop_once_waiting).text == ""
    with pytest.raises(Canceled):
        run.check()
    assert len(server.chats) == 1


def test_the_deadline_of_the_query_bounds_every_wait(serve):
    for bad in (hangs(), hangs("a"), status(429, Retry_After="100")):
        server = serve(bad)
        with pytest.raises(DeadlineExceeded):
            ask(model_at(server.url), REQUEST, Run(timeout_s=0.3), lambda reply: reply.text)
        assert len(server.chats) <= 1


def test_a_listener_that_raises_ends_the_stream(serve):
    server = serve(hangs("a"))

    def listen(words):
        raise RuntimeError("the screen is gone")

    with pytest.raises(RuntimeError, match="the screen is gone"):
        model_at(server.url).reply(REQUEST, listen, lambda: False)
    assert server.left.wait(10)
