# SPDX-License-Identifier: Apache-2.0
"""Servers that are busy, silent or down, that refuse or fail, or send what is no answer."""

import re
import socket

import pytest

from scene_r1_ros.errors import BadInput, ModelFailed
from test.reasoning.chat_server import cut_in_a_chunk, drops, hangs, json_reply, says, sends, status
from test.reasoning.server_client import KEY, REQUEST, failure, model_at, reply

pytest.importorskip("httpx2", reason="httpx2 is not installed: pip install httpx2")
pytestmark = pytest.mark.usefixtures("quick")


@pytest.mark.parametrize("bad", [status(429), status(500), status(502), status(503), drops, sends(b"")])
def test_a_busy_server_is_asked_again(serve, bad):
    server = serve(bad, bad, says("yes"))
    assert reply(server).text == "yes"
    assert len(server.chats) == 3
    assert server.chats[0].body == server.chats[2].body


def test_a_server_that_stays_busy_has_failed(serve):
    server = serve(status(503, {"error": "loading"}))
    error = failure(server, retries=2)
    assert "answers HTTP 503: 'loading'; asked 3 times" in str(error) and server.url in str(error)
    assert len(server.chats) == 3


def test_waits_as_long_as_the_server_wants(serve, caplog):
    assert reply(serve(status(429, Retry_After="0.3"), says("yes"))).text == "yes"
    assert "asked again in 0.3 s" in caplog.text


@pytest.mark.parametrize("wish", ["3600", "Fri, 31 Dec 2100 23:59:59 GMT"])
def test_does_not_wait_for_ages(serve, wish):
    server = serve(status(429, Retry_After=wish))
    assert "answers HTTP 429" in str(failure(server))
    assert len(server.chats) == 1


@pytest.mark.parametrize("wish", ["soon", "-5", "Sat, 01 Jan 2000 00:00:00 GMT", "9" * 400])
def test_a_wish_that_makes_no_sense_is_none(serve, wish):
    assert reply(serve(status(429, Retry_After=wish), says("yes"))).text == "yes"


def test_a_silent_server_has_failed(serve):
    server = serve(hangs())
    error = failure(server, silence_s=0.2)
    assert "sent nothing for 0.2 s (model.silence_s)" in str(error)
    assert server.left.wait(10)


def test_silence_in_the_middle_keeps_what_was_said(serve):
    server = serve(hangs("the red "))
    assert failure(server, silence_s=1.0).text == "the red "
    assert server.left.wait(10)


def test_a_server_that_is_down(serve):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    model = model_at(f"http://127.0.0.1:{port}/v1", retries=1)
    with pytest.raises(ModelFailed, match=r"cannot be reached: .*; start the server, .*; asked 2 times"):
        model.reply(REQUEST, print, lambda: False)


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 70, "a..b"])
def test_a_host_that_is_none(host):
    with pytest.raises((ModelFailed, BadInput), match=r"cannot be reached|expected http://HOST"):
        model_at(f"http://{host}:1/v1", retries=0).reply(REQUEST, print, lambda: False)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (status(404), "this is 404.*it lists the models 'served/model'; name one after the #"),
        (
            status(400, {"message": "at most 8 images"}),
            "'at most 8 images'; .* lower max_frames, .*limit-mm-per-prompt",
        ),
        (
            status(400, {"detail": "Server is pinned to 'other'; requested 'some/model'."}),  # transformers serve
            "; name the model it serves after the # of model.path: http://HOST:8000/v1#MODEL",
        ),
        (status(422, {"detail": [{"loc": ["body"]}]}), r"HTTP 422: '\[\{\"loc\""),
        (status(413, "x" * 10**6), "answers HTTP 413: '\"?x{200,300}…'"),
        (
            json_reply({"choices": [{"message": {"content": "not streamed"}}]}),
            "as .application/json., which is no stream of events",
        ),
        (sends(b"<html>\n<h1>It works!</h1>\n"), "sent '<html>' is no line of server-sent events; is this a base URL"),
        (sends(b"data: {'single': 1}\n\n"), "is no JSON"),
        (sends(b"data: [1]\n\n"), r"'\[1\]' is no JSON object"),
        (sends(b"data: " + b"[" * 90_000 + b"\n\n"), "is no JSON"),
        (
            sends(b'data: {"error": {"message": "out of memory", "code": 500}}\n\n'),
            "sent the error 'out of memory'; ask again, or see its log",
        ),
        (sends(b"data: " + b"x" * (2**20 + 1)), "or a line of more than 1048576"),
        (sends(b"x\n" * 10), "is no line of server-sent events"),
    ],
)
def test_what_the_server_says_is_told(serve, bad, message):
    server = serve(bad)
    error = failure(server)
    assert re.search(message, str(error)), str(error)
    assert len(server.chats) == 1 and server.url in str(error) and "some/model" in str(error)


def test_a_wrong_base_url(serve):
    server = serve(status(404))
    server.models = sends(b"<html>")
    assert "it lists no models; is the base URL right? it looks like http://HOST:8000/v1#MODEL" in str(failure(server))


@pytest.mark.parametrize("cut", [sends(b"data: {", "the red "), cut_in_a_chunk])
def test_a_stream_that_is_cut_keeps_what_was_said(serve, cut):
    server = serve(cut)
    error = failure(server)
    assert error.text == "the red "
    assert "broke off after 8 characters" in str(error)
    assert len(server.chats) == 1  # what was said is never said again


def test_garbage_in_the_middle_keeps_what_was_said(serve):
    error = failure(serve(sends(b"data: oops\n\n", "the red ")))
    assert (error.text, "'oops' is no JSON" in str(error)) == ("the red ", True)


def test_a_reply_without_end_is_ended(serve):
    def babble(to):
        to.start()
        while True:
            to.words("word " * 1000)

    server = serve(babble)
    error = failure(server)
    assert "more than 100000 characters of answer" in str(error)


def test_no_redirect_is_followed(serve, monkeypatch):
    monkeypatch.setenv("SCENE_R1_API_KEY", KEY)
    other = serve(says("yes"))
    server = serve(status(307, Location=f"{other.url}/chat/completions"))
    error = failure(server)
    assert f"redirects to '{other.url}/chat/completions'; no redirect is followed" in str(error)
    assert not other.asked
