# SPDX-License-Identifier: Apache-2.0
"""What goes wrong with models, as a user of the command line reads it: what is wrong, the remedy, no trace of code."""

import json
import shutil
import socket
from importlib.util import find_spec

import pytest
import yaml

from scene_r1_ros.sequences import write_folder
from test.command_line import scene_r1, several
from test.reasoning.chat_server import ChatServer, status
from test.reasoning.server_client import KEY
from test.scenes import clip

COMMANDS = ("ground", "ask")
FORMS = "expected recorded:FILE, transformers:FOLDER-OR-NAME, openai:http://HOST:8000/v1#MODEL"
needs_httpx2 = pytest.mark.skipif(find_spec("httpx2") is None, reason="httpx2 is not installed: pip install httpx2")


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """A sequence; beside it, the answers of a recorded model."""
    folder = tmp_path_factory.mktemp("models") / "room"
    write_folder(folder, clip(4)[0], "png")
    answers = [{"query": "how many blocks?", "answer": "<think>One red.</think><answer>1</answer>"}]
    (folder.parent / "recorded.yaml").write_text(yaml.safe_dump({"answers": answers}), encoding="utf-8")
    return folder


@pytest.fixture
def older(tmp_path):
    """An answer of another day, which nothing that fails may touch."""
    path = tmp_path / "out" / "answer.json"
    path.parent.mkdir()
    path.write_text("older", encoding="utf-8")
    yield path
    assert path.read_text(encoding="utf-8") == "older" and len(list(path.parent.iterdir())) == 1


BAD = {
    "unknown kind": (["q", "--model", "foo:x"], f"--model 'foo:x'; {FORMS}"),
    "no path": (["q", "--model", "openai"], "(in one word: openai:http://HOST:8000/v1#MODEL)"),
    "no name of a model": (["q", "-m", "openai:http://gpu:8000/v1"], "names no model; add it as the server lists it"),
    "no tracker": (["q", "-t", "geometric:x"], "the geometric tracker has no file; say --tracker geometric"),
    "no answers": (["q", "-m", "recorded:absent.yaml"], "absent.yaml cannot be read: No such file or directory;"),
    "no configuration": (["q", "-c", "absent.yaml"], "configuration absent.yaml cannot be read: No such file"),
    "empty": ([" ", "-m", "recorded:absent.yaml"], "the query has 0 characters; expected 1 to 2000"),
    "too long": (["x" * 2001, "-m", "recorded:absent.yaml"], "the query has 2001 characters; expected 1 to 2000"),
}


def test_bad_input_ends_with_2_before_any_work(room, older):
    commands = [[command, *words, "-s", room, "-o", older.parent] for words, _ in BAD.values() for command in COMMANDS]
    messages = [message for _, message in BAD.values() for _ in COMMANDS]
    for (code, said), message in zip(several(*commands), messages, strict=True):
        assert code == 2 and message in said and "select" not in said and "Traceback" not in said, said


def test_a_sequence_is_opened_before_a_model_is_loaded(older):
    commands = [[name, "q", "-m", "recorded:no.yaml", "-s", "absent", "-o", older.parent] for name in COMMANDS]
    for code, said in several(*commands):
        assert code == 2 and "absent" in said and "no.yaml" not in said


def test_a_configuration_with_an_error_names_the_place(room, older, tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text("model: {kind: recorded\n  path: x}\n", encoding="utf-8")
    code, said = scene_r1("ask", "q", "--config", bad, "-s", room, "-o", older.parent)
    place = f"configuration {bad} cannot be read: line 2, column 7: expected ',' or '}}', but got ':'"
    assert code == 2 and f"{place}; expected a YAML file like the one that `scene-r1 config` prints\n" in said, said


@pytest.mark.skipif(find_spec("transformers") is None, reason="torch and transformers are not installed")
def test_checkpoints_that_cannot_be_loaded(room, older, tmp_path, tiny_qwen):
    pickled, other, cut = tmp_path / "pickled", tmp_path / "other", tmp_path / "cut"
    shutil.copytree(tiny_qwen, pickled)
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    other.mkdir()
    (other / "config.json").write_text(json.dumps({"model_type": "bert"}), encoding="utf-8")
    shutil.copytree(tiny_qwen, cut)
    (cut / "model.safetensors").write_bytes((tiny_qwen / "model.safetensors").read_bytes()[:1000])
    says = {
        tmp_path / "absent": "is no folder; give the folder of a checkpoint, or a hub name such as Qwen/",
        pickled: "holds its weights pickled (pytorch_model.bin), and loading a pickle runs whatever code it holds",
        other: "is a 'bert'; expected one of qwen2_5_vl, qwen3_vl",
        cut: "cannot be loaded: ",
    }
    commands = [["ask", "q", "-s", room, "-m", f"transformers:{path}", "-o", older.parent] for path in says]
    for (code, said), message in zip(several(*commands), says.values(), strict=True):
        assert code == 2 and message in said and "Traceback" not in said, said


@needs_httpx2
def test_a_server_that_is_down(room, older, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    impatient = tmp_path / "impatient.yaml"
    impatient.write_text("model: {retries: 0}", encoding="utf-8")
    code, said = scene_r1("ask", "q", "-m", f"openai:{url}#m", "-c", impatient, "-s", room, "-o", older.parent)
    assert code == 1 and f"model 'm' at {url} cannot be reached: " in said and "Traceback" not in said, said
    assert "start the server, or correct its address in model.path; asked 1 time" in said


@needs_httpx2
def test_a_key_is_shown_by_nobody(room, older):
    """Neither by messages nor by any log of any library, whatever a server does that sends the key back."""
    told = {"error": {"message": f"no such key: {KEY}"}}
    codes = [400, 401, 404, 503]
    servers = [ChatServer(status(code, told), status(401, told)) for code in codes]
    try:
        models = [f"openai:{server.url}#m" for server in servers]
        commands = [["ask", "q", "-m", model, "-s", room, "-o", older.parent] for model in models]
        answers = several(*commands, SCENE_R1_API_KEY=KEY)
    finally:
        for server in servers:
            server.close()
    for (code, said), server, code_of_server in zip(answers, servers, codes, strict=True):
        assert server.asked[0].headers["Authorization"] == f"Bearer {KEY}"
        assert code == 1 and f"HTTP {code_of_server}" in said and KEY not in said and "Traceback" not in said, said


@pytest.mark.parametrize("broken", ["junk", "cut short"])
def test_a_corrupt_image_is_named_and_left_out(room, tmp_path, broken):
    folder = tmp_path / "room"
    shutil.copytree(room, folder)
    image = folder / "000002.color.png"
    image.write_bytes(b"junk" if broken == "junk" else image.read_bytes()[:3000])
    model = f"recorded:{room.parent / 'recorded.yaml'}"
    code, said = scene_r1("ask", "how many blocks?", "-s", folder, "-m", model, "-o", tmp_path / "out")
    assert code == 0 and "frame 000002 skipped" in said and "answered 1" in said, said
    shown = json.loads((tmp_path / "out" / "answer.json").read_text(encoding="utf-8"))["rationale"][0]["frames"]
    assert shown == ["000000", "000001", "000003"]


def test_a_sequence_of_corrupt_images_alone_is_refused(room, tmp_path):
    folder = tmp_path / "room"
    shutil.copytree(room, folder)
    for image in folder.glob("*.color.png"):
        image.write_bytes(b"junk")
    model = f"recorded:{room.parent / 'recorded.yaml'}"
    code, said = scene_r1("ask", "how many blocks?", "-s", folder, "-m", model, "-o", tmp_path / "out")
    assert code == 2 and "room has no usable frame: frame 000000 skipped: an image starts with bytes" in said, said
