# SPDX-License-Identifier: Apache-2.0
"""What the ROS input side costs: the intake against a bare subscriber of the same stream, and the synchroniser.

Needs no ROS to be imported; ``bench_intake`` starts processes that do.

A ratio below 1 is possible: a subscriber that drops every image at once has glibc give the memory back and fault it in
again for the next (0.95 s for 6 s of stream; 0.6 s with MALLOC_TRIM_THRESHOLD_ and MALLOC_MMAP_THRESHOLD_ at 256 MB),
while the intake holds some images and spares that (0.95 s, 0.9 s with those settings).
"""

import json
import os
import subprocess
import sys
import time
from statistics import median
from types import SimpleNamespace
from typing import Any

from scene_r1_ros.errors import SceneR1Error
from scene_r1_ros.ros import transport
from scene_r1_ros.ros.synchronizer import NearestSynchronizer

IMAGE_TOPICS = ("rgb/image", "depth/image")
LIMIT_S = 60.0  # beyond the stream's own length: a process that takes longer is stuck


def bench_intake(seconds: float = 10.0, hz: float = 30.0, repeats: int = 3) -> dict[str, Any]:
    """Stream 640x480 colour and depth from one process to another: a bare rclpy subscriber, then the intake, by turns.

    Returns:
        The runs, and over them: ``bare_cpu_s`` and ``intake_cpu_s`` (median CPU seconds of the receiving process for
        the whole stream), ``ratio`` of the two, ``intake_fps`` (whole frames per second, the slowest run), ``lost``
        (images that did not arrive, all runs of both) and ``incomplete`` (pairs the intake got but could not use).

    Raises:
        SceneR1Error: a process failed, with what it said.
    """
    runs = [_stream(role, seconds, hz) for _ in range(repeats) for role in ("bare", "intake")]
    bare, intake = ([run for run in runs if run["role"] == role] for role in ("bare", "intake"))
    bare_cpu_s, intake_cpu_s = (median(run["cpu_s"] for run in some) for some in (bare, intake))
    return {
        "stream": {"width": 640, "height": 480, "hz": hz, "seconds": seconds},
        "bare_cpu_s": bare_cpu_s,
        "intake_cpu_s": intake_cpu_s,
        "ratio": intake_cpu_s / bare_cpu_s,
        "intake_fps": min(run["frames"] for run in intake) / seconds,
        "lost": sum(run["lost"] for run in runs),
        "incomplete": sum(min(run["received"][t] for t in IMAGE_TOPICS) - run["frames"] for run in intake),
        "runs": runs,
    }


def _stream(role: str, seconds: float, hz: float) -> dict[str, Any]:
    """One stream into one receiving process, in a namespace of their own."""
    command = [sys.executable, "-m", "scene_r1_ros.ros.bench"]
    options = ["--hz", str(hz), "--seconds", str(seconds), "--ros-args", "-r", f"__ns:=/bench_{os.getpid()}_{role}"]
    receiver = _start([*command, role, *options])
    try:
        assert receiver.stdout is not None
        if not receiver.stdout.readline():
            raise SceneR1Error(f"benchmark: {role} did not start: {receiver.communicate()[1]}")
        camera = _start([*command, "camera", *options])
        try:
            sent = _result("camera", camera, seconds)["sent"]
        finally:
            camera.kill()
        result = _result(role, receiver, seconds)
    finally:
        receiver.kill()
    lost = sum(sent - result["received"][topic] for topic in IMAGE_TOPICS)
    return {"role": role, "sent": sent, "lost": lost, **result}


def _start(command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        command, env=transport.local(1 + os.getpid() % 100), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def _result(role: str, process: subprocess.Popen[str], seconds: float) -> dict[str, Any]:
    """The line of JSON a process ends with; closing its stdin makes a receiver end."""
    said, complaints = process.communicate(timeout=seconds + LIMIT_S)
    if not said:
        raise SceneR1Error(f"benchmark: {role} ended without a result: {complaints}")
    return json.loads(said.splitlines()[-1])


def bench_sync(messages: int = 20_000) -> dict[str, Any]:
    """Microseconds per message of the synchroniser, for 2 and 3 inputs and queues of 10, 30 and 100.

    Two streams each: ``match``, where every message finds its partner 1 ms apart, and ``no_match``, where the inputs
    are half a period apart and the slop is too small, which fills the queues of other synchronisers.
    """
    return {
        f"{inputs} inputs, queue {queue}": {
            "match_us": _sync_cost_us(inputs, queue, messages, apart_ms=1.0, slop_s=0.02),
            "no_match_us": _sync_cost_us(inputs, queue, messages, apart_ms=16.5, slop_s=0.005),
        }
        for inputs in (2, 3)
        for queue in (10, 30, 100)
    }


def _sync_cost_us(inputs: int, queue: int, messages: int, apart_ms: float, slop_s: float) -> float:
    sync = NearestSynchronizer([f"input {k}" for k in range(inputs)], queue, slop_s)
    sync.registerCallback(lambda *_: None)
    stream = [
        (_message(1_000_000_000 + frame * 33_000_000 + round(k * apart_ms * 1e6)), k)
        for frame in range(messages // inputs)
        for k in range(inputs)
    ]
    started_s = time.perf_counter()
    for message, index in stream:
        sync.add(message, index)
    return (time.perf_counter() - started_s) / len(stream) * 1e6


def _message(stamp_ns: int) -> SimpleNamespace:
    stamp = SimpleNamespace(sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9)
    return SimpleNamespace(header=SimpleNamespace(stamp=stamp))
