# SPDX-License-Identifier: Apache-2.0
"""Where pixels of an image go in a close-up of a part of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scene_r1_ros.errors import BadInput
from scene_r1_ros.rooms import close_up
from scene_r1_ros.rooms.render import CAMERA

corner = st.floats(0, 0.8)
share = st.floats(0.05, 0.2)


@given(corner, corner, share, share, st.integers(1, 500), st.integers(1, 500))
def test_the_part_fills_the_new_image(x, y, wide, high, width, height):
    x1, y1, x2, y2 = x * 640, y * 480, (x + wide) * 640, (y + high) * 480
    near = close_up(CAMERA, (x1, y1, x2, y2), (width, height))
    corners = CAMERA.unproject(np.array([(x1, y1), (x2, y2)]) - 0.5, np.array([2.0, 3.0]))
    u = corners[:, 0] / corners[:, 2] * near.fx + near.cx
    v = corners[:, 1] / corners[:, 2] * near.fy + near.cy
    np.testing.assert_allclose(u, [-0.5, width - 0.5], atol=1e-6)
    np.testing.assert_allclose(v, [-0.5, height - 0.5], atol=1e-6)


def test_the_whole_image_is_the_resized_camera():
    assert close_up(CAMERA, (0, 0, 640, 480), (160, 120)) == CAMERA.resized(160, 120)


@pytest.mark.parametrize(
    "box", [(10, 10, 10, 20), (20, 10, 10, 20), (-1, 0, 5, 5), (0, 0, 641, 5), (0, 0, 5, float("nan"))]
)
def test_a_box_that_is_none_is_refused(box):
    with pytest.raises(BadInput, match="in an image of 640x480; give x1 < x2 and y1 < y2 inside of it"):
        close_up(CAMERA, box, (100, 100))


def test_an_image_of_no_pixels_is_refused():
    with pytest.raises(BadInput, match="a close-up of 0x5 pixels; ask for at least 1x1"):
        close_up(CAMERA, (0, 0, 10, 10), (0, 5))
