# SPDX-License-Identifier: Apache-2.0
"""Views whose mask is known, which tell the pixels of other views whether they show the object."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.geometry.depth import AGREE_SIGMAS, depth_sigma_m, measured_at
from scene_r1_ros.geometry.pose import inverse, transform
from scene_r1_ros.tracking.crop import Crop
from scene_r1_ros.types import Mask

DRIFT_M = 0.02  # depths of two views agree within this, plus their noise: what poses of distant keyframes drift
GREY = np.array([0.299, 0.587, 0.114], np.float32)  # of R, G, B (ITU-R BT.601)


class Reference:
    """A view with its mask, and where its points lie beside those of the first view.

    ``offset_world`` (3,), metres, is added to the points that this view measures: its pose's error, as far as known.
    """

    def __init__(self, mask: Mask, offset_world: NDArray[np.float64]):
        self.mask = mask
        self.offset_world = offset_world
        self._T_camera_world = inverse(mask.frame.T_world_camera)

    def look_up(self, points_world: NDArray) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
        """What this view shows at (N, 3) points: (N,) 1 the object, -1 something else, 0 nothing (hidden, outside,
        or no depth there); and (N,) the grey value."""
        frame = self.mask.frame
        points_camera = transform(self._T_camera_world, points_world - self.offset_world)
        uv, inside = frame.camera.project(points_camera)
        u, v = np.where(inside[:, None], np.rint(uv), 0).astype(np.intp).T
        measured_m = measured_at(frame, u, v)
        z = points_camera[:, 2]
        seen = inside & (measured_m > 0) & (np.abs(measured_m - z) < AGREE_SIGMAS * depth_sigma_m(z) + DRIFT_M)
        shown = np.where(self.mask.pixels[v, u], 1, -1)
        return np.where(seen, shown, 0).astype(np.int8), frame.color[v, u] @ GREY


def shown_at(
    crop: Crop, references: Sequence[Reference], offset_world: NDArray
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """(h, w) what the references show at each pixel of a crop, as ``Reference.look_up``; the first that sees it counts.

    Pixels without depth are 0.
    """
    points_world = transform(crop.frame.T_world_camera, crop.points_camera()).reshape(-1, 3) + offset_world
    measured = crop.depth_m.ravel() > 0
    shown, grey = np.zeros(measured.size, np.int8), np.zeros(measured.size, np.float32)
    for reference in references:
        new, new_grey = reference.look_up(points_world)
        fresh = measured & (shown == 0) & (new != 0)
        shown[fresh], grey[fresh] = new[fresh], new_grey[fresh]
    return shown.reshape(crop.depth_m.shape), grey.reshape(crop.depth_m.shape)
