# SPDX-License-Identifier: Apache-2.0
"""What lights a room: a lamp that casts shadows, a window from one side, and what the walls give back."""

from dataclasses import dataclass

XYZ = tuple[float, float, float]
RGB = tuple[float, float, float]  # linear


@dataclass(frozen=True)
class Light:
    """The defaults are the demo's."""

    lamp_world: XYZ = (0.4, -0.5, 2.45)  # metres
    lamp_rgb: RGB = (3.3, 3.07, 2.7)  # at 1 m
    window_direction: XYZ = (0.747, -0.149, 0.648)  # unit, towards the light that comes through the window
    window_rgb: RGB = (0.30, 0.34, 0.40)
    sky_rgb: RGB = (0.34, 0.34, 0.35)  # ambient light from above ...
    ground_rgb: RGB = (0.24, 0.21, 0.18)  # ... and from below
    exposure: float = 1.35  # of the camera
