# SPDX-License-Identifier: Apache-2.0
"""What the memory keeps, what it drops, and that it says so."""

import logging

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scene_r1_ros.config import BufferConfig
from scene_r1_ros.errors import BadInput
from scene_r1_ros.geometry.camera import PinholeCamera
from scene_r1_ros.memory.buffer import KeyframeBuffer
from scene_r1_ros.memory.sharpness import sharpness
from scene_r1_ros.types import Frame

CAMERA = PinholeCamera(32, 24, 30, 30, 16, 12)
SHARP = np.random.default_rng(0).integers(0, 255, (24, 32, 3)).astype(np.uint8)
BLURRED = np.full((24, 32, 3), 128, np.uint8)
NBYTES = SHARP.nbytes + 24 * 32 * 4


def at(x_m: float, time_s: float, color=SHARP) -> Frame:
    T = np.eye(4)
    T[0, 3] = x_m
    return Frame(f"{time_s:.3f}", round((1 + time_s) * 1e9), color.copy(), np.ones((24, 32), np.float32), CAMERA, T)


def walked(config: BufferConfig, frames) -> KeyframeBuffer:
    memory = KeyframeBuffer(config)
    for frame in frames:
        memory.offer(frame)
    return memory


def times(memory) -> list[str]:
    return [f.frame_id for f in memory.snapshot()]


def test_a_camera_that_moves_is_kept_by_distance():
    memory = walked(BufferConfig(patience_s=0.0), [at(0.01 * i, i / 30) for i in range(101)])
    positions = [f.T_world_camera[0, 3] for f in memory.snapshot()]
    assert np.allclose(np.diff(positions), 0.10, atol=0.011) and len(positions) == pytest.approx(11, abs=1)


def test_a_camera_that_turns_is_kept_by_angle():
    def turned(i):
        a = np.deg2rad(i)
        frame = at(0, i / 30)
        T = np.eye(4)
        T[:2, :2] = [[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]
        return Frame(frame.frame_id, frame.stamp_ns, frame.color, frame.depth_m, CAMERA, T)

    memory = walked(BufferConfig(patience_s=0.0, max_interval_s=100.0), [turned(i) for i in range(81)])
    assert len(memory) == pytest.approx(11, abs=1)


def test_a_camera_that_stands_is_kept_by_time():
    memory = walked(BufferConfig(max_interval_s=1.0, patience_s=0.0), [at(0, i / 10) for i in range(51)])
    assert len(memory) == pytest.approx(6, abs=1)


def test_a_blurred_frame_gives_way_to_a_sharp_one_near():
    frames = [at(0, 0.0), at(0.2, 0.50, BLURRED), at(0.21, 0.53), at(0.22, 0.56, BLURRED), at(0.4, 1.0)]
    memory = walked(BufferConfig(patience_s=0.1), frames)
    assert times(memory) == ["0.000", "0.530", "1.000"]
    assert memory.counts["blurred"] == 1


def test_a_blurred_frame_with_nothing_sharp_near_is_kept():
    memory = walked(BufferConfig(patience_s=0.1), [at(0, 0.0), at(0.2, 0.5, BLURRED), at(0.4, 1.0)])
    assert times(memory) == ["0.000", "0.500", "1.000"]


def test_a_sharp_frame_too_late_does_not_replace():
    memory = walked(BufferConfig(patience_s=0.1), [at(0, 0.0), at(0.2, 0.5, BLURRED), at(0.22, 0.7)])
    assert times(memory) == ["0.000", "0.500"]


@given(st.lists(st.tuples(st.floats(0.0, 0.3), st.floats(0.01, 1.0)), max_size=60), st.integers(1, 12))
def test_bytes_are_bounded_exactly_and_time_stays_in_order(steps, room_for):
    memory = KeyframeBuffer(BufferConfig(max_bytes=room_for * NBYTES, patience_s=0.05))
    x, t = 0.0, 0.0
    for dx, dt in steps:
        x, t = x + dx, t + dt
        memory.offer(at(x, t))
        held = memory.snapshot()
        assert memory.nbytes == sum(f.nbytes for f in held) <= room_for * NBYTES
        stamps = [f.stamp_ns for f in held]
        assert stamps == sorted(set(stamps))
    counts = memory.counts
    assert counts["kept"] + counts["similar"] + counts["blurred"] + counts["stale"] + (
        memory._candidate is not None
    ) == len(steps)
    assert len(memory) == counts["kept"] - counts["evicted"] + (memory._candidate is not None)


def test_the_oldest_leave_and_it_is_said(caplog):
    with caplog.at_level(logging.WARNING):
        memory = walked(BufferConfig(max_bytes=3 * NBYTES, patience_s=0.0), [at(0.2 * i, i) for i in range(10)])
    assert times(memory) == ["7.000", "8.000", "9.000"]
    assert memory.counts["evicted"] == 7
    assert [r for r in caplog.messages if "memory is full" in r] == caplog.messages[:1]


def test_a_later_frame_cannot_change_a_snapshot():
    memory = walked(BufferConfig(max_bytes=2 * NBYTES), [at(0, 0), at(0.2, 1)])
    before = memory.snapshot()
    pixels = [f.color.copy() for f in before]
    for i in range(2, 9):
        memory.offer(at(0.2 * i, i, BLURRED))
    assert [f.frame_id for f in before] == ["0.000", "1.000"]
    assert all((f.color == p).all() for f, p in zip(before, pixels, strict=True))
    with pytest.raises(ValueError, match="read-only"):
        before[0].color[0, 0] = 0


def test_a_stamp_that_goes_back_a_little_is_dropped_and_counted():
    memory = walked(BufferConfig(), [at(0, 1.0), at(0.5, 0.9), at(0.9, 2.0)])
    assert times(memory) == ["1.000", "2.000"]
    assert memory.counts["stale"] == 1


def test_a_bag_loop_starts_a_new_memory_and_says_so(caplog):
    with caplog.at_level(logging.WARNING):
        memory = walked(BufferConfig(), [at(0.2 * i, i) for i in range(5)] + [at(0, 0.5), at(0.3, 1.5)])
    assert times(memory) == ["0.500", "1.500"]
    assert memory.counts["reset"] == 1 and "went back" in caplog.text


def test_what_may_still_be_replaced_is_not_shown_to_an_operator():
    memory = walked(BufferConfig(patience_s=0.1), [at(0, 0.0)])
    assert memory.newest_kept() is None and len(memory) == 1
    memory.offer(at(0.2, 0.5, BLURRED))
    assert memory.newest_kept().frame_id == "0.000"
    memory.offer(at(0.21, 0.55))
    memory.offer(at(0.4, 1.0))
    assert memory.newest_kept().frame_id == "0.550"


def test_a_frame_larger_than_the_memory_is_refused():
    memory = KeyframeBuffer(BufferConfig(max_bytes=NBYTES - 1))
    with pytest.raises(BadInput, match=r"max_bytes"):
        memory.offer(at(0, 0))
    assert len(memory) == 0


def test_nothing_is_asked_of_a_frame_that_nobody_wants():
    memory = walked(BufferConfig(), [at(0, 0.0), at(0.0, 0.2), at(0, 0.4)])
    assert not memory.wants(at(0, 0.6).stamp_ns, np.eye(4))


def test_sharpness_falls_with_blur():
    import cv2

    levels = [sharpness(cv2.GaussianBlur(SHARP, (0, 0), s) if s else SHARP) for s in (0, 1, 2, 4)]
    assert levels == sorted(levels, reverse=True) and levels[0] > 2 * levels[2]
