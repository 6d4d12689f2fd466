# SPDX-License-Identifier: Apache-2.0
"""The folder layout: written and read back, and with every file broken in turn."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from scene_r1_ros.errors import BadInput
from scene_r1_ros.geometry.camera import PinholeCamera
from scene_r1_ros.sequences import open_sequence, write_folder
from scene_r1_ros.sequences.folder import read_pose
from scene_r1_ros.sequences.images import encode_png
from scene_r1_ros.types import Frame
from test.sequences.making import START_NS, make_frame


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "walk"
    assert write_folder(path, (make_frame(i) for i in range(4))) == 4
    return path


def edit_calibration(path, **changes):
    file = path / "camera.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


@pytest.mark.parametrize("color_format", ["jpg", "png"])
def test_reads_back_what_was_written(tmp_path, color_format):
    frames = [make_frame(i, stamp_ns=START_NS + 33_333_333 * i + 1) for i in range(3)]
    write_folder(tmp_path / "walk", frames, color_format)
    sequence = open_sequence(tmp_path / "walk")
    assert sequence.name == "walk" and len(sequence) == 3 and sequence.problems == []
    assert sequence.encodings() == (color_format, "16-bit png, 0.001 m")
    for read, written in zip(sequence, frames, strict=True):
        assert (read.frame_id, read.stamp_ns, read.camera) == (written.frame_id, written.stamp_ns, written.camera)
        np.testing.assert_allclose(read.depth_m, written.depth_m, atol=1e-6)
        np.testing.assert_allclose(read.T_world_camera, written.T_world_camera, atol=1e-8)
        difference = np.abs(read.color.astype(int) - written.color).max()
        assert difference == 0 if color_format == "png" else difference < 12


def test_entries_come_without_pixels_and_in_order_of_time(folder):
    for file in folder.glob("*.color.jpg"):
        file.write_bytes(b"")
    sequence = open_sequence(folder)
    assert [e.frame_id for e in sequence.entries] == ["000000", "000001", "000002", "000003"]
    assert sequence.pose("000002")[0, 3] == pytest.approx(0.04)
    with pytest.raises(BadInput, match="no usable frame"):
        list(sequence)


@pytest.mark.parametrize("first_s", [0, -5])
def test_stamps_that_start_at_nothing_are_moved_to_one_second(folder, first_s):
    edit_calibration(folder, stamps_s={f"{i:06d}": first_s + 0.1 * i for i in range(4)})
    stamps = [e.stamp_ns for e in open_sequence(folder).entries]
    assert stamps == [1_000_000_000, 1_100_000_000, 1_200_000_000, 1_300_000_000]


def test_depth_of_half_size_is_kept_and_of_another_shape_skipped(folder):
    (folder / "000001.depth.png").write_bytes(encode_png(np.ones((12, 16), np.uint16)))
    (folder / "000002.depth.png").write_bytes(encode_png(np.ones((24, 24), np.uint16)))
    sequence = open_sequence(folder)
    assert [f.frame_id for f in sequence] == ["000000", "000001", "000003"]
    assert sequence.problems == [
        "frame 000002 skipped: frame '000002': depth is 24x24 and colour 32x24; depth must be registered to colour "
        "(the same size, or the same shape scaled): use the driver's aligned or registered depth topic"
    ]


def nan_pose(path):
    text = (path / "000001.pose.txt").read_text()
    (path / "000001.pose.txt").write_text(text.replace("0.020000000", "nan"))


def scaled_pose(path):
    np.savetxt(path / "000001.pose.txt", np.diag([2, 2, 2, 1]))


BROKEN = [
    (nan_pose, "000001.pose.txt holds NaN or infinity; drop the frame"),
    (scaled_pose, "000001.pose.txt is not rigid"),
    (lambda p: (p / "000001.pose.txt").write_text("1 2 3"), "holds 3 numbers; a pose is a 4x4 matrix"),
    (lambda p: (p / "000001.pose.txt").write_text("one two"), "cannot be read: could not convert"),
    (lambda p: (p / "000001.pose.txt").write_bytes(b"\xff" * 64), "000001.pose.txt cannot be read"),
    (lambda p: (p / "000001.pose.txt").unlink(), "000001.pose.txt is missing"),
    (lambda p: (p / "000001.depth.png").unlink(), "000001.depth.png is missing"),
    (lambda p: (p / "000001.depth.png").write_bytes(b""), "expected a PNG or JPEG"),
    (lambda p: (p / "000001.depth.png").write_bytes(encode_png(np.ones((24, 32), np.uint8))), "expected one 16-bit"),
    (lambda p: (p / "000001.color.jpg").write_bytes(b"\xff\xd8\xff"), "cut off in its header"),
    (
        lambda p: (p / "000001.color.jpg").write_bytes(encode_png(np.zeros((10, 10, 3), np.uint8))),
        "colour is 10x10 but its camera is 32x24",
    ),
]


@pytest.mark.parametrize(("damage", "reason"), BROKEN, ids=[reason for _, reason in BROKEN])
def test_a_bad_file_costs_one_frame(folder, damage, reason):
    damage(folder)
    sequence = open_sequence(folder)
    assert [f.frame_id for f in sequence] == ["000000", "000002", "000003"]
    assert len(list(sequence)) == 3  # a second reading reports nothing anew
    assert len(sequence.problems) == 1
    assert sequence.problems[0].startswith("frame 000001 skipped: ") and reason in sequence.problems[0]


def test_a_frame_without_stamp_is_skipped(folder):
    edit_calibration(folder, stamps_s={"000000": 1.0, "000001": "soon", "000002": 1e300})
    sequence = open_sequence(folder)
    assert [e.frame_id for e in sequence.entries] == ["000000"]
    assert [problem.split(": ", 1)[1][:28] for problem in sequence.problems] == [
        "stamp 'soon': expected secon", "stamp Decimal('1E+300'): exp", "camera.json has no stamp for",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"fx": 0}, "fx=0.0.* is the camera calibrated"),
        ({"fx": None}, "fx = None; expected a number"),
        ({"width": "wide"}, "width = 'wide'; expected a number"),
        ({"cx": 10**400}, "cx = 10000.* is out of range; expected a finite number"),
        ({"width": float("nan")}, "width = nan is out of range"),
        ({"height": float("inf")}, "height = inf is out of range"),
        ({"width": 640.7}, "width = 640.7; expected whole pixels"),
        ({"depth_unit_m": 0}, "depth_unit_m = 0.0; expected metres per step"),
        ({"stamps_s": {}}, "no usable frame: frame 000000 skipped: camera.json has no stamp"),
        ({"stamps_s": [1, 2]}, "no usable frame"),
    ],
)
def test_a_bad_calibration_is_refused(folder, changes, reason):
    edit_calibration(folder, **changes)
    with pytest.raises(BadInput, match=reason):
        open_sequence(folder)


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "[" * 100_000, '{"fx": NaN}', '{"width": 1e999}', '{"width": 1e9999999999999999999}']
)
def test_a_calibration_that_is_no_json_object_is_refused(folder, text):
    (folder / "camera.json").write_text(text)
    with pytest.raises(BadInput, match=r"camera\.json"):
        open_sequence(folder)


def test_paths_that_are_no_sequence_are_refused(tmp_path):
    with pytest.raises(BadInput, match="does not exist; expected a sequence folder or a bag"):
        open_sequence(tmp_path / "nowhere")
    with pytest.raises(BadInput, match=r"is no known sequence; expected a folder with camera\.json"):
        open_sequence(tmp_path)
    (tmp_path / "old.bag").write_bytes(b"#ROSBAG V2.0")
    with pytest.raises(BadInput, match="is a ROS 1 bag; convert it first: rosbags-convert"):
        open_sequence(tmp_path / "old.bag")
    (tmp_path / "film.mp4").write_bytes(b"")
    with pytest.raises(BadInput, match="is no known sequence"):
        open_sequence(tmp_path / "film.mp4")
    with pytest.raises(
        BadInput, match=r"aaa\.\.\.: File name too long; expected the path of a sequence folder or a bag"
    ):
        open_sequence(Path("a" * 5000))


def test_a_pipe_in_place_of_a_file_is_refused(folder):
    for name in ("000001.pose.txt", "camera.json"):
        (folder / name).unlink()
        os.mkfifo(folder / name)
    with pytest.raises(BadInput, match=r"camera\.json is no regular file; expected the intrinsics as JSON"):
        open_sequence(folder)
    with pytest.raises(BadInput, match=r"000001\.pose\.txt is no regular file"):
        read_pose(folder / "000001.pose.txt")


def test_an_empty_folder_with_a_calibration_has_no_frames(folder):
    for file in folder.glob("0*"):
        file.unlink()
    with pytest.raises(BadInput, match="walk has no usable frame: it holds no images"):
        open_sequence(folder)


def test_writing_refuses_what_it_cannot_keep(tmp_path, folder):
    with pytest.raises(BadInput, match="already holds a sequence; remove it first"):
        write_folder(folder, [make_frame(0)])
    with pytest.raises(BadInput, match="no frames to write"):
        write_folder(tmp_path / "none", [])
    with pytest.raises(BadInput, match="a folder holds one camera"):
        write_folder(tmp_path / "two", [make_frame(0), make_frame(1, camera=PinholeCamera(32, 24, 31, 31, 16, 12))])
    with pytest.raises(BadInput, match=r"frame id '\.\./evil'"):
        frame = make_frame(0)
        write_folder(tmp_path / "evil", [Frame("../evil", 1, frame.color, frame.depth_m, frame.camera, np.eye(4))])
    with pytest.raises(BadInput, match="each id once"):
        write_folder(tmp_path / "twice", [make_frame(0), make_frame(0)])


def test_depth_that_does_not_fit_is_no_measurement(tmp_path):
    frame = make_frame(0)
    depth_m = np.full((24, 32), 65.535, np.float32)
    depth_m[0] = 65.6
    write_folder(tmp_path / "far", [Frame("0", 1, frame.color, depth_m, frame.camera, np.eye(4))])
    read = open_sequence(tmp_path / "far").frame("0").depth_m
    assert (read[0] == 0).all() and read[1:] == pytest.approx(65.535, abs=1e-3)


@pytest.mark.parametrize("name", ["redkitchen", "livingroom1", "pickbox"])
def test_real_recordings_are_read_whole(data, name):
    sequence = open_sequence(data / name)
    expected = len(list((data / name).glob("*.color.jpg")))
    assert sum(1 for _ in sequence) == len(sequence) == expected
    assert sequence.problems == []


def test_a_bag_and_a_folder_of_one_recording_are_equal(data):
    folder, bag = open_sequence(data / "redkitchen"), open_sequence(data / "redkitchen.mcap")
    assert len(folder) == len(bag) == 80
    for a, b in zip(folder.entries[::20], bag.entries[::20], strict=True):
        frame, twin = folder.read(a), bag.read(b)
        np.testing.assert_array_equal(frame.color, twin.color)
        np.testing.assert_array_equal(frame.depth_m, twin.depth_m)
        np.testing.assert_allclose(frame.T_world_camera, twin.T_world_camera, atol=1e-6)
        assert frame.camera == twin.camera
