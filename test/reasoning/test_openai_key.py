# SPDX-License-Identifier: Apache-2.0
"""The key to a server, and who may read along."""

import logging

import pytest

from scene_r1_ros.errors import BadInput
from test.reasoning.chat_server import json_reply, says, sends, status
from test.reasoning.server_client import KEY, failure, model_at, reply

pytest.importorskip("httpx2", reason="httpx2 is not installed: pip install httpx2")
pytestmark = pytest.mark.usefixtures("quick")


def test_the_key_goes_to_the_server_and_nowhere_else(serve, monkeypatch, caplog):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("OPENAI_API_KEY", "other")
    monkeypatch.setenv("SCENE_R1_API_KEY", KEY)
    server = serve(says("yes"))
    reply(server)
    assert server.chats[0].headers["Authorization"] == f"Bearer {KEY}"
    assert KEY not in caplog.text + repr(model_at(server.url)) + str(vars(model_at(server.url)))


TOLD = {"error": {"message": f"Incorrect API key provided: {KEY}"}}


@pytest.mark.parametrize(
    "bad",
    [
        *(status(code, TOLD) for code in (400, 401, 403, 404, 429, 500, 503)),
        status(307, Location=f"http://{KEY}.example"),
        status(200, TOLD),
        status(500, TOLD, Retry_After=KEY),
        sends(f'data: {{"error": "{KEY}"}}\n\n'.encode()),
        sends(f"data: {KEY}\n\n".encode()),
        sends(f"{KEY}\n".encode(), "the red "),
    ],
)
def test_a_server_that_sends_the_key_back(serve, monkeypatch, caplog, bad):
    """It is struck out of the message, of all that led to it, and of what is logged before it is asked again."""
    caplog.set_level(logging.INFO)
    monkeypatch.setenv("SCENE_R1_API_KEY", KEY)
    server = serve(bad)
    server.models = json_reply({"data": [{"id": KEY}]})
    error: BaseException | None = failure(server, retries=1)
    while error:
        assert KEY not in str(error)
        error = error.__cause__ or error.__context__
    assert KEY not in caplog.text


def test_without_a_key_none_is_sent(serve):
    server = serve(says("yes"))
    reply(server)
    assert "Authorization" not in server.chats[0].headers


@pytest.mark.parametrize("code", [401, 403])
def test_a_wrong_key_and_a_missing_one(serve, monkeypatch, code):
    remedy = f"(HTTP {code}); set SCENE_R1_API_KEY or OPENAI_API_KEY in the environment"
    assert f"wants a key {remedy}" in str(failure(serve(status(code))))
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert f"does not take the key {remedy}" in str(failure(serve(status(code))))


@pytest.mark.parametrize("bad", ["a b", "a\r\nX: y", "schlüssel", "a\x00b"])
def test_a_key_that_no_header_can_carry(monkeypatch, bad):
    monkeypatch.setattr("os.environ", {"SCENE_R1_API_KEY": bad})
    with pytest.raises(BadInput, match="the key in SCENE_R1_API_KEY holds spaces") as caught:
        model_at("http://localhost/v1")
    assert bad not in str(caught.value)


def test_a_key_over_an_open_line_is_warned_of(monkeypatch, caplog):
    model_at("http://192.0.2.1/v1")
    assert not caplog.text
    monkeypatch.setenv("SCENE_R1_API_KEY", KEY)
    model_at("http://localhost/v1")
    model_at("https://192.0.2.1/v1")
    assert not caplog.text
    model_at("http://192.0.2.1/v1")
    assert "the key goes to http://192.0.2.1/v1 unencrypted" in caplog.text


def test_no_proxy_reads_what_is_not_encrypted(serve, monkeypatch):
    proxy = serve(says("I am the proxy"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url)
    assert reply(serve(says("yes"))).text == "yes"
    assert not proxy.asked
