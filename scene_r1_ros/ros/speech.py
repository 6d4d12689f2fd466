# SPDX-License-Identifier: Apache-2.0
"""The node ``speech``: a spoken command becomes a goal, and what came of it becomes a sentence for a speaker.

Listens on ``spoken`` and talks on ``speech`` (both std_msgs/String): remap them to any speech recogniser and any
text-to-speech node. A newer command replaces one that is still being answered, unless goal_policy is reject.
"""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rclpy.action import ActionClient
from rclpy.node import Node
from std_msgs.msg import String

from scene_r1_ros.action import Ask, Ground
from scene_r1_ros.config import setting
from scene_r1_ros.ros import process
from scene_r1_ros.ros.parameters import declare

WATCH_PERIOD_S = 1.0
POLITE = r"^\W*(?:please\W+|(?:can|could|would|will) you\W+)*"
# What people say before the name of a thing that they want to be shown.
COMMAND = re.compile(
    POLITE + r"(?:find|show me|look for|locate|point (?:at|to)|where (?:is|are)|where's)\s+", re.IGNORECASE
)
QUESTION = re.compile(
    POLITE + r"(?:how|what|which|who|when|why|is|are|was|were|do|does|did|has|have|tell|say|see|count)\b|\?\s*$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class SpeechConfig:
    action_name: str = setting("scene_r1", "the actions are <action_name>/ground and <action_name>/ask")
    say_rationale: bool = setting(False, "say the whole reasoning, not only what came of it")


class SpeechNode(Node):
    """Never blocks: each command runs on callbacks."""

    def __init__(self, **node_options: Any):
        super().__init__("speech", **node_options)
        self.settings = declare(self, SpeechConfig())
        self._ground = ActionClient(self, Ground, f"{self.settings.action_name}/ground")
        self._ask = ActionClient(self, Ask, f"{self.settings.action_name}/ask")
        self._speaker = self.create_publisher(String, "speech", 10)
        self.create_subscription(String, "spoken", self._on_spoken, 10)
        self._goal: Any = None
        self._newest = 0
        self._pending = False  # a command waits for what comes of it
        self.create_timer(WATCH_PERIOD_S, self._watch)

    def _on_spoken(self, message: String) -> None:
        sentence = " ".join(message.data.split())
        if not sentence:
            return self._say("I heard nothing.")
        if not self._ground.server_is_ready():
            return self._say("I cannot look: the scene server is not running.")
        if self._goal is not None:
            self._goal.cancel_goal_async()
        self._newest, self._pending = self._newest + 1, True
        turn = self._newest
        if is_question(sentence):
            sent = self._ask.send_goal_async(Ask.Goal(question=sentence))
        else:
            sent = self._ground.send_goal_async(Ground.Goal(query=thing(sentence)))
        sent.add_done_callback(lambda future: self._on_accepted(future.result(), turn))

    def _on_accepted(self, goal: Any, turn: int) -> None:
        if turn != self._newest:  # a newer command came while this one was on its way
            if goal.accepted:
                goal.cancel_goal_async()
            return None
        if not goal.accepted:
            self._pending = False
            return self._say("I am busy with another request.")
        self._goal = goal
        goal.get_result_async().add_done_callback(lambda future: self._on_result(future.result().result, turn))

    def _on_result(self, result: Any, turn: int) -> None:
        """``result`` is empty, without an object or an answer, if the server ended without one."""
        if turn == self._newest:  # an older command has nothing more to say
            self._goal, self._pending = None, False
            self._say(spoken_result(result, self.settings.say_rationale))

    def _watch(self) -> None:
        """A server that has died answers nothing; the graph tells after a while."""
        if self._pending and not self._ground.server_is_ready():
            self._goal, self._pending, self._newest = None, False, self._newest + 1
            self._say("I cannot answer: the scene server has gone away.")

    def _say(self, sentence: str) -> None:
        self._speaker.publish(String(data=sentence))


def is_question(sentence: str) -> bool:
    """Whether a sentence wants words for an answer; "where is the mug?" wants the mug to be found."""
    return bool(QUESTION.search(sentence)) and not COMMAND.match(sentence)


def thing(sentence: str) -> str:
    """What a command names: "please find the red mug." -> "the red mug"."""
    return COMMAND.sub("", sentence).rstrip(" ?!.") or sentence


def spoken_result(result: Any, with_rationale: bool) -> str:
    """One or more sentences for a speaker."""
    steps = [step.text for step in result.rationale] if with_rationale else []
    if getattr(result, "answer", ""):
        verdict = result.answer
    elif getattr(result, "objects", []):
        verdict = found_sentence(result.objects)
    elif result.error_code == getattr(result, "NOT_FOUND", None):
        verdict = "I did not find it."
    else:
        verdict = f"That did not work: {result.error_msg or 'the server gave no reason.'}"
    return " ".join([*steps, verdict])


def found_sentence(objects: Sequence[Any]) -> str:
    places = [(found.label, found.pose.position) for found in objects]
    told = "; ".join(f"{label} at {p.x:.1f}, {p.y:.1f}, {p.z:.1f}" for label, p in places)
    count = f"{len(objects)}: " if len(objects) > 1 else ""
    return f"I found {count}{told} metres in {objects[0].header.frame_id}."


def main(args: list[str] | None = None) -> int:
    return process.run(SpeechNode, args)


if __name__ == "__main__":
    sys.exit(main())
