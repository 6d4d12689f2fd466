# SPDX-License-Identifier: Apache-2.0
"""From a box to the object's silhouette in one view, from colour, depth and the background around the box."""

import cv2
import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.types import Box2D, Frame

MAX_SIDE = 160  # GrabCut works on a crop no larger than this: its time grows with the pixels, its quality hardly
RING = 0.25  # width of the background band around a box, as a share of the box
ITERATIONS = 3
ON_PLANE_M = 0.012  # ... plus 1 % of the distance: what counts as lying on the support
MIN_OFF_PLANE = 0.25  # a box with a smaller share of pixels off its support shows something flat, e.g. a poster

BACKGROUND, MAYBE_BACKGROUND, MAYBE_OBJECT, OBJECT = cv2.GC_BGD, cv2.GC_PR_BGD, cv2.GC_PR_FGD, cv2.GC_FGD


class Crop:
    """A box of a frame and the band around it, small enough to segment quickly. All maps are (h, w) of the crop."""

    def __init__(self, frame: Frame, box: Box2D):
        self.frame = frame
        width, height = frame.camera.width, frame.camera.height
        pad = max(6.0, RING * max(box.x2 - box.x1, box.y2 - box.y1))
        self.x1, self.y1 = int(max(box.x1 - pad, 0)), int(max(box.y1 - pad, 0))
        self.x2, self.y2 = int(min(np.ceil(box.x2 + pad), width)), int(min(np.ceil(box.y2 + pad), height))
        shrink = max(1.0, max(self.x2 - self.x1, self.y2 - self.y1) / MAX_SIDE)
        self.size_wh = (max(1, round((self.x2 - self.x1) / shrink)), max(1, round((self.y2 - self.y1) / shrink)))
        shown = frame.color[self.y1 : self.y2, self.x1 : self.x2]
        self.color = np.asarray(cv2.resize(shown, self.size_wh, interpolation=cv2.INTER_AREA), np.uint8)
        self.columns = (
            np.linspace(self.x1, self.x2, self.size_wh[0], endpoint=False) + (self.x2 - self.x1) / self.size_wh[0] / 2
        )
        self.rows = (
            np.linspace(self.y1, self.y2, self.size_wh[1], endpoint=False) + (self.y2 - self.y1) / self.size_wh[1] / 2
        )
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


def silhouette(frame: Frame, box: Box2D) -> NDArray[np.bool_]:
    """(H, W) mask of what a box shows; the band around the box tells how the background looks and where it lies."""
    crop = Crop(frame, box)
    inside = crop.inside(box)
    labels = np.where(inside, MAYBE_OBJECT, BACKGROUND).astype(np.uint8)
    labels[inside & background_by_depth(crop, inside)] = MAYBE_BACKGROUND
    found = cut(crop.color, labels)
    if found.sum() < 0.1 * inside.sum():  # nothing stands out by colour: what depth says is better than nothing
        found = labels == MAYBE_OBJECT
    return crop.to_frame(main_part(found) & inside)


def background_by_depth(crop: Crop, inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(h, w) True where depth says that a pixel of the box belongs to what is around the box."""
    points, valid = crop.points_camera(), crop.depth_m > 0
    if (valid & inside).sum() < 20:
        return np.zeros_like(inside)
    on_support = np.zeros_like(inside)
    plane = support_plane(points[valid & ~inside])
    if plane is not None:
        normal, offset = plane
        on_plane = valid & (np.abs(points @ normal - offset) < ON_PLANE_M + 0.01 * crop.depth_m)
        if (inside & valid & ~on_plane).sum() > MIN_OFF_PLANE * (inside & valid).sum():
            on_support = on_plane
    rest = inside & valid & ~on_support
    middle_m = float(np.median(crop.depth_m[rest]))
    return on_support | (valid & (np.abs(crop.depth_m - middle_m) > reach_m(crop, inside, middle_m)))


def reach_m(crop: Crop, inside: NDArray[np.bool_], depth_m: float) -> float:
    """How far along the ray an object of this box may extend: as far as it is wide, and 10 cm at least."""
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    width = crop.columns[columns[-1]] - crop.columns[columns[0]]
    height = crop.rows[rows[-1]] - crop.rows[rows[0]]
    return max(0.1, max(width, height) * depth_m / crop.frame.camera.fx)


def support_plane(points: NDArray, tries: int = 60) -> tuple[NDArray, float] | None:
    """The plane ``normal . p = offset`` that holds most of (N, 3) points, None if no plane holds a third of them.

    Source: RANSAC (Fischler and Bolles 1981), all tries at once, on a sample of 400 points.
    """
    if len(points) < 30:
        return None
    random = np.random.default_rng(0)
    sample = points[random.choice(len(points), min(400, len(points)), replace=False)]
    a, b, c = sample[random.integers(0, len(sample), (3, tries))]
    normals = np.cross(b - a, c - a)
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    normals = normals / np.maximum(lengths, 1e-9)
    offsets = np.sum(normals * a, axis=1)
    close = np.abs(sample @ normals.T - offsets) < ON_PLANE_M + 0.01 * sample[:, 2:]
    counts = np.where(lengths[:, 0] > 1e-6, close.sum(axis=0), 0)
    best = int(np.argmax(counts))
    return (normals[best], float(offsets[best])) if counts[best] > len(sample) / 3 else None


def cut(color: NDArray[np.uint8], labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(h, w) what GrabCut (Rother, Kolmogorov and Blake 2004) takes for the object, starting from labels."""
    known = [np.isin(labels, pair).sum() for pair in ((BACKGROUND, MAYBE_BACKGROUND), (OBJECT, MAYBE_OBJECT))]
    if min(known) < 10:
        return np.isin(labels, (OBJECT, MAYBE_OBJECT))
    cv2.setRNGSeed(0)
    of_background, of_object, whole = np.zeros((1, 65)), np.zeros((1, 65)), (0, 0, color.shape[1], color.shape[0])
    result, _, _ = cv2.grabCut(color, labels.copy(), whole, of_background, of_object, ITERATIONS, cv2.GC_INIT_WITH_MASK)
    return np.isin(result, (OBJECT, MAYBE_OBJECT))


def main_part(found: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The parts of a mask that are not small beside the largest one, with holes closed."""
    closed = cv2.morphologyEx(found.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    n, parts, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=4)
    if n < 2:
        return found
    areas = stats[1:, cv2.CC_STAT_AREA]
    return np.isin(parts, 1 + np.flatnonzero(areas >= 0.2 * areas.max()))
