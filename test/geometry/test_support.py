# SPDX-License-Identifier: Apache-2.0
"""Cutting off what an object stands on: floor that masks took along goes, the object's own foot and back stay."""

from dataclasses import replace

import numpy as np
import pytest

from scene_r1_ros.answer import OrientedBox
from scene_r1_ros.config import LiftConfig
from scene_r1_ros.evaluation.metrics import box_iou_3d
from scene_r1_ros.geometry import lift as lifting
from scene_r1_ros.geometry.box import oriented_box
from scene_r1_ros.geometry.lift import cleaned, lift
from scene_r1_ros.geometry.support import MIN_POINTS, off_support, planes
from scene_r1_ros.run import Run
from scene_r1_ros.types import Mask
from test.scenes import BLOCK, clip

CONFIG = LiftConfig()
VOXEL_M = 0.01
ORIGIN = np.array([0.5, -0.25, 0.125])
HALF_M = 0.01  # about what noise makes of half a plane's thickness where the cameras of the clip stand


def world_points(mask: Mask) -> np.ndarray:
    """(h, w, 3)"""
    height, width = mask.frame.depth_m.shape
    v, u = np.mgrid[0:height, 0:width]
    points = mask.frame.depth_camera.unproject(np.stack([u.ravel(), v.ravel()], 1), mask.frame.depth_m.ravel())
    T = mask.frame.T_world_camera
    return (points @ T[:3, :3].T + T[:3, 3]).reshape(height, width, 3)


def with_floor(mask: Mask, reach_m: float = 0.15) -> Mask:
    """The mask and the floor so far around the block."""
    points = world_points(mask)
    near = (np.abs(points[..., :2]) < BLOCK.size_m[:2] / 2 + reach_m).all(axis=2) & (mask.frame.depth_m > 0)
    return replace(mask, pixels=mask.pixels | (near & (np.abs(points[..., 2]) < 0.01)))


def grid(low, high) -> np.ndarray:
    """(N, 3) points one voxel apart that fill a box, which may be as thin as a sheet."""
    edges = (np.arange(a, b + VOXEL_M / 2, VOXEL_M) for a, b in zip(low, high, strict=True))
    return np.stack(np.meshgrid(*edges, indexing="ij"), axis=-1).reshape(-1, 3)


def shell(size_m) -> np.ndarray:
    """(N, 3) points on the sides and the top of a block that stands in the middle of the floor."""
    x, y, z = np.array(size_m) * (0.5, 0.5, 1)
    points = grid((-x, -y, 0), (x, y, z))
    return points[(np.abs(np.abs(points[:, 0]) - x) < 1e-6) | (np.abs(np.abs(points[:, 1]) - y) < 1e-6)
                  | (np.abs(points[:, 2] - z) < 1e-6)]  # fmt: skip


def floor_around(size_m, width_m: float) -> np.ndarray:
    points = grid((-0.5, -0.5, 0), (0.5, 0.5, 0))
    beside_m = (np.abs(points[:, :2]) - np.array(size_m)[:2] / 2).max(axis=1)
    return points[(beside_m > 2 * VOXEL_M) & (beside_m < width_m)]


@pytest.fixture(scope="module")
def block_views():
    """Views of the block on the floor, each mask with some floor around it."""
    return cleaned([with_floor(mask) for mask in clip(4)[1]], CONFIG, Run())


def kept_of(points_world: np.ndarray, views) -> np.ndarray:
    return off_support(points_world - ORIGIN, views, ORIGIN, VOXEL_M)


def test_the_floor_goes_and_the_block_stays(block_views):
    block, floor = shell(BLOCK.size_m), floor_around(BLOCK.size_m, 0.15)
    kept = kept_of(np.concatenate([block, floor]), block_views)
    assert kept[: len(block)].all() and not kept[len(block) :].any()


def without_cut(monkeypatch) -> None:
    monkeypatch.setattr(lifting, "off_support", lambda points, *_: np.ones(len(points), bool))


def beside_m(points_world: np.ndarray) -> float:
    """How far from the block the farthest point lies, seen from above."""
    return float((np.abs(points_world[:, :2]) - BLOCK.size_m[:2] / 2).max())


@pytest.mark.parametrize("n", [1, 2, 6])  # of one view the block's box is that of the two or three sides it shows
def test_masks_that_take_floor_along_give_the_block(n, monkeypatch):
    exact, wide = clip(n)[1], [with_floor(mask) for mask in clip(n)[1]]
    truth = oriented_box(lift(exact, CONFIG).points_world, "z")
    cut = lift(wide, CONFIG).points_world
    assert beside_m(cut) < 0.015 and box_iou_3d(oriented_box(cut, "z"), truth) > 0.75
    without_cut(monkeypatch)
    whole = lift(wide, CONFIG).points_world
    assert beside_m(whole) > 0.1 and box_iou_3d(oriented_box(whole, "z"), truth) < 0.5


@pytest.mark.parametrize("n", [1, 2, 6])
def test_exact_masks_lose_nothing(n, monkeypatch):
    masks = clip(n)[1]
    cut = lift(masks, CONFIG).points_world
    without_cut(monkeypatch)
    assert np.array_equal(cut, lift(masks, CONFIG).points_world)


def test_a_flat_book_stays_whole():
    size_m = (0.3, 0.2, 0.03)
    book = OrientedBox(np.array([0, 0, 0.015]), np.array(size_m), np.eye(3))
    views = cleaned(clip(4, block=book)[1], CONFIG, Run())
    assert kept_of(np.concatenate([shell(size_m), floor_around(size_m, 0.1)]), views).all()


def mug() -> np.ndarray:
    """(N, 3) points of the wall of a mug 10 cm high, which widens upwards from 8 to 9.6 cm, and of a wider foot."""
    angles, heights = np.meshgrid(np.linspace(0, 2 * np.pi, 40), np.arange(0, 0.1001, 0.005))
    radii = np.where(heights > 0, 0.04 + 0.08 * heights, 0.048 + 1.2 * VOXEL_M)
    return np.stack([radii * np.cos(angles), radii * np.sin(angles), heights], axis=-1).reshape(-1, 3)


def test_the_foot_of_a_mug_stays():
    size_m = (0.08, 0.08, 0.1)
    block = OrientedBox(np.array([0, 0, 0.05]), np.array(size_m), np.eye(3))
    views = cleaned(clip(4, block=block)[1], CONFIG, Run())
    points, floor = mug(), floor_around(size_m, 0.08)
    beside = floor[np.linalg.norm(floor, axis=1) > 0.048 + 2 * VOXEL_M]
    assert kept_of(points, views).all()
    kept = kept_of(np.concatenate([points, beside]), views)
    assert kept[: len(points)].all() and not kept[len(points) :].any()


def test_a_bookcase_keeps_all_that_stands_out_from_the_wall(block_views):
    """The floor is its wall: sides and shelves stand on it, and between them the back lies flat on it."""
    x, y, z = 0.2, 0.1, 0.3
    boards = [
        *(grid((s * x, -y, 0), (s * x, y, z)) for s in (-1, 1)),
        *(grid((-x, t, 0), (x, t, z)) for t in np.linspace(-y, y, 3)),
    ]
    points, n_boards = np.concatenate([*boards, grid((-x, -y, 0), (x, y, 0))]), sum(map(len, boards))
    kept = kept_of(points, block_views)
    assert kept[:n_boards].all()
    whole, left = (oriented_box(some, "z") for some in (points, points[kept]))
    assert box_iou_3d(whole, left) > 0.99


def test_nothing_is_cut_by_a_plane_the_object_goes_through(block_views):
    through = np.concatenate([shell((0.4, 0.2, 0.3)), grid((-0.2, -0.1, -0.2), (0.2, -0.1, -0.05))])
    assert kept_of(np.concatenate([through, floor_around(BLOCK.size_m, 0.15)]), block_views).all()


def test_less_floor_than_may_be_the_foot_stays(block_views):
    """A lamp's round foot is wider than its pole; only more than a tenth of the object is worth a cut."""
    block, floor = shell(BLOCK.size_m), floor_around(BLOCK.size_m, 0.15)
    few = floor[: len(block) // 12]
    assert kept_of(np.concatenate([block, few]), block_views).all()


@pytest.mark.parametrize("points", [
    np.empty((0, 3)), np.zeros((1, 3)), np.array([[0, 0, 0.2]]), floor_around(BLOCK.size_m, 0.15), np.zeros((80, 3)),
], ids=["empty", "one on the floor", "one above", "all floor", "one place"])  # fmt: skip
def test_what_has_no_height_stays(points, block_views):
    assert np.array_equal(kept_of(points, block_views), np.ones(len(points), bool))


def test_without_anything_around_nothing_is_cut(block_views):
    blind = [replace(view, around_m=np.zeros_like(view.around_m)) for view in block_views]
    assert kept_of(np.concatenate([shell(BLOCK.size_m), floor_around(BLOCK.size_m, 0.15)]), blind).all()


def scattered(low, high, n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(low, high, (n, 3))


def test_floor_and_wall_are_found_the_larger_first_both_towards_the_camera():
    floor, wall = scattered((-1, -1, 0), (1, 1, 0), 400, 0), scattered((-1, 1, 0.1), (1, 1, 1), 250, 1)
    cameras = np.array([[0, -1, 1], [0.5, -1, 1.2]])
    first, second = planes(np.concatenate([floor, wall, scattered(-1, 1, 50, 2)]), cameras, HALF_M)
    assert np.allclose(first.normal, (0, 0, 1), atol=0.02) and abs(first.offset_m) < 0.005
    assert np.allclose(second.normal, (0, -1, 0), atol=0.02) and second.offset_m == pytest.approx(-1, abs=0.01)
    below = planes(floor, cameras * (1, 1, -1), HALF_M)
    assert len(below) == 1 and np.allclose(below[0].normal, (0, 0, -1), atol=0.02)


@pytest.mark.parametrize("points", [
    np.empty((0, 3)), scattered((-1, -1, 0), (1, 1, 0), MIN_POINTS - 1, 0), scattered(-1, 1, 500, 0),
], ids=["nothing", "too few", "no plane"])  # fmt: skip
def test_where_no_plane_goes_on_none_is_found(points):
    assert planes(points, np.ones((2, 3)), HALF_M) == []
