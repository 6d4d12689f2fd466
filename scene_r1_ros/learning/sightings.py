# SPDX-License-Identifier: Apache-2.0
"""From boxes in the frames of a clip to samples: where and when is it seen?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from scene_r1_ros.learning.sample import NamedBox, Sample, Shot, Target
from scene_r1_ros.types import TimeWindow

Boxes = Mapping[int, tuple[NamedBox, ...]]  # by index of the frame


@dataclass(frozen=True)
class Sighting:
    """What a query names, and where in a clip it is seen."""

    query: str
    boxes: Boxes
    tags: tuple[str, ...] = ()


def samples_of(
    scene: str, shots: Sequence[Shot], sightings: Sequence[Sighting], complete: bool = True
) -> Iterator[Sample]:
    """For each sighting: when it is seen (not of a single frame), where in each frame that shows it, and that it is not
    there in one frame that does not show it. ``sample_id`` is the scene and a number.

    Args:
        complete: whether it is marked wherever it is seen; else only what is marked can be asked: where it is there.
    """
    number = 0
    for sighting in sightings:
        for sample in _of_one(scene, shots, sighting, complete):
            yield replace(sample, sample_id=f"{scene}/{number}")
            number += 1


def _of_one(scene: str, shots: Sequence[Shot], sighting: Sighting, complete: bool) -> Iterator[Sample]:
    query, tags = sighting.query, sighting.tags
    if complete and len(shots) > 1:
        target = Target(windows=windows_of(shots, sighting.boxes))
        yield Sample("", "temporal", scene, tuple(shots), query, target, tags=tags)
    for i, boxes in sorted(sighting.boxes.items()):
        yield Sample("", "image", scene, (shots[i],), query, Target(boxes=boxes), tags=tags)
    others = [i for i in range(len(shots)) if i not in sighting.boxes]
    if complete and others:
        shot = shots[others[len(others) // 2]]
        yield Sample("", "image", scene, (shot,), query, Target(boxes=()), tags=(*tags, "absent"))


def windows_of(shots: Sequence[Shot], boxes: Boxes) -> tuple[TimeWindow, ...]:
    """The stretches of consecutive frames that show it, from the time of the first to that of the last."""
    windows: list[TimeWindow] = []
    for i in sorted(boxes):
        start_s = windows.pop().start_s if i - 1 in boxes else shots[i].time_s
        windows.append(TimeWindow(start_s, shots[i].time_s))
    return tuple(windows)
