# SPDX-License-Identifier: Apache-2.0
"""An answer as files: ``answer.json``, ``object_N.ply``, ``overlay.png``, ``scene.png``, on request ``steps.png``.

``answer.json`` (metres, seconds, pixels of the original images; boxes are [x1, y1, x2, y2], x2 and y2 exclusive)::

    query          the sentence
    status         "found" | "not_found" | "answered" | "error"
    error          {"code": name, "message": text}, null where there is none
    answer         the answer to a question, or one sentence about the object
    objects        [{label, score (the chance that the box is right, 0 to 1), center_world [x, y, z],
                     size [x, y, z] along the box's own axes, orientation quaternion [x, y, z, w],
                     center_covariance 3x3 of center_world in the world, m^2,
                     nearest {point [x, y, z], normal [x, y, z]} where a robot can touch it first, in the world,
                     evidence {reprojection_iou, mask_iou, depth_share, visible, hidden, absent} (types.Evidence),
                     n_points, points (file name), source_frame, boxes {frame id: box of the tracked mask}}]
    window_s       [start, end] since the first keyframe, null where the model named none
    first_stamp_ns stamp of the first keyframe, where time 0 is
    rationale      [{stage, text, frames [frame id], boxes {frame id: box}, window_s}]
    timings_s      {stage: seconds}
"""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PIL import Image

from scene_r1_ros.config import LiftConfig
from scene_r1_ros.errors import BadInput
from scene_r1_ros.geometry.pose import to_quaternion
from scene_r1_ros.report.overlay import overlay
from scene_r1_ros.report.plan import plan
from scene_r1_ros.report.steps import save_steps
from scene_r1_ros.types import Answer, Box2D, Frame, ReasoningStep, SceneObject, TimeWindow

PICTURES = ("overlay.png", "scene.png", "steps.png")


def save_answer(
    answer: Answer, frames: Sequence[Frame], folder: Path, config: LiftConfig, with_steps: bool = False
) -> list[Path]:
    """Write an answer to ``folder`` (made if missing; an older answer there is replaced) and return the files.

    Args:
        with_steps: also ``steps.png``, which shows how the best object came about (``report.steps``).

    Raises:
        BadInput: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for old in (*folder.glob("object_*.ply"), *(folder / name for name in PICTURES)):
            old.unlink(missing_ok=True)
        files = [folder / "answer.json"]
        files[0].write_text(json.dumps(as_dict(answer), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        for i, found in enumerate(answer.objects):
            files.append(folder / points_file(i))
            write_ply(files[-1], found)
        if answer.objects:
            files += [folder / "overlay.png", folder / "scene.png"]
            Image.fromarray(overlay(answer.objects[0])).save(files[-2])
            Image.fromarray(plan(frames, answer.objects, config)).save(files[-1])
        if answer.objects and with_steps:
            files.append(folder / "steps.png")
            save_steps(answer, frames, files[-1], config)
    except OSError as error:
        raise BadInput(f"cannot write the answer to {folder}: {error}; choose a folder you may write to") from error
    return files


def writable(folder: Path) -> None:
    """Make a folder for what is to come, before the work and not after it.

    Raises:
        BadInput: it cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise BadInput(f"cannot write to {folder}: {error}; choose a folder you may write to") from error


def points_file(index: int) -> str:
    return f"object_{index}.ply"


def write_ply(path: Path, found: SceneObject) -> None:
    """Points in the world frame, metres, with colours."""
    try:
        import open3d as o3d  # a second of import that only this function needs
    except ImportError as error:  # not installed, or a shared library of it is missing
        raise BadInput(
            f"{path.name} is written with Open3D, which cannot be imported: {error}; "
            "pip install open3d, or install the library it names (apt-get install libgl1 libgomp1 libusb-1.0-0)"
        ) from error

    cloud = o3d.geometry.PointCloud(o3d.utility.Vector3dVector(found.points_world))
    cloud.colors = o3d.utility.Vector3dVector(found.colors / 255.0)
    if not o3d.io.write_point_cloud(str(path), cloud):
        raise OSError(f"{path.name} could not be written; is the disk full?")


def as_dict(answer: Answer) -> dict[str, Any]:
    """The schema at the top of this file."""
    failed = {"code": answer.error_code.name, "message": answer.error_msg} if answer.error_code else None
    return {
        "query": answer.query,
        "status": answer.status,
        "error": failed,
        "answer": answer.text,
        "objects": [object_dict(i, found) for i, found in enumerate(answer.objects)],
        "window_s": window_list(answer.window),
        "first_stamp_ns": answer.first_stamp_ns,
        "rationale": [step_dict(step) for step in answer.rationale],
        "timings_s": {stage: round(seconds, 4) for stage, seconds in answer.timings_s.items()},
    }


def object_dict(index: int, found: SceneObject) -> dict[str, Any]:
    return {
        "label": found.label,
        "score": round(found.score, 4),
        "center_world": rounded(found.box.center_world),
        "size": rounded(found.box.size_m),
        "orientation": rounded(to_quaternion(found.box.R_world_box), 6),
        "center_covariance": [rounded(row, 9) for row in found.center_covariance_m2],
        "nearest": {"point": rounded(found.nearest.point_world), "normal": rounded(found.nearest.normal_world)},
        "evidence": {name: round(value, 4) for name, value in asdict(found.evidence).items()},
        "n_points": len(found.points_world),
        "points": points_file(index),
        "source_frame": found.source.frame_id,
        "boxes": {m.frame.frame_id: box_list(m.box) for m in found.masks if m.box},
    }


def step_dict(step: ReasoningStep) -> dict[str, Any]:
    return {
        "stage": step.stage,
        "text": step.text,
        "frames": [frame.frame_id for frame in step.frames],
        "boxes": {frame_id: box_list(box) for frame_id, box in step.boxes},
        "window_s": window_list(step.window),
    }


def window_list(window: TimeWindow | None) -> list[float] | None:
    return [round(window.start_s, 3), round(window.end_s, 3)] if window else None


def box_list(box: Box2D) -> list[float]:
    return rounded(box.xyxy, 1)


def rounded(values: Any, digits: int = 4) -> list[float]:
    return [round(float(v), digits) for v in values]
