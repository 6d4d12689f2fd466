# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scene_r1_ros.errors import BadInput
from scene_r1_ros.geometry.camera import PinholeCamera

CAMERA = PinholeCamera(640, 480, 525.0, 520.0, 319.5, 239.5)


@given(st.floats(0, 639), st.floats(0, 479), st.floats(0.1, 10))
def test_project_undoes_unproject(u, v, z):
    uv, valid = CAMERA.project(CAMERA.unproject(np.array([[u, v]]), np.array([z])))
    assert valid[0] and np.allclose(uv, [[u, v]], atol=1e-6)


@given(st.integers(1, 3), st.floats(-1, 1), st.floats(-0.7, 0.7), st.floats(1, 5))
def test_a_resized_camera_sees_the_same_place_of_the_image(scale, x, y, z):
    """A point at a share of the image stays at that share (in continuous coordinates, pixel centres at integers)."""
    small = CAMERA.resized(640 // 2**scale, 480 // 2**scale)
    (uv,), _ = CAMERA.project(np.array([[x, y, z]]))
    (uv_small,), _ = small.project(np.array([[x, y, z]]))
    assert np.allclose((uv_small + 0.5) * 2**scale, uv + 0.5)


def test_behind_the_camera_there_is_no_pixel():
    uv, valid = CAMERA.project(np.array([[0.0, 0, -1], [0, 0, 0], [0, 0, 1]]))
    assert valid.tolist() == [False, False, True]
    assert np.isnan(uv[:2]).all()


@pytest.mark.parametrize("values", [(0, 480, 500, 500, 1, 1), (640, 480, 0, 0, 0, 0), (640, 480, np.nan, 500, 1, 1)])
def test_an_uncalibrated_camera_is_refused(values):
    with pytest.raises(BadInput, match="calibrated"):
        PinholeCamera(*values)
