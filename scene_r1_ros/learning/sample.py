# SPDX-License-Identifier: Apache-2.0
"""One thing to learn from: frames of a video, what is asked about them, and the right answer.

It holds what Scene-R1 (arXiv 2506.17545) learns from and nothing else: images with their times, 2D boxes, time windows
and text. Depth, poses and points have no place in it.
"""

from dataclasses import dataclass
from typing import Literal

from scene_r1_ros.types import Box2D, TimeWindow

# "objects" asks for everything in one frame that has a name; the others are the tasks of ``reasoning.protocol``.
LearningTask = Literal["temporal", "image", "answer", "objects"]


@dataclass(frozen=True)
class Shot:
    """A frame of a video, as a file."""

    image: str  # path of a JPEG or PNG, relative to the folder of the file of samples
    time_s: float  # since the clip's first frame
    size_wh: tuple[int, int]  # pixels


@dataclass(frozen=True)
class NamedBox:
    """A place in an image and what is there."""

    label: str  # "red mug"
    box: Box2D  # visible extent in pixels of the image, x2 and y2 exclusive


@dataclass(frozen=True)
class Target:
    """The right answer; exactly one field is not None. An empty tuple means that it is not there."""

    windows: tuple[TimeWindow, ...] | None = None  # temporal
    boxes: tuple[NamedBox, ...] | None = None  # image, objects
    answer: str | None = None  # answer


@dataclass(frozen=True)
class Sample:
    """
    ``reasoning`` may be empty. Places in it are written as (x, y), pixels of the image, and times as 4.5s; nothing
    else is written so, which lets both follow an image that is resized or a clip that is cut.
    """

    sample_id: str  # unique in its file
    task: LearningTask
    scene: str  # where it was seen: samples of one scene stay in one split
    shots: tuple[Shot, ...]  # in order of time; exactly one for image and objects
    query: str  # what is looked for, or the question; empty for objects
    target: Target
    reasoning: str = ""  # what leads to the answer, true of the frames
    tags: tuple[str, ...] = ()  # what kind of query: "relation", "left of", "absent", "count"
