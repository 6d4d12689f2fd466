# SPDX-License-Identifier: Apache-2.0
"""What a keyframe costs: bytes held and seconds spent, beside the time of only copying its pixels."""

import time
from statistics import median

import numpy as np

from scene_r1_ros.config import BufferConfig
from scene_r1_ros.geometry.camera import PinholeCamera
from scene_r1_ros.memory.buffer import KeyframeBuffer
from scene_r1_ros.types import Frame, clean_depth

WIDTH, HEIGHT, N_FRAMES = 640, 480, 200


def bench_memory() -> dict[str, float]:
    """Offer 640x480 frames that are all kept, with millimetre depth as drivers send it.

    Returns:
        ``bytes_per_keyframe``, ``seconds_per_keyframe`` (made, judged and kept), ``seconds_to_copy`` (colour and depth,
        the least anyone could do who keeps a frame) and the ``ratio`` of the two.
    """
    random = np.random.default_rng(0)
    color = random.integers(0, 255, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    depth_mm = random.integers(400, 5000, (HEIGHT, WIDTH)).astype(np.uint16)
    memory = KeyframeBuffer(BufferConfig(max_bytes=2**30, min_translation_m=0.0, patience_s=0.0))
    kept_s, copied_s = [], []
    for i in range(N_FRAMES):
        kept_s.append(seconds(lambda i=i: memory.offer(frame(i, color, depth_mm))))
        copied_s.append(seconds(lambda: (color.copy(), depth_mm.copy())))
    return {
        "keyframes": len(memory),
        "bytes_per_keyframe": memory.nbytes / len(memory),
        "seconds_per_keyframe": median(kept_s),
        "seconds_to_copy": median(copied_s),
        "ratio": median(kept_s) / median(copied_s),
    }


def frame(index: int, color: np.ndarray, depth_mm: np.ndarray) -> Frame:
    T_world_camera = np.eye(4)
    T_world_camera[0, 3] = 0.2 * index
    camera = PinholeCamera(WIDTH, HEIGHT, 525.0, 525.0, 319.5, 239.5)
    depth_m = clean_depth(depth_mm, 0.001)
    return Frame(f"{index}", (index + 1) * 33_000_000, color, depth_m, camera, T_world_camera)


def seconds(work) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
