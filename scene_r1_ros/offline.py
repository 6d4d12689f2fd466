# SPDX-License-Identifier: Apache-2.0
"""The whole system on a recorded sequence, without ROS: what ``scene-r1 ground``, ``ask`` and ``info`` do."""

import re
from collections.abc import Sequence as Many
from pathlib import Path

from rich.console import Console
from rich.progress import track

from scene_r1_ros.answer import Answer
from scene_r1_ros.config import Config
from scene_r1_ros.errors import BadBox, NoKeyframes
from scene_r1_ros.memory.buffer import KeyframeBuffer
from scene_r1_ros.reasoning.models import load_model
from scene_r1_ros.reasoning.operator_box import OperatorBox
from scene_r1_ros.report.terminal import Narrator
from scene_r1_ros.run import Run
from scene_r1_ros.scene_r1 import SceneR1, checked_query
from scene_r1_ros.sequences import Sequence, open_sequence
from scene_r1_ros.tracking import load_tracker
from scene_r1_ros.types import Box2D, Frame

NUMBER = r"\s*(-?\d+(?:\.\d*)?)\s*"
BOX = re.compile(rf"(?P<frame>.+):{NUMBER},{NUMBER},{NUMBER},{NUMBER}")


def ground_sequence(
    query: str, path: Path, config: Config, box: tuple[str, Box2D] | None, console: Console
) -> tuple[Answer, Many[Frame]]:
    """Ground a query in a recorded sequence, with a model or with the operator's box; the keyframes come back too."""
    checked_query(query)  # before any work
    sequence = open_sequence(path)  # before the model, which may take minutes to load
    model = OperatorBox(*box) if box else load_model(config.model)
    frames = remember(sequence, config, console, keep=box[0] if box else None)
    if box:
        drawn_in = next(f for f in frames if f.frame_id == box[0])
        box[1].clipped(drawn_in.camera.width, drawn_in.camera.height)  # refuse a box outside before any work
    heart, narrator = SceneR1(model, load_tracker(config), config), Narrator(console)
    answer = heart.ground(query, frames, Run(config.timeout_s, narrator))
    narrator.end()
    return answer, frames


def ask_sequence(question: str, path: Path, config: Config, console: Console) -> tuple[Answer, Many[Frame]]:
    """Ask a question about a recorded sequence; the keyframes come back too."""
    checked_query(question)  # before any work
    sequence = open_sequence(path)  # before the model, which may take minutes to load
    heart, narrator = SceneR1(load_model(config.model), load_tracker(config), config), Narrator(console)
    frames = remember(sequence, config, console)
    answer = heart.ask(question, frames, Run(config.timeout_s, narrator))
    narrator.end()
    return answer, frames


def remember(sequence: Sequence, config: Config, console: Console, keep: str | None = None) -> list[Frame]:
    """Walk through a sequence with the robot's memory; frame ``keep`` (the operator drew in it) is among the result.

    Raises:
        BadBox: there is no frame ``keep``.
        NoKeyframes: no frame could be read.
    """
    memory = KeyframeBuffer(config.buffer)
    kept = find_frame(sequence, keep) if keep is not None else None
    reading, piped = f"Reading {sequence.name}", not console.is_terminal  # where a bar would leave an empty line
    for frame in track(sequence, reading, len(sequence), console=console, transient=True, disable=piped):
        memory.offer(frame)
    frames = [f for f in memory.snapshot() if kept is None or f.frame_id != kept.frame_id]
    if not frames and kept is None:
        raise NoKeyframes(f"no usable frame in {sequence.name}; `scene-r1 info` says what is wrong with it")
    return sorted([*frames, kept] if kept else frames, key=lambda f: f.stamp_ns)


def find_frame(sequence: Sequence, frame_id: str) -> Frame:
    ids = [entry.frame_id for entry in sequence.entries]
    if frame_id not in ids:
        raise BadBox(f"--box names frame {frame_id!r}, which is not in {sequence.name}: it has {ids[0]} to {ids[-1]}")
    return sequence.frame(frame_id)


def parse_box(text: str) -> tuple[str, Box2D]:
    """``FRAME:x1,y1,x2,y2`` to a frame id and a box.

    Raises:
        BadBox: another form, or a box without area.
    """
    match = BOX.fullmatch(text)
    if match is None:
        raise BadBox(f"--box {text!r}: expected FRAME:x1,y1,x2,y2, e.g. 000222:64,180,160,240")
    return match["frame"], Box2D(*(float(match[i]) for i in range(2, 6)))
