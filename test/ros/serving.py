# SPDX-License-Identifier: Apache-2.0
"""What the tests of the server share: a walk around a block, and what a good model says of it."""

import json
from pathlib import Path

import yaml

from scene_r1_ros.ros.client import SceneR1Client
from scene_r1_ros.sequences import write_folder
from test.ros.processes import DEADLINE_S, wait_until
from test.scenes import clip, tight_box

FRAMES, TRUTHS = clip(8)


def write_walk(folder: Path) -> Path:
    """The walk as a folder ``room`` in ``folder``, and ``recorded.yaml`` beside it."""
    write_folder(folder / "room", FRAMES, "png")
    image = {}
    for truth in TRUTHS:
        said = json.dumps({"bbox_2d": tight_box(truth).xyxy, "label": "block"})
        image[str(truth.frame.stamp_ns)] = f"<think>It is red.</think><answer>{said}</answer>"
    answers = [
        {
            "query": "the red block",
            "temporal": "<think>It is there at 0.2 s.</think><answer>0s to 0.7s</answer>",
            "image": image,
        },
        {"query": "the blue ball", "temporal": "<think>Nowhere.</think><answer>not present</answer>", "image": {}},
        {"query": "how many blocks?", "answer": "<think>I count.</think><answer>1</answer>"},
        {"query": "where is the red block?", "answer": "<think>Seen at 0.30 s.</think><answer>here</answer>"},
    ]
    (folder / "recorded.yaml").write_text(yaml.safe_dump({"answers": answers}), encoding="utf-8")
    return folder / "room"


def spin_until(client: SceneR1Client, condition, what: str = "it did not come", deadline_s: float = DEADLINE_S) -> None:
    def spun():
        client._spinner.spin_once(timeout_sec=0.05)
        return condition()

    wait_until(spun, what, deadline_s)
