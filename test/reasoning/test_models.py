# SPDX-License-Identifier: Apache-2.0
import pkgutil
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import scene_r1_ros.reasoning
from scene_r1_ros import resources
from scene_r1_ros.config import ModelConfig
from scene_r1_ros.errors import BadInput, ModelFailed
from scene_r1_ros.reasoning import prompting
from scene_r1_ros.reasoning.models import load_model, make_spec
from scene_r1_ros.reasoning.protocol import Request
from scene_r1_ros.reasoning.recorded import RecordedModel
from test.reasoning.scripted import make_frame

SHIPPED = sorted(path.stem for path in resources.share("config/models").glob("*.yaml"))
GOOD = yaml.safe_load((resources.share("config/models") / "qwen2_5_vl.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_specs_are_sound(name):
    spec = make_spec(name)
    assert spec.box_convention != "pixel"  # no model is shown the original pixels


def test_a_second_look_can_be_switched_off(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({**GOOD, "second_look_px": 0}), encoding="utf-8")
    assert make_spec(str(path)).second_look_px == 0 < GOOD["second_look_px"]


def test_a_spec_of_your_own(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({**GOOD, "max_frames": 3}), encoding="utf-8")
    assert make_spec(str(path)).max_frames == 3


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1], "expected the keys architecture"),  # no mapping
        ({**GOOD, "fps": 2}, r"missing \[\], unknown \['fps'\]"),  # a key too many
        ({"name": "x"}, r"missing \['architecture', .*'second_look_px'\], unknown \[\]"),  # keys missing
        ({**GOOD, "name": 5}, "name = 5; expected text"),  # no text
        ({**GOOD, "box_convention": "xywh"}, "= 'xywh'; expected one of pixel, resized_pixel, norm_1000"),  # unknown
        ({**GOOD, "box_convention": ["pixel"]}, "expected one of pixel"),  # no text
        ({**GOOD, "architecture": "llama"}, "architecture = 'llama'; expected one of qwen2_5_vl, qwen3_vl"),  # unknown
        ({**GOOD, "max_frames": 0}, "max_frames = 0; expected a whole number, 1 or more"),  # too small
        ({**GOOD, "second_look_px": -1}, "second_look_px = -1; expected a whole number, 0 or more"),  # too small
        ({**GOOD, "max_pixels": 1.5}, "max_pixels = 1.5; expected a whole number"),  # no whole number
        ({**GOOD, "x" * 5000: 2}, r"unknown \['x{1,40}\.\.\.x{1,40}'\]$"),  # a long key
        ({**GOOD, "max_pixels": "9" * 5000}, r"max_pixels = '9{1,40}\.\.\.9{1,40}'; expected a whole"),  # long
        ({**GOOD, "temperature": "hot"}, "temperature = 'hot'; expected 0, or a number from 0.01 to 2"),  # no number
        ({**GOOD, "temperature": float("nan")}, "temperature = nan; expected 0, or a number"),  # none either
        ({**GOOD, "time_format": "frames"}, "time_format = 'frames'; expected one of seconds, clock"),  # unknown
        ({**GOOD, "prompts": 3}, "prompts = 3; expected text"),  # no text
        ({**GOOD, "prompts": "nowhere"}, "nowhere/system.txt must be a text of at most 32768 bytes"),  # not there
        ({**GOOD, "image_frames": True}, "image_frames = True; expected a whole number"),  # a truth
    ],
)
def test_bad_specs(tmp_path, values, message):
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    with pytest.raises(BadInput, match=message):
        make_spec(str(path))


def test_what_few_models_need_may_be_left_out(tmp_path):
    path = tmp_path / "mine.yaml"
    few = {key: value for key, value in GOOD.items() if key not in ("time_format", "prompts", "temperature")}
    path.write_text(yaml.safe_dump(few), encoding="utf-8")
    assert make_spec(str(path)) == make_spec("qwen2_5_vl")


@pytest.fixture
def own_prompts(tmp_path):
    """A YAML with a copy of the prompts beside it."""
    shutil.copytree(Path(prompting.__file__).parent / "prompts", tmp_path / "words")
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({**GOOD, "prompts": "words"}), encoding="utf-8")
    return tmp_path


def test_prompts_of_your_own(own_prompts):
    (own_prompts / "words" / "system.txt").write_text("Look.", encoding="utf-8")
    (own_prompts / "words" / "temporal.txt").write_text("When is $query seen?", encoding="utf-8")
    spec = make_spec(str(own_prompts / "mine.yaml"))
    request = Request("temporal", "a mug", (make_frame(65.4),), (65.4,))
    system, user = prompting.messages(request, spec.prompts, "clock")
    assert system["content"][0]["text"] == "Look."
    assert [part.get("text") for part in user["content"]] == ["<01:05.40>", None, 'When is "a mug" seen?']


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "Find $object.",
            r"temporal.txt names what it is not given \('object'\); it may name .*\$query, .*write",
        ),
        ("It costs $ 5.", r"temporal.txt names what it is not given .* write \$ as \$\$"),
        ("When is it seen? $end_s", r"temporal.txt never says \$query; without it the model is not told what is asked"),
        (b"\xff", "temporal.txt is no UTF-8 text"),
        ("x" * 40_000, "must be a text of at most 32768 bytes"),
    ],
)
def test_bad_prompts(own_prompts, text, message):
    (own_prompts / "words" / "temporal.txt").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(BadInput, match=message):
        make_spec(str(own_prompts / "mine.yaml"))


@pytest.mark.parametrize("text", ["name: 2024-13-45", "[" * 3000, "name: !!int ''"])
def test_unreadable_specs(tmp_path, text):
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=r"model spec .* cannot be read"):
        make_spec(str(path))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gpt", "model.spec = 'gpt'; expected one of nano, qwen2_5_vl, qwen3_vl, or the path of a .yaml"),  # unknown
        ("../models/qwen2_5_vl", "expected one of"),  # a name is no path
        ("nothing.yaml", "model spec nothing.yaml cannot be read"),  # no such file
    ],
)
def test_unknown_specs(name, message):
    with pytest.raises(BadInput, match=message):
        make_spec(name)


def test_recorded_by_name(tmp_path):
    path = tmp_path / "answers.yaml"
    path.write_text("answers: [{query: a, answer: b}]", encoding="utf-8")
    assert isinstance(load_model(ModelConfig(kind="recorded", path=str(path))), RecordedModel)


@pytest.mark.parametrize(
    ("config", "error", "message"),
    [
        (ModelConfig(kind="box"), BadInput, "--box FRAME:x1,y1,x2,y2"),  # needs a box
        (ModelConfig(kind="recorded"), BadInput, "model.path is empty; .* the file of answers"),  # no file
        (ModelConfig(kind="transformers"), BadInput, "model.path is empty; .* a checkpoint folder"),  # no checkpoint
        (ModelConfig(kind="transformers", path="./no/such"), ModelFailed, "'./no/such' is no folder"),  # no folder
    ],
)
def test_what_cannot_be_loaded(config, error, message):
    with pytest.raises(error, match=message):
        load_model(config)


def test_importing_never_imports_a_heavy_library():
    names = [f"scene_r1_ros.reasoning.{m.name}" for m in pkgutil.iter_modules(scene_r1_ros.reasoning.__path__)]
    heavy = "{'torch', 'transformers', 'torchvision', 'open3d', 'cv2', 'httpx2', 'rclpy'}"
    code = f"import sys, {', '.join(names)}; print(sorted({heavy} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (run.stdout.strip(), run.stderr) == ("[]", "")
    assert len(names) > 10
