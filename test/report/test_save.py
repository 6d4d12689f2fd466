# SPDX-License-Identifier: Apache-2.0
"""An answer as files: what is written can be read back, and bad places are named."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import open3d as o3d
import pytest
from PIL import Image, ImageDraw

from scene_r1_ros.answer import Answer
from scene_r1_ros.config import Config
from scene_r1_ros.errors import BadInput, ErrorCode, NotWritten
from scene_r1_ros.reasoning.operator_box import OperatorBox
from scene_r1_ros.report.overlay import BOX_COLOR, labelled, overlay
from scene_r1_ros.report.plan import plan
from scene_r1_ros.report.save import save_answer
from scene_r1_ros.scene_r1 import SceneR1
from scene_r1_ros.tracking import load_tracker
from test.scenes import BLOCK, clip, tight_box

CONFIG = Config()
FRAMES, TRUTHS = clip(6)


@pytest.fixture(scope="module")
def answer() -> Answer:
    mind = OperatorBox(TRUTHS[2].frame.frame_id, tight_box(TRUTHS[2]))
    return SceneR1(mind, load_tracker(CONFIG), CONFIG).ground("the <b>red</b> block “ü”", FRAMES)


def test_the_documented_schema_is_what_is_written(answer, tmp_path):
    files = save_answer(answer, FRAMES, tmp_path / "new" / "folder", CONFIG.lift)
    assert [f.name for f in files] == ["answer.json", "object_0.ply", "overlay.png", "scene.png"]
    said = json.loads(files[0].read_text(encoding="utf-8"))
    assert list(said) == [
        "query", "status", "error", "answer", "kind", "objects", "window_s", "first_stamp_ns", "rationale", "checks",
        "timings_s", "usage",
    ]  # fmt: skip
    assert (said["query"], said["status"], said["error"]) == ("the <b>red</b> block “ü”", "found", None)
    found = said["objects"][0]
    assert np.allclose(found["center_world"], BLOCK.center_world, atol=0.05)
    assert np.linalg.norm(found["orientation"]) == pytest.approx(1, abs=1e-4)
    assert np.linalg.eigvalsh(found["center_covariance"]).min() > 0
    assert np.linalg.norm(found["nearest"]["normal"]) == pytest.approx(1, abs=1e-3)
    assert np.allclose(found["nearest"]["point"], BLOCK.center_world, atol=0.3)
    shares = ["reprojection_iou", "mask_iou", "depth_share", "edge_share"]
    assert list(found["evidence"]) == [*shares, "visible", "hidden", "absent"]
    assert found["source_frame"] in found["boxes"] and len(found["boxes"][found["source_frame"]]) == 4
    assert [step["stage"] for step in said["rationale"]] == ["temporal", "image", "track", "lift", "verify"]
    assert said["timings_s"].keys() >= {"track", "lift"}
    assert said["kind"] == "free"
    assert {check["name"]: check["holds"] for check in said["checks"]}["verified in 3D"] is True
    assert all(list(check) == ["name", "holds", "text"] and check["text"] for check in said["checks"])
    counts = {"input_tokens": 0, "cached_tokens": 0, "output_tokens": 0, "first_token_s": 0.0}
    assert said["usage"]["temporal"] == {"calls": 1, "frames": len(FRAMES)} | counts


def test_the_cloud_reads_back(answer, tmp_path):
    save_answer(answer, FRAMES, tmp_path, CONFIG.lift)
    cloud = o3d.io.read_point_cloud(str(tmp_path / "object_0.ply"))
    found = answer.objects[0]
    assert np.allclose(np.asarray(cloud.points), found.points_world, atol=1e-6)
    assert np.allclose(np.asarray(cloud.colors) * 255, found.colors, atol=0.51)


def test_the_overlay_shows_the_box_on_the_frame(answer, tmp_path):
    image = overlay(answer.objects[0])
    source = answer.objects[0].source
    assert image.shape == source.color.shape
    changed = (image != source.color).any(axis=2)
    assert changed[answer.objects[0].masks[2].pixels].mean() > 0.9
    assert (image == BOX_COLOR).all(axis=2).sum() > 50


def test_the_plan_shows_the_object_where_it_is(answer):
    image = plan(FRAMES, answer.objects, CONFIG.lift)
    red = (image == (255, 64, 32)).all(axis=2)
    assert red.any() and max(image.shape) == 800
    rows, columns = np.nonzero(red)
    extent = max(np.ptp(rows) / image.shape[0], np.ptp(columns) / image.shape[1])
    assert 0.02 < extent < 0.2  # 0.4 m of a floor that is seen for 6 m


def test_the_plan_is_seen_against_the_up_it_is_told(answer):
    for up_axis in ("none", "-z", "x"):
        image = plan(FRAMES, answer.objects, replace(CONFIG.lift, up_axis=up_axis))
        assert (image == (255, 64, 32)).all(axis=2).any()


def test_an_answer_without_objects_leaves_no_old_pictures(answer, tmp_path):
    save_answer(answer, FRAMES, tmp_path, CONFIG.lift)
    missed = Answer("the ball", "not_found", ErrorCode.NOT_FOUND, "not in the video")
    assert save_answer(missed, FRAMES, tmp_path, CONFIG.lift) == [tmp_path / "answer.json"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["answer.json"]
    assert json.loads((tmp_path / "answer.json").read_text(encoding="utf-8"))["error"]["code"] == "NOT_FOUND"


def test_an_answer_is_not_lost_where_its_cloud_or_a_picture_cannot_be_made(answer, tmp_path, monkeypatch):
    save_answer(replace(answer, query="older"), FRAMES, tmp_path, CONFIG.lift)
    monkeypatch.setitem(sys.modules, "open3d", None)  # as where it is not installed
    monkeypatch.delattr("PIL.ImageFont.load_default")
    with pytest.raises(NotWritten, match=r"object_0.ply: .*pip install open3d.*overlay.png: .*scene.png: "):
        save_answer(answer, FRAMES, tmp_path, CONFIG.lift)
    assert [path.name for path in tmp_path.iterdir()] == ["answer.json"]  # nothing of the older one beside it
    said = json.loads((tmp_path / "answer.json").read_text(encoding="utf-8"))
    assert said["query"] == answer.query and said["objects"][0]["points"] is None


@pytest.mark.parametrize("name", ["steps.png", "answer.json", "object_3.ply"])
def test_a_folder_where_a_file_must_go_is_named_and_nothing_is_lost(answer, tmp_path, name):
    save_answer(answer, FRAMES, tmp_path, CONFIG.lift)
    (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / name).mkdir()
    old = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    with pytest.raises(BadInput, match=rf"{name} is a folder where a file must go; move it"):
        save_answer(replace(answer, query="newer"), FRAMES, tmp_path, CONFIG.lift, with_steps=True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == old


def test_what_a_killed_process_left_goes_with_the_next_answer(answer, tmp_path):
    (tmp_path / ".answer-x1").mkdir()
    (tmp_path / ".answer-x1" / "answer.json").write_text("{", encoding="utf-8")
    (tmp_path / "mine.txt").write_text("kept", encoding="utf-8")
    files = save_answer(answer, FRAMES, tmp_path, CONFIG.lift)
    assert {path.name for path in tmp_path.iterdir()} == {"mine.txt", *(file.name for file in files)}


def test_the_answer_is_replaced_last_and_only_then_old_files_go(answer, tmp_path, monkeypatch):
    save_answer(answer, FRAMES, tmp_path, CONFIG.lift, with_steps=True)
    moved, replace_file = [], Path.replace

    def noted(path, target):
        moved.append(path.name)
        assert (tmp_path / "steps.png").exists()  # it belongs to the older answer
        return replace_file(path, target)

    monkeypatch.setattr(Path, "replace", noted)
    save_answer(answer, FRAMES, tmp_path, CONFIG.lift)
    assert sorted(moved[:-1]) == ["object_0.ply", "overlay.png", "scene.png"] and moved[-1] == "answer.json"
    assert not (tmp_path / "steps.png").exists()


def test_a_disk_that_fails_while_writing_is_not_the_users_input(answer, tmp_path, monkeypatch):
    def full(path, target):
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(NotWritten, match="No space left on device; make room"):
        save_answer(answer, FRAMES, tmp_path, CONFIG.lift)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(answer, tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(BadInput, match=r"cannot write to .*file"):
        save_answer(answer, FRAMES, tmp_path / "file", CONFIG.lift)


def test_a_long_label_is_cut_in_a_few_steps(monkeypatch):
    measured = []

    def measure(draw, text, *rest):
        measured.append(text)
        return textlength(draw, text, *rest)

    textlength = ImageDraw.ImageDraw.textlength
    monkeypatch.setattr(ImageDraw.ImageDraw, "textlength", measure)
    labelled(np.zeros((120, 160, 3), np.uint8), "x" * 10_000, (0, 0))
    assert measured[-1].endswith("x…") and len(measured) < 10 and max(map(len, measured)) <= 160


@pytest.mark.parametrize("text", ["", "ä" * 300, "line\nbreak", "日本語"])
@pytest.mark.parametrize("corner", [(0, 0), (150, 110), (-5, 500)])
def test_any_label_fits_somewhere(text, corner):
    image = labelled(np.zeros((120, 160, 3), np.uint8), text, corner)
    assert image.shape == (120, 160, 3)
    Image.fromarray(image)
