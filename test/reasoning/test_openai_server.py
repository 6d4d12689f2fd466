# SPDX-License-Identifier: Apache-2.0
"""What a server is asked, and what comes of a good answer."""

import asyncio
import json
import sys

import numpy as np
import pytest

from scene_r1_ros.errors import ModelFailed
from scene_r1_ros.reasoning import openai_server
from scene_r1_ros.reasoning.clip import Clip
from scene_r1_ros.reasoning.image import hypotheses
from scene_r1_ros.reasoning.protocol import Request
from scene_r1_ros.run import Run
from scene_r1_ros.types import TimeWindow
from test.reasoning.chat_server import red_box, says
from test.reasoning.scripted import make_frame
from test.reasoning.server_client import FRAMES, REQUEST, model_at, reply

pytest.importorskip("httpx2", reason="httpx2 is not installed: pip install httpx2")
pytestmark = pytest.mark.usefixtures("quick")


def test_streams_counts_and_tells_what_the_model_saw(serve):
    server = serve(says("<think>red", " left</think>", "<answer>1s to 2s</answer>"))
    heard = []
    answer = model_at(server.url).reply(REQUEST, heard.append, lambda: False)
    assert heard == ["<think>red", " left</think>", "<answer>1s to 2s</answer>"]
    assert answer.text == "".join(heard)
    assert (answer.input_tokens, answer.cached_tokens, answer.output_tokens) == (700, 512, 3)
    assert answer.image_sizes_wh == ((168, 112),) * 3
    body = server.chats[0].body
    assert server.chats[0].path == "/v1/chat/completions"
    assert (body["model"], body["stream"], body["temperature"]) == ("some/model", True, 0.0)
    assert body["stream_options"] == {"include_usage": True} and body["max_tokens"] == 1024
    assert body["frequency_penalty"] == 0.0


def test_a_server_that_does_not_count_and_does_not_say_done(serve):
    """As `transformers serve` ends its streams."""
    answer = reply(serve(says("yes", usage=False, done=False)))
    assert (answer.text, answer.input_tokens, answer.output_tokens) == (
        "yes",
        0,
        1,
    )  # the pieces that came, for the budget of tokens


def test_the_wait_for_the_first_word_is_timed(serve, monkeypatch):
    monkeypatch.setattr(openai_server, "monotonic", iter([10.0, 13.0]).__next__)
    assert reply(serve(says("a", "b", "c"))).first_token_s == 3.0


def test_no_word_no_wait(serve):
    assert reply(serve(says())).first_token_s == 0.0


def test_what_queries_share_comes_first_and_is_the_same_to_the_byte(serve):
    """So that the server's prefix cache holds it: two queries, a question, and a query that is asked once more."""
    server = serve(says("yes"))
    asked = [("temporal", "the red mug", ""), ("temporal", "the sink", ""), ("answer", "how many chairs?", "")]
    for task, query, complaint in [*asked, ("temporal", "the red mug", "no time window in it")]:
        reply(server, Request(task, query, FRAMES, REQUEST.times_s, complaint))
    contents = [[m["content"] for m in chat.body["messages"]] for chat in server.chats]
    assert [m["role"] for m in server.chats[0].body["messages"]] == ["system", "user"]
    assert [part["type"] for part in contents[0][1]] == ["text", "image_url"] * 3 + ["text"]
    assert contents[0][1][2]["text"] == "<1.00 seconds>"
    last_texts = [json.dumps(content[1][-1]).encode() for content in contents]
    assert len(set(last_texts)) == 4
    before = {chat.sent.partition(last)[0] for chat, last in zip(server.chats, last_texts, strict=True)}
    assert len(before) == 1 and b"<2.00 seconds>" in before.pop()


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


def test_the_name_of_a_model_may_hold_slashes_and_its_url_may_end_with_one(serve):
    server = serve(says("yes"))
    model = model_at(server.url + "/", name="org/Qwen2.5-VL-7B#main")
    assert model.reply(REQUEST, lambda words: None, lambda: False).text == "yes"
    assert server.chats[0].path == "/v1/chat/completions"
    assert server.chats[0].body["model"] == "org/Qwen2.5-VL-7B#main"


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
