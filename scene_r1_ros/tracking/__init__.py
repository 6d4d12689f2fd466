# SPDX-License-Identifier: Apache-2.0
"""From a box in one view to masks in every view that sees the object."""

from scene_r1_ros.config import Config
from scene_r1_ros.errors import BadInput
from scene_r1_ros.tracking.protocol import Tracker


def load_tracker(config: Config) -> Tracker:
    """The tracker that ``config.tracker.kind`` names, ready to track.

    Raises:
        BadInput: a learned tracker without its checkpoint.
        ModelFailed: the checkpoint cannot be loaded.
    """
    kind = config.tracker.kind
    if kind == "geometric":
        from scene_r1_ros.tracking.geometric import GeometricTracker

        return GeometricTracker(config.tracker, config.lift)
    if not config.tracker.path:
        needed = "a .pt or .safetensors file of SAM 2.1" if kind == "sam2" else "a checkpoint folder"
        raise BadInput(f"tracker.path is empty; tracker.kind = {kind!r} needs {needed} or a hub name there, "
                       f"e.g. --tracker {kind}:facebook/sam2.1-hiera-small")  # fmt: skip
    if kind == "sam2":
        from scene_r1_ros.tracking.sam2_tracker import Sam2Tracker

        return Sam2Tracker(config.tracker)
    from scene_r1_ros.tracking.transformers_tracker import TransformersTracker

    return TransformersTracker(config.tracker)
