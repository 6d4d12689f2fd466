# SPDX-License-Identifier: Apache-2.0
"""The demo's room stays as it is, whatever is added to rooms: recorded answers and expected results rest on it."""

import hashlib

import cv2
import numpy as np

from scene_r1_ros.rooms import build_room, render, walk
from scene_r1_ros.rooms.light import Light
from scene_r1_ros.rooms.render import CAMERA

GEOMETRY = "0c6b368b228a033d727985c25231814be53fe686fcbf7e6808417f66e50651c5"
THUMBNAIL = [
    [[181.2, 188.5, 185.1], [165.3, 179.1, 166.3], [171.3, 177.2, 175.9], [214.0, 215.3, 213.3], [230.6, 232.0, 229.8]],
    [[121.5, 89.5, 71.4], [171.8, 144.2, 126.6], [149.8, 150.1, 115.4], [175.1, 173.2, 165.8], [186.2, 189.9, 186.6]],
    [[111.8, 84.1, 59.9], [127.2, 102.8, 69.8], [101.4, 98.8, 68.8], [155.4, 129.4, 103.2], [181.6, 155.1, 124.5]],
    [[87.2, 85.6, 62.6], [100.4, 99.5, 71.9], [110.1, 118.4, 86.3], [139.8, 126.5, 98.3], [195.7, 155.0, 111.4]],
]


def geometry_digest(seed):
    """Of names, places, colours and all corners, to a micrometre: free of the last bits of a processor."""
    room = build_room(seed)
    digest = hashlib.sha256(repr([(o.label, o.support) for o in room.objects]).encode())
    parts = [*room.structure, *(part for thing in room.objects for part in thing.parts)]
    for mesh, material in parts:
        digest.update(repr((material.rgb, material.texture, material.gloss, material.glow)).encode())
        digest.update(np.rint(mesh.corners * 1e6 + 0.25).astype(np.int64).tobytes())
    for thing in room.objects:
        digest.update(np.rint(thing.position_world * 1e6 + 0.25).astype(np.int64).tobytes())
    return digest.hexdigest()


def thumbnail(seed):
    """(4, 5, 3) mean colours of the first picture of a walk."""
    room = build_room(seed)
    (shot,) = render(room, walk(room, seed, 3, 1.0)[:1], 1.0, CAMERA.resized(160, 120))
    return cv2.resize(shot.frame.color.astype(np.float32), (5, 4), interpolation=cv2.INTER_AREA).round(1)


def test_the_room_of_a_seed_is_what_it_was():
    assert geometry_digest(0) == GEOMETRY


def test_its_picture_is_what_it_was():
    np.testing.assert_allclose(thumbnail(0), THUMBNAIL, atol=0.6)


def test_it_has_the_light_that_a_room_has_when_nothing_is_said():
    assert build_room(0).light == Light()
