# SPDX-License-Identifier: Apache-2.0
"""Pictures of furnished rooms at small size for training: what the full renderer shows, resized, but quickly."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.geometry.camera import PinholeCamera
from scene_r1_ros.rooms.render import Scene
from scene_r1_ros.rooms.room import Room
from scene_r1_ros.rooms.sensor import camera_image


def render_views(
    room: Room, poses: Sequence[NDArray], camera: PinholeCamera
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint16]]]:
    """Colour (H, W, 3) sRGB and instances (H, W), RoomObject.instance_id or 0, of each pose (4, 4)."""
    scene = Scene(room)
    for index, T_world_camera in enumerate(poses):
        light, _, _, instances = scene.picture(camera, T_world_camera)
        rng = np.random.default_rng([room.seed, 12, index])
        shape = (camera.height, camera.width)
        yield camera_image(light.reshape(*shape, 3), rng, room.light.exposure), instances.reshape(shape)
