# SPDX-License-Identifier: Apache-2.0
"""A plain Python face of the two actions, in the style of nav2's BasicNavigator.

client = SceneR1Client()
client.wait_until_ready()
client.ground("the red mug left of the sink")
while not client.is_task_complete():
    print(client.get_feedback())
outcome = client.get_result()
if outcome.found:
    points, colors = client.points(outcome.objects[0])
"""

import time
from typing import Any

from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.task import Future

from scene_r1_ros.action import Ask, Ground
from scene_r1_ros.errors import SceneR1Error
from scene_r1_ros.ros.messages import cloud_to_arrays, duration_of, region_of, stamp_of
from scene_r1_ros.types import Box2D

NO_TASK = "no task was started; call ground() or ask() first"


class GoalRejected(SceneR1Error):
    """The server is busy and its ``goal_policy`` is to reject."""


class Outcome:
    """A result with its verdict; every field of the action's result is an attribute."""

    def __init__(self, status: int, result: Any):
        self.succeeded = status == GoalStatus.STATUS_SUCCEEDED
        self.found = self.succeeded and bool(getattr(result, "objects", None))
        self.canceled = status == GoalStatus.STATUS_CANCELED
        self._result = result

    def __getattr__(self, name: str) -> Any:
        return getattr(self._result, name)


class SceneR1Client(Node):
    """One task at a time, like a navigator: start it, poll it, take its result.

    Args:
        action_name: what the server's parameter ``action_name`` says.
    """

    def __init__(self, node_name: str = "scene_r1_client", action_name: str = "scene_r1", **node_options: Any):
        super().__init__(node_name, **node_options)
        self._ground = ActionClient(self, Ground, f"{action_name}/ground")
        self._ask = ActionClient(self, Ask, f"{action_name}/ask")
        self._goal: Any = None
        self._result: Future | None = None
        self._server = self._ground  # of the task under way
        self._feedback: Any = None
        self._spinner = SingleThreadedExecutor(context=self.context)  # its own: the caller's keeps spinning untouched
        self._spinner.add_node(self)

    def wait_until_ready(self, timeout_s: float = 30.0) -> None:
        """Wait for the server.

        Raises:
            TimeoutError: there is none after ``timeout_s``.
        """
        deadline = time.monotonic() + timeout_s
        for client in (self._ground, self._ask):
            if not client.wait_for_server(timeout_sec=max(deadline - time.monotonic(), 0.0)):
                raise TimeoutError(
                    f"no scene_r1 server after {timeout_s:.0f} s on {client._action_name!r}: is it running, in this "
                    "namespace and ROS_DOMAIN_ID, with this action_name?"
                )

    def ground(self, query: str, box: Box2D | None = None, box_stamp_ns: int = 0, timeout_s: float = 0.0) -> None:
        """Ask where something is. ``box`` (pixels of the image stamped ``box_stamp_ns``, 0 = newest keyframe) grounds
        without a language model.

        Raises:
            GoalRejected: the server is busy.
        """
        goal = Ground.Goal(query=query, timeout=duration_of(timeout_s))
        if box is not None:
            goal.box, goal.box_stamp = region_of(box), stamp_of(box_stamp_ns)
        self._start(self._ground, goal)

    def ask(self, question: str, timeout_s: float = 0.0) -> None:
        """Ask a question about the scene.

        Raises:
            GoalRejected: the server is busy.
        """
        self._start(self._ask, Ask.Goal(question=question, timeout=duration_of(timeout_s)))

    def is_task_complete(self, wait_s: float = 0.1) -> bool:
        """Whether the result is there; spins for at most ``wait_s``.

        Raises:
            ConnectionError: the server has gone away.
        """
        self._spinner.spin_until_future_complete(self._task, timeout_sec=wait_s)
        return self._task.done() or not self._check_server()

    def get_feedback(self) -> Any:
        """The newest feedback, None before the first."""
        return self._feedback

    def get_result(self) -> Outcome:
        """Wait for the task to end and return what came of it.

        Raises:
            ConnectionError: the server has gone away.
        """
        response = self._await(self._task)
        return Outcome(response.status, response.result)

    def destroy_node(self) -> None:
        self._spinner.shutdown()
        super().destroy_node()

    def cancel_task(self) -> None:
        """Ask the server to stop; ``get_result`` then tells whether it was in time."""
        if self._goal is None:
            raise RuntimeError(NO_TASK)
        self._await(self._goal.cancel_goal_async())

    @staticmethod
    def points(found: Any) -> tuple:
        """The 3D mask of an object: (N, 3) points in its header's frame, metres, and (N, 3) RGB."""
        return cloud_to_arrays(found.mask)

    @property
    def _task(self) -> Future:
        if self._result is None:
            raise RuntimeError(NO_TASK)
        return self._result

    def _await(self, future: Future) -> Any:
        """The result of a future; a server that has died never fills it, which the graph tells after a while."""
        while not future.done():
            self._spinner.spin_until_future_complete(future, timeout_sec=1.0)
            if not future.done():
                self._check_server()
        return future.result()

    def _check_server(self) -> bool:
        if not self._server.server_is_ready():
            raise ConnectionError("the scene_r1 server has gone away; start it again and repeat the query")
        return True

    def _start(self, client: ActionClient, goal: Any) -> None:
        self._feedback, self._result, self._server = None, None, client
        self._goal = self._await(client.send_goal_async(goal, feedback_callback=self._hear))
        if not self._goal.accepted:
            raise GoalRejected("the server runs another goal and rejects new ones (its parameter goal_policy: reject)")
        self._result = self._goal.get_result_async()

    def _hear(self, message: Any) -> None:
        self._feedback = message.feedback
