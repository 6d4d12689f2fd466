# SPDX-License-Identifier: Apache-2.0
"""Which loose parts of a cloud belong to the object."""

from dataclasses import replace

import numpy as np
import pytest

from scene_r1_ros.answer import OrientedBox
from scene_r1_ros.config import LiftConfig
from scene_r1_ros.geometry.lift import MIN_UNDENIED, firm_parts, lift
from scene_r1_ros.types import Frame, Mask
from test.scenes import BLOCK, CAMERA, around, cast

CONFIG = LiftConfig()
DENIED = 1.0  # every point has votes against it, so that only support and distance decide


def test_loose_parts_leave():
    block = np.random.default_rng(0).uniform(0, 0.1, (1000, 3))
    stray = np.random.default_rng(1).uniform(1, 1.1, (20, 3))
    kept = firm_parts(np.concatenate([block, stray]), np.ones(1020), np.full(1020, DENIED), 0.03)
    assert kept[:1000].all() and not kept[1000:].any()


def test_a_small_part_that_many_views_support_stays():
    head = np.random.default_rng(0).uniform(0, 0.1, (1000, 3))
    foot = np.random.default_rng(1).uniform((0, 0, 0.14), (0.05, 0.05, 0.19), (50, 3))
    support = np.repeat([1.0, 5.0], [1000, 50])
    assert firm_parts(np.concatenate([head, foot]), support, np.full(1050, DENIED), 0.03).all()


@pytest.mark.parametrize("doubt", [0.0, DENIED])
def test_a_part_far_from_the_object_leaves_whatever_its_support(doubt):
    chair = np.random.default_rng(0).uniform(0, 0.1, (1000, 3))
    wall = np.random.default_rng(1).uniform((0, 0.25, 0), (0.1, 0.35, 0.1), (900, 3))
    kept = firm_parts(np.concatenate([chair, wall]), np.ones(1900), np.full(1900, doubt), 0.02)
    assert kept[:1000].all() and not kept[1000:].any()


# The pole is half a metre long: a tenth of a metre is near.
@pytest.mark.parametrize(
    ("gap_m", "n", "denied", "stays"),
    [
        (0.08, MIN_UNDENIED, 0, True),
        (0.12, MIN_UNDENIED, 0, False),
        (0.08, MIN_UNDENIED - 1, 0, False),
        (0.08, MIN_UNDENIED, 1, False),
    ],
)
def test_a_small_part_that_nobody_denies_stays_where_it_is_near(gap_m, n, denied, stays):
    pole = np.linspace((0, 0, 0), (0, 0, 0.5), 1000)
    foot = np.linspace((0, 0, -gap_m), (0, 0, -gap_m - 0.01), n)
    doubt = np.zeros(1000 + n)
    doubt[1000 : 1000 + denied] = DENIED
    kept = firm_parts(np.concatenate([pole, foot]), np.ones(1000 + n), doubt, 0.02)
    assert kept[:1000].all() and kept[1000:].tolist() == [stays] * n


@pytest.mark.parametrize(("word", "stays"), [(1.2, True), (0.8, False)])
def test_what_one_doubtful_mask_took_along_leaves_though_nobody_denies_it(word, stays):
    """Ten sure views show the pole; one shows the part, surely or not."""
    pole, part = np.linspace((0, 0, 0), (0, 0, 0.5), 1000), np.linspace((0, 0, -0.05), (0, 0, -0.06), 40)
    support = np.concatenate([np.full(1000, 10.0), np.full(40, word)])
    kept = firm_parts(np.concatenate([pole, part]), support, np.zeros(1040), 0.02)
    assert kept[:1000].all() and kept[1000:].tolist() == [stays] * 40


def test_a_part_without_points_is_no_part():
    assert firm_parts(np.zeros((0, 3)), np.zeros(0), np.zeros(0), 0.02).shape == (0,)


def lamp(n: int, gap_m: float) -> list[Mask]:
    """Exact masks of the block and of a small one that belongs to it and stands so far beside it, which some views see
    behind it and others before it; a single view sees it beside it.
    """
    small = OrientedBox(
        np.array([BLOCK.size_m[0] / 2 + gap_m + 0.03, 0, 0.04]), np.array([0.06, 0.06, 0.08]), np.eye(3)
    )
    masks = []
    for i, T in enumerate(around(n) if n > 1 else around(3)[1:2]):
        shown = [cast(T, block=block) for block in (BLOCK, small)]
        depth_m = np.minimum(*(depth for depth, _ in shown))
        mask = (shown[0][1] | shown[1][1]) & (depth_m > 0)
        masks.append(
            Mask(Frame(f"{i:06d}", 10**9 + i, np.zeros((120, 160, 3), np.uint8), depth_m, CAMERA, T), mask, 1.0)
        )
    return masks


def points_beside(masks: list[Mask]) -> int:
    return int((lift(masks, CONFIG).points_world[:, 0] > BLOCK.size_m[0] / 2 + 0.03).sum())


@pytest.mark.parametrize(
    ("n", "gap_m", "stays"), [(4, 0.06, True), (4, 0.14, False), (2, 0.06, False), (1, 0.06, False)]
)
def test_of_one_or_two_views_none_counts_as_denying_nothing(n, gap_m, stays):
    assert (points_beside(lamp(n, gap_m)) >= MIN_UNDENIED) == stays


def test_a_small_part_that_one_view_denies_leaves():
    masks = lamp(4, 0.06)
    depth_m, on_block = cast(masks[1].frame.T_world_camera)
    masks[1] = replace(masks[1], pixels=on_block & (np.abs(masks[1].frame.depth_m - depth_m) < 1e-4))
    assert points_beside(masks) == 0
