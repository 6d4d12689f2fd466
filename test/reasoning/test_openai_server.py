# SPDX-License-Identifier: Apache-2.0
import asyncio
import logging
import re
import socket
import sys
import threading

import numpy as np
import pytest

from scene_r1_ros.config import ModelConfig
from scene_r1_ros.errors import BadInput, Canceled, DeadlineExceeded, ModelFailed
from scene_r1_ros.reasoning import openai_server
from scene_r1_ros.reasoning.asking import ask
from scene_r1_ros.reasoning.clip import Clip
from scene_r1_ros.reasoning.image import hypotheses
from scene_r1_ros.reasoning.models import load_model
from scene_r1_ros.reasoning.protocol import Request
from scene_r1_ros.run import Run
from scene_r1_ros.types import TimeWindow
from test.reasoning.chat_server import (
    ChatServer,
    cut_in_a_chunk,
    drops,
    hangs,
    json_reply,
    red_box,
    says,
    sends,
    status,
)
from test.reasoning.scripted import make_frame

pytest.importorskip("httpx2", reason="httpx2 is not installed: pip install httpx2")

KEY = "sk-the-very-secret-key"
FRAMES = tuple(make_frame(float(t), (160, 120)) for t in range(3))
REQUEST = Request("temporal", "the red mug", FRAMES, (0.0, 1.0, 2.0))


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(openai_server, "BACKOFF_S", 0.001)
    for name in ("SCENE_R1_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def serve():
    """``serve(*behaviours)`` starts a server."""
    started = []

    def start(*behaviours):
        started.append(ChatServer(*behaviours))
        return started[-1]

    yield start
    for server in started:
        server.close()


def model_at(url, name="some/model", **settings):
    return load_model(ModelConfig(kind="openai", path=f"{url}#{name}", **settings))


def reply(server, request=REQUEST, should_stop=lambda: False, **settings):
    heard: list[str] = []
    answer = model_at(server.url, **settings).reply(request, heard.append, should_stop)
    assert "".join(heard) == answer.text
    return answer


def failure(server, **settings) -> ModelFailed:
    with pytest.raises(ModelFailed) as caught:
        reply(server, **settings)
    return caught.value


def test_streams_counts_and_tells_what_the_model_saw(serve):
    server = serve(says("<think>red", " left</think>", "<answer>1s to 2s</answer>"))
    heard = []
    answer = model_at(server.url).reply(REQUEST, heard.append, lambda: False)
    assert heard == ["<think>red", " left</think>", "<answer>1s to 2s</answer>"]
    assert answer.text == "".join(heard)
    assert (answer.input_tokens, answer.output_tokens) == (700, 3)
    assert answer.image_sizes_wh == ((168, 112),) * 3
    body = server.chats[0].body
    assert server.chats[0].path == "/v1/chat/completions"
    assert (body["model"], body["stream"], body["temperature"]) == ("some/model", True, 0.0)
    assert body["stream_options"] == {"include_usage": True} and body["max_tokens"] == 1024


def test_a_server_that_does_not_count_and_does_not_say_done(serve):
    """As `transformers serve` ends its streams."""
    answer = reply(serve(says("yes", usage=False, done=False)))
    assert (answer.text, answer.input_tokens, answer.output_tokens) == ("yes", 0, 0)


def test_what_two_queries_share_comes_first_and_is_the_same_to_the_byte(serve):
    server = serve(says("yes"))
    for task, query in (("temporal", "the red mug"), ("answer", "how many chairs?")):
        reply(server, Request(task, query, FRAMES, REQUEST.times_s))
    one, two = ([m["content"] for m in chat.body["messages"]] for chat in server.chats)
    assert [m["role"] for m in server.chats[0].body["messages"]] == ["system", "user"]
    assert one[0] == two[0] and one[1][:-1] == two[1][:-1]
    assert [part["type"] for part in one[1]] == ["text", "image_url"] * 3 + ["text"]
    assert one[1][2]["text"] == "<1.00 seconds>"
    assert "the red mug" in one[1][-1]["text"] and "how many chairs" in two[1][-1]["text"]


def test_more_frames_leave_the_beginning_as_it_is(serve):
    server = serve(says("yes"))
    reply(server, Request("answer", "q", FRAMES[:2], REQUEST.times_s[:2]))
    reply(server, Request("answer", "q", FRAMES, REQUEST.times_s))
    few, more = (chat.body["messages"][1]["content"] for chat in server.chats)
    assert few[:-1] == more[: len(few) - 1]


@pytest.mark.parametrize("spec", ["qwen2_5_vl", "qwen3_vl"])
@pytest.mark.parametrize("wh", [(641, 479), (1283, 717), (97, 331)])
def test_a_box_in_what_the_server_sees_is_the_box_that_was_drawn(serve, spec, wh):
    """The server finds the drawn box in its own picture, and writes it as its architecture does."""
    drawn = [round(wh[0] * 0.31), round(wh[1] * 0.22), round(wh[0] * 0.74), round(wh[1] * 0.63)]
    color = np.full((wh[1], wh[0], 3), 127, np.uint8)
    color[drawn[1] : drawn[3], drawn[0] : drawn[2]] = (255, 0, 0)

    def look(to):
        (picture,) = to.pictures
        x1, y1, x2, y2 = red_box(picture)
        if spec == "qwen3_vl":
            height, width = picture.shape[:2]
            x1, y1, x2, y2 = (1000 * v / n for v, n in zip((x1, y1, x2, y2), (width, height) * 2, strict=True))
        says(f'<answer>{{"bbox_2d": [{x1:.0f}, {y1:.0f}, {x2:.0f}, {y2:.0f}], "label": "mug"}}</answer>')(to)

    server = serve(look)
    clip = Clip.of([make_frame(color=color)])
    (found,) = hypotheses(model_at(server.url, spec=spec), "the mug", clip, [TimeWindow(0, 0)], Run())
    height, width, _ = server.chats[0].pictures[0].shape
    assert height * width <= 401408
    assert np.allclose(found.box.xyxy, drawn, atol=1 + max(wh) / 1000)  # rims of a JPEG, thousandths


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


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (status(404), "this is 404.*it lists the models 'served/model'; name one after the #"),
        (
            status(400, {"message": "at most 8 images"}),
            "'at most 8 images'; .* lower max_frames, .*limit-mm-per-prompt",
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


def test_no_redirect_is_followed(serve, monkeypatch):
    monkeypatch.setenv("SCENE_R1_API_KEY", KEY)
    other = serve(says("yes"))
    server = serve(status(307, Location=f"{other.url}/chat/completions"))
    error = failure(server)
    assert f"redirects to '{other.url}/chat/completions'; no redirect is followed" in str(error)
    assert not other.asked


def test_the_key_goes_to_the_server_and_nowhere_else(serve, monkeypatch, caplog):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("OPENAI_API_KEY", "other")
    monkeypatch.setenv("SCENE_R1_API_KEY", KEY)
    server = serve(says("yes"))
    reply(server)
    assert server.chats[0].headers["Authorization"] == f"Bearer {KEY}"
    told = {"error": {"message": f"Incorrect API key provided: {KEY}"}}
    for bad in (status(401, told), status(403, told), status(400, told), status(500, told)):
        assert KEY not in str(failure(serve(bad), retries=0))
    stream_error = failure(serve(sends(f'data: {{"error": "{KEY}"}}\n\n'.encode())))
    assert KEY not in str(stream_error) and "***" in str(stream_error)
    model = model_at(server.url)
    assert KEY not in caplog.text + repr(model) + str(vars(model))


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


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("", "model.path is empty; .*needs a server and its model, http://HOST:8000/v1#MODEL, there"),
        ("http://gpu:8000/v1", "names no model; add it as the server lists it"),
        ("http://gpu:8000/v1#", "names no model"),
        ("gpu:8000/v1#m", "expected a base URL and a model"),
        ("file:///etc/passwd#m", "expected a base URL and a model"),
        ("ftp://gpu/v1#m", "expected a base URL and a model"),
        ("http://#m", "expected a base URL and a model"),
        ("http://gpu:99999/v1#m", "no URL that can be read"),
        ("http://[::1/v1#m", "no URL that can be read"),
        ("http://gpu\n:8000/v1#m", r"expected http://HOST:8000/v1#MODEL"),
        ("http://me:pass1@gpu/v1#m", "holds a password or a query"),
        ("me:pass1@gpu/v1#m", "holds a password or a query"),
        ("http://gpu/v1?api-key=pass1#m", "holds a password or a query"),
    ],
)
def test_addresses_that_are_none(path, message):
    with pytest.raises(BadInput, match=message) as caught:
        load_model(ModelConfig(kind="openai", path=path))
    assert "pass1" not in str(caught.value)


def test_the_name_of_a_model_may_hold_slashes_and_its_url_may_end_with_one(serve):
    server = serve(says("yes"))
    model = model_at(server.url + "/", name="org/Qwen2.5-VL-7B#main")
    assert model.reply(REQUEST, lambda words: None, lambda: False).text == "yes"
    assert server.chats[0].path == "/v1/chat/completions"
    assert server.chats[0].body["model"] == "org/Qwen2.5-VL-7B#main"


@pytest.mark.parametrize(
    ("name", "spec", "right"),
    [("Qwen/Qwen3-VL-8B-Instruct", "qwen2_5_vl", "qwen3_vl"), ("qwen2.5-vl", "qwen3_vl", "qwen2_5_vl")],
)
def test_a_name_that_tells_another_architecture(name, spec, right):
    with pytest.raises(BadInput, match=f"is a {right} by its name, .*; set model.spec: {right}"):
        model_at("http://localhost/v1", name=name, spec=spec)
    assert model_at("http://localhost/v1", name=name, spec=right).spec.architecture == right


def test_from_inside_an_event_loop(serve):
    model = model_at(serve(says("yes")).url)

    async def inside():
        model.reply(REQUEST, print, lambda: False)

    async def beside():
        return await asyncio.to_thread(model.reply, REQUEST, lambda words: None, lambda: False)

    with pytest.raises(ModelFailed, match=r"call from a thread: await asyncio.to_thread"):
        asyncio.run(inside())
    assert asyncio.run(beside()).text == "yes"


def test_missing_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "httpx2", None)
    with pytest.raises(ModelFailed, match="pip install httpx2"):
        model_at("http://localhost/v1")
