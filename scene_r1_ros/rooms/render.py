# SPDX-License-Identifier: Apache-2.0
"""Pictures of a room by casting one ray per pixel, and one to the lamp for its shadow (Open3D RaycastingScene)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.geometry.camera import PinholeCamera
from scene_r1_ros.rooms.materials import albedo
from scene_r1_ros.rooms.primitives import joined
from scene_r1_ros.rooms.room import Room
from scene_r1_ros.rooms.sensor import camera_image, measured_depth
from scene_r1_ros.types import Frame

CAMERA = PinholeCamera(640, 480, 480.0, 480.0, 319.5, 239.5)
BATCH = 32768  # pixels
FIRST_STAMP_NS = 1_000_000_000


@dataclass(frozen=True)
class RenderedFrame:
    """A frame as the camera measures it, and what each of its pixels truly shows."""

    frame: Frame
    instances: NDArray[np.uint16]  # (H, W) RoomObject.instance_id, 0 = floor and walls


@dataclass(frozen=True, eq=False)
class Hits:
    """What the rays of one image meet; N = H * W pixels in rows."""

    z_m: NDArray[np.float32]  # (N,) depth along the optical axis
    points_world: NDArray[np.float32]  # (N, 3)
    normals_world: NDArray[np.float32]  # (N, 3) unit, towards the camera
    to_camera: NDArray[np.float32]  # (N, 3) unit
    part: NDArray[np.int64]  # (N,) index of the part


def render(
    room: Room, poses: Sequence[NDArray], rate_hz: float = 30.0, camera: PinholeCamera = CAMERA
) -> Iterator[RenderedFrame]:
    """Frames along a walk, stamped at even steps from 1 s on. The noise depends on the room's seed alone.

    Args:
        poses: ``T_world_camera`` (4, 4) of each frame.
    """
    scene = Scene(room)
    shape = (camera.height, camera.width)
    for index, T_world_camera in enumerate(poses):
        light, z_m, cosine, instances = (values.reshape(*shape, -1) for values in scene.picture(camera, T_world_camera))
        rng = np.random.default_rng([room.seed, 2, index])
        frame = Frame(
            frame_id=f"{index:06d}",
            stamp_ns=FIRST_STAMP_NS + round(index * 1e9 / rate_hz),
            color=camera_image(light, rng, room.light.exposure),
            depth_m=measured_depth(z_m[..., 0], cosine[..., 0], rng),
            camera=camera,
            T_world_camera=T_world_camera,
        )
        yield RenderedFrame(frame, instances[..., 0])


class Scene:
    """The room as one heap of triangles, each belonging to a part with a material and a frame of its own."""

    def __init__(self, room: Room):
        import open3d as o3d  # takes a second and half a gigabyte, which only those who render should pay

        self._tensor = o3d.core.Tensor
        light = room.light
        self._lamp_world, self._lamp_rgb, self._window_direction, self._window_rgb, self._sky_rgb, self._ground_rgb = (
            np.array(values, np.float32)
            for values in (
                light.lamp_world, light.lamp_rgb, light.window_direction, light.window_rgb, light.sky_rgb,
                light.ground_rgb,
            )
        )  # fmt: skip
        meshes, self.parts, instances = [], [], []
        for mesh, material in room.structure:
            meshes.append(mesh)
            self.parts.append((material, np.eye(3), np.zeros(3)))
            instances.append(0)
        for thing in room.objects:
            for mesh, material in thing.parts:
                meshes.append(mesh.placed(thing.R_world_object, thing.position_world))
                self.parts.append((material, thing.R_world_object, thing.position_world))
                instances.append(thing.instance_id)
        whole = joined(*meshes)
        first = whole.normals[:, 0]
        bends = (first, whole.normals[:, 1] - first, whole.normals[:, 2] - first)
        self._normals = [normals.astype(np.float32) for normals in bends]  # at a corner, and how they change along u, v
        self._part_of_triangle = np.repeat(np.arange(len(meshes)), [len(m.corners) for m in meshes])
        self.instance_of_part = np.array(instances, np.uint16)
        self._rays = o3d.t.geometry.RaycastingScene(nthreads=1)
        vertices = whole.corners.reshape(-1, 3).astype(np.float32)
        triangles = np.arange(len(vertices), dtype=np.uint32).reshape(-1, 3)
        self._rays.add_triangles(self._tensor(vertices), self._tensor(triangles))

    def picture(self, camera: PinholeCamera, T_world_camera: NDArray) -> tuple[NDArray, ...]:
        """Light (N, 3), depth (N, 1) in metres, cosine of incidence (N, 1) and instance (N, 1) of every pixel.

        Pixels go through in batches whose arrays fit into the processor's cache.
        """
        v, u = np.divmod(np.arange(camera.width * camera.height), camera.width)
        directions_camera = camera.unproject(np.stack([u, v], axis=1), np.ones(len(u)))  # z = 1: the range is depth
        directions = (directions_camera @ T_world_camera[:3, :3].T).astype(np.float32)
        origin = T_world_camera[:3, 3].astype(np.float32)
        batches = [directions[start : start + BATCH] for start in range(0, len(directions), BATCH)]
        columns = zip(*(self._batch(origin, batch) for batch in batches), strict=True)
        return tuple(np.concatenate(column) for column in columns)

    def _batch(self, origin: NDArray, directions: NDArray) -> tuple[NDArray, NDArray, NDArray, NDArray]:
        hits = self.cast(origin, directions)
        cosine = dot(hits.normals_world, hits.to_camera)
        return self.shade(hits), hits.z_m[:, None], cosine, self.instance_of_part[hits.part][:, None]

    def cast(self, origin: NDArray, directions: NDArray) -> Hits:
        """What rays (N, 3) from one origin (3,) meet. The room is closed, so every ray meets something."""
        origins = np.broadcast_to(origin, directions.shape)
        answer = self._rays.cast_rays(self._tensor(np.concatenate([origins, directions], axis=1)))
        z_m, triangle = answer["t_hit"].numpy(), answer["primitive_ids"].numpy()
        to_camera = -unit(directions)
        normals = self._interpolated(triangle, answer["primitive_uvs"].numpy())
        normals *= np.where(dot(normals, to_camera) < 0, np.float32(-1), np.float32(1))
        return Hits(z_m, origins + z_m[:, None] * directions, normals, to_camera, self._part_of_triangle[triangle])

    def _interpolated(self, triangle: NDArray, uv: NDArray) -> NDArray[np.float32]:
        first, along_u, along_v = (normals[triangle] for normals in self._normals)
        return unit(first + uv[:, :1] * along_u + uv[:, 1:] * along_v)

    def shade(self, hits: Hits) -> NDArray[np.float32]:
        """(N, 3) linear light: Lambert under lamp and window, ambient light, and highlights."""
        way = self._lamp_world - hits.points_world
        to_lamp = unit(way)
        lamp = (self._reaches(hits, way) / (0.6 + dot(way, way))) * self._lamp_rgb
        lambert = np.maximum(dot(hits.normals_world, to_lamp), 0)
        window = np.maximum(hits.normals_world @ self._window_direction, 0)[:, None]
        up = hits.normals_world[:, 2:] / 2 + 0.5
        light = lamp * lambert + window * self._window_rgb + self._ground_rgb + up * (self._sky_rgb - self._ground_rgb)
        shine = np.maximum(dot(hits.normals_world, unit(to_lamp + hits.to_camera)), 0) ** 60
        reflectance, gloss, glow = self._surface(hits)
        return reflectance * (light + glow) + gloss * shine * lamp

    def _reaches(self, hits: Hits, way: NDArray) -> NDArray[np.bool_]:
        """(N, 1) whether the way (N, 3) from each point is free to its end. It starts a little off the surface."""
        start = hits.points_world + np.float32(2e-3) * hits.normals_world
        rays = self._tensor(np.concatenate([start, way], axis=1))
        return ~self._rays.test_occlusions(rays, 0.0, 1.0).numpy()[:, None]

    def _surface(self, hits: Hits) -> tuple[NDArray[np.float32], ...]:
        """(N, 3) reflectance, (N, 1) gloss and (N, 1) glow."""
        reflectance, gloss, glow = (np.empty((len(hits.part), k), np.float32) for k in (3, 1, 1))
        order = np.argsort(hits.part, kind="stable")
        parts, starts = np.unique(hits.part[order], return_index=True)
        for part, pixels in zip(parts, np.split(order, starts[1:]), strict=True):
            material, R, position = self.parts[part]
            reflectance[pixels] = albedo(material, (hits.points_world[pixels] - position) @ R)
            gloss[pixels], glow[pixels] = material.gloss, material.glow
        return reflectance, gloss, glow


def dot(a: NDArray, b: NDArray) -> NDArray:
    """(N, 1) products of the rows of two (N, 3) arrays; einsum is several times quicker here than a sum along rows."""
    return np.einsum("nk,nk->n", a, b)[:, None]


def unit(vectors: NDArray) -> NDArray:
    return vectors / np.sqrt(dot(vectors, vectors))
