# SPDX-License-Identifier: Apache-2.0
"""Errors of a robot's localisation, made on purpose."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation


def shaken(
    poses: Sequence[NDArray], moved_m: float, turned_deg: float, rng: np.random.Generator
) -> list[NDArray[np.float64]]:
    """Each ``T_world_camera`` (4, 4) moved by just so much in a random direction and turned about a random axis."""
    return [
        T_world_camera @ motion(moved_m * direction(rng), np.deg2rad(turned_deg) * direction(rng))
        for T_world_camera in poses
    ]


def drifted(
    poses: Sequence[NDArray], moved_m: float, turned_deg: float, rng: np.random.Generator
) -> list[NDArray[np.float64]]:
    """Poses that slip away evenly, by so much in one direction and about the vertical from the first to the last.

    The middle of the walk is right, for nobody could tell a drift of all poses together.
    """
    step_m, turn_rad = moved_m * direction(rng), np.deg2rad(turned_deg) * rng.choice([-1.0, 1.0])
    middle = np.mean([T_world_camera[:3, 3] for T_world_camera in poses], axis=0)
    along = np.linspace(-0.5, 0.5, len(poses))
    around = motion(middle, np.zeros(3))
    return [
        around @ motion(t * step_m, np.array([0, 0, t * turn_rad])) @ np.linalg.inv(around) @ T_world_camera
        for t, T_world_camera in zip(along, poses, strict=True)
    ]


def motion(translation_m: NDArray, rotation_vector: NDArray) -> NDArray[np.float64]:
    """(4, 4) rigid transform of a translation and a rotation vector in radians."""
    T = np.eye(4)
    T[:3, :3] = Rotation.from_rotvec(rotation_vector).as_matrix()
    T[:3, 3] = translation_m
    return T


def direction(rng: np.random.Generator) -> NDArray[np.float64]:
    """(3,) unit vector, evenly spread over the sphere."""
    vector = rng.normal(size=3)
    return vector / np.linalg.norm(vector)
