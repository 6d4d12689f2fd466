# SPDX-License-Identifier: Apache-2.0
"""The replay node in one process, the intake in another: every frame arrives as it was."""

import signal
from dataclasses import replace

import numpy as np
import pytest

from scene_r1_ros.errors import BadInput
from scene_r1_ros.ros.frame_messages import messages_of
from scene_r1_ros.ros.images import decode_color, decode_depth
from scene_r1_ros.ros.stamps import stamp_of
from scene_r1_ros.sequences.write import millimetres, write_folder
from scene_r1_ros.types import Frame
from test.ros.camera import CAMERA
from test.ros.processes import wait_until
from test.ros.test_intake import INTAKE, RELIABLE

REPLAY = ("-m", "scene_r1_ros.ros.replay", "--ros-args")
COUNT, PERIOD_NS = 12, 33_333_333
# So few frames that one lost to a busy machine would show: keep them all until they are taken.
KEEP_ALL = [
    argument
    for topic in ("rgb/image", "depth/image", "rgb/camera_info", "pose")
    for argument in ("-p", f"qos_overrides./{topic}.publisher.depth:=100")
]


def walk() -> list[Frame]:
    random = np.random.default_rng(1)
    frames = []
    for k in range(COUNT):
        T_world_camera = np.eye(4)
        T_world_camera[:3, 3] = 0.1 * k, -0.2, 0.3
        color = random.integers(0, 256, (12, 16, 3), np.uint8)
        depth_m = (random.integers(0, 4000, (12, 16)) * 0.001).astype(np.float32)
        frames.append(Frame(f"{k:03d}", 10**9 + k * PERIOD_NS, color, depth_m, CAMERA, T_world_camera))
    return frames


@pytest.fixture(scope="module")
def sequence(tmp_path_factory):
    path = tmp_path_factory.mktemp("walk") / "sequence"
    write_folder(path, walk(), "png")
    return path


def parameters(**values):
    return [word for name, value in values.items() for word in ("-p", f"{name}:={value}")]


@pytest.mark.parametrize("encoding", ["16UC1", "32FC1"])
def test_every_frame_arrives_whole(start, sequence, encoding):
    intake = start(*INTAKE, *RELIABLE)
    replay = start(*REPLAY, *KEEP_ALL, *parameters(sequence=sequence, rate=4.0, depth_encoding=encoding))
    assert replay.wait() == 0, replay.log
    report = wait_until(lambda: (r := intake.ask())["frames"] == COUNT and r, lambda: intake.ask()["explain"])
    assert report["refused"] == {}
    assert len(report["kept"]) == COUNT
    for got, sent in zip(report["kept"], walk(), strict=True):
        assert got["stamp_ns"] == sent.stamp_ns
        np.testing.assert_allclose(got["color_mean"], sent.color.mean(axis=(0, 1)))
        assert got["depth_mean"] == pytest.approx(float(sent.depth_m.mean()), rel=1e-5)
        np.testing.assert_allclose(got["T_world_camera"], sent.T_world_camera, atol=1e-9)
    assert (report["world_frame"], report["camera_frame"]) == ("map", "camera_color_optical_frame")
    assert f"played {COUNT} frames" in replay.log


def test_a_loop_goes_round_until_it_is_interrupted(start, sequence):
    intake = start(*INTAKE, *RELIABLE)
    replay = start(*REPLAY, *KEEP_ALL, *parameters(sequence=sequence, rate=2.0, loop=True))

    def went_round_twice():
        report = intake.ask()
        return report["sync"].get("rgb/image reset", 0) >= 2 and report["frames"] > 2 * COUNT

    wait_until(went_round_twice, lambda: replay.log + intake.log)
    replay.signal(signal.SIGINT)
    assert replay.wait() == 0, replay.log
    assert "Traceback" not in replay.log


def test_stamps_of_now_and_remapped_names(start, sequence):
    names = ("rgb/image", "depth/image", "rgb/camera_info", "pose")
    remap = [word for name in names for word in ("-r", f"{name}:=robot/{name}")]
    qos = [word.replace("overrides./", "overrides./robot/") for word in RELIABLE]
    intake = start(*INTAKE, *remap, *qos)
    replay = start(*REPLAY, *remap, *parameters(sequence=sequence, stamps="now", rate=4.0),
                   *[word.replace("overrides./", "overrides./robot/") for word in KEEP_ALL])  # fmt: skip
    assert replay.wait() == 0, replay.log
    report = wait_until(lambda: (r := intake.ask())["frames"] == COUNT and r, lambda: intake.ask()["explain"])
    assert report["kept"][0]["stamp_ns"] > 10**18  # after 2001


def test_an_interrupt_while_waiting_for_subscribers_ends_it_cleanly(start, sequence):
    replay = start(*REPLAY, *parameters(sequence=sequence))
    wait_until(lambda: "waiting for subscribers of rgb/image, depth/image" in replay.log, lambda: replay.log)
    replay.signal(signal.SIGINT)
    assert replay.wait() == 0
    assert "Traceback" not in replay.log


def test_without_waiting_it_plays_to_nobody(start, sequence):
    replay = start(*REPLAY, *parameters(sequence=sequence, rate=10.0, wait_for_subscribers=False, clock=False))
    assert replay.wait() == 0, replay.log


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "parameter sequence is empty; give a folder or a bag"),
        (
            {"sequence": "2024"},
            "sequence = 2024; expected str (folder or bag to play; ROS reads parameters as YAML, so",
        ),
        ({"sequence": '"2024"'}, "2024 does not exist; expected a sequence folder or a bag"),
        ({"sequence": "no/such/folder"}, "no/such/folder does not exist"),
        ({"sequence": "x", "rate": "0.0"}, "rate = 0.0; expected 0.01 to 1000.0"),
        ({"sequence": "x", "stamps": "soon"}, "stamps = 'soon'; expected one of source, now"),
    ],
)
def test_what_cannot_be_played_is_said(start, values, said):
    replay = start(*REPLAY, *parameters(**values))
    assert replay.wait() == 2
    assert said in replay.log


PLAY = """
import sys
from threading import Event
from scene_r1_ros.ros import replay

def spoiled(*_):
    {}

replay.messages_of = spoiled
sys.exit(replay.main())
"""


def test_a_decoder_that_fails_ends_the_replay_with_its_error(start, sequence):
    replay = start("-c", PLAY.format("1 / 0"), "--ros-args",
                   *parameters(sequence=sequence, wait_for_subscribers=False))  # fmt: skip
    assert replay.wait() == 1
    assert "ZeroDivisionError: division by zero" in replay.log


def test_a_decoder_that_hangs_can_be_interrupted(start, sequence):
    replay = start("-c", PLAY.format("print('decoding', file=sys.stderr, flush=True); Event().wait()"), "--ros-args",
                   *parameters(sequence=sequence, wait_for_subscribers=False))  # fmt: skip
    wait_until(lambda: "decoding" in replay.log, lambda: replay.log)
    replay.signal(signal.SIGINT)
    assert replay.wait() == 0, replay.log


def test_stamps_that_do_not_fit_a_ros_time_are_refused_before_anything_is_played(start, tmp_path):
    late = [replace(frame, stamp_ns=2**31 * 10**9 + k) for k, frame in enumerate(walk()[:2])]
    write_folder(tmp_path / "late", late, "png")
    replay = start(*REPLAY, *parameters(sequence=tmp_path / "late"))
    assert replay.wait() == 2
    assert "stamp 2147483648000000001 ns (2147483648 s); a ROS Time holds 0 to 2147483647 s" in replay.log
    now = start(*REPLAY, *parameters(sequence=tmp_path / "late", stamps="now", wait_for_subscribers=False))
    assert now.wait() == 0, now.log


def test_a_stamp_fits_or_is_refused():
    assert stamp_of(2**31 * 10**9 - 1).nanosec == 999_999_999
    for ns in (-1, 2**31 * 10**9):
        with pytest.raises(BadInput, match="or replay it with stamps:=now"):
            stamp_of(ns)


def test_a_real_bag_arrives_whole(start, data):
    intake = start(*INTAKE, *RELIABLE)
    replay = start(*REPLAY, *KEEP_ALL, *parameters(sequence=data / "redkitchen.mcap", rate=4.0))
    assert replay.wait() == 0, replay.log
    report = wait_until(lambda: (r := intake.ask())["frames"] == 80 and r, lambda: intake.ask()["explain"])
    assert len(report["kept"]) == 80


def test_messages_of_a_frame_decode_to_the_frame():
    sent = walk()[3]
    for encoding, tolerance in (("16UC1", 1e-4), ("32FC1", 0)):
        messages = messages_of(sent, "camera", "map", encoding)
        np.testing.assert_array_equal(decode_color(messages.color), sent.color)
        np.testing.assert_allclose(decode_depth(messages.depth), sent.depth_m, atol=tolerance)


def test_depth_beyond_16_bits_is_no_measurement():
    got = millimetres(np.array([[0.0004, 0.0006, 65.535, 65.536]], np.float32))
    assert got.tolist() == [[0, 1, 65535, 0]]
