# SPDX-License-Identifier: Apache-2.0
"""The calibration of each camera, as its driver says it."""

import logging
from typing import Any

from scene_r1_ros.errors import BadInput
from scene_r1_ros.geometry.camera import PinholeCamera
from scene_r1_ros.sequences.messages import camera_of, distortion_advice

log = logging.getLogger(__name__)


class Cameras:
    """The newest ``sensor_msgs/CameraInfo`` of every camera frame.

    Not synchronised with the images: some drivers stamp it differently, and it hardly ever changes. When it does
    change, the old one is forgotten at once, also when the new one cannot be used.

    Args:
        topic: of the images, as it was resolved; it tells whether they are rectified.
    """

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self._said: dict[str, tuple] = {}  # frame -> what its last message said
        self._cameras: dict[str, PinholeCamera | BadInput] = {}

    def update(self, msg: Any) -> None:
        """Take a message in.

        Raises:
            BadInput: it is not a calibration that can be used; the camera is unknown from now on.
        """
        frame, roi = msg.header.frame_id, msg.roi
        said = (
            msg.width, msg.height, *msg.k, *msg.p, *msg.d, msg.binning_x, msg.binning_y, roi.x_offset, roi.y_offset
        )  # fmt: skip
        if said != self._said.get(frame):
            self._said[frame] = said
            try:
                self._cameras[frame] = camera_of(msg, self.topic)
                if advice := distortion_advice(msg, self.topic):
                    log.warning("%s", advice)
            except BadInput as error:
                self._cameras[frame] = error
        known = self._cameras[frame]
        if isinstance(known, BadInput):
            raise known

    @property
    def empty(self) -> bool:
        """Whether no message has come yet."""
        return not self._cameras

    def now(self, frame: str) -> PinholeCamera | BadInput | None:
        """What is known of a camera at this moment: it, why it cannot be used, or None where no message has come."""
        return self._cameras.get(frame)

    def of(self, frame: str) -> PinholeCamera:
        """The camera whose optical frame is ``frame``.

        Raises:
            BadInput: no message of this frame has come, or its last one cannot be used.
        """
        camera = self._cameras.get(frame)
        if camera is None:
            known = ", ".join(repr(f) for f in self._cameras) or "none yet"
            raise BadInput(
                f"no camera_info of frame {frame!r} (camera_info of frames: {known}); "
                "remap rgb/camera_info to the topic of the same camera as rgb/image"
            )
        if isinstance(camera, BadInput):
            raise camera
        return camera
