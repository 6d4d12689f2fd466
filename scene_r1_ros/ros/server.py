# SPDX-License-Identifier: Apache-2.0
"""The node ``scene_r1``: the robot's video memory, and the actions that ask it.

One thread runs the executor, one runs the query: images are taken, and cancel requests heard, while a model thinks.
"""

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from scene_r1_ros.action import Ask, Ground
from scene_r1_ros.answer import Answer
from scene_r1_ros.config import Config, setting
from scene_r1_ros.errors import BadBox, NoKeyframes
from scene_r1_ros.memory.buffer import KeyframeBuffer
from scene_r1_ros.reasoning.foresight import read_ahead
from scene_r1_ros.reasoning.operator_box import OperatorBox
from scene_r1_ros.reasoning.protocol import Foresighted, Model
from scene_r1_ros.report.save import save_answer
from scene_r1_ros.ros import messages, process
from scene_r1_ros.ros.goals import POLICIES, Goals
from scene_r1_ros.ros.intake import Intake, IntakeConfig
from scene_r1_ros.ros.mind import Mind
from scene_r1_ros.ros.outputs import Outputs
from scene_r1_ros.ros.parameters import declare
from scene_r1_ros.ros.results import FeedbackSender, end, result_of
from scene_r1_ros.run import Run
from scene_r1_ros.scene_r1 import SceneR1, failed
from scene_r1_ros.text import clean_text
from scene_r1_ros.tracking import load_tracker
from scene_r1_ros.types import Frame

WATCHDOG_PERIOD_S = 5.0
KEYFRAME_PERIOD_S = 0.5  # an operator's screen shows the newest keyframe this often
RESULT_TIMEOUT_S = 300  # how long a result can be fetched; clients that call later find nothing
BOX_STAMP_TOLERANCE_NS = 1_000_000  # stamps that went through a float are off by less
REPORT = re.compile(r"(\d{4,})-.*")  # name of an answer's folder


@dataclass(frozen=True)
class ServerConfig:
    action_name: str = setting("scene_r1", "the actions are <action_name>/ground and <action_name>/ask")
    goal_policy: str = setting("queue", "what happens to a goal while another runs", choices=POLICIES)
    report_dir: str = setting("", "folder that keeps each answer as files; empty: none is kept")


class SceneR1Node(Node):
    """Helpers that receive the node do the work: Intake fills the memory, Goals run the queries, Outputs publish."""

    def __init__(self, **node_options: Any):
        super().__init__("scene_r1", **node_options)
        self.config = declare(self, Config())
        self.settings = declare(self, ServerConfig())
        self.memory = KeyframeBuffer(self.config.buffer)
        self.intake = Intake(self, self.memory, declare(self, IntakeConfig(), "intake"))
        self.outputs = Outputs(self)
        self.goals = Goals(self, self.settings.goal_policy)
        self._mind = Mind(self.config.model, self.get_logger())
        self._tracker = load_tracker(self.config)
        self._runs: dict[bytes, Run] = {}
        self._seen = False  # keyframes, at the last look
        self._read: Frame | None = None  # the newest keyframe that the model has read ahead of any goal
        self._count = reports_in(self.settings.report_dir)
        self._servers = [self._action(Ground, "ground", self._ground), self._action(Ask, "ask", self._ask)]
        wall = Clock(clock_type=ClockType.STEADY_TIME)  # the ROS time of a bag jumps, and stands still between plays
        self.create_timer(WATCHDOG_PERIOD_S, self._watch, clock=wall)
        self.create_timer(KEYFRAME_PERIOD_S, self._show_keyframe, clock=wall)
        self.create_timer(KEYFRAME_PERIOD_S, self._read_ahead, clock=wall)
        ready = f"ready: model {self.config.model.kind}, tracker {self.config.tracker.kind}"
        self._mind.when_ready(lambda: self.get_logger().info(ready))

    def _action(self, kind: Any, name: str, work: Callable) -> ActionServer:
        return ActionServer(
            self, kind, f"{self.settings.action_name}/{name}", partial(self._execute, kind, work),
            goal_callback=self._on_goal, cancel_callback=self._on_cancel, result_timeout=RESULT_TIMEOUT_S,
        )  # fmt: skip

    def _on_goal(self, _: Any) -> GoalResponse:
        if self.goals.admit():
            return GoalResponse.ACCEPT
        self.get_logger().warning(f"goal rejected: another runs (goal_policy: {self.settings.goal_policy})")
        return GoalResponse.REJECT

    def _on_cancel(self, goal: ServerGoalHandle) -> CancelResponse:
        run = self._runs.get(key_of(goal))
        if run is not None:
            run.cancel()
        return CancelResponse.ACCEPT

    async def _execute(self, kind: Any, work: Callable, goal: ServerGoalHandle) -> Any:
        """Answer a goal when its turn comes; the executor is free until then."""
        run = Run(messages.seconds_of(goal.request.timeout) or self.config.timeout_s, FeedbackSender(goal, kind))
        self._runs[key_of(goal)] = run
        if goal.is_cancel_requested:  # it may have been canceled before this line
            run.cancel()
        query = goal.request.query if kind is Ground else goal.request.question
        try:
            result = await self.goals.finish(run, partial(self._answer, kind, query, partial(work, goal.request), run))
        finally:
            del self._runs[key_of(goal)]
        end(goal, result.error_code)
        return result

    def _answer(self, kind: Any, query: str, work: Callable, run: Run) -> Any:
        """On the query thread: answer from the memory as it is now, show the answer, keep it as files if wanted."""
        frames, world_frame = self.memory.snapshot(), self.intake.world_frame
        self._count += 1
        query_id = f"{self._count:04d}-{slug(query)}"
        try:
            answer = work(frames, run)
            result = result_of(kind, answer, query_id, frames, world_frame)
        except Exception as error:  # a goal must never end without a reason
            answer = failed(query, error)
            result = result_of(kind, answer, query_id, frames, world_frame)
        self._log(answer, query_id, run)
        try:
            self.outputs.publish(answer, query_id, frames, world_frame, self.intake.camera_frame)
            self._keep(answer, frames, query_id)
        except Exception as error:
            self.get_logger().error(f"the answer {query_id} was not shown whole: {type(error).__name__}: {error}")
        return result

    def _log(self, answer: Answer, query_id: str, run: Run) -> None:
        told = f"{query_id}: {answer.status.replace('_', ' ')} after {run.elapsed_s:.1f} s"
        if answer.status == "error":
            self.get_logger().warning(f"{told}: {answer.error_code.name}: {clean_text(answer.error_msg)}")
        else:
            self.get_logger().info(told)

    def _ground(self, request: Ground.Goal, frames: Sequence[Frame], run: Run) -> Answer:
        return SceneR1(self._model(request, frames, run), self._tracker, self.config).ground(request.query, frames, run)

    def _ask(self, request: Ask.Goal, frames: Sequence[Frame], run: Run) -> Answer:
        return SceneR1(self._mind.get(run), self._tracker, self.config).ask(request.question, frames, run)

    def _model(self, request: Ground.Goal, frames: Sequence[Frame], run: Run) -> Model:
        """The operator's box where the goal has one, else the configured model."""
        if request.box.width == request.box.height == 0:
            return self._mind.get(run)
        frame = frame_at(messages.nanoseconds_of(request.box_stamp), frames)
        return OperatorBox(frame.frame_id, messages.box_of(request.box))

    def _keep(self, answer: Answer, frames: Sequence[Frame], query_id: str) -> None:
        if self.settings.report_dir:
            save_answer(answer, frames, Path(self.settings.report_dir) / query_id, self.config.lift)

    def _watch(self) -> None:
        kept = len(self.memory)
        if kept == 0:
            self.get_logger().warning(f"no keyframe yet: {self.intake.explain()}")
        elif not self._seen:
            self.get_logger().info(f"{kept} keyframes, the memory fills: {self.intake.explain()}")
        self._seen = kept > 0

    def _show_keyframe(self) -> None:
        newest = self.memory.newest_kept()
        if newest is not None:
            self.outputs.publish_keyframe(newest, self.intake.camera_frame)

    def _read_ahead(self) -> None:
        """While no goal is there, let the model read what is new, so that the next goal finds it read."""
        newest, model = self.memory.newest_kept(), self._mind.loaded
        if newest is None or newest is self._read or not isinstance(model, Foresighted):
            return

        def read(run: Run) -> None:
            first, self._read = self._read is None, newest  # also where it fails: the next keyframe is another chance
            read_ahead(model, [f for f in self.memory.snapshot() if f.stamp_ns <= newest.stamp_ns], run.should_stop)
            if run.should_stop():
                self._read = None
            elif first:
                self.get_logger().info("the model reads ahead: what it has seen so far is known to the next query")

        self.goals.when_idle(read)

    def destroy_node(self) -> None:
        self.goals.shutdown()
        super().destroy_node()


def reports_in(folder: str) -> int:
    """The highest number of the answers in a folder, so that a restarted server overwrites none."""
    found = [REPORT.fullmatch(path.name) for path in Path(folder).glob("*-*")] if folder else []
    return max((int(match[1]) for match in found if match), default=0)


def frame_at(stamp_ns: int, frames: Sequence[Frame]) -> Frame:
    """The keyframe with a stamp, the newest where the stamp is zero."""
    if not frames:
        raise NoKeyframes("a box was drawn, but there are no keyframes yet; wait until images and poses arrive")
    if stamp_ns == 0:
        return frames[-1]
    nearest = min(frames, key=lambda f: abs(f.stamp_ns - stamp_ns))
    if abs(nearest.stamp_ns - stamp_ns) > BOX_STAMP_TOLERANCE_NS:
        raise BadBox(
            f"no keyframe has the box's stamp {stamp_ns / 1e9:.3f} s; the nearest is {nearest.stamp_ns / 1e9:.3f} s: "
            "draw the box in a picture of ~/keyframe, whose stamps are those of the memory"
        )
    return nearest


def key_of(goal: ServerGoalHandle) -> bytes:
    return bytes(goal.goal_id.uuid)


def slug(query: str) -> str:
    return re.sub(r"\W+", "-", query.lower(), flags=re.ASCII).strip("-")[:40] or "query"


def main(args: list[str] | None = None) -> int:
    return process.run(SceneR1Node, args)


if __name__ == "__main__":
    sys.exit(main())
