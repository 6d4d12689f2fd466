# SPDX-License-Identifier: Apache-2.0
"""Walks through rendered rooms, each pose seen by several sensors, with the exact depth and instances of each pixel."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.evaluation.surface import TrueSurface
from scene_r1_ros.geometry.camera import PinholeCamera
from scene_r1_ros.geometry.pose import transform
from scene_r1_ros.rooms.render import CAMERA, FIRST_STAMP_NS, RenderedFrame, Scene
from scene_r1_ros.rooms.room import Room, RoomObject, build_room
from scene_r1_ros.rooms.sensor import camera_image, measured_depth, stereo_depth
from scene_r1_ros.rooms.views import MIN_SHARE, WELL_SEEN
from scene_r1_ros.rooms.walk import walk
from scene_r1_ros.types import Frame

WALK_S = 4.0  # as far as ``rooms.walk`` goes: 2.3 rad around the table
LARGE_CAMERA = CAMERA.resized(1296, 968)  # ScanNet's colour, beside depth of 640x480
SMALL_CAMERA = CAMERA.resized(320, 240)
STRUCTURED, STEREO, LARGE_COLOR, SMALL_DEPTH = SENSORS = (
    "structured light", "stereo", "colour 1296x968", "depth 320x240",
)  # fmt: skip
MIN_PIXELS = int(MIN_SHARE * CAMERA.width * CAMERA.height)


@dataclass(frozen=True, eq=False)
class TrueView:
    """What one image of ``CAMERA`` truly shows."""

    z_m: NDArray[np.float32]  # (480, 640) depth along the optical axis
    cos_incidence: NDArray[np.float32]  # (480, 640)
    instances: NDArray[np.uint16]  # (480, 640) RoomObject.instance_id, 0 = floor and walls
    T_world_camera: NDArray[np.float64]

    def surface(self, instance_id: int) -> NDArray[np.float64]:
        """(N, 3) world points of an object, metres, one per pixel that shows it, without any noise."""
        v, u = np.nonzero(self.instances == instance_id)
        return transform(self.T_world_camera, CAMERA.unproject(np.stack([u, v], axis=1), self.z_m[v, u]))


@dataclass(frozen=True, eq=False)
class RoomClip:
    """One walk. ``shots[sensor][i]`` and ``truth[i]`` belong to the same pose."""

    room: Room
    truth: list[TrueView]
    shots: dict[str, list[RenderedFrame]]
    _surfaces: dict[tuple[int, ...], TrueSurface] = field(default_factory=dict)

    def pixels(self, thing: RoomObject) -> NDArray[np.intp]:
        """(n_frames,) how many pixels of each frame show an object."""
        return np.array([np.count_nonzero(view.instances == thing.instance_id) for view in self.truth])

    def well_seen(self, thing: RoomObject) -> list[int]:
        """The frames that show an object nearly as large as any does, in order of time."""
        pixels = self.pixels(thing)
        return np.flatnonzero(pixels >= max(WELL_SEEN * pixels.max(), MIN_PIXELS)).tolist()

    def distance_m(self, thing: RoomObject, views: Sequence[int]) -> float:
        """The median depth of an object in some frames; at least one of them shows it."""
        shown = [self.truth[i].z_m[self.truth[i].instances == thing.instance_id] for i in views]
        return float(np.median(np.concatenate(shown)))

    def surface(self, thing: RoomObject, views: Sequence[int]) -> TrueSurface:
        """What some frames truly show of an object; made once, for many are measured against it."""
        key = (thing.instance_id, *views)
        if key not in self._surfaces:
            points_world = np.concatenate([self.truth[i].surface(thing.instance_id) for i in views])
            self._surfaces[key] = TrueSurface(points_world)
        return self._surfaces[key]


def film(seed: int, n_frames: int, sensors: Sequence[str] = (STRUCTURED,), lit: bool = True) -> RoomClip:
    """Walk through the room of a seed with some of ``SENSORS``. The same arguments give the same clip.

    Args:
        lit: False spares the light where only depth and masks matter: the pictures stay black.
    """
    room = build_room(seed)
    scene, rate_hz = Scene(room), max(n_frames - 1, 1) / WALK_S
    clip = RoomClip(room, [], {name: [] for name in sensors})
    for index, T_world_camera in enumerate(walk(room, seed, n_frames, rate_hz)):
        rng = np.random.default_rng([seed, 3, index])
        if lit:
            light, *shown = (v.reshape(480, 640, -1) for v in scene.picture(CAMERA, T_world_camera))
            z_m, cosine, instances = (values[..., 0] for values in shown)
            color, view = camera_image(light, rng), TrueView(z_m, cosine, instances, T_world_camera)
        else:
            color, view = np.zeros((480, 640, 3), np.uint8), cast(scene, CAMERA, T_world_camera)
        clip.truth.append(view)
        for sensor, shots in clip.shots.items():
            stamp_ns = FIRST_STAMP_NS + round(index * 1e9 / rate_hz)
            shots.append(shot(scene, sensor, view, color, f"{index:06d}", stamp_ns, rng))
    return clip


def shot(
    scene: Scene, sensor: str, view: TrueView, color: NDArray, name: str, stamp_ns: int, rng: np.random.Generator
) -> RenderedFrame:
    """A view as one kind of sensor measures it."""
    camera, shown, measured = CAMERA, view, view
    if sensor == LARGE_COLOR:
        camera, shown = LARGE_CAMERA, cast(scene, LARGE_CAMERA, view.T_world_camera)
        color = np.asarray(cv2.resize(color, (camera.width, camera.height)), np.uint8)
    elif sensor == SMALL_DEPTH:
        measured = cast(scene, SMALL_CAMERA, view.T_world_camera)
    measure = stereo_depth if sensor == STEREO else measured_depth
    depth_m = measure(measured.z_m, measured.cos_incidence, rng)
    return RenderedFrame(Frame(name, stamp_ns, color, depth_m, camera, view.T_world_camera), shown.instances)


def cast(scene: Scene, camera: PinholeCamera, T_world_camera: NDArray) -> TrueView:
    """What an image of a camera truly shows, without its light."""
    v, u = np.divmod(np.arange(camera.width * camera.height), camera.width)
    rays = camera.unproject(np.stack([u, v], axis=1), np.ones(len(u))) @ T_world_camera[:3, :3].T
    hits = scene.cast(T_world_camera[:3, 3].astype(np.float32), rays.astype(np.float32))
    cosine, shape = np.einsum("nk,nk->n", hits.normals_world, hits.to_camera), (camera.height, camera.width)
    z_m, instances = hits.z_m.reshape(shape), scene.instance_of_part[hits.part].reshape(shape)
    return TrueView(z_m, cosine.reshape(shape), instances, T_world_camera)
