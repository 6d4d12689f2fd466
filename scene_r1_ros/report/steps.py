# SPDX-License-Identifier: Apache-2.0
"""One answer as one picture, step by step: masks in the views, votes on the cloud, the object with its box.

Where nothing was found: what was looked at, and why it does not hold.
"""

import textwrap
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.answer import N_VIEWS, Answer, SceneObject, Try, certainty
from scene_r1_ros.config import LiftConfig
from scene_r1_ros.geometry.gravity import Z_UP, up_world
from scene_r1_ros.reasoning.clip import named
from scene_r1_ros.report.cloud import (
    NEAREST_COLOR,
    as_the_camera_saw,
    draw_cloud,
    from_above,
)
from scene_r1_ros.report.overlay import labelled
from scene_r1_ros.report.panels import GAP, WIDTH, beside, blank, heading, save_small, written
from scene_r1_ros.report.views import VIEW_WIDTH, Views, cropped, grid, view_height
from scene_r1_ros.text import counted
from scene_r1_ros.types import Box2D, Frame

CLOUD_WH = (2 * VIEW_WIDTH, 270)
SIDE_WIDTH = WIDTH - 4 * GAP - 2 * CLOUD_WH[0]
MIN_SHARE = 0.5  # points below are not kept
MAX_TRIES = 4  # are drawn
LINE_CHARACTERS = 180  # fit into the picture


def save_steps(answer: Answer, frames: Sequence[Frame], path: Path, config: LiftConfig) -> None:
    """Write the picture of ``steps``, or of ``missed_steps`` where there is no object, as a small PNG.

    Args:
        frames: the keyframes of the query, at least one.
    """
    picture = steps(answer, frames, config) if answer.objects else missed_steps(answer, frames)
    save_small(picture, path)


def steps(answer: Answer, frames: Sequence[Frame], config: LiftConfig) -> NDArray[np.uint8]:
    """(H, 1200, 3) RGB of how the best object of an answer came about.

    1. The frame it was grounded in with the prompt's box, and its masks in up to six views spread in viewpoint; a
    mask that was cut off is crossed out. 2. The points coloured by what the views say of them. 3. The points in their
    colours, the oriented box with its size, and the nearest reachable point.

    Args:
        answer: with at least one object.
        frames: the keyframes it was found in, at least one; up is found from them.
    """
    found = answer.objects[0]
    seen = views_of(answer, found)
    up = up_world(frames, config.up_axis)
    directions = as_the_camera_saw(found), from_above(found, Z_UP if up is None else up)
    shares = share_colors(found.object_share)
    votes = [draw_cloud(found, shares, d, CLOUD_WH, with_box=False) for d in directions]
    clouds = [draw_cloud(found, found.colors, d, CLOUD_WH, with_box=True) for d in directions]
    views = counted(len(found.masks), "view")
    rows = [
        heading(f"“{answer.query}”: found, {certainty(found.score)}", 20),
        *(paragraph(f"Contradiction: {check.text}") for check in answer.checks if not check.holds),
        heading(f"1. Masks (red): from the box in {seen.name(found.source)} into {views}, here up to "
                f"{N_VIEWS} others with the mask's confidence"),
        seen.row(),
        heading("2. Votes: what the views say of each point"),
        beside([*votes, votes_text(found)]),
        heading("3. Object: its points, its box, and where a robot can touch it first"),
        beside([*clouds, object_text(found)]),
    ]  # fmt: skip
    return np.concatenate([*rows, blank(WIDTH, GAP)])


def missed_steps(answer: Answer, frames: Sequence[Frame]) -> NDArray[np.uint8]:
    """(H, 1200, 3) RGB of what was looked at for an answer without objects, with the reason. Each place that was tried:
    its box, its masks, and why it does not hold; where none was tried, some of the frames that the model saw.
    """
    rows = [heading(f"“{answer.query}”: {answer.status.replace('_', ' ')}", 20), paragraph(answer.error_msg)]
    for number, tried in enumerate(answer.tries[:MAX_TRIES], start=1):
        rows += [paragraph(f"{number}. {verdict_on(tried)}"), views_of_try(answer, tried).row()]
    if len(answer.tries) > MAX_TRIES:
        rows.append(paragraph(f"... and {counted(len(answer.tries) - MAX_TRIES, 'more place')}"))
    if not answer.tries:
        seen = frames_seen(answer, frames)
        rows += [
            paragraph("Frames that were looked at:"),
            beside([plain_views(answer, seen)]),
        ]
    return np.concatenate([*rows, blank(WIDTH, GAP)])


def paragraph(text: str) -> NDArray[np.uint8]:
    """Text over the width of the picture, in as many lines as it takes."""
    lines = textwrap.wrap(text, LINE_CHARACTERS)
    return written(blank(WIDTH, 20 * len(lines) + 8), lines, (GAP, 5), 15)


def verdict_on(tried: Try) -> str:
    cut = f", {tried.cut_views} of them cut off (crossed out)" if tried.cut_views else ""
    return f"Masks (red) in {counted(tried.views, 'view')}{cut}. Does not hold: {tried.reason}"


def views_of_try(answer: Answer, tried: Try) -> Views:
    return Views(tried.frame, tried.box, tried.masks, tried.cut_masks, answer.first_stamp_ns)


def frames_seen(answer: Answer, frames: Sequence[Frame]) -> list[Frame]:
    """Up to six, in order of time, of the frames in which the model was asked for a box; if it came to none, of those
    in its time window, or searched for one; if the model said nothing, of all.
    """
    of_stage = {name: {id(f): f for step in answer.rationale if step.stage == name for f in step.frames}
                for name in ("image", "temporal")}  # fmt: skip
    seen = sorted((of_stage["image"] or of_stage["temporal"]).values(), key=lambda frame: frame.stamp_ns) or frames
    return [seen[i] for i in np.unique(np.linspace(0, len(seen) - 1, N_VIEWS).round().astype(int))]


def plain_views(answer: Answer, seen: Sequence[Frame]) -> NDArray[np.uint8]:
    """Frames as they are, with their times."""
    size_wh = VIEW_WIDTH, view_height(seen[0])
    names = [named(frame, (frame.stamp_ns - answer.first_stamp_ns) * 1e-9) for frame in seen]
    whole = [cropped(f, None, (0, 0, f.camera.width, f.camera.height), size_wh) for f in seen]
    return grid([labelled(*panel, (4, 24), 13) for panel in zip(whole, names, strict=True)], size_wh)


def views_of(answer: Answer, found: SceneObject) -> Views:
    return Views(found.source, prompt_box(answer, found), found.masks, found.cut_masks, answer.first_stamp_ns)


def prompt_box(answer: Answer, found: SceneObject) -> Box2D | None:
    """The box the object was grounded from: of those named in its frame, the one its mask fills best."""
    named = [box for step in answer.rationale if step.stage == "image" for frame_id, box in step.boxes
             if frame_id == found.source.frame_id]  # fmt: skip
    filled = next((m.box for m in found.masks if m.frame is found.source), None)
    return max(named, key=lambda box: box.iou(filled) if filled else 0.0, default=None)


def share_colors(object_share: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(N, 3) RGB: dark violet where as many votes say object as other, yellow where all say object (viridis)."""
    steps = np.rint(255 * np.clip((object_share - MIN_SHARE) / (1 - MIN_SHARE), 0, 1)).astype(np.uint8)
    return np.asarray(cv2.applyColorMap(steps[:, None], cv2.COLORMAP_VIRIDIS)[:, 0, ::-1], np.uint8)


def votes_text(found: SceneObject) -> NDArray[np.uint8]:
    """The colour bar, and how many points are agreed on."""
    share = found.object_share
    ramp = share_colors(np.linspace(MIN_SHARE, 1, SIDE_WIDTH - GAP, dtype=np.float32))
    panel = blank(SIDE_WIDTH, CLOUD_WH[1])
    panel[48:64, : len(ramp)] = ramp
    panel = written(panel, ["share of the votes", "that say: object"], (0, 4))
    panel = written(panel, [f"{MIN_SHARE}"], (0, 68))
    panel = written(panel, ["1.0"], (len(ramp) - 22, 68))
    lines = [
        f"{len(share)} points",
        f"{np.mean(share > 0.99):.0%} undisputed",
        f"{np.mean(share < 0.75):.0%} below 0.75",
    ]
    return written(panel, lines, (0, 100))


def object_text(found: SceneObject) -> NDArray[np.uint8]:
    """Size, place and evidence in words, with what the dot means."""
    box, evidence = found.box, found.evidence
    sigma_cm = 100 * np.sqrt(np.diag(found.center_covariance_m2))
    size, centre, touch = (", ".join(f"{v:.2f}" for v in xyz) for xyz in
                           (box.size_m, box.center_world, found.nearest.point_world))  # fmt: skip
    panel = written(blank(SIDE_WIDTH, CLOUD_WH[1]), ["nearest to touch"], (18, 4))
    cv2.circle(panel, (7, 13), 6, NEAREST_COLOR, -1, cv2.LINE_AA)
    lines = [
        f"at {touch} m", "", f"box {size.replace(',', ' x')} m", f"at {centre} m", f"± {sigma_cm.max():.1f} cm", "",
        f"{evidence.visible} other views show it", f"{evidence.hidden} hide it", f"{evidence.absent} see through it",
    ]  # fmt: skip
    return written(panel, lines, (0, 23))
