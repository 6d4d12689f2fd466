# SPDX-License-Identifier: Apache-2.0
"""What was refused, how often and why; said in the log at most every few seconds."""

import time
import traceback
from collections import Counter
from pathlib import Path

from rclpy.node import Node

from scene_r1_ros.errors import BadInput

LOG_PERIOD_S = 5.0  # a refusal is logged when it first comes and then at most this often


class Refusals:
    """Counts refusals by their reason and keeps the last message of each."""

    def __init__(self, node: Node):
        self.counts: Counter[str] = Counter()  # reason -> how many messages or frames
        self._node = node
        self._said: dict[str, str] = {}  # reason -> the last message
        self._logged_s: dict[str, float] = {}

    def add(self, reason: str, why: str | Exception) -> None:
        message = why if isinstance(why, str) else in_words(why)
        self.counts[reason] += 1
        self._said[reason] = message
        now_s = time.monotonic()
        if now_s - self._logged_s.get(reason, -LOG_PERIOD_S) >= LOG_PERIOD_S:
            self._logged_s[reason] = now_s
            self._node.get_logger().warning(f"{message} (refused so far: {self.counts[reason]} for '{reason}')")

    def explain(self) -> list[str]:
        """A line for each reason."""
        return [f"refused {n} for '{reason}', the last: {self._said[reason]}" for reason, n in self.counts.items()]


def in_words(error: Exception) -> str:
    """Our own errors speak for themselves; of any other its type is needed, and where it came from."""
    if isinstance(error, BadInput):
        return str(error)
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(place.filename).name}, line {place.lineno}"
    return f"{type(error).__name__}: {error} ({where}); a fault of this node: please report it"
