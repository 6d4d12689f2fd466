# SPDX-License-Identifier: Apache-2.0
"""The cloud that grows view by view, and what views say about its points."""

import numpy as np

from scene_r1_ros.config import LiftConfig
from scene_r1_ros.geometry.mask_view import MaskCrop
from scene_r1_ros.geometry.object_cloud import JURY, ObjectCloud, Votes, witness
from scene_r1_ros.run import Run
from test.scenes import BLOCK, clip


def views(n):
    return [MaskCrop.of(m, LiftConfig()).view(m.frame.T_world_camera, 0) for m in clip(n)[1]]


def test_views_can_be_added_after_the_cloud_was_asked():
    first, second = ObjectCloud(0.01, BLOCK.center_world), ObjectCloud(0.01, BLOCK.center_world)
    for view in views(4):
        first.add(view)
        second.add(view)
        first.means()
    assert np.allclose(first.means()[0], second.means()[0], atol=1e-5)


def test_a_view_tells_surface_from_free_space_and_from_what_is_hidden():
    view = views(1)[0]  # from +x
    points = np.array([[0.2, 0, 0.15], [0.4, 0, 0.3], [-0.2, 0, 0.1], [0.5, 0, 0.0]], np.float32) - BLOCK.center_world
    words = witness(view, points.astype(np.float32), BLOCK.center_world)
    assert words[0] > 0 and words[1] < 0 and words[2] == 0 and words[3] < 0


def test_the_view_that_the_others_deny_is_wrong():
    words = np.array([[1, 1, 0, 0], [1, 1, 0, 0], [-1, -1, 1, 1], [1, 1, -1, -1]], np.float32)
    assert Votes(words).wrong_view() == 2
    assert Votes(words[:2]).wrong_view() is None
    assert np.allclose(Votes(words).object_share, [0.75, 0.75, 0.5, 0.5])


def test_only_so_many_views_vote():
    cloud = ObjectCloud(0.02, BLOCK.center_world)
    for view in views(JURY + 5):
        cloud.add(view)
    assert len(cloud.jury()) == JURY and cloud.jury()[0] is cloud.views[0] and cloud.jury()[-1] is cloud.views[-1]
    assert cloud.vote(Run()).words.shape == (JURY, len(cloud.means()[0]))
