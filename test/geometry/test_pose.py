# SPDX-License-Identifier: Apache-2.0
"""Poses by their axioms: identity, inverse, composition, round trips."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scene_r1_ros.errors import BadInput
from scene_r1_ros.geometry.pose import (
    checked_pose,
    distance,
    from_quaternion,
    interpolate,
    inverse,
    to_quaternion,
    transform,
)

number = st.floats(-1, 1)
vectors = st.tuples(number, number, number).map(lambda v: np.array(v) * 10)
quaternions = st.tuples(number, number, number, number).map(np.array).filter(lambda q: np.linalg.norm(q) > 0.1)
poses = st.builds(from_quaternion, vectors, quaternions)


@given(poses, vectors)
def test_inverse_undoes(T, p):
    assert np.allclose(transform(inverse(T), transform(T, p)), p, atol=1e-9)
    assert np.allclose(T @ inverse(T), np.eye(4), atol=1e-9)


@given(poses, poses, vectors)
def test_composition_is_application_in_turn(T_a_b, T_b_c, p_c):
    assert np.allclose(transform(T_a_b @ T_b_c, p_c), transform(T_a_b, transform(T_b_c, p_c)), atol=1e-8)


@given(poses)
def test_quaternion_round_trip(T):
    assert np.allclose(from_quaternion(T[:3, 3], to_quaternion(T[:3, :3])), T, atol=1e-6)


@given(poses)
def test_a_built_pose_is_rigid(T):
    assert np.allclose(checked_pose(T), T, atol=1e-9)


@given(poses, poses)
def test_distance_is_symmetric_and_zero_to_itself(A, B):
    assert distance(A, A) == pytest.approx((0, 0), abs=1e-6)
    assert distance(A, B) == pytest.approx(distance(B, A), abs=1e-6)


@given(poses, poses)
def test_interpolation_ends_where_it_should(A, B):
    assert np.allclose(interpolate(A, B, 0.0), A, atol=1e-6)
    assert np.allclose(interpolate(A, B, 1.0), B, atol=1e-6)


@given(poses, vectors, st.floats(0, 1))
def test_interpolation_is_even(A, axis, fraction):
    """Half of a turn takes half of the angle."""
    q = np.array([*axis / 20, 1.0])
    B = A @ from_quaternion((0.3, 0, 0), q)
    _, whole = distance(A, B)
    _, part = distance(A, interpolate(A, B, fraction))
    assert part == pytest.approx(fraction * whole, abs=1e-5)


@pytest.mark.parametrize("angle", [np.pi, np.pi - 1e-9, np.pi / 2, 0.0])
@pytest.mark.parametrize("axis", np.eye(3).tolist())
def test_quaternion_at_the_difficult_angles(axis, angle):
    q = np.array([*(np.sin(angle / 2) * np.array(axis)), np.cos(angle / 2)])
    R = from_quaternion((0, 0, 0), q)[:3, :3]
    assert np.allclose(from_quaternion((0, 0, 0), to_quaternion(R))[:3, :3], R, atol=1e-7)


def placed(*position) -> np.ndarray:
    return from_quaternion(position, (0, 0, 0, 1))


def turned(R) -> np.ndarray:
    T = np.eye(4)
    T[:3, :3] = R
    return T


def test_a_pose_within_ten_kilometres_is_welcome():
    assert (checked_pose(placed(9999, -9999, 0))[:3, 3] == (9999, -9999, 0)).all()


@pytest.mark.parametrize(
    ("T", "says"),
    [
        (np.eye(3), "shape"),  # not 4x4
        (np.full((4, 4), np.nan), "NaN"),
        (np.diag([2.0, 2, 2, 1]), "not rigid"),  # scale
        (np.diag([-1.0, 1, 1, 1]), "not rigid"),  # mirror
        (np.eye(4) + np.outer([0, 0, 0, 1], [0.5, 0, 0, 0]), "last row"),  # projective
        (placed(450_000, 0, 0), "450000.* at most 10000 m from the origin.* map or odom, not in UTM"),
        (placed(0, 0, -1e300), "diverged"),
        (np.diag([1e300, 1, 1, 1]), "not rigid"),
        (turned([[1e300, -1e300, 0], [1e300, 1e300, 0], [0, 0, 1]]), "not rigid"),  # infinity - infinity
    ],
)
def test_what_is_no_pose_is_refused(T, says):
    with pytest.raises(BadInput, match=says):
        checked_pose(T)


@pytest.mark.parametrize("q", [(0, 0, 0, 0), (np.nan, 0, 0, 1), (np.inf, 0, 0, 1), (1e300, 0, 0, 1)])
def test_what_is_no_quaternion_is_refused(q):
    with pytest.raises(BadInput, match="quaternion"):
        from_quaternion((0, 0, 0), q)
