# SPDX-License-Identifier: Apache-2.0
"""Which pixels look like the object."""

import numpy as np

from scene_r1_ros.tracking.colors import colored_alike


def halves() -> tuple[np.ndarray, np.ndarray]:
    """A picture that is red on the left and blue on the right, and where it is red."""
    is_red = np.broadcast_to(np.arange(20) < 10, (20, 20))
    return np.where(is_red[..., None], np.uint8([200, 30, 30]), np.uint8([30, 30, 200])), is_red


def test_what_was_found_too_narrow_grows_to_its_colour():
    color, is_red = halves()
    found = is_red & (np.arange(20) < 6)
    assert np.array_equal(colored_alike(color, found, found, np.zeros_like(found)), is_red)


def test_no_colours_are_learned_of_what_is_known_to_be_something_else():
    color, is_red = halves()
    nothing, everything = np.zeros_like(is_red), np.ones_like(is_red)
    assert np.array_equal(colored_alike(color, is_red, nothing, everything), is_red)
