# SPDX-License-Identifier: Apache-2.0
"""One query under way: its deadline, its cancel button, its clock, and who listens."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field
from typing import NamedTuple, get_args

from scene_r1_ros.answer import ReasoningStep, Stage, Usage
from scene_r1_ros.errors import Canceled, DeadlineExceeded, OutOfTokens, Preempted

STAGES: tuple[Stage, ...] = get_args(Stage)


@dataclass(frozen=True)
class Progress:
    """What a listener hears: the stage, how far the whole query is (0 to 1), and what the model said in this stage."""

    stage: Stage
    fraction: float
    partial_rationale: str
    elapsed_s: float


class Thought(NamedTuple):
    """What the model reasoned before an answer that could be read, in its own words."""

    stage: Stage
    text: str


def ignore(_: Progress) -> None:
    """The listener of a query that nobody listens to."""


@dataclass(eq=False)
class Run:
    """Handed through every stage of one query. ``cancel()`` may be called from any thread."""

    timeout_s: float = float("inf")
    on_progress: Callable[[Progress], None] = ignore
    timings_s: dict[str, float] = field(default_factory=dict)
    usage: dict[str, Usage] = field(default_factory=dict)
    thoughts: list[Thought] = field(default_factory=list)
    rationale: list[ReasoningStep] = field(default_factory=list)
    max_output_tokens: float = float("inf")  # that the model may write, over all its replies

    def __post_init__(self) -> None:
        self._started = time.monotonic()
        self._stopped: Canceled | None = None
        self._cancel = threading.Event()
        self._stage: Stage = "select"
        self._said = ""

    def cancel(self, preempted: bool = False) -> None:
        """Ask the query to stop; it does at its next check, which each stage makes often. The first reason counts."""
        if self._cancel.is_set():
            return
        self._stopped = Preempted("a newer goal took over") if preempted else Canceled("canceled by the caller")
        self._cancel.set()

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self._started

    def should_stop(self) -> bool:
        """True once canceled or late. For callbacks that cannot raise, such as a stopping criterion."""
        return self._cancel.is_set() or self.elapsed_s > self.timeout_s

    def check(self) -> None:
        """Raises Canceled, Preempted or DeadlineExceeded once the query should stop."""
        if self._cancel.is_set() and self._stopped:
            raise self._stopped
        if self.elapsed_s > self.timeout_s:
            raise DeadlineExceeded(
                f"no answer after {self.timeout_s:.1f} s, in stage '{self._stage}'; "
                "allow more time (timeout) or use a smaller model or fewer frames"
            )

    def check_tokens(self) -> None:
        """Raises OutOfTokens once the model has written all that it may for this query."""
        written = sum(spent.output_tokens for spent in self.usage.values())
        if written >= self.max_output_tokens:
            raise OutOfTokens(
                f"the model has written {written} tokens for this query, in stage '{self._stage}'; at most "
                f"{self.max_output_tokens} are allowed: allow more (model.max_output_tokens), or use a model that "
                "thinks in fewer words"
            )

    @contextmanager
    def stage(self, name: Stage) -> Iterator[None]:
        """Time a stage; a stage that is entered twice adds up."""
        self._stage, self._said = name, ""
        self.check()
        self.report()
        started = time.monotonic()
        try:
            yield
        finally:
            self.timings_s[name] = self.timings_s.get(name, 0.0) + time.monotonic() - started
        self.check()

    def say(self, text: str) -> None:
        """Stream a piece of the model's words to the listener."""
        self._said += text
        self.report()

    def count(self, spent: Usage) -> None:
        """Add what one call of the model took to the current stage."""
        before = self.usage.get(self._stage, Usage())
        self.usage[self._stage] = Usage(*(a + b for a, b in zip(astuple(before), astuple(spent), strict=True)))

    def think(self, text: str) -> None:
        """Keep what the model reasoned in the current stage."""
        self.thoughts.append(Thought(self._stage, text))

    def note(self, text: str, **evidence) -> None:
        """Add a step of the current stage to the rationale."""
        self.rationale.append(ReasoningStep(self._stage, text, **evidence))
        self.report()

    def report(self, done: float = 0.0) -> None:
        """Tell the listener how far it is; ``done`` is how much of the stage, 0 to 1, where a stage knows."""
        fraction = (STAGES.index(self._stage) + done) / len(STAGES)
        self.on_progress(Progress(self._stage, fraction, self._said, self.elapsed_s))
