# SPDX-License-Identifier: Apache-2.0
"""``make demo``, as it is: two processes over DDS, three queries and a question, and what they leave."""

import json
import subprocess
import sys

FILES = ["answer.json", "object_0.ply", "overlay.png", "scene.png"]


def test_the_demo_finds_everything_and_leaves_its_files(tmp_path):
    command = [sys.executable, "-m", "scene_r1_ros.cli", "demo", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    log = tmp_path / "server.log"
    assert done.returncode == 0, done.stdout + done.stderr + (log.read_text(encoding="utf-8") if log.exists() else "")
    answers = sorted(path for path in tmp_path.iterdir() if path.name.startswith("000"))
    assert len(answers) == 4
    for folder in answers[:3]:
        assert sorted(path.name for path in folder.iterdir()) == FILES
    assert json.loads((answers[3] / "answer.json").read_text(encoding="utf-8"))["answer"] == "3"
    ious = [row["iou"] for row in json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))]
    assert ious[3] is None and min(ious[:3]) > 0.5
