# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from scene_r1_ros.errors import BadInput
from scene_r1_ros.sequences import describe, write_folder
from scene_r1_ros.types import Frame
from test.sequences.making import COLOR, DEPTH, INFO, POSE, make_frame, recording, without, write_bag


def test_a_bag_is_described(tmp_path):
    report = describe(write_bag(tmp_path / "bag", recording(6)))
    assert report.wrong == []
    assert (report.kind, report.frames) == ("bag", 6)
    assert report.duration_s == pytest.approx(0.5)
    assert report.rate_hz == pytest.approx(10)
    assert report.largest_gap_s == pytest.approx(0.1)
    assert report.color_depth_offset_s == pytest.approx(0.004)
    assert report.walked_m == pytest.approx(0.1)
    assert report.color_size_wh == report.depth_size_wh == (32, 24)
    assert (report.color_encoding, report.depth_encoding) == ("rgb8", "16UC1")
    assert report.depth_valid_share == pytest.approx(22 / 24)
    assert 0.4 <= report.depth_range_m[0] < report.depth_range_m[1] <= 3.0
    assert [(t.name, t.count, t.frame_id) for t in report.topics] == [
        (INFO, 6, "optical"), (COLOR, 6, "optical"), (DEPTH, 6, "optical"), (POSE, 6, "map"),
    ]  # fmt: skip


def test_a_bag_that_cannot_be_used_is_still_described(tmp_path):
    report = describe(write_bag(tmp_path / "bag", without(recording(), POSE)))
    assert len(report.topics) == 3
    assert report.frames == 0 and report.duration_s is None
    assert report.wrong[0].startswith("the bag has no pose topic")


def test_a_file_that_is_no_bag_is_described_by_what_is_wrong(tmp_path):
    (tmp_path / "cut.mcap").write_bytes(b"\x89MCAP0\r\n")
    report = describe(tmp_path / "cut.mcap")
    assert report.topics == () and "cannot be read" in report.wrong[0]
    with pytest.raises(BadInput, match="does not exist"):
        describe(tmp_path / "nothing.mcap")


def changed(frame: Frame, stamp_ns: int, x: float, depth_m=None) -> Frame:
    T = np.eye(4)
    T[0, 3] = x
    return Frame(frame.frame_id, stamp_ns, frame.color, frame.depth_m if depth_m is None else depth_m, frame.camera, T)


def test_what_should_not_be_trusted_is_named(tmp_path):
    frames = [make_frame(i) for i in range(4)]
    empty = np.zeros((24, 32), np.float32)
    seconds = (1.0, 1.1, 1.2, 2.0)
    rows = zip(frames, seconds, strict=True)
    write_folder(tmp_path / "still", [changed(f, int(s * 1e9), 0.0, empty) for f, s in rows])
    write_folder(tmp_path / "fast", [changed(f, f.stamp_ns, i * 1.0) for i, f in enumerate(frames)])
    still, fast = describe(tmp_path / "still"), describe(tmp_path / "fast")
    assert [problem.split(";")[0] for problem in still.wrong] == [
        "only 0% of the depth pixels hold a measurement", "0.80 s without a frame, at 10.0 frames/s",
        "the camera never moves",
    ]  # fmt: skip
    assert still.depth_range_m is None
    assert fast.wrong == ["the camera moves at 10.0 m/s; check that poses are in metres and stamps in seconds"]


def test_one_frame_has_no_rate(tmp_path):
    write_folder(tmp_path / "one", [make_frame(0)])
    report = describe(tmp_path / "one")
    assert (report.frames, report.rate_hz, report.largest_gap_s, report.walked_m) == (1, None, None, 0)
    assert report.wrong == []


def test_the_real_bag_is_described(data):
    report = describe(data / "redkitchen.mcap")
    assert report.frames == 80 and report.wrong == []
    assert report.depth_valid_share == pytest.approx(0.71, abs=0.01)
    assert report.color_encoding == "rgb8; jpeg compressed bgr8"
