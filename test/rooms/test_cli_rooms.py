# SPDX-License-Identifier: Apache-2.0
"""``scene-r1 data rooms`` and ``data sheet`` as a user calls them."""

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from scene_r1_ros.cli import app
from scene_r1_ros.errors import BadInput, NotWritten
from scene_r1_ros.learning.jsonl import read_samples
from scene_r1_ros.report.panels import WIDTH
from scene_r1_ros.rooms import dataset
from scene_r1_ros.rooms.contact_sheet import INSIDE, chosen, contact_sheet


def scene_r1(*words):
    return CliRunner().invoke(app, ["data", *map(str, words)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("data") / "train"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataset, "FRAMES", 14)
        patch.setattr(dataset, "CLOSE_UPS", 2)
        done = scene_r1("rooms", out, "--rooms", 1, "--first-seed", 5, "--workers", 1)
    assert done.exit_code == 0, done.output
    return out


def test_rooms_writes_samples_and_images(folder):
    samples = list(read_samples(folder / "samples.jsonl"))
    assert {sample.scene for sample in samples} == {"train/0000005"}
    assert len(list((folder / "images" / "0000005").iterdir())) == 16


def test_sheet_draws_some_of_each_kind(folder, tmp_path):
    done = scene_r1("sheet", folder, "--out", tmp_path / "new" / "sheet.png", "--count", 20)
    assert done.exit_code == 0, done.output
    assert cv2.imread(str(tmp_path / "new" / "sheet.png")).shape[1] == WIDTH


def test_a_sheet_can_show_one_task(folder, tmp_path):
    done = scene_r1("sheet", folder / "samples.jsonl", "-o", tmp_path / "t.png", "--task", "temporal", "--count", 2)
    assert done.exit_code == 0, done.output
    done = scene_r1("sheet", folder, "-o", tmp_path / "t.png", "--task", "sing")
    assert isinstance(done.exception, BadInput) and "holds no samples of the task sing" in str(done.exception)


def test_frames_inside_the_window_are_marked(folder):
    samples = [one for one in read_samples(folder / "samples.jsonl") if one.target.windows]
    picture = contact_sheet(samples[:1], folder)
    green = (picture == INSIDE).all(axis=2).any(axis=1)
    assert green.any()
    absent = [one for one in read_samples(folder / "samples.jsonl") if one.target.windows == ()]
    assert not (contact_sheet(absent[:1], folder) == INSIDE).all(axis=2).any()


def test_kinds_take_turns(folder):
    samples = list(read_samples(folder / "samples.jsonl"))
    kinds = {(sample.task, *sample.tags[:2]) for sample in samples}
    assert len({(one.task, *one.tags[:2]) for one in chosen(samples, 10)}) == min(10, len(kinds))
    assert chosen(samples, 10) == chosen(samples, 10) != chosen(samples, 10, seed=1)
    assert len(chosen(samples, 10_000)) == len(samples)


def test_a_missing_image_is_named(folder, tmp_path):
    (tmp_path / "samples.jsonl").write_bytes((folder / "samples.jsonl").read_bytes())
    done = scene_r1("sheet", tmp_path, "-o", tmp_path / "s.png")
    assert isinstance(done.exception, BadInput) and "is missing or no image" in str(done.exception)
    assert not (tmp_path / "s.png").exists()


def test_what_is_no_png_or_cannot_be_written_is_refused(folder, tmp_path):
    done = scene_r1("sheet", folder, "-o", tmp_path / "s.jpg")
    assert isinstance(done.exception, BadInput) and "the sheet is a PNG" in str(done.exception)
    (tmp_path / "file").write_text("")
    done = scene_r1("sheet", folder, "-o", tmp_path / "file" / "s.png", "--count", 1)
    assert isinstance(done.exception, NotWritten)


@pytest.mark.parametrize("command", ["rooms", "sheet"])
def test_help_teaches(command):
    done = scene_r1(command, "--help")
    assert done.exit_code == 0 and "samples" in done.output


def test_the_sheet_is_a_picture_of_bytes(folder):
    samples = list(read_samples(folder / "samples.jsonl"))
    picture = contact_sheet(samples[:5], folder)
    assert picture.dtype == np.uint8 and picture.shape[2] == 3
