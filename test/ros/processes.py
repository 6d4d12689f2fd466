# SPDX-License-Identifier: Apache-2.0
"""Processes that a test starts, and waiting for what they do."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DEADLINE_S = 60.0  # until a test gives up waiting; a quick machine never notices


def wait_until(condition: Callable[[], Any], what: str, deadline_s: float = DEADLINE_S) -> Any:
    """What ``condition`` returns once it is true. Fails with ``what``, called if it can be, when it never is."""
    end_s = time.monotonic() + deadline_s
    while not (result := condition()):
        if time.monotonic() > end_s:
            pytest.fail(f"gave up after {deadline_s:.0f} s: {what() if callable(what) else what}")
        threading.Event().wait(0.02)
    return result


class Process:
    """A Python process of a test; ends with it."""

    def __init__(self, env: dict[str, str], *command: str):
        self._process = subprocess.Popen(
            [sys.executable, *command], env=env, cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self._said: list[str] = []
        self._reader = threading.Thread(target=lambda: self._said.extend(self._process.stderr), daemon=True)
        self._reader.start()

    @property
    def log(self) -> str:
        return "".join(self._said)

    def ask(self, question: str = "") -> dict[str, Any]:
        """Send a line and read the line of JSON that answers it."""
        self._process.stdin.write(question + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"the process ended: {self.log}"
        return json.loads(answer)

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def wait(self, timeout_s: float = DEADLINE_S) -> int:
        code = self._process.wait(timeout_s)
        self._reader.join(timeout_s)
        return code

    def kill(self) -> None:
        """As a crash would."""
        self._process.kill()
        self.wait()

    def end(self) -> None:
        """As Ctrl-C would: a node that is killed stays in the graph of the others for many seconds."""
        self._process.send_signal(signal.SIGINT)
        try:
            self.wait()
        except subprocess.TimeoutExpired:
            self._process.kill()
            self.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            pipe.close()
