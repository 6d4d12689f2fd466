# SPDX-License-Identifier: Apache-2.0
"""Data sets of rooms, written for real: what is said is true of the pictures, and files are whole or not there."""

import errno
import json
import os
from collections import Counter
from random import Random

import cv2
import numpy as np
import pytest

from scene_r1_ros.errors import BadInput, NotWritten
from scene_r1_ros.learning.jsonl import read_samples
from scene_r1_ros.reasoning.parse import parse_answer
from scene_r1_ros.reasoning.questions import kind_of
from scene_r1_ros.reasoning.several import names_several
from scene_r1_ros.rooms import dataset
from scene_r1_ros.rooms.close_up import close_up
from scene_r1_ros.rooms.dataset import CAMERA, SIZE_WH, done, surroundings, times, write_rooms
from scene_r1_ros.rooms.faithful import Shown, faithful_share
from scene_r1_ros.rooms.furnished import furnished_room
from scene_r1_ros.rooms.quick import render_views
from scene_r1_ros.rooms.scene_graph import MIN_PIXELS, MIN_SIDE_PX, Outlines, View
from scene_r1_ros.rooms.tour import tour

SPLIT, SEED = "val", 1_000_003


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("rooms")
    write_rooms(out, SPLIT, 1, first_seed=3)
    return out


@pytest.fixture(scope="module")
def samples(folder):
    return list(read_samples(folder / "samples.jsonl"))


def frames_of(sample, samples):
    boxes = {one.shots[0].image: one.target.boxes for one in samples if one.task == "objects"}
    return [Shown(shot.time_s, boxes.get(shot.image, ())) for shot in sample.shots]


def test_there_is_enough_of_each_task(samples):
    tasks = Counter(sample.task for sample in samples)
    assert tasks["image"] >= 90 and tasks["temporal"] >= 15 and tasks["answer"] >= 15 and tasks["objects"] >= 35
    assert {sample.scene for sample in samples} == {f"val/{SEED:07d}"}
    empty = sum(not sample.target.boxes for sample in samples if sample.task == "image")
    assert 0.05 < empty / tasks["image"] < 0.3
    assert all(len(sample.reasoning.split()) <= 55 for sample in samples)


def test_images_are_there_and_of_their_size(folder, samples):
    images = {shot for sample in samples for shot in sample.shots}
    for shot in list(images)[::7]:
        height, width = cv2.imread(str(folder / shot.image)).shape[:2]
        assert (width, height) == shot.size_wh == SIZE_WH


def test_every_rationale_is_true_and_a_shuffled_one_is_not(samples):
    asked = [sample for sample in samples if sample.reasoning]
    shares = [faithful_share(sample.reasoning, frames_of(sample, samples)) for sample in asked]
    said = [share for share in shares if share is not None]
    assert len(said) > 0.9 * len(asked) and set(said) == {1.0}
    others = Random(0).sample(asked, len(asked))
    swapped = [
        faithful_share(other.reasoning, frames_of(sample, samples))
        for sample, other in zip(asked, others, strict=True)
        if sample.task == other.task
    ]
    assert np.mean([share for share in swapped if share is not None]) < 0.5


def test_targets_are_among_the_objects_of_the_frame(samples):
    for sample in samples:
        if sample.task == "image":
            (frame,) = frames_of(sample, samples)
            assert set(sample.target.boxes) <= set(frame.boxes)
            assert (len(sample.target.boxes) > 1) == ("several" in sample.tags)
            assert (not sample.target.boxes) == ("absent" in sample.tags)


def test_queries_are_read_as_one_or_several_as_they_are_meant(samples):
    for sample in samples:
        if sample.task in ("image", "temporal"):
            assert names_several(sample.query) == ("several" in sample.tags), sample.query


def test_questions_are_read_as_their_kind_and_answers_as_themselves(samples):
    kinds = {"presence": {"yes_no"}, "count": {"count"}, "color": {"free", "choice"}, "order": {"free"},
             "comparison": {"yes_no", "free"}, "relation": {"yes_no", "free"}}  # fmt: skip
    for sample in samples:
        if sample.task == "answer":
            kind = kind_of(sample.query)
            assert kind in kinds[sample.tags[0]], sample.query
            assert (kind == "yes_no") == (sample.target.answer in ("yes", "no"))
            reply = f"<think>{sample.reasoning}</think><answer>{sample.target.answer}</answer>"
            assert parse_answer(reply, sample.query) == sample.target.answer


def test_windows_lie_on_frames_that_show_the_target(samples):
    for sample in samples:
        if sample.task == "temporal" and sample.target.windows:
            (window,) = sample.target.windows
            times_s = [shot.time_s for shot in sample.shots]
            inside = [time_s for time_s in times_s if window.start_s <= time_s <= window.end_s]
            assert inside[0] == window.start_s and inside[-1] == window.end_s and 2 <= len(inside) <= len(times_s) / 2
            assert times_s[0] == 0 and times_s == sorted(set(times_s))


def test_finished_rooms_are_not_made_again_and_another_process_writes_the_same(folder, tmp_path):
    write_rooms(tmp_path, SPLIT, 1, first_seed=3, workers=2)
    sums, others = (json.loads((out / "checksums.json").read_text())["rooms"] for out in (folder, tmp_path))
    assert sums[f"{SEED:07d}"] == others[f"{SEED:07d}"]
    made = []
    before = (folder / "rooms" / f"{SEED:07d}.jsonl").stat().st_mtime_ns
    write_rooms(folder, SPLIT, 1, first_seed=3, on_room=lambda: made.append(1))
    assert made == [1] and (folder / "rooms" / f"{SEED:07d}.jsonl").stat().st_mtime_ns == before
    assert json.loads((folder / "checksums.json").read_text())["rooms"] == sums


def test_a_full_disk_leaves_no_room_that_looks_whole(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(dataset, "FRAMES", 2)
    monkeypatch.setattr(dataset, "CLOSE_UPS", 1)
    monkeypatch.setattr(dataset.Path, "write_bytes", full)
    with pytest.raises(NotWritten, match=r"No space left.*make room there and run it again, finished rooms are kept"):
        write_rooms(tmp_path, "train", 1)
    assert not (tmp_path / "rooms").exists() and not (tmp_path / "samples.jsonl").exists()
    monkeypatch.undo()
    monkeypatch.setattr(dataset, "FRAMES", 10)
    monkeypatch.setattr(dataset, "CLOSE_UPS", 1)
    path = write_rooms(tmp_path, "train", 1)
    assert len(list((tmp_path / "images" / "0000000").iterdir())) == 11 and list(read_samples(path))


@pytest.mark.parametrize(
    ("split", "rooms", "first_seed", "message"),
    [
        ("dev", 1, 0, "split 'dev'; expected one of train, val, test"),
        ("val", 0, 0, "0 rooms from seed 0 on; ask for one room or more"),
        ("val", 2, 999_999, "2 rooms from seed 999999 on; .* seeds 0 to 999999"),
        ("val", 1, -1, "1 rooms from seed -1 on"),
    ],
)
def test_seeds_stay_in_their_split(tmp_path, split, rooms, first_seed, message):
    with pytest.raises(BadInput, match=message):
        write_rooms(tmp_path, split, rooms, first_seed)


def test_a_folder_holds_one_split(folder):
    with pytest.raises(BadInput, match=r"holds .*val.*, and train was asked for; choose a folder for each"):
        write_rooms(folder, "train", 1)


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(NotWritten, match="out"):
        write_rooms(tmp_path / "out", "train", 1)


def test_a_killed_process_is_told_of():
    with pytest.raises(NotWritten, match=r"one of 2 processes that make rooms was killed.*with fewer workers"):
        list(done(os._exit, range(1), 2))


def test_close_ups_may_share_a_scene():
    room = furnished_room(SEED)
    (pose,) = tour(room, SEED, 1)
    near = close_up(CAMERA, (40, 30, 152, 114), SIZE_WH)
    (_, whole), (_, part) = render_views(room, [pose, pose], [CAMERA, near])
    assert (whole == next(render_views(room, [pose], CAMERA))[1]).all()
    assert (part == next(render_views(room, [pose], near))[1]).all() and (part != whole).any()


def test_times_never_repeat():
    for seed in range(50):
        found = times(Random(seed))
        steps = np.diff(found)
        assert found[0] == 0 and len(found) == 32 and steps.min() > 0.05
        assert 0.2 < np.median(steps) < 1.2 and found == [round(time_s, 1) for time_s in found]


def test_close_ups_hold_their_thing_with_surroundings():
    for seed, box in enumerate(
        [(0, 0, 10, 10), (100, 80, 120, 120), (0, 0, 224, 168), (200, 100, 224, 168), (5, 90, 9, 99)]
    ):
        x1, y1, x2, y2 = surroundings(box, Random(seed))
        assert 0 <= x1 <= max(box[0], 0) and 0 <= y1 <= box[1] and box[2] <= x2 <= 224 and box[3] <= y2 <= 168
        assert (x2 - x1) / (y2 - y1) == pytest.approx(224 / 168, rel=0.05)


def test_what_is_clear_is_large_enough_and_boxes_are_the_visible_extent():
    room = furnished_room(SEED)
    poses = tour(room, SEED, 6)
    outlines = Outlines(room)
    shares = []
    for (color, instances), pose in zip(render_views(room, poses, CAMERA), poses, strict=True):
        picture = outlines.picture(View(color, instances, CAMERA, pose), "a.jpg", 0.0)
        assert not picture.clear.keys() & picture.hinted.keys()
        for instance_id, seen in {**picture.clear, **picture.hinted}.items():
            rows, columns = np.nonzero(instances == instance_id)
            assert seen.box_xyxy == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
            assert seen.pixels == len(rows)
        for seen in picture.clear.values():
            x1, y1, x2, y2 = seen.box_xyxy
            assert min(x2 - x1, y2 - y1) >= MIN_SIDE_PX and seen.pixels >= MIN_PIXELS
            shares.append(seen.share)
    assert min(shares) > 0 and max(shares) > 0.9
