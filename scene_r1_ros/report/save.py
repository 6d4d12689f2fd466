# SPDX-License-Identifier: Apache-2.0
"""An answer as files: ``answer.json``, ``object_N.ply``, ``overlay.png``, ``scene.png``, on request ``steps.png``.

``answer.json`` (metres, seconds, pixels of the original images; boxes are [x1, y1, x2, y2], x2 and y2 exclusive)::

    query          the sentence
    status         "found" | "not_found" | "answered" | "error"
    error          {"code": name, "message": text}, null where there is none
    answer         the answer to a question, or what was found and where, in words
    kind           "free" | "choice" | "count" | "yes_no": how the answer to a question is to be read
    objects        [{label, score (the chance that the box is right, 0 to 1), center_world [x, y, z],
                     size [x, y, z] along the box's own axes, orientation quaternion [x, y, z, w],
                     center_covariance 3x3 of center_world in the world, m^2,
                     nearest {point [x, y, z], normal [x, y, z]} where a robot can touch it first, in the world,
                     evidence {reprojection_iou, mask_iou, depth_share, edge_share, visible, hidden,
                     absent} (answer.Evidence),
                     n_points, points (file name, null where it could not be written), source_frame,
                     boxes {frame id: box of the tracked mask}}]
    window_s       [start, end] since the first keyframe, null where the model named none
    first_stamp_ns stamp of the first keyframe, where time 0 is
    rationale      [{stage, text, frames [frame id], boxes {frame id: box}, window_s}]
    checks         [{name of the rule, holds, text}] of the rationale (reasoning.audit); one that fails lowered the
                     scores, but for "verified in 3D", which they contain already
    timings_s      {stage: seconds}
    usage          {stage: {calls, frames, input_tokens, cached_tokens, output_tokens, first_token_s}} of the stages
                     that asked the model, summed over the calls (answer.Usage)

On the command line, a query that is refused (exit code 2) or fails (1) is no answer: the older one stays as it was. One
that says that nothing was found (3) replaces it.
"""

import json
import logging
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from scene_r1_ros.answer import Answer, ReasoningStep, SceneObject, Usage
from scene_r1_ros.config import LiftConfig
from scene_r1_ros.errors import BadInput, NotWritten
from scene_r1_ros.geometry.pose import to_quaternion
from scene_r1_ros.report.overlay import overlay
from scene_r1_ros.report.plan import plan
from scene_r1_ros.report.steps import save_steps
from scene_r1_ros.types import Box2D, Frame, TimeWindow

PICTURES = ("overlay.png", "scene.png", "steps.png")
TEMPORARY = ".answer-"  # what the folders begin with in which answers are made

log = logging.getLogger(__name__)


def save_answer(
    answer: Answer, frames: Sequence[Frame], folder: Path, config: LiftConfig, with_steps: bool = False
) -> list[Path]:
    """Write an answer to ``folder`` (made if missing; an older answer there is replaced) and return the files.

    ``answer.json`` is put in place even where a cloud or a picture cannot be made. It is replaced last, so that it
    never names a file that is still to come; then what the older answer left over goes.

    Args:
        with_steps: also ``steps.png``, which shows how the best object came about, or what did not hold
            (``report.steps``); not without frames.

    Raises:
        BadInput: the folder cannot be written, or a folder lies where a file must go; nothing was changed.
        NotWritten: some files, which are named, could not be written.
    """
    writable(folder)
    try:
        for leftover in folder.glob(TEMPORARY + "*"):  # of a process that was killed
            shutil.rmtree(leftover)
        with tempfile.TemporaryDirectory(prefix=TEMPORARY, dir=folder) as new:
            names, failures = write_files(answer, frames, Path(new), config, with_steps)
            for name in reversed(names):  # answer.json last
                (Path(new) / name).replace(folder / name)
        for old in older_files(folder):
            if old.name not in names:
                old.unlink()
    except OSError as error:
        raise NotWritten(f"cannot write the answer to {folder}: {error}; make room there or choose another") from error
    if failures:
        raise NotWritten(f"in {folder} is {', '.join(names)}, but not all of the answer: {'; '.join(failures)}")
    return [folder / name for name in names]


def write_files(
    answer: Answer, frames: Sequence[Frame], folder: Path, config: LiftConfig, with_steps: bool
) -> tuple[list[str], list[str]]:
    """The names of the files written, ``answer.json`` first, and why others could not be."""
    names, failures = ["answer.json"], []
    for name, write in writers(answer, frames, config, with_steps).items():
        try:
            write(folder / name)
            names.append(name)
        except Exception as error:  # whatever it is: the answer is worth more than its pictures
            log.debug("%s", name, exc_info=error)
            failures.append(f"{name}: {error or type(error).__name__}")
    text = json.dumps(as_dict(answer, names), indent=2, ensure_ascii=False)
    (folder / "answer.json").write_text(text + "\n", encoding="utf-8")
    return names, failures


def writers(
    answer: Answer, frames: Sequence[Frame], config: LiftConfig, with_steps: bool
) -> dict[str, Callable[[Path], None]]:
    """What writes each file beside ``answer.json``, by its name."""
    files: dict[str, Callable[[Path], None]] = {
        points_file(i): partial(write_ply, found=found) for i, found in enumerate(answer.objects)
    }
    if answer.objects:
        files["overlay.png"] = lambda path: Image.fromarray(overlay(*answer.objects)).save(path)
        files["scene.png"] = lambda path: Image.fromarray(plan(frames, answer.objects, config)).save(path)
    if frames and with_steps:
        files["steps.png"] = lambda path: save_steps(answer, frames, path, config)
    return files


def older_files(folder: Path) -> list[Path]:
    """What an answer may have left in a folder, beside ``answer.json``."""
    pictures = (folder / name for name in PICTURES)
    return [*folder.glob("object_*.ply"), *(path for path in pictures if path.exists())]


def writable(folder: Path) -> None:
    """Make a folder for what is to come, before the work and not after it.

    Raises:
        BadInput: it cannot be made or written, or holds a folder where a file must go.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise BadInput(f"cannot write to {folder}: {error}; choose a folder you may write to") from error
    for path in (folder / "answer.json", *older_files(folder)):
        if path.is_dir():
            raise BadInput(f"{path} is a folder where a file must go; move it, or choose another folder")


def points_file(index: int) -> str:
    return f"object_{index}.ply"


def write_ply(path: Path, found: SceneObject) -> None:
    """Points in the world frame, metres, with colours."""
    try:
        import open3d as o3d  # a second of import that only this function needs
    except ImportError as error:  # not installed, or a shared library of it is missing
        raise NotWritten(
            f"it is written with Open3D, which cannot be imported: {error}; "
            "pip install open3d, or install the library it names (apt-get install libgl1 libgomp1 libusb-1.0-0)"
        ) from error

    cloud = o3d.geometry.PointCloud(o3d.utility.Vector3dVector(found.points_world))
    cloud.colors = o3d.utility.Vector3dVector(found.colors / 255.0)
    if not o3d.io.write_point_cloud(str(path), cloud):
        raise OSError(f"{path.name} could not be written; is the disk full?")


def as_dict(answer: Answer, names: Sequence[str]) -> dict[str, Any]:
    """The schema at the top of this file; ``names`` are of the files that were written."""
    failed = {"code": answer.error_code.name, "message": answer.error_msg} if answer.error_code else None
    return {
        "query": answer.query,
        "status": answer.status,
        "error": failed,
        "answer": answer.text,
        "kind": answer.kind,
        "objects": [object_dict(points_file(i), found, names) for i, found in enumerate(answer.objects)],
        "window_s": window_list(answer.window),
        "first_stamp_ns": answer.first_stamp_ns,
        "rationale": [step_dict(step) for step in answer.rationale],
        "checks": [asdict(check) for check in answer.checks],
        "timings_s": {stage: round(seconds, 4) for stage, seconds in answer.timings_s.items()},
        "usage": {stage: usage_dict(usage) for stage, usage in answer.usage.items()},
    }


def object_dict(points: str, found: SceneObject, names: Sequence[str]) -> dict[str, Any]:
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
        "points": points if points in names else None,
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


def usage_dict(usage: Usage) -> dict[str, Any]:
    return asdict(usage) | {"first_token_s": round(usage.first_token_s, 4)}


def window_list(window: TimeWindow | None) -> list[float] | None:
    return [round(window.start_s, 3), round(window.end_s, 3)] if window else None


def box_list(box: Box2D) -> list[float]:
    return rounded(box.xyxy, 1)


def rounded(values: Any, digits: int = 4) -> list[float]:
    return [round(float(v), digits) for v in values]
