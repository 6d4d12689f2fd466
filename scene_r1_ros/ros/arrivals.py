# SPDX-License-Identifier: Apache-2.0
"""What arrives on a topic, and what a person should be told about it."""

import time
from collections import Counter, deque

from rclpy.node import Node

RECENT = 60  # arrivals that the rate is taken over
SILENT_S = 1.0


class Arrivals:
    """Counts the messages of one topic. ``name`` is relative, as in a remapping; ``topic`` is what it resolved to."""

    def __init__(self, node: Node, name: str, topic: str, lost: Counter[tuple[str, str]]):
        self.name, self.topic, self.count = name, topic, 0
        self._node, self._lost = node, lost
        self._recent: deque[float] = deque(maxlen=RECENT)  # monotonic seconds

    def note(self) -> None:
        self.count += 1
        self._recent.append(time.monotonic())

    def explain(self) -> str:
        """One line: how often it arrives, or why it may not."""
        publishers = self._node.count_publishers(self.topic)
        title = f"{self.name} ({self.topic}): " if self.name != self.topic.lstrip("/") else f"{self.name}: "
        trouble = "".join(f", {n} {what}" for (topic, what), n in self._lost.items() if topic == self.topic)
        return f"{title}{self._state(publishers)}, {publishers} publisher{'s' * (publishers != 1)}{trouble}"

    def _state(self, publishers: int) -> str:
        if not self.count and not publishers:
            return f"nobody publishes it; start the driver, remap {self.name}, or check ROS_DOMAIN_ID"
        if not self.count:
            return "nothing arrives though it is published; is the message type right, does the QoS fit?"
        silent_s = time.monotonic() - self._recent[-1]
        if silent_s > SILENT_S:
            return f"silent for {silent_s:.1f} s after {self.count} messages"
        span_s = self._recent[-1] - self._recent[0]
        return f"{(len(self._recent) - 1) / span_s:.1f} Hz" if span_s > 0 else f"{self.count} messages"
