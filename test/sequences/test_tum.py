# SPDX-License-Identifier: Apache-2.0
"""A TUM RGB-D folder, made on the spot."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from scene_r1_ros.errors import BadInput
from scene_r1_ros.geometry.camera import PinholeCamera
from scene_r1_ros.sequences import open_sequence
from scene_r1_ros.sequences.images import encode_png

START_S = 1305031102
CAMERA = PinholeCamera(640, 480, 535.4, 539.2, 320.1, 247.6)


def make_tum(path, n=4, depth_after_ms=10, pose_step_ms=10):
    (path / "rgb").mkdir(parents=True)
    (path / "depth").mkdir()
    color, depth = encode_png(np.full((480, 640, 3), (9, 99, 199), np.uint8)), np.full((480, 640), 10_000, np.uint16)
    rgb_lines, depth_lines, pose_lines = ["# color images"], ["# depth maps"], ["# timestamp tx ty tz qx qy qz qw"]
    for i in range(n):
        rgb_ms, depth_ms = 100 * i + 3, 100 * i + 3 + depth_after_ms
        rgb, dep = (f"{START_S}.{ms:03d}176" for ms in (rgb_ms, depth_ms))
        (path / "rgb" / f"{rgb}.png").write_bytes(color)
        (path / "depth" / f"{dep}.png").write_bytes(encode_png(depth))
        rgb_lines.append(f"{rgb} rgb/{rgb}.png")
        depth_lines.append(f"{dep} depth/{dep}.png")
    for ms in range(0, 100 * n, pose_step_ms):
        pose_lines.append(f"{START_S}.{ms:03d}176 {ms / 1000} 0 1 0 0 0 1")
    for name, lines in (("rgb", rgb_lines), ("depth", depth_lines), ("groundtruth", pose_lines)):
        (path / f"{name}.txt").write_text("\n".join(lines) + "\n")
    return path


def test_reads_stamps_units_and_interpolated_poses(tmp_path):
    sequence = open_sequence(make_tum(tmp_path / "rgbd_dataset_freiburg3_walk"))
    frames = list(sequence)
    assert len(frames) == 4 and sequence.problems == []
    assert frames[0].frame_id == "1305031102.003176"
    assert frames[0].stamp_ns == 1305031102_003176000  # every digit of the text
    assert sequence.entries[0].depth_stamp_ns - frames[0].stamp_ns == 10_000_000
    assert frames[0].camera == CAMERA
    np.testing.assert_array_equal(frames[0].color[0, 0], (9, 99, 199))
    np.testing.assert_allclose(frames[0].depth_m, 2.0)
    np.testing.assert_allclose([f.T_world_camera[0, 3] for f in frames], [0.003, 0.103, 0.203, 0.303], atol=1e-9)


def test_a_camera_beside_the_lists_wins(tmp_path):
    path = make_tum(tmp_path / "own_recording", n=1)
    with pytest.raises(BadInput, match=r"the camera of .*own_recording is unknown.*put a camera\.json"):
        open_sequence(path)
    (path / "camera.json").write_text(json.dumps(asdict(PinholeCamera(640, 480, 500, 500, 320, 240))))
    assert next(iter(open_sequence(path))).camera.fx == 500


def test_distorted_freiburg_cameras_are_reported(tmp_path):
    sequence = open_sequence(make_tum(tmp_path / "rgbd_dataset_freiburg1_xyz", n=1))
    assert sequence.problems == ["freiburg1 images are distorted, and are used as if they were not; undistort them"]
    assert next(iter(sequence)).camera.fx == 517.3


def test_depth_further_than_20_ms_is_not_paired(tmp_path):
    with pytest.raises(BadInput, match=r"skipped frames: 4; the first: .*: no depth image within 20 ms"):
        open_sequence(make_tum(tmp_path / "freiburg3", depth_after_ms=30))


def test_poses_further_apart_than_100_ms_are_not_interpolated(tmp_path):
    with pytest.raises(BadInput, match=r"are 0\.200 s apart; at most 0\.1 s is interpolated"):
        open_sequence(make_tum(tmp_path / "freiburg3", pose_step_ms=200))


def test_bad_lines_and_poses_are_counted_and_skipped(tmp_path):
    path = make_tum(tmp_path / "freiburg3")
    with (path / "groundtruth.txt").open("a") as file:
        file.write(f"{START_S}.5 nan 0 0 0 0 0 1\n{START_S}.6 0 0 0 0 0 0 0\nsoon 0 0 0 0 0 0 1\n1 2 3\n")
    with (path / "rgb.txt").open("a") as file:
        file.write("0.0 rgb/zero.png\n")
    sequence = open_sequence(path)
    assert len(sequence) == 4
    assert [problem.split(";")[0] for problem in sequence.problems] == [
        "skipped poses of groundtruth.txt: 2", "skipped lines of groundtruth.txt: 2", "skipped frames: 1",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["rgb.txt", "depth.txt", "groundtruth.txt"])
def test_a_missing_or_unreadable_list_is_named(tmp_path, name):
    path = make_tum(tmp_path / "freiburg3", n=1)
    (path / name).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match=f"{name}: .*a TUM sequence has rgb.txt, depth.txt and groundtruth.txt"):
        open_sequence(path)
    if name != "rgb.txt":  # without it nobody would take the folder for one of TUM
        (path / name).unlink()
        with pytest.raises(BadInput, match=f"{name}: .*No such file"):
            open_sequence(path)


def test_a_missing_image_costs_one_frame(tmp_path):
    path = make_tum(tmp_path / "freiburg3")
    next((path / "rgb").iterdir()).unlink()
    sequence = open_sequence(path)
    assert len(list(sequence)) == 3
    assert "cannot be read: No such file" in sequence.problems[0]


def test_a_device_named_in_a_list_costs_one_frame(tmp_path):
    path = make_tum(tmp_path / "freiburg3")
    lines = (path / "rgb.txt").read_text().splitlines()
    lines[1] = lines[1].split()[0] + " /dev/zero"
    (path / "rgb.txt").write_text("\n".join(lines))
    sequence = open_sequence(path)
    assert len(list(sequence)) == 3
    assert "frame zero skipped: zero is no regular file; expected an image" in sequence.problems[0]


def test_without_any_pose_nothing_is_usable(tmp_path):
    path = make_tum(tmp_path / "freiburg3", n=1)
    (path / "groundtruth.txt").write_text("# nothing\n")
    with pytest.raises(BadInput, match=r"no usable frame: .*there is no valid pose at all"):
        open_sequence(path)
