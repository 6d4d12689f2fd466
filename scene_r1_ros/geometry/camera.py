# SPDX-License-Identifier: Apache-2.0
"""A pinhole camera. Cameras look along +z, x right, y down (REP 103 optical). Integer pixels are pixel centres."""

from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.errors import BadInput


@dataclass(frozen=True)
class PinholeCamera:
    """Intrinsics in pixels of an image of ``width`` x ``height``, without distortion.

    Raises:
        BadInput: a size or focal length that is not positive, or a value that is not finite.
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float

    def __post_init__(self) -> None:
        values = (self.width, self.height, self.fx, self.fy, self.cx, self.cy)
        if not all(isfinite(v) for v in values) or min(values[:4]) <= 0:
            raise BadInput(
                f"camera of {self.width}x{self.height} with fx={self.fx}, fy={self.fy}, cx={self.cx}, cy={self.cy}: "
                "sizes and focal lengths must be positive and finite; is the camera calibrated, "
                "and does its driver publish camera_info?"
            )

    @property
    def matrix(self) -> NDArray[np.float64]:
        """(3, 3) K."""
        return np.array([[self.fx, 0, self.cx], [0, self.fy, self.cy], [0, 0, 1]])

    def resized(self, width: int, height: int) -> "PinholeCamera":
        """The same camera with its image resized; pixel centres stay at integers, hence the half pixels."""
        sx, sy = width / self.width, height / self.height
        return PinholeCamera(
            width, height, self.fx * sx, self.fy * sy, (self.cx + 0.5) * sx - 0.5, (self.cy + 0.5) * sy - 0.5
        )

    def project(self, points_camera: NDArray) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Pixels of (N, 3) points in metres: ``(uv (N, 2), valid (N,))``.

        ``valid`` is False behind the camera and outside the image; ``uv`` is NaN behind the camera.
        """
        z = points_camera[:, 2]
        in_front = z > 1e-6
        with np.errstate(divide="ignore", invalid="ignore"):
            u = points_camera[:, 0] / z * self.fx + self.cx
            v = points_camera[:, 1] / z * self.fy + self.cy
        uv = np.where(in_front[:, None], np.stack([u, v], axis=1), np.nan)
        inside = (u >= -0.5) & (u < self.width - 0.5) & (v >= -0.5) & (v < self.height - 0.5)
        return uv, in_front & inside

    def unproject(self, uv: NDArray, depth_m: NDArray) -> NDArray[np.float64]:
        """Points (N, 3) in the camera frame, metres, of pixels (N, 2) at depths (N,) along z."""
        x = (uv[:, 0] - self.cx) / self.fx * depth_m
        y = (uv[:, 1] - self.cy) / self.fy * depth_m
        return np.stack([x, y, depth_m], axis=1)
