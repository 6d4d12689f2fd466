# SPDX-License-Identifier: Apache-2.0
"""The fit behind the confidence: it finds the map that made the data, and never punishes evidence."""

import numpy as np
import pytest

from scene_r1_ros.answer import Evidence
from scene_r1_ros.evaluation.calibrate import fit, moved
from scene_r1_ros.geometry.confidence import WEIGHTS, features
from scene_r1_ros.types import Box2D

RANDOM = np.random.default_rng(0)


def test_it_finds_the_map_that_made_the_data():
    values = RANDOM.uniform(0, 1, (4000, 2))
    chances = 1 / (1 + np.exp(-(-2 + 4 * values[:, 0] + values[:, 1])))
    bias, weights = fit(values, RANDOM.uniform(size=4000) < chances, np.ones(4000))
    fitted = 1 / (1 + np.exp(-bias - values @ weights))
    assert np.abs(fitted - chances).mean() < 0.05 and weights[0] > weights[1] > 0


def test_evidence_that_speaks_against_gets_no_weight():
    values = RANDOM.uniform(0, 1, (500, 1))
    assert fit(values, values[:, 0] < 0.5, np.ones(500))[1] == pytest.approx([0])


def test_samples_count_as_much_as_they_are_told():
    values, right = np.zeros((2, 1)), np.array([True, False])
    bias, _ = fit(values, right, np.array([0.9, 0.1]))
    assert 1 / (1 + np.exp(-bias)) == pytest.approx(0.9, abs=0.01)


def test_features_and_weights_have_the_same_names_in_the_same_order():
    assert list(features(Evidence(0.5, 0.5, 0.5, 0.5, 1, 0, 0))) == list(WEIGHTS) and min(WEIGHTS.values()) >= 0


def test_a_box_is_moved_and_scaled():
    assert moved(Box2D(0, 0, 10, 20), 0.5, 0.0, 1.0).xyxy == (5, 0, 15, 20)
    assert moved(Box2D(0, 0, 10, 20), 0.0, 1.0, 2.0).xyxy == (-5, -10, 15, 30)
