# SPDX-License-Identifier: Apache-2.0
"""The command line ``scene-r1`` as a process of its own, as a user starts it."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

SEVERAL = """
import contextlib, io, json, logging, sys
from scene_r1_ros.cli import main
for words in json.loads(sys.argv[1]):
    sys.argv, said, code = ["scene-r1", *words], io.StringIO(), 0
    logging.basicConfig(level=logging.DEBUG, stream=said, force=True)
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            main()
        except SystemExit as left:
            code = left.code
    print(json.dumps([code, said.getvalue()]))
"""


def scene_r1(*words, **environment: str) -> tuple[int, str]:
    """The exit code, and all that was printed."""
    done = _run(["-m", "scene_r1_ros.cli", *map(str, words)], environment)
    return done.returncode, done.stdout + done.stderr


def several(*commands, **environment: str) -> list[tuple[int, str]]:
    """The same of one command after the other, in one process, which is much quicker; with all that is logged, too."""
    done = _run(["-c", SEVERAL, json.dumps([[str(word) for word in words] for words in commands])], environment)
    assert done.returncode == 0, done.stderr
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


def _run(words: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "COLUMNS": "500", "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, env=env, timeout=100, check=False)
