# SPDX-License-Identifier: Apache-2.0
"""A world small enough to be exact: a coloured block on a floor, cast ray by ray in numpy."""

import numpy as np

from scene_r1_ros.answer import OrientedBox
from scene_r1_ros.geometry.camera import PinholeCamera
from scene_r1_ros.types import Box2D, Frame, Mask

CAMERA = PinholeCamera(160, 120, 140.0, 140.0, 79.5, 59.5)
BLOCK = OrientedBox(np.array([0.0, 0.0, 0.15]), np.array([0.4, 0.2, 0.3]), np.eye(3))
FLOOR_COLOR, BLOCK_COLOR = np.array([120, 120, 110]), np.array([200, 40, 30])


def look_at(eye, target) -> np.ndarray:
    """T_world_camera of a camera at ``eye`` that looks at ``target``, z of the world up."""
    z = np.subtract(target, eye) / np.linalg.norm(np.subtract(target, eye))
    x = np.cross(z, (0, 0, 1.0))
    x /= np.linalg.norm(x)
    T = np.eye(4)
    T[:3, :3] = np.stack([x, np.cross(z, x), z], axis=1)
    T[:3, 3] = eye
    return T


def around(n: int, radius_m: float = 1.2, height_m: float = 0.8, arc: float = np.pi) -> list[np.ndarray]:
    """Poses on an arc around the block, looking at it."""
    angles = np.linspace(0, arc, n)
    return [look_at((radius_m * np.cos(a), radius_m * np.sin(a), height_m), BLOCK.center_world) for a in angles]


def cast(T_world_camera, camera: PinholeCamera = CAMERA, block: OrientedBox = BLOCK):
    """(depth_m (h, w), on_block (h, w)) of the block on the floor z = 0; depth 0 where a ray hits nothing."""
    v, u = np.mgrid[0 : camera.height, 0 : camera.width]
    rays = camera.unproject(np.stack([u.ravel(), v.ravel()], 1), np.ones(u.size)) @ T_world_camera[:3, :3].T
    eye = T_world_camera[:3, 3]
    with np.errstate(divide="ignore", invalid="ignore"):
        floor = np.where(rays[:, 2] < 0, -eye[2] / rays[:, 2], np.inf)
        low = (block.center_world - block.size_m / 2 - eye) / rays
        high = (block.center_world + block.size_m / 2 - eye) / rays
    enter, leave = np.minimum(low, high).max(axis=1), np.maximum(low, high).min(axis=1)
    block_depth = np.where((enter < leave) & (enter > 0), enter, np.inf)
    depth = np.minimum(floor, block_depth).reshape(u.shape)
    on_block = (block_depth < floor).reshape(u.shape)
    return np.where(np.isfinite(depth), depth, 0).astype(np.float32), on_block


def frame(
    T_world_camera, index: int = 0, depth_scale: int = 1, rate_hz: float = 10.0, block: OrientedBox = BLOCK
) -> tuple[Frame, Mask]:
    """A frame of the block and the exact mask of the block in it. ``depth_scale`` 2 gives depth of half the size."""
    depth, on_block = cast(T_world_camera, block=block)
    if depth_scale != 1:
        smaller = CAMERA.resized(CAMERA.width // depth_scale, CAMERA.height // depth_scale)
        depth, _ = cast(T_world_camera, smaller, block)
    random = np.random.default_rng(index)
    color = np.where(on_block[..., None], BLOCK_COLOR, FLOOR_COLOR) + random.integers(-12, 13, (*on_block.shape, 3))
    made = Frame(
        f"{index:06d}", 10**9 + int(index * 1e9 / rate_hz), color.astype(np.uint8), depth, CAMERA, T_world_camera
    )
    return made, Mask(made, on_block, 1.0)


def clip(n: int = 8, **options) -> tuple[list[Frame], list[Mask]]:
    """Frames around the block and their exact masks."""
    pairs = [frame(T, i, **options) for i, T in enumerate(around(n))]
    return [f for f, _ in pairs], [m for _, m in pairs]


def tight_box(mask: Mask) -> Box2D:
    assert mask.box is not None
    return mask.box
