# SPDX-License-Identifier: Apache-2.0
"""The names of what can be measured, without the weight of measuring it."""

from enum import Enum


class What(str, Enum):
    """What ``scene-r1 bench`` measures."""

    ALL = "all"
    MASKS = "masks"
    LIFT = "lift"
    TRACKER = "tracker"
    CALIBRATION = "calibration"
    REUSE = "reuse"
    ROOMS = "rooms"
    ROS = "ros"

    @property
    def needs_ros(self) -> bool:
        return self in (What.ALL, What.ROS)
