# SPDX-License-Identifier: Apache-2.0
"""Triangle meshes of simple bodies, metres, z up. Triangles carry their own corners, so that bodies just add up."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, eq=False)
class Mesh:
    corners: NDArray[np.float64]  # (T, 3, 3) metres: triangle, corner, xyz
    normals: NDArray[np.float64]  # (T, 3, 3) unit shading normals at the corners

    def placed(self, R: NDArray[np.float64], position: ArrayLike) -> "Mesh":
        """The same body turned by the (3, 3) rotation and then moved."""
        return Mesh(self.corners @ R.T + np.asarray(position), self.normals @ R.T)

    def moved(self, *position: float) -> "Mesh":
        return self.placed(np.eye(3), position)


def joined(*meshes: Mesh) -> Mesh:
    return Mesh(np.concatenate([m.corners for m in meshes]), np.concatenate([m.normals for m in meshes]))


def sample_surface(mesh: Mesh, n: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """(n, 3) points spread evenly over the surface, metres."""
    a, b, c = mesh.corners[:, 0], mesh.corners[:, 1], mesh.corners[:, 2]
    areas = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    pick = rng.choice(len(areas), n, p=areas / areas.sum())
    u, v = rng.random((2, n, 1))
    u, v = np.where(u + v > 1, 1 - u, u), np.where(u + v > 1, 1 - v, v)
    return (a[pick] + u * (b - a)[pick] + v * (c - a)[pick]).astype(np.float32)


def rotation_z(yaw: float) -> NDArray[np.float64]:
    """(3, 3) rotation about the vertical by ``yaw`` radians."""
    c, s = np.cos(yaw), np.sin(yaw)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])


def grid(points: NDArray[np.float64], normals: NDArray[np.float64] | None) -> Mesh:
    """Triangles of a (M, N, 3) grid of points; normals of the same shape, or None for flat faces."""
    quads = [points[:-1, :-1], points[1:, :-1], points[1:, 1:], points[:-1, 1:]]
    a, b, c, d = (q.reshape(-1, 3) for q in quads)
    corners = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    kept = area > 1e-12
    if normals is None:
        return flat(corners[kept])
    n = [normals[:-1, :-1], normals[1:, :-1], normals[1:, 1:], normals[:-1, 1:]]
    na, nb, nc, nd = (q.reshape(-1, 3) for q in n)
    shading = np.concatenate([np.stack([na, nb, nc], 1), np.stack([na, nc, nd], 1)])
    return Mesh(corners[kept], shading[kept])


def flat(corners: NDArray[np.float64]) -> Mesh:
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return Mesh(corners, np.repeat(normals[:, None], 3, axis=1))


def box(width: float, depth: float, height: float) -> Mesh:
    """A box along x, y, z standing on z = 0, centred in x and y."""
    signs = np.array([[(i >> k) & 1 for k in range(3)] for i in range(8)]) - (0.5, 0.5, 0)
    corners = signs * (width, depth, height)
    quads = np.array([[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]])
    return flat(corners[np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])])


def rounded_box(width: float, depth: float, height: float, radius: float) -> Mesh:
    """A box with rounded edges, standing on z = 0: every point of a small sphere, pushed out to its corner."""
    half = np.array([width, depth, height]) / 2
    turn = (np.arange(17) + 0.5) / 16 * 2 * np.pi  # half a step off the axes, so that no point lies between corners
    rise = np.concatenate([[-np.pi / 2], (np.arange(8) + 0.5) / 8 * np.pi - np.pi / 2, [np.pi / 2]])
    n, corner = np.empty((17, 10, 3)), np.empty((17, 10, 3))
    for axis, wave in enumerate((np.cos(turn), np.sin(turn))):
        n[..., axis], corner[..., axis] = wave[:, None] * np.cos(rise), np.sign(wave)[:, None]
    n[..., 2], corner[..., 2] = np.sin(rise), np.sign(rise)
    points = np.empty((17, 12, 3))
    points[:, 1:-1] = corner * (half - radius) + radius * n
    points[:, 0], points[:, -1] = (0, 0, -half[2]), (0, 0, half[2])  # close the flat bottom and top
    return grid(points + np.array([0, 0, half[2]]), np.concatenate([n[:, :1], n, n[:, -1:]], axis=1))


def revolved(profile: ArrayLike, smooth: bool = False, segments: int = 32) -> Mesh:
    """The surface that a line of (radius, z) points sweeps around the z axis; ``smooth`` rounds its bends in shading.

    The line runs upwards on the outside, so that the normals point out.
    """
    r, z = np.asarray(profile, np.float64).T
    turn = np.linspace(0, 2 * np.pi, segments + 1)
    direction = np.stack([np.cos(turn), np.sin(turn), np.zeros_like(turn)], axis=-1)  # (S, 3)
    slope = np.stack([np.diff(z), -np.diff(r)], axis=-1)  # (P-1, 2): radial and vertical part of the normals
    slope /= np.linalg.norm(slope, axis=1, keepdims=True)
    if smooth:
        ends = np.concatenate([slope[:1], slope[:-1] + slope[1:], slope[-1:]])
        ends /= np.linalg.norm(ends, axis=1, keepdims=True)
        return ring(r, z, direction, ends)
    bands = [ring(r[i : i + 2], z[i : i + 2], direction, slope[[i, i]]) for i in range(len(r) - 1)]
    return joined(*bands)


def ring(r: NDArray, z: NDArray, direction: NDArray, slope: NDArray) -> Mesh:
    up = np.array([0, 0, 1.0])
    points = r[None, :, None] * direction[:, None] + z[None, :, None] * up
    normals = slope[None, :, :1] * direction[:, None] + slope[None, :, 1:] * up
    return grid(points, normals)


def cylinder(radius: float, height: float) -> Mesh:
    """Closed, standing on z = 0."""
    return revolved([(0, 0), (radius, 0), (radius, height), (0, height)])


def sphere(radius: float) -> Mesh:
    """Resting on z = 0."""
    rise = np.linspace(-np.pi / 2, np.pi / 2, 17)
    return revolved(np.stack([np.cos(rise), np.sin(rise) + 1], axis=1) * radius, smooth=True)


def tube(path: ArrayLike, radius: float) -> Mesh:
    """A round tube along a (N, 3) line that lies in the x-z plane, such as the handle of a mug."""
    centers = np.asarray(path, np.float64)
    tangent = np.gradient(centers, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    side = np.array([0, 1.0, 0])
    across = np.cross(side, tangent)
    turn = np.linspace(0, 2 * np.pi, 13)[None, :, None]
    normals = np.cos(turn) * across[:, None] + np.sin(turn) * side
    return grid(centers[:, None] + radius * normals, normals)
