# SPDX-License-Identifier: Apache-2.0
"""What is answered: objects, and the reasoning that led to them. Nothing changes after it is made."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.errors import ErrorCode
from scene_r1_ros.text import MAX_LABEL, MAX_TEXT, clean_fields
from scene_r1_ros.types import Box2D, Frame, Mask, TimeWindow

Stage = Literal["select", "temporal", "image", "track", "lift", "verify", "answer"]
Status = Literal["found", "not_found", "answered", "error"]
Verdict = Literal["visible", "hidden", "absent", "out of view"]
AnswerKind = Literal["free", "choice", "count", "yes_no"]

N_VIEWS, MAX_CUT = 6, 2  # views beside the source's that are shown, and how many of them show a mask cut off
DOUBTFUL = 0.5  # a score is the chance that the box is right: below this, it is more likely wrong


def certainty(score: float) -> str:
    """A score in words, for people."""
    return f"confidence {score:.2f}" + (": low, look at the pictures" if score < DOUBTFUL else "")


@dataclass(frozen=True, eq=False)
class OrientedBox:
    """A box of ``size_m`` along the axes of ``R_world_box``, centred at ``center_world``."""

    center_world: NDArray[np.float64]  # (3,) metres
    size_m: NDArray[np.float64]  # (3,) edge lengths, metres
    R_world_box: NDArray[np.float64]  # (3, 3) rotation

    def corners_world(self) -> NDArray[np.float64]:
        """(8, 3) metres; corner i lies on the + side of axis k where bit k of i is set."""
        signs = np.array([[(i >> k) & 1 for k in range(3)] for i in range(8)]) - 0.5
        return self.center_world + (signs * self.size_m) @ self.R_world_box.T


@dataclass(frozen=True)
class Evidence:
    """What speaks for an object. The counts are of other keyframes than the one it was grounded in."""

    reprojection_iou: float  # box IoU, 0 to 1, of its points with the box it was grounded from
    mask_iou: float  # the same with the boxes of its masks, mean over all views
    depth_share: float  # of its pixels that have depth in the frame it was grounded in, 0 to 1
    edge_share: float  # of its masks' outlines, 0 to 1, where depth or colour jumps: little, for a part of a thing
    visible: int  # keyframes whose depth shows it where it should be
    hidden: int  # ... in which something stands before it
    absent: int  # ... that see through its place


@dataclass(frozen=True, eq=False)
class SurfacePoint:
    """A point on an object and where its surface faces there."""

    point_world: NDArray[np.float64]  # (3,) metres
    normal_world: NDArray[np.float64]  # (3,) unit, out of the object


@dataclass(frozen=True, eq=False)
class SceneObject:
    """One object in the world."""

    label: str
    score: float  # the chance that its box is right, 0 to 1 (see geometry.confidence)
    points_world: NDArray[np.float32]  # (N, 3) metres
    colors: NDArray[np.uint8]  # (N, 3) RGB
    object_share: NDArray[np.float32]  # (N,) share of the views' votes that say the point is the object, 0.5 to 1
    box: OrientedBox
    center_covariance_m2: NDArray[np.float64]  # (3, 3) of the box's centre, in the world
    nearest: SurfacePoint  # where a robot can touch it first
    source: Frame  # the frame it was grounded in
    masks: tuple[Mask, ...]  # in order of time
    evidence: Evidence
    cut_masks: tuple[Mask, ...] = ()  # that the tracker made, but depth and pose contradict; not part of the object

    def __post_init__(self) -> None:
        clean_fields(self, label=MAX_LABEL)


@dataclass(frozen=True)
class ReasoningStep:
    """One step of the rationale, with the evidence it rests on."""

    stage: Stage
    text: str
    frames: tuple[Frame, ...] = ()
    boxes: tuple[tuple[str, Box2D], ...] = ()  # (frame_id, box)
    window: TimeWindow | None = None

    def __post_init__(self) -> None:
        clean_fields(self, text=MAX_TEXT)


@dataclass(frozen=True)
class Check:
    """Something in the rationale that can be held against the rest of it: does it hold?"""

    name: str  # of the rule, e.g. "times in the clip"; the same in every answer
    holds: bool
    text: str  # what was compared with what, for people

    def __post_init__(self) -> None:
        clean_fields(self, name=MAX_LABEL, text=MAX_TEXT)


@dataclass(frozen=True)
class Usage:
    """What one stage asked of the model. Sums over its calls."""

    calls: int = 0
    frames: int = 0  # shown, each time that one was
    input_tokens: int = 0
    cached_tokens: int = 0  # of these, already known from earlier calls
    output_tokens: int = 0
    first_token_s: float = 0.0  # waited for the first word


@dataclass(frozen=True, eq=False)
class Try:
    """A place that looked right in the image, but does not hold in 3D. Of its masks, those that are worth showing."""

    frame: Frame
    box: Box2D
    masks: tuple[Mask, ...]  # what the tracker made of the box, in order of time: in ``frame`` and ``N_VIEWS`` others
    cut_masks: tuple[Mask, ...]  # that it made, but depth and pose contradict: ``MAX_CUT`` at most
    views: int  # in which it made a mask
    cut_views: int  # of these, in which depth and pose contradict it
    code: ErrorCode  # of the error that it ended with; not the error, whose traceback would hold all that it saw
    reason: str  # why it does not hold


@dataclass(frozen=True)
class Answer:
    """What came of a query or a question. ``status`` tells whether there is an object, an answer, or why not."""

    query: str
    status: Status
    error_code: ErrorCode = ErrorCode.NONE
    error_msg: str = ""
    text: str = ""  # the answer to a question
    kind: AnswerKind = "free"  # of the question: how its answer is to be read
    objects: tuple[SceneObject, ...] = ()  # best first
    tries: tuple[Try, ...] = ()  # where nothing was found, or not in time: the places that did not hold, first to last
    window: TimeWindow | None = None
    rationale: tuple[ReasoningStep, ...] = ()
    checks: tuple[Check, ...] = ()  # of the rationale, see reasoning.audit
    timings_s: dict[str, float] = field(default_factory=dict)  # stage -> seconds
    usage: dict[str, Usage] = field(default_factory=dict)  # stage -> what it asked of the model, if it did
    first_stamp_ns: int = 0  # where the clip's time 0 is

    def __post_init__(self) -> None:
        clean_fields(self, query=MAX_TEXT, error_msg=MAX_TEXT, text=MAX_TEXT)
