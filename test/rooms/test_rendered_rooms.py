# SPDX-License-Identifier: Apache-2.0
"""A small room, rendered and written: the pictures, the files and what they claim are compared with each other."""

import json
import re

import cv2
import numpy as np
import pytest
import yaml

from scene_r1_ros.errors import BadInput
from scene_r1_ros.geometry.pose import transform
from scene_r1_ros.reasoning.recorded import RecordedModel
from scene_r1_ros.rooms import build_room, render, walk, write_room
from scene_r1_ros.rooms.render import CAMERA, Scene
from scene_r1_ros.rooms.sensor import measured_depth
from scene_r1_ros.sequences import describe, open_sequence

SMALL = CAMERA.resized(160, 120)
SEED, N_FRAMES, RATE_HZ = 1, 24, 8.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("rooms") / "room"
    write_room(path, SEED, N_FRAMES, RATE_HZ, SMALL)
    return path


@pytest.fixture(scope="module")
def shots():
    room = build_room(SEED)
    poses = walk(room, SEED, 9, 3.0)
    return room, poses, list(render(room, poses, 3.0, SMALL))


def load(folder, name):
    text = (folder / name).read_text()
    return yaml.safe_load(text) if name.endswith("yaml") else json.loads(text)


def instance_map(folder, frame_id):
    return cv2.imread(str(folder / f"{frame_id}.instance.png"), cv2.IMREAD_UNCHANGED)


def test_depth_and_instances_agree_with_the_boxes_of_the_room(shots):
    room, _, frames = shots
    seen = set()
    for shot in frames:
        v, u = np.nonzero(shot.frame.depth_m)
        depth_m = shot.frame.depth_m[v, u]
        tolerance_m = 0.01 + 5 * (0.0012 + 0.0019 * (depth_m - 0.4) ** 2)
        points = shot.frame.camera.unproject(np.stack([u, v], axis=1), depth_m)
        points_world = transform(shot.frame.T_world_camera, points)
        for thing in room.objects:
            mine = shot.instances[v, u] == thing.instance_id
            in_box = np.abs((points_world[mine] - thing.box.center_world) @ thing.box.R_world_box)
            assert (in_box <= thing.box.size_m / 2 + tolerance_m[mine, None]).all(), thing.label
            seen |= {thing.name} if mine.sum() > 20 else set()
    assert {"table", "chair", "armchair", "mug", "ball", "bookcase", "sofa"} <= seen


def test_noise_is_that_of_the_model(shots):
    room, poses, frames = shots
    errors, sigmas = [], []
    for shot, T_world_camera in zip(frames, poses, strict=True):
        z_m = Scene(room).picture(SMALL, T_world_camera)[1].reshape(120, 160)
        measured = shot.frame.depth_m > 0
        assert 0.6 < measured.mean() < 0.99  # edges are wide in so small a picture
        errors.append((shot.frame.depth_m - z_m)[measured])
        sigmas.append((0.0012 + 0.0019 * (z_m - 0.4) ** 2)[measured])
    error, sigma_m = np.concatenate(errors), np.concatenate(sigmas)
    assert abs(error.mean()) < 5e-4
    assert 0.9 < np.std(error / sigma_m) < 1.4  # the steps of disparity add to the noise


def test_pictures_are_lit_and_colourful(shots):
    _, _, frames = shots
    for shot in frames:
        grey = shot.frame.color.mean(axis=2)
        assert 90 < grey.mean() < 210 and grey.std() > 30
        assert np.ptp(shot.frame.color.astype(int), axis=2).max() > 120


def test_frames_are_stamped_at_the_rate(shots):
    _, _, frames = shots
    assert [s.frame.stamp_ns for s in frames[:3]] == [1_000_000_000, 1_333_333_333, 1_666_666_667]


def wall(z_m, cosine=1.0, shape=(200, 200)):
    return measured_depth(np.full(shape, z_m), np.full(shape, cosine), np.random.default_rng(0))


@pytest.mark.parametrize("z_m", [0.5, 1.0, 2.0, 4.0])
def test_a_wall_is_measured_with_the_published_noise(z_m):
    depth_m = wall(z_m)
    sigma_m = 0.0012 + 0.0019 * (z_m - 0.4) ** 2
    step_m = z_m**2 / (8 * 0.075 * 575)
    assert (depth_m > 0).all()
    assert depth_m.mean() == pytest.approx(z_m, abs=3e-4 * z_m)
    assert depth_m.std() == pytest.approx(np.hypot(sigma_m, step_m / np.sqrt(12)), rel=0.15)


@pytest.mark.parametrize(("z_m", "cosine"), [(0.3, 1.0), (6.5, 1.0), (2.0, 0.05)])
def test_too_near_too_far_and_grazing_is_not_measured(z_m, cosine):
    assert (wall(z_m, cosine) == 0).all()


def test_depth_is_lost_at_edges():
    z_m = np.full((100, 100), 2.0)
    z_m[:, 50:] = 1.0
    depth_m = measured_depth(z_m, np.ones_like(z_m), np.random.default_rng(0))
    lost = (depth_m == 0).mean(axis=0)
    assert (lost[49:51] > 0.5).all() and lost[:48].max() == lost[52:].max() == 0


def test_two_runs_of_one_seed_are_equal_byte_by_byte(folder, tmp_path):
    frames = []
    write_room(tmp_path / "again", SEED, N_FRAMES, RATE_HZ, SMALL, on_frame=lambda: frames.append(1))
    assert len(frames) == N_FRAMES
    names = sorted(p.name for p in folder.iterdir())
    assert names == sorted(p.name for p in (tmp_path / "again").iterdir())
    for name in names:
        assert (folder / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name


def test_a_folder_is_not_overwritten(folder):
    with pytest.raises(BadInput, match="already holds a sequence; remove it first"):
        write_room(folder, SEED, N_FRAMES, RATE_HZ, SMALL)


def test_the_folder_is_a_healthy_sequence(folder):
    report = describe(folder)
    assert report.wrong == []
    assert (report.frames, report.color_size_wh) == (N_FRAMES, (160, 120))
    assert report.rate_hz == pytest.approx(RATE_HZ)
    assert 0.6 < report.depth_valid_share < 0.99


def extent(mask):
    ys, xs = np.nonzero(mask)
    return [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]


def test_queries_are_three_of_different_size_with_true_boxes(folder):
    told, truth = load(folder, "queries.json"), {o["query"]: o for o in load(folder, "truth.json")["objects"]}
    assert [q["query"] for q in told["queries"]] == list(truth)
    volumes = [float(np.prod(truth[q["query"]]["size"])) for q in told["queries"]]
    assert volumes[0] > 10 * volumes[1] > 50 * volumes[2]
    objects = {o.instance_id: o for o in build_room(SEED).objects}
    for query in told["queries"]:
        entry = truth[query["query"]]
        thing = objects[entry["instance_id"]]
        assert thing.label in query["query"] and thing.label == entry["label"]
        np.testing.assert_allclose(entry["center_world"], thing.box.center_world)
        np.testing.assert_allclose(entry["rotation"], thing.box.R_world_box)
        assert 1 <= len(query["boxes"]) <= 3
        for box in query["boxes"]:
            assert box["box_xyxy"] == extent(instance_map(folder, box["frame"]) == entry["instance_id"])


def test_the_count_is_true(folder):
    (question,) = load(folder, "queries.json")["questions"]
    chairs = sum(o.name == "chair" for o in build_room(SEED).objects)
    assert question == {"question": "How many wooden chairs are there?", "answer": str(chairs)}
    recorded = load(folder, "recorded.yaml")["answers"][-1]
    assert recorded["query"] == question["question"]
    assert recorded["answer"].endswith(f"</think><answer>{chairs}</answer>")


def test_recorded_answers_say_what_the_pictures_show(folder):
    truth = {o["query"]: o for o in load(folder, "truth.json")["objects"]}
    frames = {str(entry.stamp_ns): entry for entry in open_sequence(folder).entries}
    for answer in load(folder, "recorded.yaml")["answers"][:-1]:
        window = re.fullmatch(r"<think>.+</think><answer>([\d.]+)s to ([\d.]+)s</answer>", answer["temporal"])
        start_s, end_s = float(window[1]), float(window[2])
        told_in_window = 0
        for stamp, text in answer["image"].items():
            reply = re.fullmatch(r"<think>(.+)</think><answer>(.+)</answer>", text)
            told = json.loads(reply[2])
            instances = instance_map(folder, frames[stamp].frame_id)
            x1, y1, x2, y2 = told["bbox_2d"]
            assert told["bbox_2d"] == extent(instances == truth[answer["query"]]["instance_id"])
            assert 0 < x1 < x2 < 160 and 0 < y1 < y2 < 120
            assert told["label"] == truth[answer["query"]]["label"]
            assert ("left third" in reply[1]) == ((x1 + x2) / 2 < 160 / 3)
            time_s = (int(stamp) - 1_000_000_000) * 1e-9
            told_in_window += start_s <= time_s <= end_s
        assert told_in_window == round((end_s - start_s) * RATE_HZ) + 1  # no frame of the window is without a box


def test_the_recorded_model_reads_the_answers(folder):
    RecordedModel(folder / "recorded.yaml")
