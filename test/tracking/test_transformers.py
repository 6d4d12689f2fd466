# SPDX-License-Identifier: Apache-2.0
"""Tiny SAM 2.1 and EdgeTAM checkpoints of transformers with random weights, in pictures of 64 pixels."""

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from scene_r1_ros.config import TrackerConfig
from scene_r1_ros.errors import ModelFailed
from scene_r1_ros.run import Run
from scene_r1_ros.tracking.transformers_tracker import TransformersTracker
from scene_r1_ros.tracking.video import Pixels
from test.scenes import clip
from test.tracking import learned
from test.tracking.tiny_trackers import SIDE, sam2_video

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

ROOT = Path(__file__).parents[2]
# timm and torchvision, which `make test` installs apart: beside a torch for CPU, a torchvision that transformers finds
# breaks everything else of it.
BESIDE = Path(sys.prefix) / "edgetam"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    return sam2_video(tmp_path_factory.mktemp("sam2_video"))


def load(path: Path | str) -> TransformersTracker:
    return TransformersTracker(TrackerConfig(kind="transformers", path=str(path)))


@pytest.fixture(scope="module")
def tracker(checkpoint):
    return load(checkpoint)


@pytest.fixture
def copy(checkpoint, tmp_path) -> Path:
    """A checkpoint to spoil."""
    return Path(shutil.copytree(checkpoint, tmp_path / "copy"))


def test_follows_a_box_and_a_mask(tracker):
    learned.follows_a_box_and_a_mask(tracker)


def test_objects_do_not_disturb_each_other(tracker):
    learned.objects_do_not_disturb_each_other(tracker)


def test_sees_each_frame_once_in_each_direction(tracker, monkeypatch):
    learned.sees_each_frame_once_in_each_direction(tracker, monkeypatch)


def test_keeps_to_the_nearest_views(tracker, monkeypatch):
    learned.keeps_to_the_nearest_views(tracker, monkeypatch)


def test_memory_is_bounded(tracker, monkeypatch):
    learned.memory_is_bounded(tracker, monkeypatch, 300)


def test_cancel_is_heard_between_frames(tracker, monkeypatch):
    learned.cancel_is_heard_between_frames(tracker, monkeypatch)


def test_refuses_bad_prompts(tracker):
    learned.refuses_bad_prompts(tracker)


def test_a_speck_of_a_mask_is_followed(tracker):
    learned.a_speck_of_a_mask_is_followed(tracker)


def test_an_absent_object_has_no_mask(tmp_path):
    learned.an_absent_object_has_no_mask(load(sam2_video(tmp_path, object_bias=-5.0)))


def test_what_is_forgotten_makes_no_difference(tracker, monkeypatch):
    """The same logits as of the library's own loop over a whole video, which forgets nothing."""
    from transformers import Sam2VideoInferenceSession

    frames, truths = clip(12)
    monkeypatch.setattr(tracker._model, "num_maskmem", 3)  # so that there is something to forget in a short clip
    monkeypatch.setattr(tracker._model.config, "num_maskmem", 3)
    monkeypatch.setattr(tracker._model.config, "max_object_pointers_in_encoder", 4)
    spy = learned.Spy(tracker).install(monkeypatch)
    tracker.track(frames, [learned.in_box(truths[5])], Run())
    ours = spy.session.objects[0]
    assert len(ours.output_dict_per_obj[0]["non_cond_frame_outputs"]) == 1 + spy.session.reach

    whole = Sam2VideoInferenceSession(torch.stack([Pixels(frames, SIDE)[i] for i in range(12)]), dtype=torch.float32)
    whole.add_point_inputs(whole.obj_id_to_idx(0), 5, drawn_box(learned.in_box(truths[5]).box.xyxy))
    whole.obj_with_new_inputs = [0]
    with torch.inference_mode():
        tracker._model(whole, frame_idx=5)
    for reverse in (False, True):
        for output in tracker._model.propagate_in_video_iterator(whole, start_frame_idx=5, reverse=reverse):
            torch.testing.assert_close(spy.logits[0, output.frame_idx], output.pred_masks[0, 0])


def drawn_box(xyxy):
    corners = torch.tensor(xyxy).reshape(1, 1, 2, 2) * SIDE / torch.tensor([160.0, 120.0])
    return {"point_coords": corners, "point_labels": torch.tensor([[[2, 3]]])}


def test_folders_that_are_no_checkpoint(tmp_path):
    for path in ("./no/such", tmp_path):
        with pytest.raises(ModelFailed, match=r"is no folder with a config\.json; give that of a checkpoint"):
            load(path)


def test_a_checkpoint_of_something_else(tiny_qwen):
    with pytest.raises(ModelFailed, match="is a 'qwen2_5_vl'; expected sam2_video or edgetam_video"):
        load(tiny_qwen)


def test_a_pickled_checkpoint_is_not_read(copy, tmp_path):
    """torch.load would not run its code either, but nobody needs these files."""

    class Harmful:
        def __reduce__(self):
            return Path.touch, (tmp_path / "trace",)

    (copy / "model.safetensors").unlink()
    torch.save({"model": Harmful()}, copy / "pytorch_model.bin")
    with pytest.raises(ModelFailed, match=r"cannot be loaded: .*safetensors"):
        load(copy)
    assert not (tmp_path / "trace").exists()


def test_a_damaged_checkpoint(copy):
    content = (copy / "model.safetensors").read_bytes()
    (copy / "model.safetensors").write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelFailed, match="cannot be loaded"):
        load(copy)


def test_a_checkpoint_without_some_of_its_tensors(copy):
    config = json.loads((copy / "config.json").read_text(encoding="utf-8"))
    (copy / "config.json").write_text(json.dumps({**config, "memory_fuser_num_layers": 3}), encoding="utf-8")
    with pytest.raises(ModelFailed, match="its weights lack 9 tensors"):
        load(copy)


def test_a_hub_name_that_gives_nothing():
    with pytest.raises(ModelFailed, match=r"'facebook/no-such-sam2' cannot be loaded"):
        load("facebook/no-such-sam2")


@pytest.mark.skipif(find_spec("timm") is not None, reason="timm is installed")
def test_edgetam_without_timm_says_what_to_install(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "edgetam_video"}), encoding="utf-8")
    with pytest.raises(ModelFailed, match=r"EdgeTAM needs timm.* pip install timm torchvision"):
        load(tmp_path)


EDGETAM = """
import os, torch
os.environ["HF_HUB_OFFLINE"] = "1"
if torch.version.cuda is None:
    import test.tracking.torchvision_shim
import pytest
from pathlib import Path
from scene_r1_ros.config import TrackerConfig
from scene_r1_ros.tracking.transformers_tracker import TransformersTracker
from test.tracking import learned
from test.tracking.tiny_trackers import edgetam_video

tracker = TransformersTracker(TrackerConfig(kind="transformers", path=str(edgetam_video(Path("edgetam")))))
learned.follows_a_box_and_a_mask(tracker)
learned.objects_do_not_disturb_each_other(tracker)
for check in (learned.sees_each_frame_once_in_each_direction, learned.cancel_is_heard_between_frames):
    with pytest.MonkeyPatch.context() as patch:
        check(tracker, patch)
with pytest.MonkeyPatch.context() as patch:
    learned.memory_is_bounded(tracker, patch, 70)
tracker._model.mask_decoder.pred_obj_score_head.proj_out.bias.data.fill_(-5)
learned.an_absent_object_has_no_mask(tracker)
print("all checked")
"""


@pytest.mark.skipif(
    find_spec("timm") is None and not BESIDE.is_dir(),
    reason=f"EdgeTAM needs timm and torchvision: make test installs them in {BESIDE.name} of the venv",
)
def test_edgetam(tmp_path):
    """All of the above, in a process of its own."""
    path = os.pathsep.join([str(ROOT), *([str(BESIDE)] if find_spec("timm") is None else [])])
    done = subprocess.run(
        [sys.executable, "-c", EDGETAM],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.stdout.strip().endswith("all checked"), done.stderr[-4000:]
