# SPDX-License-Identifier: Apache-2.0
"""An intake with its memory in a process of its own. Each line on stdin is answered by a line of JSON about both."""

import json
import os
import sys
import threading

import rclpy
from rclpy.node import Node

from scene_r1_ros.config import BufferConfig
from scene_r1_ros.memory.buffer import KeyframeBuffer
from scene_r1_ros.ros.intake import Intake, IntakeConfig
from scene_r1_ros.ros.parameters import declare


class FailsOnce(KeyframeBuffer):
    """A memory with a fault that nobody expected."""

    failed = False

    def add(self, frame):
        if not self.failed:
            self.failed = True
            raise RuntimeError("a fault of the test")
        super().add(frame)


def report(intake: Intake) -> dict:
    kept = intake.buffer.snapshot()
    return {
        "frames": intake.frames,
        "refused": dict(intake.refusals.counts),
        "sync": {f"{name} {what}": n for (name, what), n in intake._sync.counts.items()},
        "memory": dict(intake.buffer.counts),
        "waiting": len(intake._waiting),
        "explain": intake.explain(),
        "world_frame": intake.world_frame,
        "camera_frame": intake.camera_frame,
        "kept": [
            {
                "frame_id": f.frame_id,
                "stamp_ns": f.stamp_ns,
                "color_mean": f.color.mean(axis=(0, 1)).tolist(),
                "depth_mean": float(f.depth_m.mean()),
                "camera": [f.camera.width, f.camera.height, f.camera.fx, f.camera.fy, f.camera.cx, f.camera.cy],
                "T_world_camera": f.T_world_camera.tolist(),
            }
            for f in kept
        ],
    }


def main() -> None:
    rclpy.init(args=sys.argv)
    node = Node("intake")
    everything = BufferConfig(min_translation_m=0.0, min_rotation_deg=0.0, patience_s=0.0)
    memory = FailsOnce if "FAIL_ONCE" in os.environ else KeyframeBuffer
    buffer = memory(declare(node, everything, "buffer"))
    intake = Intake(node, buffer, declare(node, IntakeConfig(), "intake"))
    threading.Thread(target=rclpy.spin, args=(node,), daemon=True).start()
    for _ in sys.stdin:
        print(json.dumps(report(intake)), flush=True)


if __name__ == "__main__":
    main()
