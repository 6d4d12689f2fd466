# SPDX-License-Identifier: Apache-2.0
"""The stereo camera errs as stereo cameras do; the structured-light one is tested with the rendered rooms."""

import numpy as np
import pytest

from scene_r1_ros.rooms.sensor import (
    DISPARITY_SIGMA_PX,
    DISPARITY_STEP_PX,
    MATCH_RADIUS_PX,
    STEREO_BASELINE_PX_M,
    stereo_depth,
)


def measured(z_m, cosine=1.0, seed=0):
    return stereo_depth(z_m, np.full(z_m.shape, cosine), np.random.default_rng(seed))


def wall(z_m, **options):
    return measured(np.full((200, 640), z_m), **options)


@pytest.mark.parametrize("z_m", [0.5, 1.0, 2.0, 3.0])
def test_the_error_grows_with_the_square_of_the_distance(z_m):
    depth_m = wall(z_m)
    sigma_px = np.hypot(DISPARITY_SIGMA_PX, DISPARITY_STEP_PX / np.sqrt(12))
    assert (depth_m > 0).all()
    assert depth_m.mean() == pytest.approx(z_m, rel=0.01)
    assert depth_m.std() == pytest.approx(z_m**2 / STEREO_BASELINE_PX_M * sigma_px, rel=0.1)


def test_noise_is_smooth_over_a_matching_window():
    noise = wall(2.0) - 2.0
    beside = np.corrcoef(noise[:, :-1].ravel(), noise[:, 1:].ravel())[0, 1]
    apart = np.corrcoef(noise[:, :-10].ravel(), noise[:, 10:].ravel())[0, 1]
    assert beside > 0.6 and abs(apart) < 0.1


def test_near_surfaces_grow_and_cast_a_shadow_to_their_left():
    z_m = np.full((60, 640), 3.0)
    z_m[:, 300:400] = 1.0
    depth_m = measured(z_m)
    near = ((depth_m > 0) & (depth_m < 1.5)).all(axis=0)
    assert np.flatnonzero(near)[[0, -1]].tolist() == [300 - MATCH_RADIUS_PX, 399 + MATCH_RADIUS_PX]
    shadow_px = round(STEREO_BASELINE_PX_M * (1 / 1.0 - 1 / 3.0))
    lost = np.flatnonzero((depth_m == 0).all(axis=0))
    assert abs(len(lost) - shadow_px) <= 1 and lost[-1] == 299 - MATCH_RADIUS_PX


@pytest.mark.parametrize(("z_m", "cosine"), [(0.2, 1.0), (6.5, 1.0), (2.0, 0.05)])
def test_too_near_too_far_and_grazing_is_not_measured(z_m, cosine):
    assert (wall(z_m, cosine=cosine) == 0).all()


def test_the_same_seed_gives_the_same_noise():
    np.testing.assert_array_equal(wall(2.0, seed=3), wall(2.0, seed=3))
    assert (wall(2.0, seed=3) != wall(2.0, seed=4)).any()
