# SPDX-License-Identifier: Apache-2.0
"""What all views say about an object: visible, hidden, absent; and when it is refused."""

from dataclasses import replace

import numpy as np
import pytest

from scene_r1_ros.answer import Evidence
from scene_r1_ros.config import LiftConfig, VerifyConfig
from scene_r1_ros.errors import NotThere
from scene_r1_ros.geometry.camera import PinholeCamera
from scene_r1_ros.geometry.confidence import WEIGHTS, confidence, features
from scene_r1_ros.geometry.depth import lift_mask
from scene_r1_ros.geometry.verify import projected_box, verdict, verify
from scene_r1_ros.types import Box2D, Frame, Hypothesis, Mask
from test.scenes import clip, frame, look_at, tight_box

FRAMES, TRUTHS = clip(8)
POINTS = np.concatenate([lift_mask(m.frame, m.pixels, LiftConfig()).points_world for m in TRUTHS])
RIGHT = Hypothesis(FRAMES[2], tight_box(TRUTHS[2]), "block", "")


def test_a_right_object_is_seen_everywhere():
    evidence = verify(POINTS, TRUTHS, FRAMES, RIGHT, VerifyConfig())
    assert (evidence.visible, evidence.hidden, evidence.absent) == (7, 0, 0)
    assert min(evidence.reprojection_iou, evidence.mask_iou) > 0.7 and evidence.depth_share == 1


def test_a_view_tells_what_it_sees():
    seen = FRAMES[0]
    assert verdict(POINTS, seen) == "visible"
    assert verdict(POINTS + np.array([0, 0, 0.5]), seen) == "absent"  # afloat: the floor shows behind
    assert verdict(POINTS - np.array([0, 0, 0.6]), seen) == "hidden"  # in the cellar
    assert verdict(POINTS, frame(look_at((1.2, 0, 0.8), (3, 0, 0)))[0]) == "out of view"
    assert verdict(POINTS, replace(seen, depth_m=np.zeros_like(seen.depth_m))) == "out of view"


def test_something_in_front_hides_it():
    near = replace(FRAMES[0], depth_m=np.minimum(FRAMES[0].depth_m, np.float32(0.5)))
    assert verdict(POINTS, near) == "hidden"


def test_an_object_that_others_see_through_is_refused():
    gone = [f if f is FRAMES[2] else replace(f, depth_m=f.depth_m + np.float32(0.5)) for f in FRAMES]
    with pytest.raises(NotThere, match=r"7 of 7 views that should show it see through .*max_absent_share = 0.50"):
        verify(POINTS, TRUTHS, gone, RIGHT, VerifyConfig())
    assert verify(POINTS, TRUTHS, gone, RIGHT, VerifyConfig(max_absent_share=1.0)).absent == 7


def test_an_object_off_its_box_is_refused():
    off = Hypothesis(FRAMES[2], Box2D(0, 0, 40, 40), "block", "")
    with pytest.raises(
        NotThere, match=r"the box they came from with IoU 0.\d\d, less than verify.min_reprojection_iou = 0.35"
    ):
        verify(POINTS, TRUTHS, FRAMES, off, VerifyConfig())


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_the_box_of_a_cloud_is_that_of_its_pixels_at_any_size_of_depth(scale):
    """Each depth pixel covers ``scale`` pixels of colour on a side; a cloud of all of them covers what they cover."""
    width, height = 30, 20
    camera = PinholeCamera(width * scale, height * scale, 40.0 * scale, 40.0 * scale, 14.0 * scale, 9.0 * scale)
    depth_m = np.full((height, width), 2.0, np.float32)
    seen = Frame("1", 1, np.zeros((height * scale, width * scale, 3), np.uint8), depth_m, camera, np.eye(4))
    rows, columns = np.mgrid[5:15, 4:24]
    uv = np.stack([columns.ravel(), rows.ravel()], axis=1)
    box = projected_box(seen.depth_camera.unproject(uv, np.full(len(uv), 2.0)), seen)
    np.testing.assert_allclose(box.xyxy, np.array([4, 5, 24, 15]) * scale, atol=1e-6)


def test_one_frame_is_enough_to_hold():
    evidence = verify(POINTS, TRUTHS[2:3], FRAMES[2:3], RIGHT, VerifyConfig())
    assert (evidence.visible, evidence.hidden, evidence.absent) == (0, 0, 0)


def test_poses_that_drift_by_centimetres_do_not_make_it_absent():
    drifted = []
    for i, f in enumerate(FRAMES):
        T = f.T_world_camera.copy()
        T[:3, 3] += (0.004 * i, -0.004 * i, 0.003 * i)
        drifted.append(replace(f, T_world_camera=T))
    assert all(verdict(POINTS, f) == "visible" for f in drifted)


@pytest.mark.parametrize("name", list(WEIGHTS))
def test_no_evidence_lowers_the_confidence(name):
    weak = Evidence(0.4, 0.4, 0.5, 0.3, 2, 0, 2)
    strong = {
        "reprojection": replace(weak, reprojection_iou=0.9),
        "masks": replace(weak, mask_iou=0.9),
        "agreement": replace(weak, absent=0),
        "edges": replace(weak, edge_share=0.9),
        "views": replace(weak, visible=8, absent=8),
    }[name]
    assert features(strong)[name] > features(weak)[name]
    assert 0 <= confidence(weak) <= confidence(strong) <= 1


def test_confidence_spans_from_poor_to_good():
    poor, good = Evidence(0.36, 0.2, 0.2, 0.1, 0, 0, 0), Evidence(0.95, 0.95, 1.0, 0.9, 20, 0, 0)
    assert confidence(poor) < 0.4 < 0.6 < confidence(good)


def test_masks_of_something_else_make_it_less_sure():
    others = [Mask(m.frame, np.roll(m.pixels, 30, axis=1), 1.0) for m in TRUTHS]
    right, wrong = (confidence(verify(POINTS, masks, FRAMES, RIGHT, VerifyConfig())) for masks in (TRUTHS, others))
    assert wrong < 0.5 * right
