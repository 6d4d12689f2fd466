# SPDX-License-Identifier: Apache-2.0
"""Whether a confidence means something: objects grounded from boxes of all qualities, their scores beside the truth."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from rich.table import Table

from scene_r1_ros.config import Config
from scene_r1_ros.evaluation.bench_tracker import true_box
from scene_r1_ros.evaluation.reporting import Line, Tell, nobody
from scene_r1_ros.evaluation.room_clips import STRUCTURED, RoomClip, film
from scene_r1_ros.reasoning.operator_box import OperatorBox
from scene_r1_ros.rooms.room import RoomObject
from scene_r1_ros.scene_r1 import SceneR1
from scene_r1_ros.tracking import load_tracker
from scene_r1_ros.types import Box2D, Frame

SEEDS = (0, 1)
N_FRAMES = 16
MIN_VIEWS = 3
SLIPS = (0.0, 0.15, 0.4)  # how far each corner of a box is off at most, as a share of the box
BINS = (0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
IOU_25, IOU_50 = 0.25, 0.5  # what ScanRefer counts as found


def bench_calibration(tell: Tell = nobody, seeds: Sequence[int] = SEEDS) -> dict[str, Any]:
    """Ground every well-seen object of some rooms from boxes that are right, a little off and far off.

    Returns:
        ``answers``: seed, label, slip, status, and for found ones ``score`` and ``iou`` (of the box with that of the
        surface which all frames truly show); ``reliability``: see there.
    """
    answers: list[dict[str, Any]] = []
    for seed in seeds:
        tell(f"room {seed}: rendering")
        clip = film(seed, N_FRAMES)
        for thing in clip.room.objects:
            if len(clip.well_seen(thing)) >= MIN_VIEWS:
                tell(f"room {seed}: {thing.label}")
                answers += grounded(clip, thing)
    found = [(a["score"], a["iou"]) for a in answers if a["status"] == "found"]
    return {"answers": answers, "reliability": reliability(found)}


def grounded(clip: RoomClip, thing: RoomObject) -> Iterator[dict[str, Any]]:
    frames = [shot.frame for shot in clip.shots[STRUCTURED]]
    views, config = clip.well_seen(thing), Config()
    middle, truth = views[len(views) // 2], clip.surface(thing, range(len(frames)))
    rng = np.random.default_rng([clip.room.seed, 6, thing.instance_id])
    for slip in SLIPS:
        box = slipped(true_box(clip, thing, middle), slip, frames[middle], rng)
        mind = OperatorBox(frames[middle].frame_id, box)
        answer = SceneR1(mind, load_tracker(config), config).ground(thing.label, frames)
        told = {"seed": clip.room.seed, "label": thing.label, "slip": slip, "status": answer.status}
        if answer.objects:
            found = answer.objects[0]
            told["score"], told["iou"] = found.score, truth.score(found.points_world, found.box).iou
        yield told


def slipped(box: Box2D, share: float, frame: Frame, rng: np.random.Generator) -> Box2D:
    """A box whose corners are off by up to a share of its size, less than half, within the image."""
    size = np.array([box.x2 - box.x1, box.y2 - box.y1] * 2)
    corners = np.array(box.xyxy) + share * size * rng.uniform(-1, 1, 4)
    return Box2D(*map(float, corners)).clipped(frame.camera.width, frame.camera.height)


def reliability(pairs: Sequence[tuple[float, float]]) -> list[dict[str, Any]]:
    """Of (score, iou) pairs: per bin of the score how many there are, their mean score and IoU, and the share of those
    whose IoU reaches 0.25 and 0.5. Bins without any are left out; scores are 0 to 1.

    Source: the reliability diagram (DeGroot and Fienberg 1983).
    """
    scores, ious = np.array(pairs, np.float64).reshape(-1, 2).T
    bin_of = np.clip(np.searchsorted(BINS, scores, side="right") - 1, 0, len(BINS) - 2)
    return [
        {
            "low": BINS[k],
            "high": BINS[k + 1],
            "answers": int(np.count_nonzero(bin_of == k)),
            "score": float(scores[bin_of == k].mean()),
            "iou": float(ious[bin_of == k].mean()),
            "share_25": float(np.mean(ious[bin_of == k] >= IOU_25)),
            "share_50": float(np.mean(ious[bin_of == k] >= IOU_50)),
        }
        for k in np.unique(bin_of).tolist()
    ]


def expected_error(rows: Sequence[dict[str, Any]], share: str) -> float:
    """Expected calibration error: how far scores are from a share of ``reliability``, the mean over answers."""
    n = sum(row["answers"] for row in rows)
    return sum(row["answers"] * abs(row["score"] - row[share]) for row in rows) / n if n else 0.0


def calibration_lines(figures: dict[str, Any]) -> list[Line]:
    rows, answers = figures["reliability"], figures["answers"]
    found = sum(a["status"] == "found" for a in answers)
    return [
        Line("objects found, of those pointed at", f"{found}/{len(answers)}", "", True),
        Line("confidence beside the share of box IoU >= 0.5", f"{expected_error(rows, 'share_50'):.2f} off", "", True),
        Line("confidence beside the share of box IoU >= 0.25", f"{expected_error(rows, 'share_25'):.2f} off", "", True),
    ]


def calibration_table(figures: dict[str, Any]) -> Table:
    table = Table("confidence", "answers", "mean confidence", "mean box IoU", "IoU >= 0.25", "IoU >= 0.5")
    for row in figures["reliability"]:
        shares = (f"{100 * row[share]:.0f} %" for share in ("share_25", "share_50"))
        span = f"{row['low']:.1f} to {row['high']:.1f}"
        table.add_row(span, str(row["answers"]), f"{row['score']:.2f}", f"{row['iou']:.2f}", *shares)
    return table
