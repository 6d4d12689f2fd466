# SPDX-License-Identifier: Apache-2.0
"""Quick pictures show what the full renderer shows."""

import hashlib
import subprocess
import sys

import cv2
import numpy as np
import pytest

from scene_r1_ros.errors import BadInput
from scene_r1_ros.rooms import close_up, furnished_room, render, render_views, tour
from scene_r1_ros.rooms.render import CAMERA, Scene

SMALL = CAMERA.resized(224, 168)
SEED = 7
PRINT_DIGEST = """
from test.rooms.test_quick import digest
print(digest())
"""


@pytest.fixture(scope="module")
def scene():
    room = furnished_room(SEED)
    poses = tour(room, SEED, 32)[::8]
    return room, poses, list(render_views(room, poses, SMALL))


def digest():
    room = furnished_room(SEED)
    both = hashlib.sha256()
    for color, instances in render_views(room, tour(room, SEED, 3), CAMERA.resized(96, 72)):
        both.update(color.tobytes() + instances.tobytes())
    return both.hexdigest()


def test_instances_are_those_of_the_full_renderer(scene):
    room, poses, views = scene
    full = Scene(room)
    for (color, instances), pose in zip(views, poses, strict=True):
        assert color.shape == (168, 224, 3) and color.dtype == np.uint8 and instances.dtype == np.uint16
        assert np.mean(full.picture(SMALL, pose)[3].reshape(168, 224) == instances) > 0.9995


def test_colors_are_those_of_the_full_renderer_resized(scene):
    room, poses, views = scene
    for (color, _), shot in zip(views, render(room, poses, 1.0), strict=True):
        resized = cv2.resize(shot.frame.color, (224, 168), interpolation=cv2.INTER_AREA).astype(float)
        assert np.abs(color - resized).mean() < 6
        assert np.abs(color.mean(axis=(0, 1)) - resized.mean(axis=(0, 1))).max() < 3
        soft, soft_too = (cv2.GaussianBlur(image.astype(np.float32), (0, 0), 2) for image in (color, resized))
        assert np.quantile(np.abs(soft - soft_too), 0.99) < 20  # boards have tones of their own


def test_two_runs_of_one_seed_are_equal_byte_by_byte():
    here = digest()
    assert here == digest()
    there = subprocess.run([sys.executable, "-c", PRINT_DIGEST], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == here


def test_large_images_are_for_the_full_renderer(scene):
    room, poses, _ = scene
    with pytest.raises(
        BadInput, match=r"views of 1296x968 pixels; they are for images of at most 1024; use rooms.render"
    ):
        next(render_views(room, poses, CAMERA.resized(1296, 968)))


def test_a_close_up_shows_a_part_of_the_image(scene):
    room, poses, views = scene
    for (_, instances), pose in zip(views, poses, strict=True):
        camera = close_up(SMALL, (40, 30, 110, 80), (210, 150))
        near = Scene(room).picture(camera, pose)[3].reshape(150, 210)
        assert np.mean(near[1::3, 1::3] == instances[30:80, 40:110]) > 0.999  # the middle one of 3x3 pixels
