# SPDX-License-Identifier: Apache-2.0
"""The command line with a model on a server, both as processes of their own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from scene_r1_ros.config import ModelConfig
from scene_r1_ros.reasoning.models import load_model
from scene_r1_ros.reasoning.protocol import Request
from scene_r1_ros.sequences import write_folder
from test.reasoning.chat_server import ChatServer, Handler, hangs, red_box, says, status
from test.reasoning.scripted import make_frame
from test.scenes import clip

pytest.importorskip("httpx2", reason="httpx2 is not installed: pip install httpx2")

KEY = "sk-the-very-secret-key"
FRAMES, _ = clip(6)
# Its processor of Qwen2.5-VL has a part for videos, which wants torchvision.
SERVING = ["fastapi", "uvicorn", "openai", "torchvision"]
MISSING = [name for name in SERVING if find_spec(name) is None]
needs_serving = pytest.mark.skipif(
    bool(MISSING),
    reason=f"`transformers serve` lacks {', '.join(MISSING)}: pip install 'transformers[serving]' torchvision",
)


@pytest.fixture(scope="module")
def room(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("chain") / "room"
    write_folder(folder, FRAMES, "png")
    return folder


@pytest.fixture
def serve():
    started = []

    def start(*behaviours):
        started.append(ChatServer(*behaviours))
        return started[-1]

    yield start
    for server in started:
        server.close()


def start(*words) -> subprocess.Popen:
    command = [sys.executable, "-m", "scene_r1_ros.cli", *map(str, words)]
    env = {**os.environ, "SCENE_R1_API_KEY": KEY, "COLUMNS": "500"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env)


def scene_r1(*words) -> tuple[int, str]:
    process = start(*words)
    said, _ = process.communicate(timeout=100)
    assert KEY not in said
    return process.returncode, said


def sees_red(to: Handler) -> None:
    """What a good model says of the red block."""
    if len(to.pictures) > 1:
        says("<think>It is red ", "in all frames.</think>", "<answer>0s to 0.5s</answer>")(to)
    else:
        box = list(red_box(to.pictures[0]))
        says("<think>The red one.</think>", f'<answer>{{"bbox_2d": {box}, "label": "block"}}</answer>')(to)


def test_a_server_grounds_from_the_sentence_to_the_object(room, tmp_path, serve):
    server = serve(status(503), sees_red)
    code, said = scene_r1(
        "ground", "the red block", "-s", room, "-m", f"openai:{server.url}#some/model", "-o", tmp_path
    )
    assert code == 0, said
    assert "It is red in all frames." in said and "answers HTTP 503" in said
    answer = json.loads((tmp_path / "answer.json").read_text(encoding="utf-8"))
    assert answer["status"] == "found"
    assert answer["objects"][0]["center_world"] == pytest.approx([0.0, 0.0, 0.15], abs=0.05)
    assert KEY not in (tmp_path / "answer.json").read_text(encoding="utf-8")
    assert all(chat.headers["Authorization"] == f"Bearer {KEY}" for chat in server.chats)


def test_a_server_answers_a_question(room, tmp_path, serve):
    server = serve(says("<think>One.</think>", "<answer>1</answer>"))
    code, said = scene_r1("ask", "how many blocks?", "-s", room, "-m", f"openai:{server.url}#m", "-o", tmp_path)
    assert code == 0 and "answered 1" in said, said
    assert len(server.chats[0].pictures) == len(FRAMES)


def test_a_wrong_key_is_told_and_not_shown(room, tmp_path, serve):
    server = serve(status(401, {"error": {"message": f"invalid: {KEY}"}}))
    code, said = scene_r1("ask", "how many?", "-s", room, "-m", f"openai:{server.url}#m", "-o", tmp_path)
    assert code == 1 and "does not take the key (HTTP 401)" in said, said


def test_ctrl_c_closes_the_connection(room, tmp_path, serve):
    server = serve(hangs("<think>It "))
    process = start("ask", "how many?", "-s", room, "-m", f"openai:{server.url}#m", "-o", tmp_path)
    assert server.was_asked.wait(60)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in said, said
    assert server.left.wait(10)


@pytest.fixture(scope="module")
def transformers_serve(tiny_qwen):
    """The base URL of `transformers serve` with the tiny checkpoint, in a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [Path(sys.executable).parent / "transformers", "serve", str(tiny_qwen), "--device", "cpu"]
    log = tiny_qwen.parent / "serve.log"
    with log.open("wb") as output:
        process = subprocess.Popen([*command, "--port", str(port)], stdout=output, stderr=subprocess.STDOUT)
    try:
        wait_until_healthy(process, f"http://127.0.0.1:{port}/health", log)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(30)


def wait_until_healthy(process: subprocess.Popen, url: str, log: Path) -> None:
    import httpx2

    deadline = time.monotonic() + 200
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text(errors="replace")
        try:
            if httpx2.get(url, trust_env=False).status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.2)
    raise AssertionError(f"not healthy after 200 s: {log.read_text(errors='replace')}")


@needs_serving
def test_transformers_serve_streams_and_counts(transformers_serve, tiny_qwen):
    model = load_model(ModelConfig(kind="openai", path=f"{transformers_serve}#{tiny_qwen}"))
    frames = tuple(make_frame(float(t), (160, 120)) for t in range(2))
    heard: list[str] = []
    answer = model.reply(Request("answer", "how many chairs?", frames, (0.0, 1.0)), heard.append, lambda: False)
    assert answer.text == "".join(heard) and len(heard) > 1
    assert answer.input_tokens > 100 and answer.output_tokens > 1


@needs_serving
def test_transformers_serve_through_the_whole_chain(transformers_serve, tiny_qwen, room, tmp_path):
    """Random weights say nothing that can be read; that they were asked twice and are told of is the chain."""
    code, said = scene_r1(
        "ground", "the block", "-s", room, "-m", f"openai:{transformers_serve}#{tiny_qwen}", "-o", tmp_path
    )
    answer = json.loads((tmp_path / "answer.json").read_text(encoding="utf-8"))
    assert code == 1 and answer["error_code"] in ("PARSE_FAILED", 112), said
