# SPDX-License-Identifier: Apache-2.0
"""What was found, and what happened on the way, in sentences for people."""

from collections.abc import Iterable

from scene_r1_ros.answer import DOUBTFUL, Evidence, SceneObject
from scene_r1_ros.reasoning.clip import Clip
from scene_r1_ros.text import counted
from scene_r1_ros.tracking.consistency import Checked


def summary(*objects: SceneObject) -> str:
    """What a robot can say of one or more objects."""
    if len(objects) > 1:
        places = [place_text(found) + (" (not sure)" if found.score < DOUBTFUL else "") for found in objects]
        return f"{len(objects)} found: {'; '.join(places)}."
    (found,) = objects
    doubt = " I am not sure of it." if found.score < DOUBTFUL else ""
    return f"{place_text(found)}, seen from {counted(len(found.masks), 'view')}.{doubt}"


def place_text(found: SceneObject) -> str:
    x, y, z = found.box.center_world
    return f"{found.label}: at ({x:.2f}, {y:.2f}, {z:.2f}) m, {metres(found.box.size_m)} m large"


def cut_text(tracked: Checked, clip: Clip) -> str:
    reasons = "; ".join(f"{clip.name(c.mask.frame)}: {c.reason}" for c in tracked.cut)
    return f" Masks that depth and pose contradict were cut off: {reasons}." if reasons else ""


def verdict_text(source: str, evidence: Evidence) -> str:
    return (
        f"Projected back into {source}, it covers its box with IoU "
        f"{evidence.reprojection_iou:.2f}; its masks by {evidence.mask_iou:.2f}. Other keyframes: {evidence.visible} "
        f"show it, in {evidence.hidden} it is hidden, {evidence.absent} see through its place."
    )


def metres(values: Iterable[float]) -> str:
    return " x ".join(f"{v:.2f}" for v in values)
