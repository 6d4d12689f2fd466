# SPDX-License-Identifier: Apache-2.0
"""From a box in one view to masks in every view that sees the object."""

from scene_r1_ros.config import Config
from scene_r1_ros.tracking.protocol import Tracker


def load_tracker(config: Config) -> Tracker:
    """The tracker that ``config.tracker.kind`` names."""
    from scene_r1_ros.tracking.geometric import GeometricTracker

    return GeometricTracker(config.tracker, config.lift)
