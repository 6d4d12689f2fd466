# SPDX-License-Identifier: Apache-2.0
"""Known pose errors are found again, and nothing is made up where there is nothing to hold on to."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scene_r1_ros.geometry.pose import transform
from scene_r1_ros.tracking.crop import Crop
from scene_r1_ros.tracking.geometric import follow, surface_points
from scene_r1_ros.tracking.reference import Reference
from scene_r1_ros.tracking.registration import REACH_PX, differences, picture_shift, pose_offset_world, vertex
from scene_r1_ros.types import Box2D, Frame, Mask
from test.scenes import CAMERA, around, frame, look_at

HERE = np.zeros(3)
PIXEL_M = 1.2 / CAMERA.fx  # of the wall
MIDDLE = Box2D(50, 30, 110, 90)


def painted(points_world: np.ndarray) -> np.ndarray:
    """(..., 3) uint8 colours of places in the world: waves of 7 to 60 cm, nowhere alike."""
    x, y, z = np.moveaxis(points_world, -1, 0)
    waves = np.sin(31 * x + 1) + np.sin(37 * y + 2 * x) + np.sin(41 * z + 5 * x) + np.sin(11 * x - 17 * y + 9 * z)
    return np.clip(120 + 25 * waves[..., None] + np.zeros(3), 0, 255).astype(np.uint8)


def points_seen(depth_m: np.ndarray, T_world_camera: np.ndarray) -> np.ndarray:
    """(H, W, 3) world points of all pixels."""
    v, u = np.mgrid[0 : CAMERA.height, 0 : CAMERA.width]
    points_camera = CAMERA.unproject(np.stack([u.ravel(), v.ravel()], axis=1), depth_m.ravel())
    return transform(T_world_camera, points_camera).reshape(*depth_m.shape, 3)


def wall(T_world_camera: np.ndarray, index: int = 0) -> Frame:
    """A painted wall right across the view, 1.2 m before the camera, which only moves along the wall."""
    depth_m = np.full((CAMERA.height, CAMERA.width), 1.2, np.float32)
    color = painted(points_seen(depth_m, T_world_camera))
    return Frame(f"{index:06d}", index + 1, color, depth_m, CAMERA, T_world_camera)


def block(T_world_camera: np.ndarray, index: int, said: np.ndarray | None = None) -> Mask:
    """A painted block on a painted floor, seen from one pose while another is ``said``."""
    seen, truth = frame(T_world_camera, index)
    pose = T_world_camera if said is None else said
    return Mask(
        replace(seen, color=painted(points_seen(seen.depth_m, T_world_camera)), T_world_camera=pose), truth.pixels, 1.0
    )


def moved(T: np.ndarray, by_world: tuple[float, ...]) -> np.ndarray:
    result = T.copy()
    result[:3, 3] += by_world
    return result


def reference_of(frame: Frame) -> Reference:
    return Reference(Mask(frame, np.ones((120, 160), bool), 1.0), HERE)


@pytest.mark.parametrize("shift_px", [(0, 0), (1, 0), (-6, 3), (2.5, -7.5), (10, 10), (-11, 0)])
def test_a_shift_along_a_wall_is_found_to_a_fraction_of_a_pixel(shift_px):
    """The camera is elsewhere than it says; depth cannot tell, for the wall is flat."""
    off_m = np.array([*shift_px, 0]) * PIXEL_M
    there = replace(wall(moved(np.eye(4), tuple(off_m))), T_world_camera=np.eye(4))
    found = pose_offset_world(Crop(there, MIDDLE), [reference_of(wall(np.eye(4)))])
    assert np.abs(found - off_m).max() < 0.3 * PIXEL_M


@pytest.mark.parametrize("exposure", [0.6, 0.8, 1.2])
def test_another_exposure_is_no_shift(exposure):
    there = wall(moved(np.eye(4), (5 * PIXEL_M, 0, 0)))
    darker = replace(there, color=(there.color * exposure).astype(np.uint8), T_world_camera=np.eye(4))
    found = pose_offset_world(Crop(darker, MIDDLE), [reference_of(wall(np.eye(4)))])
    assert np.abs(found - (5 * PIXEL_M, 0, 0)).max() < 0.6 * PIXEL_M


def in_pixels(offset_world: np.ndarray, T_world_camera: np.ndarray) -> np.ndarray:
    """(2,) how far the picture of something 1.4 m away shifts."""
    return (T_world_camera[:3, :3].T @ offset_world)[:2] * CAMERA.fx / 1.4


@pytest.mark.parametrize("off_m", [(0.02, 0, 0), (0, 0.03, 0), (-0.02, 0.02, 0.01), (0.015, -0.015, 0.015)])
def test_a_pose_error_of_centimetres_is_found_to_a_pixel(off_m):
    poses = around(16)
    here = block(poses[6], 6)
    there = block(moved(poses[7], off_m), 7, said=poses[7])
    crop = Crop(there.frame, Box2D(40, 20, 120, 100))
    found = pose_offset_world(crop, [Reference(here, HERE)])
    assert np.linalg.norm(in_pixels(found - off_m, poses[7])) < 1
    assert np.linalg.norm(in_pixels(np.array(off_m), poses[7])) > 1.4


def test_a_followed_view_knows_how_far_its_pose_is_off():
    poses, off_m = around(16), np.array([-0.02, 0.02, 0.01])
    here = Reference(block(poses[6], 6), HERE)
    there = block(moved(poses[7], tuple(off_m)), 7, said=poses[7])
    found = follow(there.frame, [here], surface_points(here))
    assert found is not None
    assert np.linalg.norm(in_pixels(found.offset_world - off_m, poses[7])) < 1
    assert np.linalg.norm(in_pixels(off_m, poses[7])) > 1.5


def test_right_poses_stay_as_they_are():
    poses = around(16)
    crop = Crop(block(poses[7], 7).frame, Box2D(40, 20, 120, 100))
    found = pose_offset_world(crop, [Reference(block(poses[6], 6), HERE)])
    assert np.linalg.norm(in_pixels(found, poses[7])) < 0.5


def test_a_reference_passes_on_its_own_offset():
    """The offset is that of the first view's world, of which the reference knows how far it is off itself."""
    own_m = np.array([0.02, -0.01, 0])
    reference = Reference(Mask(wall(np.eye(4)), np.ones((120, 160), bool), 1.0), own_m)
    found = pose_offset_world(Crop(wall(np.eye(4)), MIDDLE), [reference])
    assert np.abs(found - own_m).max() < 0.5 * PIXEL_M


def test_nothing_is_found_on_a_plain_wall():
    plain = replace(wall(np.eye(4)), color=np.full((120, 160, 3), 140, np.uint8))
    shifted = replace(plain, T_world_camera=moved(np.eye(4), (0.03, 0, 0)))
    assert not pose_offset_world(Crop(shifted, MIDDLE), [reference_of(plain)]).any()


def test_noise_alone_is_no_texture():
    random = np.random.default_rng(0)
    noisy = [
        replace(wall(np.eye(4)), color=(140 + random.normal(0, 2, (120, 160, 1)) + np.zeros(3)).astype(np.uint8))
        for _ in range(2)
    ]
    assert not pose_offset_world(Crop(noisy[0], MIDDLE), [reference_of(noisy[1])]).any()


def test_nothing_is_found_without_overlap():
    poses = around(2)
    away = block(look_at((1.2, 0, 0.8), (3, 0, 0)), 1)
    assert not pose_offset_world(Crop(block(poses[0], 0).frame, MIDDLE), [Reference(away, HERE)]).any()
    assert not pose_offset_world(Crop(block(poses[0], 0).frame, MIDDLE), []).any()


def test_nothing_is_found_without_depth():
    blind = replace(wall(np.eye(4)), depth_m=np.zeros((120, 160), np.float32))
    assert not pose_offset_world(Crop(blind, MIDDLE), [reference_of(wall(np.eye(4)))]).any()
    assert not pose_offset_world(Crop(wall(np.eye(4)), MIDDLE), [reference_of(blind)]).any()


def test_a_crop_smaller_than_the_reach_gives_no_shift():
    there = replace(wall(moved(np.eye(4), (3 * PIXEL_M, 0, 0))), T_world_camera=np.eye(4))
    small = Crop(there, Box2D(80, 60, 90, 70))
    assert min(small.size_wh) <= 2 * REACH_PX + 4
    assert not picture_shift(small, [reference_of(wall(np.eye(4)))], HERE).any()


def test_holes_in_every_fourth_row_and_column_do_no_harm():
    off_m = (4 * PIXEL_M, -3 * PIXEL_M, 0)
    depth_m = np.full((120, 160), 1.2, np.float32)
    depth_m[::4] = depth_m[:, ::4] = 0
    there = replace(wall(moved(np.eye(4), off_m)), depth_m=depth_m, T_world_camera=np.eye(4))
    here = replace(wall(np.eye(4)), depth_m=depth_m)
    assert np.abs(pose_offset_world(Crop(there, MIDDLE), [reference_of(here)]) - off_m).max() < 0.5 * PIXEL_M


def test_differences_are_variances_of_known_pixels():
    random = np.random.default_rng(1)
    expected = random.uniform(0, 255, (20, 24)).astype(np.float32)
    known = (random.random((20, 24)) < 0.7).astype(np.float32)
    seen = random.uniform(0, 255, (12, 16)).astype(np.float32)
    found = differences(seen, expected, known)
    assert found.shape == (9, 9)
    for y, x in [(0, 0), (4, 4), (8, 3)]:
        window = np.s_[y : y + 12, x : x + 16]
        assert found[y, x] == pytest.approx(np.var((expected[window] - seen)[known[window] > 0]), rel=1e-2)


@settings(max_examples=50, deadline=None)
@given(st.floats(-0.5, 0.5), st.floats(0.1, 50), st.floats(-100, 100))
def test_the_vertex_of_a_parabola_is_found(at, bend, lowest):
    values = np.array([bend * (x - at) ** 2 + lowest for x in (-1, 0, 1)])
    assert vertex(values, np.intp(1)) == pytest.approx(at, abs=1e-6)


def test_at_the_end_of_the_reach_there_is_no_vertex():
    values = np.array([1, 2, 3, np.inf, 2, 1], np.float32)
    assert vertex(values, np.intp(0)) == vertex(values, np.intp(5)) == vertex(values, np.intp(2)) == 0
    assert vertex(np.ones(3), np.intp(1)) == 0
