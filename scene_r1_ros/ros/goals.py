# SPDX-License-Identifier: Apache-2.0
"""One query at a time, on a thread of its own, so that images, cancel requests and other services never wait for it."""

import threading
from collections.abc import Callable
from concurrent.futures import Future as ThreadFuture
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from rclpy.node import Node
from rclpy.task import Future

from scene_r1_ros.run import Run

POLICIES = ("reject", "queue", "preempt")
MAX_WAITING = 8  # goals in the queue; more are rejected


class Goals:
    """Decides what happens to a goal while another runs: it is rejected, waits, or takes over."""

    def __init__(self, node: Node, policy: str):
        self.policy = policy
        self._node = node
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="query")
        self._runs: list[Run] = []
        self._spare: Run | None = None  # work of no goal, under way
        self._admitted = 0  # goals that were let in and have not ended, run or not
        self._lock = threading.Lock()

    def admit(self) -> bool:
        """Let a goal in, if there is room for it; every goal that is let in must be given to ``finish``."""
        with self._lock:
            room = self._admitted == 0 or (self.policy != "reject" and self._admitted <= MAX_WAITING)
            self._admitted += room
            return room

    async def finish(self, run: Run, work: Callable[[], Any]) -> Any:
        """Do ``work`` as soon as its turn comes; the node's executor is free meanwhile."""
        with self._lock:
            if self._spare:
                self._spare.cancel()
            if self.policy == "preempt":
                for older in self._runs:
                    older.cancel(preempted=True)
            self._runs.append(run)
        done = Future(executor=self._node.executor)
        self._pool.submit(work).add_done_callback(lambda finished: self._hand_over(finished, run, done))
        return await done

    def when_idle(self, work: Callable[[Run], None]) -> None:
        """Do ``work`` on the thread of the queries if no goal is there; the next goal cancels its run."""
        with self._lock:
            if self._admitted or self._spare:
                return
            spare = self._spare = Run()
        try:
            self._pool.submit(work, spare).add_done_callback(
                self._end_spare
            )  # it takes the lock, if all is done by now
        except RuntimeError:  # shutting down
            self._spare = None

    def _end_spare(self, finished: ThreadFuture) -> None:
        with self._lock:
            self._spare = None
        if not finished.cancelled() and (error := finished.exception()):
            self._node.get_logger().warning(f"reading ahead failed: {error}")

    def _hand_over(self, finished: ThreadFuture, run: Run, done: Future) -> None:
        with self._lock:
            self._runs.remove(run)
            self._admitted -= 1
        if finished.cancelled():  # shutting down: nobody waits any more
            return
        error = finished.exception()
        if error:
            done.set_exception(error)
        else:
            done.set_result(finished.result())
        if self._node.executor is not None:
            self._node.executor.wake()  # asleep, it would not notice a future that another thread has filled

    def shutdown(self) -> None:
        with self._lock:
            for run in (*self._runs, *([self._spare] if self._spare else [])):
                run.cancel()
        self._pool.shutdown(wait=True, cancel_futures=True)
