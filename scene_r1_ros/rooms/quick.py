# SPDX-License-Identifier: Apache-2.0
"""Pictures of furnished rooms at small size for training: what the full renderer shows, resized, but quickly.

Every second pixel is traced, as on a chessboard, and every fourth where there are only walls; one between four that see
the same flat or round face in the same light gets their mean. Edges are traced twice more beside the pixel's middle, so
that they are as soft as in a picture that was made large and then resized. Fine grain, which resizing blurs away, is
left out or added as noise.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.errors import BadInput
from scene_r1_ros.geometry.camera import PinholeCamera
from scene_r1_ros.rooms.materials import linear
from scene_r1_ros.rooms.quick_picture import CORNERS, SIDES, UNKNOWN, Picture, Samples, grids
from scene_r1_ros.rooms.quick_textures import MEAN, Textures
from scene_r1_ros.rooms.room import Room

F32 = NDArray[np.float32]
ASIDE_PX = 1 / 3  # how far from its middle an edge pixel is traced again
CLOTH_GRAIN = 0.015 * 255  # of its light: what is left of the weave of a fabric after resizing
NOISE_SIZE = 1024
NOISE_SIGMA = (0.4, 1.6)  # of 255, of a room
SOFT_SIGMA_PX = (0.0, 0.45)  # of a room's lens
NEAREST_M = 0.05  # what is nearer, or behind, counts as so near
LEVELS = 4096  # of the table of tones
SPECULAR_POWER = 60


def render_views(
    room: Room, poses: Sequence[NDArray], camera: PinholeCamera | Sequence[PinholeCamera]
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint16]]]:
    """Colour (H, W, 3) sRGB and instances (H, W), RoomObject.instance_id or 0, of each pose (4, 4).

    Sharpness and noise differ from room to room. Things must be turned about the vertical only.

    Args:
        camera: of all poses, or one for each.

    Raises:
        BadInput: an image of more than 1024 pixels to a side.
    """
    cameras = [camera] * len(poses) if isinstance(camera, PinholeCamera) else camera
    for one in cameras:
        if max(one.width, one.height) > NOISE_SIZE:
            raise BadInput(
                f"views of {one.width}x{one.height} pixels; they are for images of at most {NOISE_SIZE}; "
                "use rooms.render for larger ones"
            )
    scene = QuickScene(room)
    look = np.random.default_rng([room.seed, 12])
    soft, noisy = float(look.uniform(*SOFT_SIGMA_PX)), np.float32(look.uniform(*NOISE_SIGMA))
    for index, (T_world_camera, one) in enumerate(zip(poses, cameras, strict=True)):
        tones, part = scene.picture(one, T_world_camera)
        if soft > 0.2:
            tones = np.asarray(cv2.GaussianBlur(tones, (3, 3), soft), np.float32)
        rng = np.random.default_rng([room.seed, 13, index])
        grain = (tones[..., 1] * scene.grain_of_part[part] + noisy) * noise_of(part.shape, rng)
        color = np.clip(tones * np.float32(255) + (grain + np.float32(0.5))[..., None], 0, 255).astype(np.uint8)
        yield color, scene.instance_of_part[part]


@lru_cache(maxsize=1)
def noise_picture() -> F32:
    return np.random.default_rng(5).standard_normal((NOISE_SIZE, NOISE_SIZE), np.float32)


def noise_of(shape: tuple[int, ...], rng: np.random.Generator) -> F32:
    """A part of one large picture of noise."""
    row, column = (int(rng.integers(NOISE_SIZE - side + 1)) for side in shape)
    return noise_picture()[row : row + shape[0], column : column + shape[1]]


class QuickScene:
    """A room as one heap of triangles, with tables of all that is needed per triangle and per part."""

    def __init__(self, room: Room):
        import open3d as o3d  # takes a second and half a gigabyte, which only those who render should pay

        self._tensor = o3d.core.Tensor.from_numpy
        bodies = [(mesh, material, np.eye(3), np.zeros(3), 0) for mesh, material in room.structure]
        for thing in room.objects:
            frame = (thing.R_world_object, thing.position_world, thing.instance_id)
            bodies += [(mesh, material, *frame) for mesh, material in thing.parts]
        counts = [len(mesh.corners) for mesh, *_ in bodies]
        self._part_of_triangle = np.repeat(np.arange(len(bodies)), counts)
        self.instance_of_part = np.array([instance for *_, instance in bodies], np.uint16)
        self._tables(bodies)
        corners = [mesh.corners.reshape(-1, 3) @ R.T + position for mesh, _, R, position, _ in bodies]
        vertices = np.concatenate(corners).astype(np.float32)
        normals = np.concatenate([mesh.normals.reshape(-1, 3) @ R.T for mesh, _, R, *_ in bodies])
        self._set_normals(normals.astype(np.float32).reshape(-1, 3, 3))
        self._rays = o3d.t.geometry.RaycastingScene(nthreads=1)
        triangles = np.arange(len(vertices), dtype=np.uint32).reshape(-1, 3)
        self._rays.add_triangles(self._tensor(vertices), self._tensor(triangles))
        self._boxes = np.array([thing.box.corners_world() for thing in room.objects]).reshape(-1, 8, 3)
        self._light(room)

    def _tables(self, bodies: list) -> None:
        materials = [material for _, material, *_ in bodies]
        base = [linear(material.rgb) * MEAN.get(material.texture, 1) for material in materials]
        self._base = np.array(base, np.float32).T.copy()  # (3, parts)
        self._gloss = np.array([material.gloss for material in materials], np.float32)
        self._glow = np.array([material.glow for material in materials], np.float32)
        fabric = [material.texture in ("fabric", "rug") for material in materials]
        self.grain_of_part = np.where(fabric, CLOTH_GRAIN, 0).astype(np.float32)
        self._textures = Textures(materials, [R for _, _, R, *_ in bodies], [position for *_, position, _ in bodies])

    def _set_normals(self, normals: F32) -> None:
        """Tables of the normal at a triangle's first corner and how it changes along u and v; and faces."""
        first = normals[:, 0]
        along_u, along_v = normals[:, 1] - first, normals[:, 2] - first
        self._bent = (np.abs(along_u) + np.abs(along_v)).max(axis=1) > 1e-4
        self._normal = first.T.copy()
        self._normal_u, self._normal_v = along_u.T.copy(), along_v.T.copy()
        steps = np.where(self._bent[:, None], 0, np.rint(first * 50) + 51).astype(np.int64)
        code = ((self._part_of_triangle * 128 + steps[:, 0]) * 128 + steps[:, 1]) * 128 + steps[:, 2]
        self._face_of_triangle = np.unique(code, return_inverse=True)[1].astype(np.float32) * 2

    def _light(self, room: Room) -> None:
        light = room.light
        self._lamp_world = np.array(light.lamp_world, np.float32)
        self._window = np.array(light.window_direction, np.float32)
        ground, sky = np.array(light.ground_rgb), np.array(light.sky_rgb)
        # Light = these (3, 4) times (lamp, window, 1, how far the surface looks up).
        columns = [light.lamp_rgb, light.window_rgb, (ground + sky) / 2, (sky - ground) / 2]
        self._mix = np.array(columns, np.float32).T.copy()
        exposed = np.linspace(0, 4, LEVELS) * light.exposure
        self._tone = (np.clip(exposed / (1 + np.maximum(exposed - 0.8, 0)), 0, 1) ** (1 / 2.2)).astype(np.float32)

    def picture(self, camera: PinholeCamera, T_world_camera: NDArray) -> tuple[F32, NDArray[np.intp]]:
        """sRGB (H, W, 3), 0 to 1 and without noise, and the part (H, W) that each pixel shows."""
        height, width = camera.height, camera.width
        R, origin = T_world_camera[:3, :3].astype(np.float32), T_world_camera[:3, 3].astype(np.float32)
        planes = np.zeros((3, height, width), np.float32)
        planes[2] = UNKNOWN
        picture = Picture(np.zeros((height, width, 3), np.float32), *planes)
        rays = rays_of(camera)

        def trace(at: NDArray[np.intp]) -> None:
            picture.keep(at, self.see(origin, R @ rays.take(at, axis=1), 1 / camera.fx))

        fourth, second, rest = grids(height, width)
        near = self._near_objects(camera, T_world_camera)
        trace(np.flatnonzero(fourth | (second & near)))
        trace(picture.fill(second & ~near, CORNERS))
        trace(picture.fill(rest, SIDES))
        edges = picture.edges()
        aside = np.full((3, len(edges)), ASIDE_PX, np.float32)
        aside[1, (edges + edges // width) % 2 == 1] *= -1
        aside *= np.array([[1 / camera.fx], [1 / camera.fy], [0]], np.float32)
        middle = rays.take(edges, axis=1)
        ways = R @ np.concatenate([middle + aside, middle - aside], axis=1)
        picture.soften(edges, self.see(origin, ways, 1 / camera.fx, picture.around(edges)).tones)
        return picture.tones, picture.part.astype(np.intp)

    def _near_objects(self, camera: PinholeCamera, T_world_camera: NDArray) -> NDArray[np.bool_]:
        """(H, W) where an object may be: the rectangles around their boxes."""
        R, t = T_world_camera[:3, :3], T_world_camera[:3, 3]
        points = (self._boxes - t) @ R  # (objects, 8, 3) in the camera
        uv = points[..., :2] / np.maximum(points[..., 2:], NEAREST_M) * (camera.fx, camera.fy) + (camera.cx, camera.cy)
        low = np.clip(np.floor(uv.min(axis=1)) - 1, 0, (camera.width, camera.height)).astype(int)
        high = np.clip(np.ceil(uv.max(axis=1)) + 2, 0, (camera.width, camera.height)).astype(int)
        near = np.zeros((camera.height, camera.width), bool)
        for (x1, y1), (x2, y2), ahead in zip(low, high, points[..., 2].max(axis=1) > 0, strict=True):
            near[y1 : y2 * ahead, x1:x2] = True
        return near

    def see(self, origin: F32, ways: F32, footprint: float, around: tuple[F32, F32] | None = None) -> Samples:
        """What rays along ``ways`` (3, N), one unit of depth each, see.

        Args:
            footprint: the size of a pixel at 1 m.
            around: a part (N,) for each ray, and whether it is lit if it is that part which the ray meets.
        """
        rays = np.empty((ways.shape[1], 6), np.float32)
        rays[:, :3], rays[:, 3:] = origin, ways.T
        answer = self._rays.cast_rays(self._tensor(rays))
        depth_m, triangle = answer["t_hit"].numpy(), answer["primitive_ids"].numpy().astype(np.intp)
        normals = self._normals_at(triangle, answer["primitive_uvs"].numpy())
        normals *= np.where(dot(normals, ways) > 0, np.float32(-1), np.float32(1))
        points = ways * depth_m + origin[:, None]
        part = self._part_of_triangle[triangle]
        lit = np.full(len(part), UNKNOWN) if around is None else np.where(around[0] == part, around[1], UNKNOWN)
        light, to_lamp, lamp = self._light_at(points, normals, lit)
        colors = self._base.take(part, axis=1)
        mark = self._textures.apply(colors, part, points, depth_m * np.float32(footprint))
        light += self._glow[part]
        tones = colors * light
        self._shine(tones, part, normals, ways, to_lamp, lamp)
        tones *= np.float32((LEVELS - 1) / 4)
        levels = np.minimum(tones, np.float32(LEVELS - 1)).astype(np.int32)
        return Samples(self._tone.take(levels).T, part, self._face_of_triangle[triangle] + mark, lit)

    def _normals_at(self, triangle: NDArray[np.intp], uv: F32) -> F32:
        normals = self._normal.take(triangle, axis=1)
        bent = np.flatnonzero(self._bent[triangle])
        if len(bent):
            there, (u, v) = triangle[bent], uv[bent].T
            n = normals.take(bent, axis=1)
            n += u * self._normal_u.take(there, axis=1) + v * self._normal_v.take(there, axis=1)
            normals[:, bent] = n / np.sqrt(dot(n, n))
        return normals

    def _light_at(self, points: F32, normals: F32, lit: F32) -> tuple[NDArray, NDArray, NDArray]:
        """Light (3, N), the unit way to the lamp (3, N), and how much of the lamp (N,) comes, whatever the angle.

        ``lit`` is completed in place, where the surface looks towards the lamp.
        """
        way = self._lamp_world[:, None] - points
        square = dot(way, way)
        to_lamp = way / np.sqrt(square)
        lambert = dot(normals, to_lamp)
        unsure = np.flatnonzero((lambert > 0) & (lit == UNKNOWN))
        rays = np.empty((len(unsure), 6), np.float32)
        start = points.take(unsure, axis=1) + np.float32(2e-3) * normals.take(unsure, axis=1)
        rays[:, :3], rays[:, 3:] = start.T, way.take(unsure, axis=1).T
        lit[unsure] = ~self._rays.test_occlusions(self._tensor(rays), 0.0, 1.0).numpy()
        lamp = ((lambert > 0) & (lit > 0)) / (np.float32(0.6) + square)
        window = np.maximum(self._window @ normals, 0)
        features = np.stack([lamp * lambert, window, np.ones_like(window), normals[2]])
        return self._mix @ features, to_lamp, lamp

    def _shine(self, tones: F32, part: NDArray[np.intp], normals: F32, ways: F32, to_lamp: F32, lamp: F32) -> None:
        """Add highlights where the surface has gloss and sees the lamp."""
        gloss = self._gloss[part] * lamp
        shiny = np.flatnonzero(gloss > 0)
        ways = ways.take(shiny, axis=1)
        half = to_lamp.take(shiny, axis=1) - ways / np.sqrt(dot(ways, ways))
        cosine = dot(normals.take(shiny, axis=1), half) / np.sqrt(dot(half, half))
        shine = gloss[shiny] * np.maximum(cosine, 0) ** SPECULAR_POWER
        tones[:, shiny] += shine * self._mix[:, :1]


@lru_cache(maxsize=4)
def rays_of(camera: PinholeCamera) -> F32:
    """(3, H * W) ways of the pixels' middles, of depth 1, in the camera."""
    v, u = np.divmod(np.arange(camera.width * camera.height), camera.width)
    return camera.unproject(np.stack([u, v], axis=1), np.ones(len(u))).T.astype(np.float32)


def dot(a: NDArray, b: NDArray) -> NDArray:
    """(N,) products of the columns of two (3, N) arrays."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
