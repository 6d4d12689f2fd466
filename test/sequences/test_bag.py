# SPDX-License-Identifier: Apache-2.0
"""Bags written with rosbags and read back, whole and broken."""

import struct

import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin

from scene_r1_ros.errors import BadInput
from scene_r1_ros.sequences import Topics, open_sequence
from scene_r1_ros.sequences.bag_reader import BagReader
from scene_r1_ros.sequences.images import encode_jpeg, encode_png
from test.sequences.making import (
    CAMERA,
    COLOR,
    DEPTH,
    INFO,
    POSE,
    START_NS,
    STEP_NS,
    TYPES,
    Logged,
    camera_info,
    compressed,
    header,
    image,
    make_frame,
    odometry,
    pose_message,
    pose_stamped,
    recording,
    without,
    write_bag,
)  # fmt: skip


def replaced(topic: str, change, n: int = 5) -> list[Logged]:
    """A healthy recording with the messages of one topic changed: ``change(index, entry)``."""
    indices: dict[str, int] = {}
    logged = []
    for entry in recording(n):
        index = indices[entry.topic] = indices.get(entry.topic, -1) + 1
        logged.append(Logged(topic, entry.log_ns, change(index, entry)) if entry.topic == topic else entry)
    return logged


def test_float_depth_of_the_compressed_depth_transport(tmp_path):
    header = struct.pack("<iff", 0, 100.0, -10.0)  # stored is 100 / metres - 10

    def coded(i, entry):
        png = encode_png(np.full((24, 32), 40, np.uint16))
        return compressed(entry.log_ns, header + png, "32FC1; compressedDepth png")

    frame = next(iter(open_sequence(write_bag(tmp_path / "bag", replaced(DEPTH, coded)))))
    np.testing.assert_allclose(frame.depth_m, 2.0)


def test_raw_images_that_wait_are_bounded_in_bytes(tmp_path, monkeypatch):
    """Beyond, images are fetched from their place; nothing is lost."""
    monkeypatch.setattr("scene_r1_ros.sequences.bag.MAX_WAITING_BYTES", 5000)  # two colour images
    logged = sorted(recording(8), key=lambda entry: entry.topic == DEPTH)
    later = [Logged(e.topic, e.log_ns + 10**9 * (e.topic == DEPTH), e.message) for e in logged]
    sequence = open_sequence(write_bag(tmp_path / "bag", later))
    most, frames = 0, []
    for _, load in sequence.loaders():
        waiting = load.args[-1]
        most = max(most, sum(map(len, waiting.values())))
        frames.append(load())
    assert len(frames) == 8 and most < 8000
    assert waiting == {}  # also of what was fetched before it came
    np.testing.assert_allclose(frames[5].depth_m, make_frame(5).depth_m, atol=1e-6)


def test_an_image_that_is_no_message_leaves_nothing_behind(tmp_path, monkeypatch):
    sequence = open_sequence(write_bag(tmp_path / "bag", recording()))
    deserialize = BagReader.deserialize

    def damaged(self, raw, type_):
        if np.frombuffer(raw, np.uint8)[-1] == make_frame(1).color[-1, -1, -1]:  # only colour image 1 ends so
            raise BadInput("no message")
        return deserialize(self, raw, type_)

    monkeypatch.setattr(BagReader, "deserialize", damaged)
    waiting, skipped = {}, 0
    for _, load in sequence.loaders():
        waiting = load.args[-1]
        try:
            load()
        except BadInput:
            skipped += 1
    assert skipped == 1 and waiting == {}


def test_of_many_problems_the_first_and_their_number_are_kept(tmp_path):
    sequence = open_sequence(write_bag(tmp_path / "bag", recording()))
    for k in range(1000):
        sequence.tally("things", f"number {k}")
    assert sequence._tally == {"things": (1000, "number 0")}
    sequence.report_tally()
    assert sequence.problems == ["skipped things: 1000; the first: number 0"]


@pytest.mark.parametrize("storage", [StoragePlugin.MCAP, StoragePlugin.SQLITE3])
@pytest.mark.parametrize("as_file", [False, True])
def test_reads_back_what_was_written(tmp_path, storage, as_file):
    path = write_bag(tmp_path / "bag", recording(), storage)
    if as_file:
        path = next(p for p in path.iterdir() if p.suffix in (".mcap", ".db3"))
    sequence = open_sequence(path)
    frames = list(sequence)
    assert sequence.problems == []
    assert [f.stamp_ns for f in frames] == [START_NS + i * STEP_NS for i in range(5)]
    assert [e.depth_stamp_ns - e.stamp_ns for e in sequence.entries] == [4_000_000] * 5
    for index, frame in enumerate(frames):
        expected = make_frame(index)
        assert frame.frame_id == f"{index:06d}"
        np.testing.assert_array_equal(frame.color, expected.color)
        np.testing.assert_allclose(frame.depth_m, expected.depth_m, atol=1e-6)
        np.testing.assert_allclose(frame.T_world_camera, expected.T_world_camera)
        assert frame.camera == CAMERA


def test_one_frame_is_the_same_as_in_the_stream(tmp_path):
    sequence = open_sequence(write_bag(tmp_path / "bag", recording()))
    streamed = list(sequence)[3]
    alone = sequence.frame("000003")
    np.testing.assert_array_equal(alone.color, streamed.color)
    assert alone.stamp_ns == streamed.stamp_ns
    with pytest.raises(BadInput, match="no usable frame '99'; it has 5 frames: 000000 to 000004"):
        sequence.frame("99")


def test_a_folder_with_one_file_and_no_metadata_is_opened(tmp_path):
    path = write_bag(tmp_path / "bag", recording())
    (path / "metadata.yaml").unlink()
    assert len(open_sequence(path)) == 5
    (path / "second.mcap").write_bytes(b"")
    with pytest.raises(BadInput, match=r"2 bag files and no metadata\.yaml; run: ros2 bag reindex"):
        open_sequence(path)


def test_streams_may_lie_far_apart_in_the_bag(tmp_path, monkeypatch):
    monkeypatch.setattr("scene_r1_ros.sequences.bag.MAX_WAITING", 2)
    logged = sorted(recording(8), key=lambda entry: entry.topic == DEPTH)
    later = [Logged(e.topic, e.log_ns + 10**9 * (e.topic == DEPTH), e.message) for e in logged]
    frames = list(open_sequence(write_bag(tmp_path / "bag", later)))
    assert len(frames) == 8
    np.testing.assert_allclose(frames[5].depth_m, make_frame(5).depth_m, atol=1e-6)


def test_order_is_by_stamp_not_by_arrival(tmp_path):
    reversed_log = [Logged(e.topic, 2 * START_NS - e.log_ns, e.message) for e in recording()]
    sequence = open_sequence(write_bag(tmp_path / "bag", sorted(reversed_log, key=lambda e: e.log_ns)))
    stamps = [frame.stamp_ns for frame in sequence]
    assert stamps == sorted(stamps) and len(stamps) == 5


@pytest.mark.parametrize(
    ("encoding", "pixels", "metres"),
    [
        ("16UC1", np.full((24, 32), 1500, np.uint16), 1.5),
        ("mono16", np.full((24, 32), 1500, np.uint16), 1.5),
        ("32FC1", np.full((24, 32), 1.5, np.float32), 1.5),
        ("32FC1", np.full((24, 32), np.nan, np.float32), 0.0),  # REP 117: no measurement
        ("32FC1", np.full((24, 32), np.inf, np.float32), 0.0),
    ],
)
@pytest.mark.parametrize("pad", [0, 8])
def test_depth_unit_comes_from_the_encoding(tmp_path, encoding, pixels, metres, pad):
    logged = replaced(DEPTH, lambda i, e: image(e.log_ns, pixels, encoding, pad=pad))
    frame = next(iter(open_sequence(write_bag(tmp_path / "bag", logged))))
    np.testing.assert_allclose(frame.depth_m, np.full((24, 32), metres), atol=1e-6)


@pytest.mark.parametrize(
    ("encoding", "order"),
    [("rgb8", [0, 1, 2]), ("bgr8", [2, 1, 0]), ("rgba8", [0, 1, 2, 0]), ("bgra8", [2, 1, 0, 0])],
)
@pytest.mark.parametrize("pad", [0, 4])
def test_color_order_comes_from_the_encoding(tmp_path, encoding, order, pad):
    logged = replaced(COLOR, lambda i, e: image(e.log_ns, make_frame(i).color[:, :, order], encoding, pad=pad))
    frame = next(iter(open_sequence(write_bag(tmp_path / "bag", logged))))
    np.testing.assert_array_equal(frame.color, make_frame(0).color)


def test_compressed_images(tmp_path):
    def jpeg(i, entry):
        return compressed(entry.log_ns, encode_jpeg(make_frame(i).color, 95), "rgb8; jpeg compressed bgr8")

    def png_with_header(i, entry):
        depth_mm = np.rint(make_frame(i).depth_m * 1000).astype(np.uint16)
        return compressed(entry.log_ns, bytes(12) + encode_png(depth_mm), "16UC1; compressedDepth png")

    logged = [Logged(e.topic + "/compressed", e.log_ns, e.message) if e.topic == COLOR else e
              for e in replaced(COLOR, jpeg)]  # fmt: skip
    depths = [e.message for e in replaced(DEPTH, png_with_header) if e.topic == DEPTH]
    logged = [Logged(DEPTH + "/compressedDepth", e.log_ns, depths.pop(0)) if e.topic == DEPTH else e for e in logged]
    frames = list(open_sequence(write_bag(tmp_path / "bag", logged)))
    assert len(frames) == 5
    assert np.abs(frames[1].color.astype(int) - make_frame(1).color).max() < 12
    np.testing.assert_allclose(frames[1].depth_m, make_frame(1).depth_m, atol=1e-6)


def test_pose_is_interpolated_at_the_image_stamp(tmp_path):
    logged = without(recording(3), POSE)
    for index in range(-1, 7):
        t = START_NS + index * STEP_NS // 2 + 10_000_000
        logged.append(Logged(POSE, t, pose_stamped(t, (index, 0, 0))))
    frames = list(open_sequence(write_bag(tmp_path / "bag", logged)))
    expected = [2 * i - 0.2 for i in range(3)]  # 10 of 50 ms before pose number 2 * i
    np.testing.assert_allclose([f.T_world_camera[0, 3] for f in frames], expected, atol=1e-9)


def test_poses_too_far_apart_are_not_interpolated(tmp_path):
    logged = without(recording(3), POSE)
    logged += [Logged(POSE, START_NS + t, pose_stamped(START_NS + t, (0, 0, 0))) for t in (-30_000_000, 80_000_000)]
    with pytest.raises(BadInput, match=r"the poses around stamp .* are 0\.110 s apart; at most 0\.1 s"):
        open_sequence(write_bag(tmp_path / "bag", logged))


def test_odometry_of_the_camera_and_pose_with_covariance_are_poses(tmp_path):
    def as_odometry(i, entry):
        return odometry(entry.log_ns, (i, 0, 0), "optical")

    def with_covariance(i, entry):
        covariance = TYPES["geometry_msgs/msg/PoseWithCovariance"](pose_message((i, 0, 0)), np.zeros(36))
        return TYPES["geometry_msgs/msg/PoseWithCovarianceStamped"](header(entry.log_ns, "map"), covariance)

    for name, change in (("odometry", as_odometry), ("covariance", with_covariance)):
        frames = list(open_sequence(write_bag(tmp_path / name, replaced(POSE, change))))
        assert [f.T_world_camera[0, 3] for f in frames] == [0, 1, 2, 3, 4]


def test_odometry_of_the_base_is_refused_unless_named(tmp_path):
    path = write_bag(tmp_path / "bag", replaced(POSE, lambda i, e: odometry(e.log_ns, (i, 0, 0), "base_link")))
    with pytest.raises(BadInput, match="the pose of 'base_link', but the images are taken in 'optical'"):
        open_sequence(path)
    named = open_sequence(path, Topics(pose=POSE))
    assert len(named) == 5
    assert "the pose of 'base_link'" in named.problems[0]


# ---- what is wrong with bags in the field


def only_problem(path) -> tuple[int, str]:
    """How many frames are usable, and the one problem that is reported."""
    sequence = open_sequence(path)
    frames = list(sequence)
    assert len(sequence.problems) == 1, sequence.problems
    return len(frames), sequence.problems[0]


def test_zero_stamps_are_skipped(tmp_path):
    some = replaced(COLOR, lambda i, e: image(e.log_ns if i else 0, make_frame(i).color, "rgb8"))
    assert only_problem(write_bag(tmp_path / "some", some)) == (
        4,
        f"skipped messages of {COLOR}: 1; the first: number 0: its stamp is 0 ns; the driver must stamp its messages",
    )  # fmt: skip
    every = replaced(COLOR, lambda i, e: image(0, make_frame(i).color, "rgb8"))
    with pytest.raises(BadInput, match=r"no usable frame: skipped messages of .*: 5; the first: .* must stamp"):
        open_sequence(write_bag(tmp_path / "every", every))


def test_an_uncalibrated_camera_is_refused(tmp_path):
    logged = replaced(INFO, lambda i, e: camera_info(e.log_ns, scale=0.0))
    with pytest.raises(
        BadInput, match=r"no valid camera_info .* all-zero K: the camera is not calibrated; calibrate it"
    ):
        open_sequence(write_bag(tmp_path / "bag", logged))


def test_frames_before_the_calibration_use_the_first_valid_one(tmp_path):
    logged = replaced(INFO, lambda i, e: camera_info(e.log_ns, scale=float(i > 1)))
    count, problem = only_problem(write_bag(tmp_path / "bag", logged))
    assert count == 5 and f"skipped messages of {INFO}: 2;" in problem


@pytest.mark.parametrize(("topic", "role"), [(COLOR, "color"), (DEPTH, "depth"), (INFO, "camera_info"), (POSE, "pose")])
def test_a_missing_topic_is_named(tmp_path, topic, role):
    with pytest.raises(BadInput, match=rf"the bag has no {role} topic \(.*It holds: /cam"):
        open_sequence(write_bag(tmp_path / "bag", without(recording(), topic)))


def test_a_named_topic_must_exist_and_fit(tmp_path):
    path = write_bag(tmp_path / "bag", recording())
    with pytest.raises(BadInput, match="depth topic '/other' is not in the bag; expected one of sensor_msgs"):
        open_sequence(path, Topics(depth="/other"))
    with pytest.raises(BadInput, match="pose topic '/cam/color/image_raw' is sensor_msgs/msg/Image; expected"):
        open_sequence(path, Topics(pose=COLOR))


@pytest.mark.parametrize(
    ("position", "quaternion", "reason"),
    [
        ((np.nan, 0, 0), (0, 0, 0, 1), "values must be finite"),
        ((0, 0, 0), (0, 0, 0, 0), "quaternion not zero"),
    ],
)
def test_a_bad_pose_costs_one_frame(tmp_path, position, quaternion, reason):
    def change(i, entry):
        return pose_stamped(entry.log_ns, position, quaternion) if i == 2 else entry.message

    sequence = open_sequence(write_bag(tmp_path / "bag", replaced(POSE, change)))
    assert len(list(sequence)) == 4
    assert reason in sequence.problems[0]
    assert "000002" in sequence.problems[1] and "0.200 s apart" in sequence.problems[1]


def test_depth_of_another_shape_is_skipped(tmp_path):
    def change(i, entry):
        return image(entry.log_ns, np.ones((24, 20) if i == 1 else (12, 16), np.uint16), "16UC1")

    count, problem = only_problem(write_bag(tmp_path / "bag", replaced(DEPTH, change)))
    assert count == 4
    assert problem.startswith("frame 000001 skipped:") and "depth must be registered to colour" in problem


@pytest.mark.parametrize(
    ("topic", "encoding", "reason"),
    [
        (DEPTH, "8UC1", "depth image with encoding '8UC1'; expected one of 16UC1, mono16, 32FC1"),
        (DEPTH, "rgb8", "depth image with encoding 'rgb8'"),
        (COLOR, "8UC3", "colour image with encoding '8UC3'; expected one of rgb8"),
        (COLOR, "nonsense", "colour image with encoding 'nonsense'"),
        (COLOR, "rgb16", "colour image with encoding 'rgb16'"),
        (COLOR, "mono16", "colour image with encoding 'mono16'"),
    ],
)
def test_an_unknown_encoding_is_refused(tmp_path, topic, encoding, reason):
    pixels = np.zeros((24, 32, 3), np.uint8)
    sequence = open_sequence(
        write_bag(tmp_path / "bag", replaced(topic, lambda i, e: image(e.log_ns, pixels, encoding)))
    )
    with pytest.raises(BadInput, match=f"no usable frame: frame 000000 skipped: .*{reason}"):
        list(sequence)


def test_an_image_whose_sizes_do_not_fit_its_data_is_skipped(tmp_path):
    def change(i, entry):
        if i == 1:
            entry.message.height = 10**9
        if i == 2:
            entry.message.height = 40
        if i == 3:
            entry.message.width = 64
        return entry.message

    sequence = open_sequence(write_bag(tmp_path / "bag", replaced(COLOR, change)))
    assert [frame.frame_id for frame in sequence] == ["000000", "000004"]
    assert "expected 1 to 64000000 pixels" in sequence.problems[0]
    assert "the image step * height = 3840" in sequence.problems[1]
    assert "000003" in sequence.problems[2] and "a row needs 192 bytes" in sequence.problems[2]


def test_depth_far_from_colour_in_time_is_named(tmp_path):
    logged = [Logged(e.topic, e.log_ns, image(e.log_ns + 40_000_000, np.ones((24, 32), np.uint16), "16UC1"))
              if e.topic == DEPTH else e for e in recording()]  # fmt: skip
    with pytest.raises(BadInput, match=r"no depth within 20 ms; the nearest is 44\.0 ms away in the median"):
        open_sequence(write_bag(tmp_path / "bag", logged))


def test_an_unregistered_depth_is_refused_as_on_a_topic(tmp_path):
    depth = np.ones((24, 32), np.uint16)
    logged = replaced(DEPTH, lambda i, e: image(e.log_ns, depth, "16UC1", "depth_optical" if i == 1 else "optical"))
    count, problem = only_problem(write_bag(tmp_path / "bag", logged))
    assert count == 4
    assert "frame 000001 skipped: depth is in frame 'depth_optical' and colour in 'optical'; depth must be" in problem


@pytest.mark.parametrize(
    ("topic", "fx"),
    [("/cam/color/image_raw", 60.0), ("/cam/color/image_rect_color", 30.0), ("/cam/rect/image", 30.0)],
)
def test_a_rectified_image_is_seen_through_p_and_another_through_k(tmp_path, topic, fx):
    def distorted(i, entry):
        message = camera_info(entry.log_ns, d=(0.1, 0, 0, 0, 0))
        message.k[:] = np.array([60, 0, 15.5, 0, 60, 11.5, 0, 0, 1])
        return message

    logged = [Logged(topic if e.topic == COLOR else e.topic, e.log_ns, e.message) for e in replaced(INFO, distorted)]
    sequence = open_sequence(write_bag(tmp_path / "bag", logged), Topics(color=topic))
    assert next(iter(sequence)).camera.fx == fx
    advice = [problem for problem in sequence.problems if "has lens distortion (plumb_bob)" in problem]
    assert len(advice) == (fx == 60.0)


def test_a_calibration_of_a_part_of_the_image_is_refused(tmp_path):
    def binned(i, entry):
        entry.message.binning_x = 2
        return entry.message

    with pytest.raises(BadInput, match=r"binning 2x0 .* publish the whole image"):
        open_sequence(write_bag(tmp_path / "bag", replaced(INFO, binned)))


def test_a_repeated_stamp_is_one_frame(tmp_path):
    logged = replaced(COLOR, lambda i, e: image(START_NS if i == 1 else e.log_ns, make_frame(i).color, "rgb8"))
    sequence = open_sequence(write_bag(tmp_path / "bag", logged))
    assert len(list(sequence)) == 4


@pytest.mark.parametrize("content", [b"", b"not a bag at all", b"\x89MCAP0\r\n" + bytes(100)])
@pytest.mark.parametrize("suffix", [".mcap", ".db3"])
def test_a_file_that_is_no_bag_is_refused(tmp_path, content, suffix):
    path = tmp_path / f"bag{suffix}"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=r"cannot be read: .*ros2 bag reindex"):
        open_sequence(path)


def test_a_bag_damaged_half_way_gives_its_first_part(tmp_path):
    path = write_bag(tmp_path / "bag", recording(10), zstd=True)
    file = next(path.glob("*.mcap"))
    data = bytearray(file.read_bytes())
    frames = [at for at in range(len(data)) if data[at : at + 4] == b"\x28\xb5\x2f\xfd"]  # how zstd data starts
    data[frames[len(frames) // 2]] ^= 0xFF
    file.write_bytes(data)
    sequence = open_sequence(path)
    assert 0 < len(list(sequence)) < 10
    assert "only the first part is used: bag bag cannot be read" in sequence.problems[0]
