# SPDX-License-Identifier: Apache-2.0
"""A room as a sequence folder with its questions, its exact truth and recorded answers."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from scene_r1_ros.geometry.camera import PinholeCamera
from scene_r1_ros.rooms.queries import Count, Target, count, targets, three_of
from scene_r1_ros.rooms.recorded import recorded_answers
from scene_r1_ros.rooms.render import CAMERA, FIRST_STAMP_NS, RenderedFrame, render
from scene_r1_ros.rooms.room import Room, build_room
from scene_r1_ros.rooms.views import View, by_object, views_in
from scene_r1_ros.rooms.walk import walk
from scene_r1_ros.sequences.images import encode_png
from scene_r1_ros.sequences.write import write_folder
from scene_r1_ros.types import Frame


def write_room(
    folder: Path,
    seed: int,
    n_frames: int = 90,
    rate_hz: float = 30.0,
    camera: PinholeCamera = CAMERA,
    on_frame: Callable[[], object] = lambda: None,
) -> None:
    """Build, walk through, render and write the room of a seed. The same arguments give the same bytes.

    Beside the sequence (see ``sequences.folder``) the folder holds:
        NNNNNN.instance.png: 16-bit, RoomObject.instance_id of each pixel, 0 = floor, walls and what is fixed to them.
        queries.json: three sentences with boxes in up to three frames each, and a question with its answer.
        truth.json: for each sentence the object's instance id and exact box in the world.
        recorded.yaml: what a good model would answer, for the model of kind "recorded".

    Args:
        on_frame: called after each frame, to show progress.

    Raises:
        BadInput: the folder already holds a sequence, or the walk is too short to show what is asked for.
    """
    room = build_room(seed)
    frames: list[dict[int, View]] = []
    rendered = render(room, walk(room, seed, n_frames, rate_hz), rate_hz, camera)
    write_folder(folder, noted(folder, rendered, frames, on_frame))
    views = by_object(frames)
    asked, counted = targets(room, views, 1 / rate_hz), count(room, views)
    write_json(folder / "queries.json", questions(room, asked, counted, camera))
    write_json(folder / "truth.json", {"seed": seed, "objects": [truth(target) for target in asked]})
    answers = recorded_answers(room, asked, counted, frames)
    text = yaml.safe_dump(answers, sort_keys=False, width=2**20)
    (folder / "recorded.yaml").write_text(text, encoding="utf-8")


def noted(
    folder: Path, rendered: Iterator[RenderedFrame], frames: list[dict[int, View]], on_frame: Callable[[], object]
) -> Iterator[Frame]:
    """Pass the frames on, write their instance maps and note in ``frames`` what each shows."""
    for shot in rendered:
        (folder / f"{shot.frame.frame_id}.instance.png").write_bytes(encode_png(shot.instances))
        frames.append(views_in(shot, FIRST_STAMP_NS))
        yield shot.frame
        on_frame()


def questions(room: Room, asked: list[Target], counted: Count, camera: PinholeCamera) -> dict[str, Any]:
    return {
        "scene": f"rendered room of seed {room.seed}: table, chairs, armchair, sofa, bookcase and small things",
        "image_size": [camera.width, camera.height],
        "box_convention": "x1,y1,x2,y2 in pixels of <frame>.color.jpg, visible extent, x2 and y2 exclusive, exact",
        "queries": [
            {
                "id": f"room{room.seed}_{target.size}",
                "query": target.query,
                "tags": ["category", "attribute", target.size],
                "boxes": [{"frame": v.frame_id, "box_xyxy": list(v.box_xyxy)} for v in three_of(target.views)],
            }
            for target in asked
        ],
        "questions": [{"question": counted.question, "answer": str(len(counted.objects))}],
    }


def truth(target: Target) -> dict[str, Any]:
    box = target.object.box
    return {
        "query": target.query,
        "label": target.object.label,
        "instance_id": target.object.instance_id,
        "center_world": box.center_world.tolist(),  # metres
        "size": box.size_m.tolist(),  # metres, along the box's own axes
        "rotation": box.R_world_box.tolist(),  # of these axes in the world, (3, 3)
    }


def write_json(path: Path, values: dict[str, Any]) -> None:
    path.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
