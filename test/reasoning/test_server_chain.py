# SPDX-License-Identifier: Apache-2.0
"""The command line with a model on a server, both as processes of their own."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scene_r1_ros.sequences import write_folder
from test.reasoning.chat_server import Handler, hangs, red_box, says, status
from test.reasoning.server_client import KEY
from test.scenes import clip

pytest.importorskip("httpx2", reason="httpx2 is not installed: pip install httpx2")

FRAMES, _ = clip(6)


@pytest.fixture(scope="module")
def room(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("chain") / "room"
    write_folder(folder, FRAMES, "png")
    return folder


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


def test_words_come_through_a_pipe_as_they_are_said_and_ctrl_c_closes_the_connection(room, tmp_path, serve):
    server = serve(hangs("<think>It "))
    process = start("ask", "how many?", "-s", room, "-m", f"openai:{server.url}#m", "-o", tmp_path)
    said = ""
    while "<think>It" not in said:
        piece = process.stdout.read(1)
        assert piece, said
        said += piece
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in rest, rest
    assert server.left.wait(10)
