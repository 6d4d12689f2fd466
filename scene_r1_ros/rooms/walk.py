# SPDX-License-Identifier: Apache-2.0
"""The way a robot's camera walks around the table: an arc, 1.0 to 1.4 m high, looking slightly down."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scene_r1_ros.errors import BadInput
from scene_r1_ros.rooms.room import Room

SPEED_M_S = 1.25  # an easy walk
RADIUS_M = 2.15
MAX_ARC_RAD = 2.3
FOCUS_XYZ = (0.05, 0.6, 0.5)  # what the arc is centred on, near the table, in the room that is not mirrored
LOOK_ASIDE_M = 0.45  # the camera looks past it, to where the armchair stands


def walk(room: Room, seed: int, n_frames: int, rate_hz: float) -> list[NDArray[np.float64]]:
    """``T_world_camera`` (4, 4) of each frame, at even steps of time.

    Raises:
        BadInput: no frames, or a rate that is not positive.
    """
    if n_frames < 1 or not rate_hz > 0:
        raise BadInput(f"{n_frames} frames at {rate_hz} Hz; a walk needs at least one frame and a rate above 0")
    rng = np.random.default_rng([seed, 1])
    side = -1.0 if room.mirrored else 1.0
    arc = min(SPEED_M_S * (n_frames - 1) / rate_hz / RADIUS_M, MAX_ARC_RAD)
    along = np.linspace(-0.5, 0.5, n_frames) if n_frames > 1 else np.zeros(1)
    phase = rng.uniform(0, 2 * np.pi)
    turn = along * arc * side
    radius = RADIUS_M + 0.1 * np.sin(2 * np.pi * along + phase)
    height = 1.2 + 0.12 * np.sin(np.pi * along + phase)
    focus = np.array(FOCUS_XYZ) * (side, 1, 1)
    positions = np.stack([focus[0] + radius * np.sin(turn), focus[1] - radius * np.cos(turn), height], axis=1)
    aside = LOOK_ASIDE_M * side - 0.2 * np.sin(turn)
    targets = focus + np.stack([aside, 0 * turn, 0.05 * np.sin(3 * turn + phase)], axis=1)
    return [looking_at(p, t) for p, t in zip(positions, targets, strict=True)]


def looking_at(position: ArrayLike, target: ArrayLike) -> NDArray[np.float64]:
    """``T_world_camera`` of a level camera at ``position`` that looks at ``target``, both (3,) in the world, z up."""
    eye = np.asarray(position, np.float64)
    forward = np.asarray(target) - eye
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, (0, 0, 1.0))
    right /= np.linalg.norm(right)
    T_world_camera = np.eye(4)
    T_world_camera[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1)
    T_world_camera[:3, 3] = eye
    return T_world_camera
