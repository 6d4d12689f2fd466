# SPDX-License-Identifier: Apache-2.0
"""The cloud of one object, drawn from a direction, with its box and its nearest reachable point."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from scene_r1_ros.answer import SceneObject
from scene_r1_ros.geometry.gravity import level_axes
from scene_r1_ros.report.overlay import labelled
from scene_r1_ros.report.plan import View

MARGIN = 0.12  # of the picture's width and height, on each side
SAMPLES = 500
FILL = 1.6  # times as large as the distance of the nearest neighbours: the others are farther away
EDGE_COLOR, HIDDEN_COLOR, NEAREST_COLOR = (0, 140, 40), (150, 210, 165), (220, 0, 160)
BAR_LENGTHS_M = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
MIN_LABELLED_PX = 30


class Edge(NamedTuple):
    """An edge of a box in the picture."""

    start: NDArray[np.float64]  # (2,) pixels
    end: NDArray[np.float64]
    axis: int  # of the box
    hidden: bool  # it ends in the corner that is farthest from the eye

    @property
    def middle(self) -> NDArray[np.float64]:
        return (self.start + self.end) / 2


class Direction(NamedTuple):
    """Where a cloud is looked at from."""

    title: str
    R_world_view: NDArray[np.float64]  # (3, 3) columns: right and up in the picture, and towards the eye


def as_the_camera_saw(found: SceneObject) -> Direction:
    """From the camera of the source frame, without perspective."""
    T = found.source.T_world_camera
    towards = unit(T[:3, 3] - found.box.center_world)
    right = unit(T[:3, 0] - (T[:3, 0] @ towards) * towards)
    return Direction("as the camera saw it", np.stack([right, np.cross(towards, right), towards], axis=1))


def from_above(found: SceneObject, up: NDArray) -> Direction:
    """Along ``up`` (3,), turned so that the camera of the source frame is below the picture."""
    right = found.source.T_world_camera[:3, 0]
    level = right - (right @ up) * up
    if np.linalg.norm(level) < 0.1:  # a camera on its side
        return Direction("from above", level_axes(up))
    right = unit(level)
    return Direction("from above", np.stack([right, np.cross(up, right), up], axis=1))


def unit(vector: NDArray) -> NDArray[np.float64]:
    return vector / max(float(np.linalg.norm(vector)), 1e-9)


def draw_cloud(
    found: SceneObject, colors: NDArray[np.uint8], direction: Direction, size_wh: tuple[int, int], with_box: bool
) -> NDArray[np.uint8]:
    """(H, W, 3) RGB of ``size_wh``: orthographic, (N, 3) ``colors`` of the points, a scale bar; with ``with_box`` the
    oriented box, the lengths of its edges in metres, and the nearest reachable point.
    """
    points = found.points_world @ direction.R_world_view
    corners = found.box.corners_world() @ direction.R_world_view
    view = View(window(np.concatenate([points, corners])[:, :2], size_wh), max(size_wh), 0.0, point_size_m(points))
    image = view.blank()
    edges = edges_of(view.pixels(corners[:, :2]), int(np.argmin(corners[:, 2]))) if with_box else []
    draw_edges(image, [edge for edge in edges if edge.hidden], HIDDEN_COLOR, 1)
    view.splat(image, points[:, :2], colors, points[:, 2])
    draw_edges(image, [edge for edge in edges if not edge.hidden], EDGE_COLOR, 2)
    if with_box:
        nearest = view.pixels(found.nearest.point_world @ direction.R_world_view[:, :2]).ravel()
        draw_nearest(image, nearest)
        image = with_lengths(image, edges, found.box.size_m, nearest)
    image = labelled(image, direction.title, (4, 24), 13)
    fitting = [m for m in BAR_LENGTHS_M if m * view.pixels_per_m < size_wh[0] / 3]
    image = view.with_scale_bar(image, max(fitting, default=BAR_LENGTHS_M[0]))
    return np.ascontiguousarray(image[: size_wh[1], : size_wh[0]])  # rounding may have added a row


def window(flat: NDArray, size_wh: tuple[int, int]) -> NDArray[np.float64]:
    """(2, 2) low and high corner around (N, 2) points, metres, with a margin and of the shape of the picture."""
    low, high = flat.min(axis=0), flat.max(axis=0)
    metres_per_pixel = np.max((high - low) / (1 - 2 * MARGIN) / size_wh)
    half = metres_per_pixel * np.array(size_wh) / 2
    return (low + high) / 2 + np.stack([-half, half])


def point_size_m(points: NDArray) -> float:
    """How large points are drawn, metres, so that they close to a surface: by the median distance of neighbours."""
    if len(points) < 2:
        return 0.01
    some = points[:: max(1, len(points) // SAMPLES)]
    return FILL * float(np.median(KDTree(points).query(some, 2)[0][:, 1]))


def edges_of(corners: NDArray, farthest: int) -> list[Edge]:
    """The twelve edges between (8, 2) corners in pixels, in the order of ``OrientedBox.corners_world``."""
    pairs = [(i, i | 1 << axis, axis) for axis in range(3) for i in range(8) if not i >> axis & 1]
    return [Edge(corners[a], corners[b], axis, farthest in (a, b)) for a, b, axis in pairs]


def draw_edges(image: NDArray, edges: list[Edge], color: tuple[int, int, int], width: int) -> None:
    for edge in edges:
        cv2.line(image, at(edge.start), at(edge.end), color, width, cv2.LINE_AA)


def with_lengths(image: NDArray, edges: list[Edge], size_m: NDArray, free: NDArray) -> NDArray[np.uint8]:
    """Each edge length once, at the visible edge along that axis that lies farthest from the other lengths and from the
    pixel that shall stay ``free``.
    """
    placed = [free]
    for axis in range(3):
        visible = [edge for edge in edges if edge.axis == axis and not edge.hidden]
        if np.linalg.norm(visible[0].end - visible[0].start) >= MIN_LABELLED_PX:  # all are equally long
            middles = [edge.middle for edge in visible]
            placed.append(max(middles, key=lambda middle: min(np.linalg.norm(middle - other) for other in placed)))
            x, y = at(placed[-1])
            image = labelled(image, f"{size_m[axis]:.2f} m", (x - 22, y + 10), 12)
    return image


def draw_nearest(image: NDArray, pixel: NDArray) -> None:
    cv2.circle(image, at(pixel), 8, (255, 255, 255), -1, cv2.LINE_AA)
    cv2.circle(image, at(pixel), 6, NEAREST_COLOR, -1, cv2.LINE_AA)


def at(pixel: NDArray) -> tuple[int, int]:
    return int(pixel[0]), int(pixel[1])
