# SPDX-License-Identifier: Apache-2.0
"""A box of a frame and the band around it, small enough to segment in milliseconds."""

import cv2
import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.types import Box2D, Frame

MAX_SIDE = 128  # the time to segment grows with the pixels, the quality hardly
RING = 0.25  # width of the band around the box, as a share of the box ...
MIN_RING_PX = 6.0  # ... and at least


class Crop:
    """All maps are (h, w) of the crop, at most ``MAX_SIDE`` pixels a side, whatever the size of the frame."""

    def __init__(self, frame: Frame, box: Box2D):
        self.frame = frame
        width, height = frame.camera.width, frame.camera.height
        pad = max(MIN_RING_PX, RING * max(box.x2 - box.x1, box.y2 - box.y1))
        self.x1, self.y1 = int(max(box.x1 - pad, 0)), int(max(box.y1 - pad, 0))
        self.x2, self.y2 = int(min(np.ceil(box.x2 + pad), width)), int(min(np.ceil(box.y2 + pad), height))
        self.shrink = max(1.0, max(self.x2 - self.x1, self.y2 - self.y1) / MAX_SIDE)  # pixels of the frame in one here
        self.size_wh = (
            max(1, round((self.x2 - self.x1) / self.shrink)),
            max(1, round((self.y2 - self.y1) / self.shrink)),
        )
        shown = frame.color[self.y1 : self.y2, self.x1 : self.x2]
        self.color = np.asarray(cv2.resize(shown, self.size_wh, interpolation=cv2.INTER_AREA), np.uint8)
        self.columns = self.x1 + (np.arange(self.size_wh[0]) + 0.5) * (self.x2 - self.x1) / self.size_wh[0]
        self.rows = self.y1 + (np.arange(self.size_wh[1]) + 0.5) * (self.y2 - self.y1) / self.size_wh[1]
        self.depth_m = self._depth()

    def _depth(self) -> NDArray[np.float32]:
        scale_y = self.frame.depth_m.shape[0] / self.frame.camera.height
        scale_x = self.frame.depth_m.shape[1] / self.frame.camera.width
        rows, columns = (self.rows * scale_y).astype(int), (self.columns * scale_x).astype(int)
        return self.frame.depth_m[np.ix_(rows, columns)]

    def inside(self, box: Box2D) -> NDArray[np.bool_]:
        columns = (self.columns >= box.x1) & (self.columns < box.x2)
        rows = (self.rows >= box.y1) & (self.rows < box.y2)
        return rows[:, None] & columns[None, :]

    def points_camera(self) -> NDArray[np.float64]:
        """(h, w, 3) metres in the camera frame; zero where there is no depth."""
        camera = self.frame.camera
        x = (self.columns[None, :] - 0.5 - camera.cx) / camera.fx * self.depth_m
        y = (self.rows[:, None] - 0.5 - camera.cy) / camera.fy * self.depth_m
        return np.stack([x, y, self.depth_m.astype(np.float64)], axis=2)

    def to_frame(self, pixels: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """A map of the crop as a mask of the whole image."""
        full = np.zeros(self.frame.color.shape[:2], bool)
        size = (self.x2 - self.x1, self.y2 - self.y1)
        smooth = cv2.resize(pixels.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
        full[self.y1 : self.y2, self.x1 : self.x2] = smooth > 0.5
        return full
