# SPDX-License-Identifier: Apache-2.0
"""Models on a real server, `transformers serve`: tiny ones, in a process of its own."""

import base64
import io
import os
import re
import subprocess
import sys
import threading
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from scene_r1_ros.config import ModelConfig
from scene_r1_ros.errors import ModelFailed
from scene_r1_ros.reasoning.jpeg import data_url, seen_wh
from scene_r1_ros.reasoning.models import load_model, make_spec
from scene_r1_ros.reasoning.protocol import Request
from scene_r1_ros.run import Run
from scene_r1_ros.sequences import write_folder
from scene_r1_ros.text import clean_text
from test.command_line import ROOT, scene_r1
from test.reasoning.scripted import make_frame
from test.scenes import clip

pytest.importorskip("httpx2", reason="httpx2 is not installed: pip install httpx2")
pytest.importorskip("transformers", reason="torch and transformers are not installed")

BESIDE = Path(sys.prefix) / "serve"
HERE = all(map(find_spec, ("fastapi", "uvicorn", "openai", "accelerate", "torchvision")))
pytestmark = pytest.mark.skipif(
    not HERE and not BESIDE.is_dir(),
    reason=f"`transformers serve` needs fastapi and more: make test installs them in {BESIDE.name} of the venv",
)

FRAMES, _ = clip(2)
N_TOKENS = 24  # of an answer


class Serve:
    """`transformers serve` on a port that is free; what it writes is kept."""

    def __init__(self) -> None:
        path = os.pathsep.join([str(ROOT), *([] if HERE else [str(BESIDE)])])
        self.process = subprocess.Popen(
            [sys.executable, "-m", "test.reasoning.transformers_serve", "serve", "--device", "cpu", "--port", "0"],
            env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.log, self.url = "", ""
        self._runs_or_ended = threading.Event()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self._runs_or_ended.wait(200)

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.log += line
            if running := re.search(r"running on (http://\S+)", line):
                self.url = f"{running[1]}/v1"
                self._runs_or_ended.set()
        self._runs_or_ended.set()

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        self._reader.join()


@pytest.fixture(scope="module")
def server():
    serve = Serve()
    try:
        assert serve.url, serve.log
        yield serve
    finally:
        serve.close()


@pytest.fixture(scope="module")
def checkpoints(tiny_qwen, tmp_path_factory) -> dict[str, Path]:
    from scene_r1_ros.evaluation.random_qwen import build

    return {"qwen2_5_vl": tiny_qwen, "qwen3_vl": build(tmp_path_factory.mktemp("tiny_qwen3"), "qwen3_vl")}


@pytest.fixture
def brief(tmp_path):
    """The path of a spec like one that ships, but for the length of an answer."""

    def write(architecture: str, max_new_tokens: int = N_TOKENS) -> str:
        path = tmp_path / f"{architecture}_{max_new_tokens}.yaml"
        spec = replace(make_spec(architecture), max_new_tokens=max_new_tokens)
        path.write_text(yaml.safe_dump(asdict(spec)), encoding="utf-8")
        return str(path)

    return write


def as_sent(color: np.ndarray, wh: tuple[int, int]) -> np.ndarray:
    """What is left of a picture, (H, W, 3) RGB, once it went through a JPEG of ``wh`` pixels."""
    jpeg = base64.b64decode(data_url(color, wh).partition(",")[2])
    return np.array(Image.open(io.BytesIO(jpeg)))


@pytest.mark.parametrize("architecture", ["qwen2_5_vl", "qwen3_vl"])
def test_a_server_says_what_the_model_says_here(server, checkpoints, brief, architecture):
    """Word by word and token by token, where it is shown the same pixels: the server resizes nothing once more."""
    checkpoint, spec = str(checkpoints[architecture]), brief(architecture)
    there = load_model(ModelConfig(kind="openai", path=f"{server.url}#{checkpoint}", spec=spec))
    heard: list[str] = []
    answer = there.reply(Request("answer", "how many?", tuple(FRAMES), (0.0, 0.1)), heard.append, lambda: False)
    assert answer.text == "".join(heard) and len(heard) > 5

    here = load_model(ModelConfig(kind="transformers", path=checkpoint, spec=spec, device="cpu"))
    sent = tuple(make_frame(f.stamp_ns * 1e-9, color=as_sent(f.color, seen_wh(160, 120, there.spec))) for f in FRAMES)
    local = here.reply(Request("answer", "how many?", sent, (0.0, 0.1)), lambda words: None, lambda: False)
    assert answer.text.rstrip("\ufffd") == clean_text(local.text).rstrip("\ufffd")  # a letter may be cut in the middle
    assert answer.image_sizes_wh == local.image_sizes_wh
    assert answer.input_tokens == local.input_tokens > 1000 and answer.output_tokens == N_TOKENS
    assert answer.first_token_s > 0


def test_a_cancel_stops_the_server(server, checkpoints, brief):
    """It computes for one request after the other, so the second is only answered once the endless first has ended."""
    path = f"{server.url}#{checkpoints['qwen2_5_vl']}"
    request = Request("answer", "how many?", tuple(FRAMES), (0.0, 0.1))
    endless = load_model(ModelConfig(kind="openai", path=path, spec=brief("qwen2_5_vl", 10**7)))
    run, heard = Run(), []

    def hear(words: str) -> None:
        heard.append(words)
        if len(heard) == 3:
            run.cancel()

    assert endless.reply(request, hear, run.should_stop).text == "".join(heard) and len(heard) == 3
    short = load_model(ModelConfig(kind="openai", path=path, spec=brief("qwen2_5_vl"), silence_s=60.0))
    assert short.reply(request, heard.append, lambda: False).output_tokens == N_TOKENS


def test_a_model_that_the_server_does_not_have(server, brief):
    model = load_model(
        ModelConfig(kind="openai", path=f"{server.url}#no/such", spec=brief("qwen2_5_vl"), retries=0),
    )
    with pytest.raises(ModelFailed, match=r"model 'no/such' at .* answers HTTP 500: .*; asked 1 time, .* see its log"):
        model.reply(Request("answer", "q", tuple(FRAMES), (0.0, 0.1)), print, lambda: False)


@pytest.mark.parametrize("words", [["ground", "the block"], ["ask", "how many blocks?"]])
def test_the_command_line_tells_what_it_could_not_read(server, checkpoints, brief, tmp_path, words):
    """Random weights babble: that is streamed as text that no terminal obeys, asked for once more, and told of."""
    write_folder(tmp_path / "room", FRAMES, "png")
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump({"model": {"spec": brief("qwen2_5_vl")}}), encoding="utf-8")
    model = f"openai:{server.url}#{checkpoints['qwen2_5_vl']}"
    code, said = scene_r1(*words, "-s", tmp_path / "room", "-m", model, "-c", config, "-o", tmp_path / "out")
    assert code == 1 and "Traceback" not in said and "asked again" in said, said
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", said)
    _, heading, narrated = said.partition("temporal\n" if words[0] == "ground" else "answer\n")
    replies, _, verdict = narrated.partition("\nerror no ")
    assert heading and len(replies.splitlines()) >= 2 and "; " in verdict and "expected" in verdict, said
    assert list((tmp_path / "out").iterdir()) == []
