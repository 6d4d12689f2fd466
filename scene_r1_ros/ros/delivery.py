# SPDX-License-Identifier: Apache-2.0
"""Handing matched messages to callbacks, so that a slow or failing one blocks nobody."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

log = logging.getLogger(__name__)


class Delivery:
    """Thread-safe. Callbacks are called one at a time and in order, without any lock held.

    Args:
        name: of what is delivered, for the log.
        size: sets that wait for a slow callback; beyond, the oldest is lost.
        count: is told what became of a set: "lost to a slow callback" or "callback failed".
    """

    def __init__(self, name: str, size: int, count: Callable[[str], None]):
        self.name, self.size, self._count = name, size, count
        self._callbacks: list[tuple[Callable, tuple]] = []
        self._ready: deque[tuple] = deque()
        self._delivering = False
        self._lock = threading.Lock()

    def register(self, callback: Callable, args: tuple) -> int:
        self._callbacks.append((callback, args))
        return len(self._callbacks) - 1

    def put(self, messages: tuple) -> None:
        """Have a set delivered by the next ``run``, here or in the thread that delivers already."""
        with self._lock:
            self._ready.append(messages)
            if len(self._ready) > self.size:  # a callback slower than the camera: the newest win
                self._ready.popleft()
                self._count("lost to a slow callback")

    def run(self) -> None:
        """Hand out what is ready. One thread at a time does, so that order holds; the others leave theirs to it."""
        while True:
            with self._lock:
                if self._delivering or not self._ready:
                    return
                self._delivering = True
                messages = self._ready.popleft()
            try:
                self._call(messages)
            finally:
                self._delivering = False

    def _call(self, messages: tuple[Any, ...]) -> None:
        for callback, args in self._callbacks:
            try:
                callback(*messages, *args)
            except Exception:  # a fault of one callback must not end the stream for all
                self._count("callback failed")
                log.exception("the callback of %s failed; the next set is delivered all the same", self.name)
