# SPDX-License-Identifier: Apache-2.0
"""Node ``replay``: a recorded RGB-D walk as camera topics, at its own rate or another.

    ros2 run scene_r1_ros replay --ros-args -p sequence:=path/to/folder_or_bag -p rate:=2.0

Publishes rgb/image, depth/image, rgb/camera_info, pose and /clock, and ends when the walk does, unless it loops.
"""

import queue
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rclpy
from geometry_msgs.msg import PoseStamped
from rclpy.duration import Duration
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.signals import SignalHandlerOptions
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image

from scene_r1_ros.config import setting
from scene_r1_ros.errors import BadInput
from scene_r1_ros.ros import qos
from scene_r1_ros.ros.frame_messages import FrameMessages, messages_of
from scene_r1_ros.ros.parameters import declare
from scene_r1_ros.ros.stamps import stamp_of
from scene_r1_ros.sequences.opening import open_sequence

DECODED_AHEAD = 8  # frames; a quarter of a second at 30 Hz
POLL_S = 0.02  # how often subscribers are counted and a stop is looked for
SETTLE_S = 1.0  # we know the subscribers a moment before they know us, and connections take their time
PROGRESS_S = 2.0
JOIN_S = 2.0  # a decoder that hangs is left behind
DRAIN = Duration(seconds=2)


@dataclass(frozen=True)
class ReplayConfig:
    sequence: str = setting(
        "", "folder or bag to play; ROS reads parameters as YAML, so quote a name like a number: 'sequence:=\"2024\"'"
    )
    rate: float = setting(1.0, "times its own speed", 0.01, 1000.0)
    loop: bool = setting(False, "start again at the end")
    stamps: str = setting("source", "stamp messages as recorded, or with the time now", choices=("source", "now"))
    clock: bool = setting(True, "publish the stamps as /clock, for nodes with use_sim_time")
    depth_encoding: str = setting("16UC1", "millimetres, or metres as floats", choices=("16UC1", "32FC1"))
    wait_for_subscribers: bool = setting(True, "begin when rgb/image, depth/image, rgb/camera_info and pose have one")
    camera_frame: str = setting("camera_color_optical_frame", "frame_id of the images")
    world_frame: str = setting("map", "frame_id of the poses")


class Replay(Node):
    """Publishes a sequence; ``play`` returns when it ends, or once ``stop`` is set.

    Raises:
        BadInput: a parameter or a sequence that cannot be used.
    """

    def __init__(self, **node_options: Any):
        super().__init__("replay", **node_options)
        self.config = declare(self, ReplayConfig())
        if not self.config.sequence:
            raise BadInput("parameter sequence is empty; give a folder or a bag: -p sequence:=PATH")
        self.sequence = open_sequence(Path(self.config.sequence))
        if self.config.stamps == "source":
            stamp_of(self.sequence.entries[-1].stamp_ns)  # the newest must fit, before anything is played
        self.stop = threading.Event()
        self._inputs = {
            name: self._publisher(kind, name)
            for name, kind in (("rgb/image", Image), ("depth/image", Image), ("rgb/camera_info", CameraInfo),
                               ("pose", PoseStamped))
        }  # fmt: skip
        self._clock_publisher = self._publisher(Clock, "/clock") if self.config.clock else None

    def _publisher(self, kind: type, name: str) -> Publisher:
        events = qos.publisher_events(self, self.resolve_topic_name(name))
        return self.create_publisher(
            kind, name, qos.reliable(), event_callbacks=events, qos_overriding_options=qos.overridable()
        )

    def play(self) -> int:
        """Play the sequence once, or for ever when it loops. Returns how many frames were sent."""
        if self.config.wait_for_subscribers:
            self._wait_for_subscribers()
        sent = 0
        while not self.stop.is_set():
            sent += self._play_once()
            if not self.config.loop:
                break
        self._drain()
        self.get_logger().info(f"played {sent} frames of {self.config.sequence}")
        return sent

    def _wait_for_subscribers(self) -> None:
        """A frame sent before discovery is a frame lost."""
        said_s = -PROGRESS_S
        while not self.stop.is_set():
            lonely = [name for name, publisher in self._inputs.items() if not publisher.get_subscription_count()]
            if not lonely:
                self.stop.wait(SETTLE_S)
                return
            if time.monotonic() - said_s >= PROGRESS_S:
                said_s = time.monotonic()
                self.get_logger().info(f"waiting for subscribers of {', '.join(lonely)} (wait_for_subscribers)")
            self.stop.wait(POLL_S)

    def _play_once(self) -> int:
        started_s, first_ns, said_s, sent = time.monotonic(), 0, time.monotonic(), 0
        for frame in self._decoded_ahead():
            first_ns = first_ns or frame.stamp_ns
            due_s = started_s + (frame.stamp_ns - first_ns) * 1e-9 / self.config.rate
            if self.stop.wait(max(due_s - time.monotonic(), 0.0)):
                break
            self._publish(frame)
            sent += 1
            if time.monotonic() - said_s >= PROGRESS_S:
                said_s = time.monotonic()
                self.get_logger().info(f"{sent} of {len(self.sequence)} frames")
        return sent

    def _decoded_ahead(self) -> Iterator[FrameMessages]:
        """The frames as messages, decoded by a thread so that none is late.

        Raises:
            Exception: whatever ended the decoding; BadInput where the sequence cannot be read on.
        """
        ready: queue.Queue[FrameMessages | Exception | None] = queue.Queue(DECODED_AHEAD)
        finished = threading.Event()
        thread = threading.Thread(target=self._decode, args=(ready, finished), name="decode", daemon=True)
        thread.start()
        try:
            while not self.stop.is_set():
                try:
                    item = ready.get(timeout=POLL_S)
                except queue.Empty:
                    continue
                if item is None:
                    return
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            finished.set()
            thread.join(JOIN_S)

    def _decode(self, ready: queue.Queue, finished: threading.Event) -> None:
        last: Exception | None = None
        try:
            for frame in self.sequence:
                config = self.config
                sent = messages_of(frame, config.camera_frame, config.world_frame, config.depth_encoding)
                if not put(ready, sent, finished):
                    return
        except Exception as error:  # it belongs to the thread that plays, which would wait for ever
            last = error
        put(ready, last, finished)

    def _publish(self, frame: FrameMessages) -> None:
        """Pose and calibration go first, so that the images need not wait for them."""
        ns = frame.stamp_ns if self.config.stamps == "source" else time.time_ns()
        stamp = stamp_of(ns)
        frame.stamp(stamp)
        if self._clock_publisher:
            self._clock_publisher.publish(Clock(clock=stamp))
        self._inputs["pose"].publish(frame.pose)
        self._inputs["rgb/camera_info"].publish(frame.camera_info)
        self._inputs["rgb/image"].publish(frame.color)
        self._inputs["depth/image"].publish(frame.depth)

    def _drain(self) -> None:
        """Leave only when reliable subscribers have the last frames; nothing arrives from a node that is gone."""
        if not self.stop.is_set():
            for publisher in self._inputs.values():
                publisher.wait_for_all_acked(DRAIN)


def put(ready: queue.Queue, item: Any, finished: threading.Event) -> bool:
    """Wait for a free place; False if nobody takes anything any more."""
    while not finished.is_set():
        with suppress(queue.Full):
            ready.put(item, timeout=POLL_S)
            return True
    return False


def main(argv: list[str] | None = None) -> int:
    """Exit code 0 when the walk was played or interrupted, 2 when it cannot be."""
    rclpy.init(args=argv, signal_handler_options=SignalHandlerOptions.NO)
    try:
        node = Replay()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: node.stop.set())
        return play(node)
    except BadInput as error:
        print(f"replay: {error}", file=sys.stderr)
        return 2
    finally:
        rclpy.try_shutdown()


def play(node: Replay) -> int:
    """Play in this thread while another answers the graph: parameters, discovery, QoS events."""
    spinner = threading.Thread(target=spin, args=(node,), name="spin")
    spinner.start()
    try:
        node.play()
    finally:
        rclpy.try_shutdown()
        spinner.join()
        node.destroy_node()
    return 0


def spin(node: Node) -> None:
    with suppress(ExternalShutdownException):
        rclpy.spin(node)


if __name__ == "__main__":
    sys.exit(main())
