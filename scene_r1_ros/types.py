# SPDX-License-Identifier: Apache-2.0
"""What is seen: frames, and places in them. Each value is validated once, when it is made, and never changes after."""

from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.errors import BadBox, BadInput
from scene_r1_ros.geometry.camera import PinholeCamera
from scene_r1_ros.geometry.pose import checked_pose
from scene_r1_ros.text import MAX_LABEL, MAX_TEXT, clean_fields

# Depth registered to colour may have another size (half, quarter), but shows the same field of view.
ASPECT_TOLERANCE = 0.02


@dataclass(frozen=True, eq=False)
class Frame:
    """One RGB-D image with the pose of its camera, frozen together. A keyframe is a frame that the memory kept.

    Raises:
        BadInput: shapes, dtypes, stamp or pose that break the rules below.
    """

    frame_id: str  # unique in its sequence, e.g. "000222"
    stamp_ns: int  # source stamp of the colour image, > 0
    color: NDArray[np.uint8]  # (H, W, 3) RGB
    depth_m: NDArray[np.float32]  # (h, w) metres along z, registered to colour; 0 (made of NaN ...) = no measurement
    camera: PinholeCamera  # of the colour image
    T_world_camera: NDArray[np.float64]  # (4, 4) of the colour camera's optical frame

    def __post_init__(self) -> None:
        if self.stamp_ns <= 0:
            raise BadInput(f"frame {self.frame_id!r} has stamp {self.stamp_ns} ns; the driver must stamp its images")
        if self.color.ndim != 3 or self.color.shape[2] != 3 or self.color.dtype != np.uint8:
            raise BadInput(f"frame {self.frame_id!r}: colour is {describe(self.color)}; expected (H, W, 3) uint8 RGB")
        height, width = self.color.shape[:2]
        if (width, height) != (self.camera.width, self.camera.height):
            raise BadInput(
                f"frame {self.frame_id!r}: colour is {width}x{height} but its camera is "
                f"{self.camera.width}x{self.camera.height}; camera_info must belong to this very image"
            )
        if self.depth_m.ndim != 2 or self.depth_m.dtype != np.float32:
            raise BadInput(
                f"frame {self.frame_id!r}: depth is {describe(self.depth_m)}; expected (h, w) float32 metres"
            )
        check_aspect(self.frame_id, (width, height), self.depth_m.shape[::-1])
        if not (self.depth_m.min() >= 0 and self.depth_m.max() < np.inf):  # NaN is neither
            object.__setattr__(self, "depth_m", clean_depth(self.depth_m, 1.0))
        object.__setattr__(
            self, "T_world_camera", checked_pose(self.T_world_camera, f"pose of frame {self.frame_id!r}")
        )
        for name, array in (("color", self.color), ("depth_m", self.depth_m), ("T_world_camera", self.T_world_camera)):
            object.__setattr__(self, name, frozen(array))

    @property
    def nbytes(self) -> int:
        """Bytes of the pixels this frame holds on to."""
        return self.color.nbytes + self.depth_m.nbytes

    @cached_property
    def color_digest(self) -> bytes:
        """16 bytes that tell its picture from every other."""
        return blake2b(self.color.data, digest_size=16, salt=repr(self.color.shape[:2]).encode()[:16]).digest()

    @cached_property
    def depth_camera(self) -> PinholeCamera:
        """The camera at the size of the depth image."""
        return self.camera.resized(self.depth_m.shape[1], self.depth_m.shape[0])


def describe(array: NDArray) -> str:
    return f"{array.shape} {array.dtype}"


def frozen(array: NDArray) -> NDArray:
    """A read-only, contiguous array; the caller's own array stays writable."""
    view = np.ascontiguousarray(array).view()
    view.setflags(write=False)
    return view


def check_aspect(frame_id: str, color_wh: tuple[int, int], depth_wh: tuple[int, ...]) -> None:
    if min(depth_wh) < 1 or abs(depth_wh[0] / depth_wh[1] / (color_wh[0] / color_wh[1]) - 1) > ASPECT_TOLERANCE:
        raise BadInput(
            f"frame {frame_id!r}: depth is {depth_wh[0]}x{depth_wh[1]} and colour {color_wh[0]}x{color_wh[1]}; "
            "depth must be registered to colour (the same size, or the same shape scaled): "
            "use the driver's aligned or registered depth topic"
        )


def clean_depth(depth: NDArray, unit_m: float) -> NDArray[np.float32]:
    """Depth in metres, float32, with every 'no measurement' (NaN, infinite, negative) as 0 (REP 117, REP 118)."""
    depth_m = np.multiply(depth, np.float32(unit_m), dtype=np.float32)
    if depth.dtype.kind == "f":
        depth_m[~(np.isfinite(depth_m) & (depth_m > 0))] = 0
    return depth_m


@dataclass(frozen=True)
class TimeWindow:
    """A stretch of a clip, seconds since the clip's first frame, both ends inclusive."""

    start_s: float
    end_s: float

    def __post_init__(self) -> None:
        if not 0 <= self.start_s <= self.end_s < float("inf"):
            raise BadInput(
                f"time window {self.start_s}s to {self.end_s}s; it must start at 0 or later and not end before"
            )


@dataclass(frozen=True)
class Box2D:
    """A box in pixels of the original image; x2 and y2 are exclusive.

    Raises:
        BadBox: not finite, or without area.
    """

    x1: float
    y1: float
    x2: float
    y2: float

    def __post_init__(self) -> None:
        if not all(map(isfinite, self.xyxy)) or self.x2 <= self.x1 or self.y2 <= self.y1:
            raise BadBox(f"box {self.xyxy}: expected x1,y1,x2,y2 in pixels with x2 > x1 and y2 > y1")

    @property
    def xyxy(self) -> tuple[float, float, float, float]:
        return (self.x1, self.y1, self.x2, self.y2)

    @property
    def area(self) -> float:
        return (self.x2 - self.x1) * (self.y2 - self.y1)

    def iou(self, other: "Box2D") -> float:
        """Intersection over union, 0 to 1."""
        width = min(self.x2, other.x2) - max(self.x1, other.x1)
        height = min(self.y2, other.y2) - max(self.y1, other.y1)
        shared = max(0.0, width) * max(0.0, height)
        return min(shared / (self.area + other.area - shared), 1.0)  # above 1 only by rounding

    def clipped(self, width: int, height: int) -> "Box2D":
        """The part inside an image.

        Raises:
            BadBox: nothing of it is inside.
        """
        x1, y1, x2, y2 = max(self.x1, 0), max(self.y1, 0), min(self.x2, width), min(self.y2, height)
        if x2 <= x1 or y2 <= y1:
            raise BadBox(f"box {self.xyxy} lies outside the image of {width}x{height} pixels")
        return Box2D(x1, y1, x2, y2)


@dataclass(frozen=True)
class Hypothesis:
    """A place where the object may be: a box in one frame, and why."""

    frame: Frame
    box: Box2D
    label: str
    reasoning: str
    boxes_named: int = 1  # in this frame, this one included

    def __post_init__(self) -> None:
        clean_fields(self, label=MAX_LABEL, reasoning=MAX_TEXT)


@dataclass(frozen=True, eq=False)
class Mask:
    """Which pixels of a frame show the object."""

    frame: Frame
    pixels: NDArray[np.bool_]  # (H, W), the size of the colour image
    confidence: float  # 0 to 1

    def __post_init__(self) -> None:
        if self.pixels.shape != self.frame.color.shape[:2] or self.pixels.dtype != np.bool_:
            raise BadInput(
                f"mask of frame {self.frame.frame_id!r} is {describe(self.pixels)}; "
                f"expected {self.frame.color.shape[:2]} bool"
            )
        if not 0 <= self.confidence <= 1:
            raise BadInput(f"mask of frame {self.frame.frame_id!r} has confidence {self.confidence}; expected 0 to 1")

    @cached_property
    def box(self) -> Box2D | None:
        """The tight box around the mask, None where it is empty."""
        ys, xs = np.flatnonzero(self.pixels.any(axis=1)), np.flatnonzero(self.pixels.any(axis=0))
        if len(ys) == 0:
            return None
        return Box2D(float(xs[0]), float(ys[0]), float(xs[-1] + 1), float(ys[-1] + 1))
