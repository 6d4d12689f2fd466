# SPDX-License-Identifier: Apache-2.0
"""A box drawn at known pixels, resized by the real image processor, found again, and mapped back."""

import numpy as np
import pytest
from PIL import Image

from scene_r1_ros.errors import BadBox
from scene_r1_ros.reasoning.boxes import to_original
from test.reasoning.scripted import make_frame

ODD_SIZES = [(643, 477), (640, 480), (1281, 719), (97, 203)]  # (w, h)


def test_each_convention_by_hand():
    assert to_original((10, 20, 30, 40), "pixel", (50, 50), (200, 100)).xyxy == (10, 20, 30, 40)
    assert to_original((10, 20, 30, 40), "resized_pixel", (50, 50), (200, 100)).xyxy == (40, 40, 120, 80)
    assert to_original((10, 20, 30, 40), "norm_1000", (50, 50), (200, 100)).xyxy == (2, 2, 6, 4)


def test_the_whole_image_stays_the_whole_image():
    for convention, whole in (("pixel", (643, 477)), ("resized_pixel", (644, 476)), ("norm_1000", (1000, 1000))):
        assert to_original((0, 0, *whole), convention, (644, 476), (643, 477)).xyxy == pytest.approx((0, 0, 643, 477))


def test_a_box_without_area_is_refused():
    with pytest.raises(BadBox):
        to_original((10, 20, 10, 40), "norm_1000", (50, 50), (200, 100))


@pytest.mark.parametrize("wh", ODD_SIZES)
@pytest.mark.parametrize("max_pixels", [401408, 28 * 28 * 40])
def test_through_the_real_resizing(wh, max_pixels):
    drawn = (wh[0] // 5, wh[1] // 3, wh[0] // 2, wh[1] - 7)
    color = np.zeros((wh[1], wh[0], 3), np.uint8)
    color[drawn[1] : drawn[3], drawn[0] : drawn[2]] = 255
    seen = as_the_model_sees(color, max_pixels)
    seen_wh = (seen.shape[1], seen.shape[0])
    found = box_of(seen)
    thousandths = [value / size * 1000 for value, size in zip(found, seen_wh * 2, strict=True)]
    # What is found is whole pixels of the seen image, and the resizing blurs an edge by less than one of them.
    one_seen_pixel = np.tile(np.divide(wh, seen_wh), 2)
    for said, convention in ((found, "resized_pixel"), (thousandths, "norm_1000")):
        error = np.abs(np.subtract(to_original(said, convention, seen_wh, wh).xyxy, drawn))
        assert (error <= one_seen_pixel).all(), (convention, error)


def as_the_model_sees(color, max_pixels) -> np.ndarray:
    """(H, W) green channel of an image as it goes into the model, put together from its patches."""
    processing = pytest.importorskip("transformers.models.qwen2_vl.image_processing_pil_qwen2_vl")
    processor = processing.Qwen2VLImageProcessorPil()
    image = Image.fromarray(make_frame(color=color).color)
    inputs = processor([image], size={"shortest_edge": 3136, "longest_edge": max_pixels}, return_tensors="np")
    _, rows, columns = inputs["image_grid_thw"][0]
    # rows/2, columns/2, 2x2 merged patches, channel, time, 14x14 pixels
    patches = inputs["pixel_values"].reshape(rows // 2, columns // 2, 2, 2, 3, 2, 14, 14)[:, :, :, :, 1, 0]
    return patches.transpose(0, 2, 4, 1, 3, 5).reshape(rows * 14, columns * 14)


def box_of(seen: np.ndarray) -> tuple[int, int, int, int]:
    bright = seen > (seen.min() + seen.max()) / 2
    xs, ys = np.flatnonzero(bright.any(axis=0)), np.flatnonzero(bright.any(axis=1))
    return xs[0], ys[0], xs[-1] + 1, ys[-1] + 1
