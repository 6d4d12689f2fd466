# SPDX-License-Identifier: Apache-2.0
import pkgutil
import subprocess
import sys

import pytest
import yaml

import scene_r1_ros.reasoning
from scene_r1_ros import resources
from scene_r1_ros.config import ModelConfig
from scene_r1_ros.errors import BadInput, ModelFailed
from scene_r1_ros.reasoning.models import load_model, make_spec
from scene_r1_ros.reasoning.recorded import RecordedModel

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
        ([1], "expected exactly the keys"),  # no mapping
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
        ({**GOOD, "image_frames": True}, "image_frames = True; expected a whole number"),  # a truth
    ],
)
def test_bad_specs(tmp_path, values, message):
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    with pytest.raises(BadInput, match=message):
        make_spec(str(path))


@pytest.mark.parametrize("text", ["name: 2024-13-45", "[" * 3000, "name: !!int ''"])
def test_unreadable_specs(tmp_path, text):
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=r"model spec .* cannot be read"):
        make_spec(str(path))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gpt", "model.spec = 'gpt'; expected one of qwen2_5_vl, qwen3_vl, or the path of a .yaml"),  # unknown
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
