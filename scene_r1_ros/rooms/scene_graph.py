# SPDX-License-Identifier: Apache-2.0
"""What a picture or a clip of a room shows, and how well: the ground that sentences about it stand on.

A thing is *clear* where a person would name it and draw its box, *hinted* where a few of its pixels show. Sentences
speak only of what is clear; what is hinted can make them ambiguous, and can keep a thing from being absent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from scene_r1_ros.geometry.camera import PinholeCamera
from scene_r1_ros.rooms.room import Room, RoomObject

MIN_SIDE_PX = 6  # of the visible extent of what is clear
MIN_PIXELS = 40
MIN_SHARE = 0.3  # of its outline ...
LARGE_SHARE, LARGE_PIXELS = 0.15, 0.04  # ... or less of what covers so much of the picture
HINT_PIXELS = 4
OUTLINE_POINTS = 200


@dataclass(frozen=True, eq=False)
class Seen:
    """One object in one picture."""

    thing: RoomObject
    box_xyxy: tuple[int, int, int, int]  # visible extent in pixels, x2 and y2 exclusive
    pixels: int  # visible
    share: float  # of its outline, 0 to 1, that neither the border nor other things hide; about
    cut: bool  # by the border of the picture
    distance_m: float  # of its centre from the camera

    @property
    def center_xy(self) -> tuple[int, int]:
        """The pixel in the middle of the visible extent."""
        x1, y1, x2, y2 = self.box_xyxy
        return (x1 + x2 - 1) // 2, (y1 + y2 - 1) // 2

    @property
    def size_px(self) -> float:
        """Side of a square of the same area."""
        x1, y1, x2, y2 = self.box_xyxy
        return float(((x2 - x1) * (y2 - y1)) ** 0.5)


@dataclass(frozen=True, eq=False)
class Picture:
    """What one picture shows."""

    image: str  # path of the file
    time_s: float  # since the first frame of the tour
    size_wh: tuple[int, int]
    clear: dict[int, Seen]  # by instance_id
    hinted: dict[int, Seen]


@dataclass(frozen=True, eq=False)
class Clip:
    """Pictures in order of time, with times since the first of them."""

    pictures: tuple[Picture, ...]

    @cached_property
    def times_s(self) -> tuple[float, ...]:
        return tuple(round(picture.time_s - self.pictures[0].time_s, 1) for picture in self.pictures)

    @cached_property
    def shown(self) -> dict[int, list[int]]:
        """instance_id -> indices of the pictures that show it clearly."""
        shown: dict[int, list[int]] = {}
        for index, picture in enumerate(self.pictures):
            for instance_id in picture.clear:
                shown.setdefault(instance_id, []).append(index)
        return shown

    @cached_property
    def things(self) -> dict[int, RoomObject]:
        """All that any picture shows, clearly or not, by instance_id."""
        seen = [s for p in self.pictures for s in (*p.clear.values(), *p.hinted.values())]
        return {s.thing.instance_id: s.thing for s in seen}

    def runs(self, instance_id: int) -> list[list[int]]:
        """The stretches of pictures that show it clearly, without a picture missing in between."""
        runs: list[list[int]] = []
        for index in self.shown.get(instance_id, []):
            if runs and runs[-1][-1] == index - 1:
                runs[-1].append(index)
            else:
                runs.append([index])
        return runs

    def longest_run(self, instance_id: int) -> list[int]:
        """The longest of its stretches, of equal ones the first; empty where no picture shows it clearly."""
        return max(self.runs(instance_id), key=lambda run: len(run), default=[])

    def best(self, instance_id: int) -> int:
        """The index of the picture that shows most of it."""
        return max(self.shown[instance_id], key=lambda i: self.pictures[i].clear[instance_id].pixels)


@dataclass(frozen=True, eq=False)
class View:
    """A rendered picture with what its pixels truly show."""

    color: NDArray[np.uint8]  # (H, W, 3) RGB
    instances: NDArray[np.uint16]  # (H, W) RoomObject.instance_id, 0 = floor and walls
    camera: PinholeCamera
    T_world_camera: NDArray[np.float64]  # (4, 4)


class Outlines:
    """Points on the surfaces of a room's objects, to tell how much of each a picture hides."""

    def __init__(self, room: Room):
        self.things = {thing.instance_id: thing for thing in room.objects}
        self._points_world = {
            thing.instance_id: thing.samples_world[:: max(1, len(thing.samples_world) // OUTLINE_POINTS)]
            for thing in room.objects
        }

    def picture(self, view: View, image: str, time_s: float) -> Picture:
        """Read a picture's content off its instance map."""
        counts = np.bincount(view.instances.ravel())
        clear: dict[int, Seen] = {}
        hinted: dict[int, Seen] = {}
        for index, slices in enumerate(find_objects(view.instances)):
            if slices is not None and counts[index + 1] >= HINT_PIXELS:
                seen = self._seen(view, index + 1, slices, int(counts[index + 1]))
                (clear if is_clear(seen, view.instances.size) else hinted)[index + 1] = seen
        return Picture(image, time_s, (view.camera.width, view.camera.height), clear, hinted)

    def _seen(self, view: View, instance_id: int, slices: Sequence[slice], pixels: int) -> Seen:
        rows, columns = slices
        height, width = view.instances.shape
        thing = self.things[instance_id]
        return Seen(
            thing=thing,
            box_xyxy=(int(columns.start), int(rows.start), int(columns.stop), int(rows.stop)),
            pixels=pixels,
            share=self._share(view, instance_id),
            cut=rows.start == 0 or columns.start == 0 or rows.stop == height or columns.stop == width,
            distance_m=float(np.linalg.norm(thing.box.center_world - view.T_world_camera[:3, 3])),
        )

    def _share(self, view: View, instance_id: int) -> float:
        """Of the pixels its points fall on, inside the picture or out of it, those that show it."""
        camera, T_world_camera = view.camera, view.T_world_camera
        points_camera = (self._points_world[instance_id] - T_world_camera[:3, 3]) @ T_world_camera[:3, :3]
        z = np.maximum(points_camera[:, 2], 1e-3)
        columns = np.rint(np.clip(points_camera[:, 0] / z * camera.fx + camera.cx, -1e4, 1e4)).astype(int)
        rows = np.rint(np.clip(points_camera[:, 1] / z * camera.fy + camera.cy, -1e4, 1e4)).astype(int)
        _, first = np.unique(rows * 100_000 + columns, return_index=True)
        return shown_share(view.instances, rows[first], columns[first], instance_id)


def shown_share(instances: NDArray[np.uint16], rows: NDArray, columns: NDArray, instance_id: int) -> float:
    height, width = instances.shape
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    hits = instances[rows[inside], columns[inside]] == instance_id
    return float(hits.sum() / len(rows))


def is_clear(seen: Seen, picture_pixels: int) -> bool:
    """Whether a person would name it: not tiny, and no sliver of a thing that is hidden."""
    x1, y1, x2, y2 = seen.box_xyxy
    if min(x2 - x1, y2 - y1) < MIN_SIDE_PX or seen.pixels < MIN_PIXELS:
        return False
    large = seen.pixels >= LARGE_PIXELS * picture_pixels
    return seen.share >= (LARGE_SHARE if large else MIN_SHARE)
