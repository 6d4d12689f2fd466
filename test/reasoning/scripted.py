# SPDX-License-Identifier: Apache-2.0
"""Frames without a camera, and a mind that says what the test wants."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from scene_r1_ros.geometry.camera import PinholeCamera
from scene_r1_ros.reasoning.protocol import ModelSpec, Reply, Request
from scene_r1_ros.run import Run
from scene_r1_ros.types import Frame

FIRST_NS = 1_700_000_000_000_000_000
SPEC = ModelSpec("scripted", "pixel", max_frames=8, image_frames=3, max_pixels=200_000, max_new_tokens=64)


def make_frame(time_s: float = 0.0, wh: tuple[int, int] = (64, 48), color: np.ndarray | None = None) -> Frame:
    """A frame of one grey, or of the given (H, W, 3) uint8 colours; its id is its time in milliseconds."""
    if color is None:
        color = np.full((wh[1], wh[0], 3), 127, np.uint8)
    height, width = color.shape[:2]
    camera = PinholeCamera(width, height, 50.0, 50.0, width / 2 - 0.5, height / 2 - 0.5)
    stamp_ns = FIRST_NS + round(time_s * 1e9)
    depth_m = np.ones((height, width), np.float32)
    return Frame(f"{round(time_s * 1000):06d}", stamp_ns, color, depth_m, camera, np.eye(4))


class Scripted:
    """Replies with the given texts, one after the other, and keeps what it was asked."""

    def __init__(self, *texts: str, seen_wh: tuple[int, int] | None = None, **spec):
        self.spec = replace(SPEC, **spec)
        self.texts = list(texts)
        self.seen_wh = seen_wh
        self.requests: list[Request] = []

    def reply(self, request: Request, on_text: Callable[[str], None], should_stop: Callable[[], bool]) -> Reply:
        self.requests.append(request)
        text = self.texts.pop(0)
        on_text(text)
        return Reply(text, tuple(self.seen_wh or (f.camera.width, f.camera.height) for f in request.frames))


class Eyes:
    """Sees an object in a stretch of time, and says when from what it is really shown."""

    def __init__(self, first_s: float, last_s: float, **spec):
        self.spec = replace(SPEC, **{"max_frames": 32, **spec})
        self.first_s, self.last_s = first_s, last_s
        self.requests: list[Request] = []

    def reply(self, request: Request, on_text: Callable[[str], None], should_stop: Callable[[], bool]) -> Reply:
        self.requests.append(request)
        seen = [time_s for time_s in request.times_s if self.first_s <= round(time_s, 2) <= self.last_s]
        answer = f"{seen[0]:.2f}s to {seen[-1]:.2f}s" if seen else "not present"
        return Reply(f"<think>I look.</think><answer>{answer}</answer>", ((64, 48),) * len(request.frames))


def late_at(stage: str) -> Run:
    """A query whose time is up as soon as a stage begins or tells of itself."""
    run = Run(timeout_s=30.0)

    def late(progress):
        if progress.stage == stage:
            run.timeout_s = 0.0

    run.on_progress = late
    return run
