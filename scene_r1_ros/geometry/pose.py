# SPDX-License-Identifier: Apache-2.0
"""Rigid transforms as plain 4x4 arrays. ``T_a_b`` maps points of frame b into frame a: ``p_a = T_a_b @ p_b``."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scene_r1_ros.errors import BadInput

# Poses arrive through text files and float32 messages: orthonormal only to about this much.
RIGID_TOLERANCE = 1e-3
# Clouds travel as float32, which resolves 1 mm up to 16 km from the origin of the world; this leaves room for depth.
MAX_DISTANCE_M = 10_000.0


def checked_pose(T: ArrayLike, name: str = "T_world_camera") -> NDArray[np.float64]:
    """Return ``T`` as a (4, 4) float64 rigid transform, with the rotation made exactly orthonormal.

    Raises:
        BadInput: not 4x4, not finite, not rigid within ``RIGID_TOLERANCE``, or more than ``MAX_DISTANCE_M`` from the
            origin.
    """
    T = np.asarray(T, dtype=np.float64)
    if T.shape != (4, 4):
        raise BadInput(f"{name} has shape {T.shape}; a pose is a 4x4 camera-to-world matrix")
    if not np.isfinite(T).all():
        raise BadInput(f"{name} holds NaN or infinity; drop the frame or wait until the localisation has converged")
    R = T[:3, :3]
    with np.errstate(over="ignore", invalid="ignore"):  # 1e300 squared is no reason to warn: it is refused
        error, det = np.abs(R @ R.T - np.eye(3)).max(), np.linalg.det(R)
    is_rotation = error <= RIGID_TOLERANCE and det > 0  # False for NaN, which comes of infinity - infinity
    if not is_rotation or np.abs(T[3] - (0, 0, 0, 1)).max() > RIGID_TOLERANCE:
        raise BadInput(
            f"{name} is not rigid: R R^T is off by {error:.3g} (at most {RIGID_TOLERANCE}), det(R) = "
            f"{det:.3g} (must be +1), last row {T[3].tolist()}; remove scale, shear or mirroring"
        )
    if np.abs(T[:3, 3]).max() > MAX_DISTANCE_M:
        raise BadInput(
            f"{name} is at {T[:3, 3].tolist()} m; at most {MAX_DISTANCE_M:.0f} m from the origin, beyond which points "
            "lose their millimetres: give poses in a local frame such as map or odom, not in UTM or earth coordinates, "
            "and if they are local, has the localisation diverged?"
        )
    u, _, vt = np.linalg.svd(R)
    checked = np.eye(4)
    checked[:3, :3] = u @ vt
    checked[:3, 3] = T[:3, 3]
    return checked


def inverse(T_a_b: NDArray[np.float64]) -> NDArray[np.float64]:
    """``T_b_a`` of a rigid ``T_a_b``, (4, 4)."""
    T_b_a = np.eye(4)
    T_b_a[:3, :3] = T_a_b[:3, :3].T
    T_b_a[:3, 3] = -T_a_b[:3, :3].T @ T_a_b[:3, 3]
    return T_b_a


def transform(T_a_b: NDArray[np.float64], points_b: NDArray) -> NDArray[np.float64]:
    """Map (..., 3) points from frame b into frame a."""
    return points_b @ T_a_b[:3, :3].T + T_a_b[:3, 3]


def distance(T_world_a: NDArray[np.float64], T_world_b: NDArray[np.float64]) -> tuple[float, float]:
    """How far two poses are apart: (translation in metres, rotation in radians)."""
    translation_m = float(np.linalg.norm(T_world_a[:3, 3] - T_world_b[:3, 3]))
    cosine = (np.sum(T_world_a[:3, :3] * T_world_b[:3, :3]) - 1) / 2  # trace(Ra^T Rb) without the product
    return translation_m, float(np.arccos(np.clip(cosine, -1.0, 1.0)))


def from_quaternion(position: ArrayLike, quaternion_xyzw: ArrayLike) -> NDArray[np.float64]:
    """(4, 4) transform from a position in metres and a quaternion (x, y, z, w) of any non-zero length.

    Raises:
        BadInput: NaN, infinity, an all-zero quaternion, or one whose length overflows.
    """
    p, q = np.asarray(position, np.float64), np.asarray(quaternion_xyzw, np.float64)
    with np.errstate(over="ignore"):
        norm = np.linalg.norm(q)
    if not np.isfinite(p).all() or not 1e-6 <= norm < np.inf:  # the norm is NaN or infinite where a value is, or huge
        raise BadInput(
            f"pose with position {p.tolist()} and quaternion {q.tolist()}: values must be finite and the "
            "quaternion not zero; wait until the localisation publishes a valid pose"
        )
    x, y, z, w = q / norm
    T = np.eye(4)
    T[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    T[:3, 3] = p
    return T


def to_quaternion(R: NDArray[np.float64]) -> NDArray[np.float64]:
    """Quaternion (x, y, z, w) with w >= 0 of a (3, 3) rotation.

    The largest eigenvector of a symmetric 4x4 matrix (Bar-Itzhack 2000) is stable at every angle, also at 180 degrees.
    """
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = R
    K = np.array(
        [
            [xx - yy - zz, 0, 0, 0],
            [yx + xy, yy - xx - zz, 0, 0],
            [zx + xz, zy + yz, zz - xx - yy, 0],
            [zy - yz, xz - zx, yx - xy, xx + yy + zz],
        ]
    )
    _, vectors = np.linalg.eigh(K)  # reads the lower triangle only
    q = vectors[:, -1]
    return -q if q[3] < 0 else q


def interpolate(T_a: NDArray[np.float64], T_b: NDArray[np.float64], fraction: float) -> NDArray[np.float64]:
    """Pose between two poses: linear in position, slerp in rotation. ``fraction`` 0 gives ``T_a``, 1 gives ``T_b``."""
    qa, qb = to_quaternion(T_a[:3, :3]), to_quaternion(T_b[:3, :3])
    cosine = float(qa @ qb)
    qb, cosine = (-qb, -cosine) if cosine < 0 else (qb, cosine)
    angle = np.arccos(min(cosine, 1.0))
    if angle < 1e-6:
        return from_quaternion((1 - fraction) * T_a[:3, 3] + fraction * T_b[:3, 3], qa)
    q = (np.sin((1 - fraction) * angle) * qa + np.sin(fraction * angle) * qb) / np.sin(angle)
    return from_quaternion((1 - fraction) * T_a[:3, 3] + fraction * T_b[:3, 3], q)
