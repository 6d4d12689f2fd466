# SPDX-License-Identifier: Apache-2.0
"""The axioms of a distance on the pixels of a picture."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scene_r1_ros.geometry.camera import PinholeCamera
from scene_r1_ros.tracking.crop import Crop
from scene_r1_ros.tracking.geodesic import DEPTH_NOISE, DEPTH_STEP, MAX_DEPTH_COST, PIXEL_COST, Terrain, filled
from scene_r1_ros.types import Box2D, Frame

WIDTH, HEIGHT = 24, 18


def crop_of(color: np.ndarray, depth_m: np.ndarray) -> Crop:
    camera = PinholeCamera(WIDTH, HEIGHT, 20.0, 20.0, 11.5, 8.5)
    frame = Frame("000000", 1, color.astype(np.uint8), depth_m.astype(np.float32), camera, np.eye(4))
    return Crop(frame, Box2D(0, 0, WIDTH, HEIGHT))


def scribbles(seed: int) -> Crop:
    random = np.random.default_rng(seed)
    color = cv2.resize(random.integers(0, 255, (5, 6, 3)).astype(np.uint8), (WIDTH, HEIGHT), interpolation=0)
    depth_m = cv2.resize(random.uniform(0.5, 3, (4, 5)), (WIDTH, HEIGHT), interpolation=0)
    return crop_of(color, np.where(random.random((HEIGHT, WIDTH)) < 0.2, 0, depth_m))


def flat(**change) -> Crop:
    """One colour and one depth; ``change`` is multiplied to the right half."""
    color, depth_m = np.full((HEIGHT, WIDTH, 3), 100.0), np.full((HEIGHT, WIDTH), 1.0)
    color[:, WIDTH // 2 :] *= change.get("color", 1)
    depth_m[:, WIDTH // 2 :] *= change.get("depth", 1)
    return crop_of(color, depth_m)


TERRAINS = [Terrain(scribbles(seed)) for seed in range(4)]
terrains = st.sampled_from(TERRAINS)
pixels = st.integers(0, WIDTH * HEIGHT - 1)


def seeds(*numbers: int) -> np.ndarray:
    chosen = np.zeros(WIDTH * HEIGHT, bool)
    chosen[list(numbers)] = True
    return chosen.reshape(HEIGHT, WIDTH)


@settings(max_examples=40, deadline=None)
@given(terrains, st.sets(pixels, min_size=1, max_size=9), pixels)
def test_it_is_zero_on_the_seeds_alone_and_more_seeds_bring_nothing_farther(terrain, first, another):
    few, more = terrain.distance(seeds(*first)), terrain.distance(seeds(*first, another))
    assert np.array_equal(few == 0, seeds(*first))
    assert np.isfinite(few).all() and (few >= 0).all()
    assert (more <= few).all()


@settings(max_examples=40, deadline=None)
@given(terrains, pixels, pixels, pixels)
def test_it_is_symmetric_and_no_detour_is_shorter(terrain, a, b, c):
    from_a, from_b = terrain.distance(seeds(a)).ravel(), terrain.distance(seeds(b)).ravel()
    assert from_a[b] == pytest.approx(from_b[a], rel=1e-12)
    assert from_a[c] <= from_a[b] + from_b[c] + 1e-9


@settings(max_examples=60, deadline=None)
@given(terrains, st.sets(pixels, min_size=2, max_size=12), st.data())
def test_nearer_is_the_comparison_of_two_distances(terrain, places, data):
    some = data.draw(st.sets(st.sampled_from(sorted(places)), min_size=1, max_size=len(places) - 1))
    a, b = seeds(*some), seeds(*(places - some))
    to_a, to_b = terrain.distance(a), terrain.distance(b)
    clear = np.abs(to_a - to_b) > 1e-9
    assert np.array_equal(terrain.nearer(a, b)[clear], (to_a < to_b)[clear])


@pytest.mark.parametrize("what", ["color", "depth"])
def test_nothing_comes_nearer_when_an_edge_is_raised(what):
    left = np.zeros((HEIGHT, WIDTH), bool)
    left[:, 0] = True
    rising = [Terrain(flat(**{what: factor})).distance(left) for factor in (1, 1.01, 1.03, 1.1, 1.5)]
    for lower, higher in pairwise(rising):
        assert (higher >= lower).all()
    assert rising[-1][:, -1].min() > rising[0][:, -1].max() + 1
    assert np.array_equal(rising[-1][:, : WIDTH // 2 - 2], rising[0][:, : WIDTH // 2 - 2])


def test_where_nothing_differs_pixels_are_counted():
    steps = Terrain(flat()).distance(seeds(0))
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    assert np.allclose(steps, PIXEL_COST * (rows + columns))


def test_a_jump_of_depth_costs_by_its_share_up_to_a_limit():
    left = np.zeros((HEIGHT, WIDTH), bool)
    left[:, : WIDTH // 2] = True

    def step(factor: float) -> float:
        return Terrain(flat(depth=factor)).distance(left)[5, WIDTH // 2] - PIXEL_COST

    assert step(1 + DEPTH_NOISE / 2) == pytest.approx(0, abs=1e-6)
    assert step(np.exp(2 * DEPTH_STEP)) == pytest.approx(2, abs=1e-3)
    assert step(2.0) == step(9.0) == pytest.approx(MAX_DEPTH_COST)


def test_holes_of_depth_are_no_edges():
    """Each 4th row and column, and a whole patch of one surface."""
    holed = np.full((HEIGHT, WIDTH), 1.3, np.float32)
    holed[::4] = holed[:, ::4] = holed[5:12, 6:14] = 0
    assert (filled(holed) == np.float32(1.3)).all()
    whole = Terrain(crop_of(np.full((HEIGHT, WIDTH, 3), 90), np.full((HEIGHT, WIDTH), 1.3)))
    same = Terrain(crop_of(np.full((HEIGHT, WIDTH, 3), 90), holed))
    assert np.array_equal(same.distance(seeds(0)), whole.distance(seeds(0)))


def test_holes_take_the_nearest_depth():
    depth_m = np.full((HEIGHT, WIDTH), 1.0, np.float32)
    depth_m[:, WIDTH // 2 :] = 2.0
    depth_m[:, WIDTH // 2 - 2 : WIDTH // 2 + 2] = 0
    expected = np.where(np.arange(WIDTH) < WIDTH // 2, 1.0, 2.0)
    assert (filled(depth_m) == expected).all()


def test_without_any_depth_colours_alone_decide():
    blind = crop_of(flat(color=2.0).color, np.zeros((HEIGHT, WIDTH)))
    seen = Terrain(flat(color=2.0)).distance(seeds(0))
    assert np.array_equal(Terrain(blind).distance(seeds(0)), seen)
    assert seen[:, WIDTH // 2 + 2 :].min() > 5 > seen[:, : WIDTH // 2 - 2].max()
