# SPDX-License-Identifier: Apache-2.0
"""The processes of the intake benchmark: camera, bare subscriber, intake. ``evaluation.bench_ros`` runs them.

Each role prints a line of JSON when it is ready and another when it is done. Subscribers are done at the end of stdin.
"""

import argparse
import json
import resource
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import rclpy
from geometry_msgs.msg import PoseStamped
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image

from scene_r1_ros.config import BufferConfig
from scene_r1_ros.geometry.camera import PinholeCamera
from scene_r1_ros.memory.buffer import KeyframeBuffer
from scene_r1_ros.ros import qos
from scene_r1_ros.ros.frame_messages import FrameMessages, messages_of
from scene_r1_ros.ros.intake import Intake, IntakeConfig
from scene_r1_ros.ros.stamps import stamp_of
from scene_r1_ros.types import Frame

TOPICS = {"rgb/camera_info": CameraInfo, "pose": PoseStamped, "rgb/image": Image, "depth/image": Image}
START_NS = 10**9
SPEED_M_S = 0.3  # of the camera: a slow walk
CAMERA = PinholeCamera(640, 480, 525.0, 525.0, 319.5, 239.5)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("role", choices=("camera", "bare", "intake"))
    parser.add_argument("--seconds", type=float, default=10.0, help="camera: how long")
    parser.add_argument("--hz", type=float, default=30.0, help="camera: how often")
    args, ros_args = parser.parse_known_args(argv)
    rclpy.init(args=ros_args, signal_handler_options=rclpy.signals.SignalHandlerOptions.NO)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the benchmark ends us
    node = Node(f"bench_{args.role}")
    if args.role == "camera":
        report(**play(node, args.seconds, args.hz))
    else:
        listen(node, args.role)
    rclpy.try_shutdown()


def report(**values: object) -> None:
    print(json.dumps(values), flush=True)


def play(node: Node, seconds: float, hz: float) -> dict[str, int]:
    """Publish images at a steady rate, once everybody listens. The stamps count the frames."""
    publishers = {name: node.create_publisher(kind, name, qos.reliable()) for name, kind in TOPICS.items()}
    frames = recording()
    while not all(publisher.get_subscription_count() for publisher in publishers.values()):
        time.sleep(0.02)
    time.sleep(1.0)  # the other side knows us too by now
    count, started_s = round(seconds * hz), time.monotonic()
    for index in range(count):
        time.sleep(max(started_s + index / hz - time.monotonic(), 0.0))
        frame = frames[index % len(frames)]
        frame.stamp(stamp_of(START_NS + round(index * 1e9 / hz)))
        frame.pose.pose.position.x = SPEED_M_S * index / hz
        for name, msg in zip(TOPICS, (frame.camera_info, frame.pose, frame.color, frame.depth), strict=True):
            publishers[name].publish(msg)
    time.sleep(1.0)  # for the last of them to arrive
    return {"sent": count}


def recording() -> list[FrameMessages]:
    """A few frames of noise: what is in them costs nothing to a subscriber."""
    random = np.random.default_rng(0)
    shape = (CAMERA.height, CAMERA.width)
    return [
        messages_of(
            Frame(str(k), START_NS, random.integers(0, 256, (*shape, 3), np.uint8),
                  random.uniform(0.5, 4.0, shape).astype(np.float32), CAMERA, np.eye(4)),
            "camera", "map",
        )
        for k in range(4)
    ]  # fmt: skip


def listen(node: Node, role: str) -> None:
    """Receive until stdin ends, then tell what came and the CPU time it took."""
    seen: Counter[str] = Counter()
    intake = None
    if role == "bare":
        subscribe(node, seen)
    else:
        intake = Intake(node, KeyframeBuffer(BufferConfig()), IntakeConfig())
    spinner = threading.Thread(target=rclpy.spin, args=(node,), daemon=True)
    spinner.start()
    before = resource.getrusage(resource.RUSAGE_SELF)
    report(ready=True)
    sys.stdin.read()
    used = resource.getrusage(resource.RUSAGE_SELF)
    result: dict[str, object] = {"cpu_s": used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime}
    if intake is None:
        result |= {"received": seen}
    else:
        result |= {"received": {a.name: a.count for a in intake.arrivals}, "frames": intake.frames,
                   "keyframes": len(intake.buffer), "explain": intake.explain()}  # fmt: skip
    report(**result)


def subscribe(node: Node, seen: Counter[str]) -> None:
    """The least an rclpy node can do with these topics."""

    def count(name: str, _: Any) -> None:
        seen[name] += 1

    for name, kind in TOPICS.items():
        node.create_subscription(kind, name, partial(count, name), qos.sensor())


if __name__ == "__main__":
    main()
