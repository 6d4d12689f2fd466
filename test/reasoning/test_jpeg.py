# SPDX-License-Identifier: Apache-2.0
import base64

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scene_r1_ros.reasoning.jpeg import data_url, seen_wh
from scene_r1_ros.reasoning.models import make_spec

SPECS = [make_spec("qwen2_5_vl"), make_spec("qwen3_vl")]
SIDE = st.integers(8, 2200)


def decoded(url: str) -> np.ndarray:
    """(H, W, 3) RGB."""
    data = base64.b64decode(url.removeprefix("data:image/jpeg;base64,"))
    return cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
@settings(max_examples=60, deadline=None)
@example(width=1600, height=800)  # where rounding decides
@example(width=1152, height=576)
@example(width=512, height=1296)
@given(width=SIDE, height=SIDE)
def test_the_size_is_that_of_a_local_model_and_no_server_changes_it(spec, width, height):
    module = pytest.importorskip("transformers.models.qwen2_vl.image_processing_pil_qwen2_vl")
    if max(width, height) > 100 * min(width, height):
        return  # no camera; the processors refuse it
    step = spec.image_multiple
    resize = module.smart_resize
    seen = seen_wh(width, height, spec)
    assert seen[::-1] == resize(height, width, step, 56 * 56, spec.max_pixels)
    assert seen[::-1] == resize(seen[1], seen[0], step, 56 * 56, 28 * 28 * 16384)
    assert seen[0] * seen[1] <= spec.max_pixels


def test_colours_and_places_survive():
    color = np.zeros((480, 640, 3), np.uint8)
    color[:240, :320], color[240:, 320:] = (250, 20, 20), (20, 20, 250)
    seen = decoded(data_url(color, (644, 476)))
    assert seen.shape == (476, 644, 3)
    assert np.allclose(seen[:230, :310].mean((0, 1)), (250, 20, 20), atol=3)
    assert np.allclose(seen[246:, 330:].mean((0, 1)), (20, 20, 250), atol=3)


def test_the_same_picture_gives_the_same_bytes_and_noise_stays_small():
    noise = np.random.default_rng(0).integers(0, 256, (960, 1280, 3), np.uint8)
    wh = seen_wh(1280, 960, SPECS[0])
    url = data_url(noise, wh)
    assert url == data_url(noise.copy(), wh)
    assert len(url) < 2 * wh[0] * wh[1]  # bytes, at worst
