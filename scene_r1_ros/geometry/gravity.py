# SPDX-License-Identifier: Apache-2.0
"""Which way is up: by the settings, by REP 103, or by the planes and the cameras of a clip."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.types import Frame

Z_UP = np.array([0.0, 0.0, 1.0])
Y_IMAGE, AXIS = np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0])  # of a camera: image down, and where it looks
AXES = {sign + name: float(sign + "1") * np.eye(3)[i] for sign in ("", "-") for i, name in enumerate("xyz")}

# A camera is held upright where its image's up is within 60 degrees of up, and its rows are level within 30 degrees;
# it looks down where instead its axis is within 60 degrees of down.
MIN_COS = 0.5
MAX_ROLL_SIN = 0.5
# A camera fixed on a wheeled base sees up always in the same direction, however the base turns.
MIN_TURN_COS = np.cos(np.deg2rad(10))
MAX_NOD_COS = np.cos(np.deg2rad(2))

MAX_FRAMES = 12  # spread over the clip: more show the same room
GRID = (30, 40)  # depth samples of a frame, rows and columns
MAX_DEPTH_M = 6.0
MAX_JUMP = 0.1  # neighbouring samples further apart than this share of their depth lie on two surfaces
SAME_PLANE_COS = np.cos(np.deg2rad(6))
MIN_PLANE_SHARE = 0.05  # of all samples: fewer are no floor, table or ceiling
N_CANDIDATES = 200


def up_world(frames: Sequence[Frame], up_axis: str) -> NDArray[np.float64] | None:
    """(3,) unit vector that points up in the world; None for "none".

    Args:
        frames: keyframes in order of time, at least one.
        up_axis: a name of ``AXES``, "none", or "auto": z (REP 103), where most cameras are held upright in such a
            world or turn about z only, as on a wheeled base. Elsewhere up is the normal of the floor, tables or
            ceiling: of the directions that many depth normals share, the one nearest to the cameras' image -y; or z
            again, where the cameras look down on planes of which most lie level with z; or, without any plane, the
            world axis nearest to the cameras' image -y.
            A camera on its side that never turns with its robot cannot be told from one in a world with another up,
            and one on its head not from one in a world with z down: say "z", or "-z".
    """
    if up_axis == "none":
        return None
    if up_axis != "auto":
        return AXES[up_axis]
    rotations = np.stack([frame.T_world_camera[:3, :3] for frame in frames])
    if most_have(rotations, -Y_IMAGE, Z_UP) or turns_about(rotations, Z_UP):
        return Z_UP
    normals = normals_world(frames)
    plane = level_plane(normals, rotations) if len(normals) else None
    if most_have(rotations, -AXIS, Z_UP) and (plane is None or share(normals, Z_UP) >= share(normals, plane)):
        return Z_UP
    return nearest_axis(-rotations[:, :, 1].mean(axis=0)) if plane is None else plane


def most_have(rotations: NDArray, direction_camera: NDArray, up: NDArray) -> bool:
    """Whether in most cameras, of (N, 3, 3) world-from-camera rotations, a direction points up and rows are level."""
    level = np.abs(rotations[:, :, 0] @ up) < MAX_ROLL_SIN
    return float(np.mean(level & (rotations @ direction_camera @ up > MIN_COS))) > 0.5


def share(normals: NDArray, direction: NDArray) -> float:
    """Which share of (N, 3) normals, N >= 1, lies along a direction or against it."""
    return float(np.mean(np.abs(normals @ direction) > SAME_PLANE_COS))


def turns_about(rotations: NDArray, axis: NDArray) -> bool:
    """Whether the cameras turn, and only about ``axis`` of the world."""
    turned = (np.einsum("nij,ij->n", rotations, rotations[0]) - 1) / 2  # cosine of the angle to the first camera
    axis_camera = rotations.transpose(0, 2, 1) @ axis
    return bool(turned.min() < MIN_TURN_COS and (axis_camera @ axis_camera[0]).min() > MAX_NOD_COS)


def normals_world(frames: Sequence[Frame]) -> NDArray[np.float64]:
    """(N, 3) unit normals of the surfaces in some of the frames, towards the camera, without those at depth jumps."""
    chosen = np.unique(np.linspace(0, len(frames) - 1, MAX_FRAMES).astype(int))
    return np.concatenate([normals_camera(frames[i]) @ frames[i].T_world_camera[:3, :3].T for i in chosen])


def normals_camera(frame: Frame) -> NDArray[np.float64]:
    rows, columns = (
        np.unique(np.linspace(0, side - 1, n).astype(int)) for side, n in zip(frame.depth_m.shape, GRID, strict=True)
    )
    v, u = np.meshgrid(rows, columns, indexing="ij")
    z = frame.depth_m[v, u].astype(np.float64)
    points = frame.depth_camera.unproject(np.stack([u.ravel(), v.ravel()], 1), z.ravel()).reshape(*z.shape, 3)
    here, right, below = z[:-1, :-1], z[:-1, 1:], z[1:, :-1]
    near, far = np.minimum(np.minimum(here, right), below), np.maximum(np.maximum(here, right), below)
    smooth = (near > 0) & (far < MAX_DEPTH_M) & (far - near < MAX_JUMP * near)
    across = np.cross((points[1:, :-1] - points[:-1, :-1])[smooth], (points[:-1, 1:] - points[:-1, :-1])[smooth])
    lengths = np.linalg.norm(across, axis=1, keepdims=True)
    return (across / np.maximum(lengths, 1e-12))[lengths[:, 0] > 1e-12]


def level_plane(normals: NDArray, rotations: NDArray) -> NDArray[np.float64] | None:
    """The direction, of those that many of (N, 3) normals share, that is up for most cameras; None if there is none."""
    candidates = normals[np.linspace(0, len(normals) - 1, N_CANDIDATES).astype(int)]
    candidates = np.concatenate([candidates, -candidates])  # a ceiling's normal points down
    shares = (np.abs(candidates @ normals.T) > SAME_PLANE_COS).mean(axis=1)
    image_up = np.maximum(-candidates @ rotations[:, :, 1].T, 0)
    level = np.maximum(1 - np.square(candidates @ rotations[:, :, 0].T) / MAX_ROLL_SIN**2, 0)
    merit = shares * np.square(image_up * level).mean(axis=1) * (shares > MIN_PLANE_SHARE)
    best = candidates[np.argmax(merit)]
    if merit.max() <= 0:
        return None
    cosines = normals @ best
    same = np.abs(cosines) > SAME_PLANE_COS
    mean = np.sum(normals[same] * np.sign(cosines[same])[:, None], axis=0)
    return mean / np.linalg.norm(mean)


def nearest_axis(direction: NDArray) -> NDArray[np.float64]:
    return max(AXES.values(), key=lambda axis: float(axis @ direction))


def level_axes(up: NDArray) -> NDArray[np.float64]:
    """(3, 3) rotation whose z is ``up`` and whose x is the next world axis, made level."""
    follows = np.eye(3)[(np.argmax(np.abs(up)) + 1) % 3]
    x = follows - (follows @ up) * up
    x /= np.linalg.norm(x)
    return np.stack([x, np.cross(up, x), up], axis=1)
