# SPDX-License-Identifier: Apache-2.0
"""What a sequence or a bag holds, and what is wrong with it."""

from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from scene_r1_ros.errors import BadInput
from scene_r1_ros.geometry.pose import distance
from scene_r1_ros.sequences.base import Sequence
from scene_r1_ros.sequences.opening import kind_of, open_sequence
from scene_r1_ros.sequences.topics import Topics
from scene_r1_ros.types import Frame

if TYPE_CHECKING:
    from scene_r1_ros.sequences.bag_reader import BagReader

SAMPLES = 16  # frames that the statistics of depth are made from
LARGE_GAP = 3.0  # times the usual step between frames
LOW_VALID_SHARE = 0.3
FAST_M_S = 2.5  # a quick walk; beyond, stamps or poses are suspect


@dataclass(frozen=True)
class TopicReport:
    name: str
    type: str
    count: int
    frame_id: str | None  # of the first message, where it has a header


@dataclass(frozen=True)
class Report:
    """What ``describe`` found. Figures are None where the sequence could not be opened."""

    path: Path
    kind: str  # "folder", "tum" or "bag"
    frames: int = 0  # usable ones
    duration_s: float | None = None
    rate_hz: float | None = None  # of the median step
    color_size_wh: tuple[int, int] | None = None
    depth_size_wh: tuple[int, int] | None = None
    color_encoding: str | None = None
    depth_encoding: str | None = None
    depth_valid_share: float | None = None  # of the pixels of the sampled frames
    depth_range_m: tuple[float, float] | None = None  # 1st and 99th percentile of the measured depths
    walked_m: float | None = None  # length of the camera's path
    largest_gap_s: float | None = None
    color_depth_offset_s: float | None = None  # depth stamp minus colour stamp, median
    topics: tuple[TopicReport, ...] = ()  # of a bag
    wrong: list[str] = field(default_factory=list)  # each with its remedy


def describe(path: Path, topics: Topics | None = None) -> Report:
    """Look through a sequence: all stamps and poses, and the pixels of a few frames spread over it.

    What keeps it from being used stands in ``wrong``, so that a bag without the right topics can be looked at too.

    Raises:
        BadInput: no such path, or nothing that looks like a sequence or a bag.
    """
    kind = kind_of(path)
    found: dict[str, Any] = {"wrong": []}
    try:
        if kind == "bag":
            found["topics"] = topic_reports(path)
        sequence = open_sequence(path, topics)
        usable, frames = sample(sequence)
        found.update(frames=usable, **of_stamps(sequence), **of_pixels(frames), **of_poses(sequence))
        found["color_encoding"], found["depth_encoding"] = sequence.encodings()
        found["wrong"] = sequence.problems + suspicions(found)
    except BadInput as error:
        found["wrong"].append(str(error))
    return Report(path=path, kind=kind, **found)


def topic_reports(path: Path) -> tuple[TopicReport, ...]:
    from scene_r1_ros.sequences.bag_reader import open_bag

    with open_bag(path) as reader:
        counts = reader.counts
        return tuple(
            TopicReport(name, type_, counts[name], first_frame_id(reader, name, type_))
            for name, type_ in sorted(reader.types.items())
        )


def first_frame_id(reader: "BagReader", topic: str, type_: str) -> str | None:
    """None where the topic is empty, its messages have no header, or its type is not defined in the bag."""
    try:
        _, _, raw = next(reader.messages([topic]))
        return reader.deserialize(raw, type_).header.frame_id
    except (BadInput, StopIteration, AttributeError):
        return None


def sample(sequence: Sequence) -> tuple[int, list[Frame]]:
    """How many frames are usable, and a few spread over them; all are read, so that every broken one is reported.

    Raises:
        BadInput: none can be read.
    """
    spread = np.unique(np.linspace(0, len(sequence) - 1, SAMPLES).round().astype(int))
    wanted = {sequence.entries[index].frame_id for index in spread}
    usable, frames = 0, list[Frame]()
    for frame in sequence:
        usable += 1
        if frame.frame_id in wanted or not frames:
            frames.append(frame)
    if not frames:
        raise sequence.nothing_usable()
    return usable, frames


def of_stamps(sequence: Sequence) -> dict[str, Any]:
    stamps_s = np.array([e.stamp_ns - sequence.entries[0].stamp_ns for e in sequence.entries]) * 1e-9
    offsets_s = np.array([e.depth_stamp_ns - e.stamp_ns for e in sequence.entries]) * 1e-9
    steps_s = np.diff(stamps_s)
    return {
        "duration_s": float(stamps_s[-1]),
        "rate_hz": float(1 / np.median(steps_s)) if len(steps_s) else None,
        "largest_gap_s": float(steps_s.max()) if len(steps_s) else None,
        "color_depth_offset_s": float(np.median(offsets_s)),
    }


def of_pixels(frames: list[Frame]) -> dict[str, Any]:
    measured = np.concatenate([frame.depth_m[frame.depth_m > 0] for frame in frames])
    low_high = np.percentile(measured, (1, 99)) if len(measured) else None
    return {
        "color_size_wh": (frames[0].camera.width, frames[0].camera.height),
        "depth_size_wh": (frames[0].depth_camera.width, frames[0].depth_camera.height),
        "depth_valid_share": len(measured) / sum(frame.depth_m.size for frame in frames),
        "depth_range_m": None if low_high is None else (float(low_high[0]), float(low_high[1])),
    }


def of_poses(sequence: Sequence) -> dict[str, Any]:
    poses = []
    for entry in sequence.entries:
        try:
            poses.append(sequence.pose(entry.frame_id))
        except BadInput as error:
            sequence.report(f"frame {entry.frame_id} skipped: {error}")
    return {"walked_m": sum(distance(a, b)[0] for a, b in pairwise(poses))}


def suspicions(found: dict[str, Any]) -> list[str]:
    """What can be read but should not be trusted without a look."""
    wrong = []
    share, gap_s, rate_hz = found["depth_valid_share"], found["largest_gap_s"], found["rate_hz"]
    if share < LOW_VALID_SHARE:
        wrong.append(f"only {share:.0%} of the depth pixels hold a measurement; check range, sunlight and registration")
    if rate_hz and gap_s > LARGE_GAP / rate_hz:
        wrong.append(
            f"{gap_s:.2f} s without a frame, at {rate_hz:.1f} frames/s; record to a faster disk or drop topics"
        )
    if found["walked_m"] == 0 and found["frames"] > 1:
        wrong.append("the camera never moves; is the pose topic the camera's, and does the localisation run?")
    if found["duration_s"] > 0 and found["walked_m"] / found["duration_s"] > FAST_M_S:
        speed = found["walked_m"] / found["duration_s"]
        wrong.append(f"the camera moves at {speed:.1f} m/s; check that poses are in metres and stamps in seconds")
    if abs(found["color_depth_offset_s"]) > 0.01:
        wrong.append(f"depth is {found['color_depth_offset_s'] * 1e3:.0f} ms off colour; switch on the driver's sync")
    return wrong
