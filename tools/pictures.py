# SPDX-License-Identifier: Apache-2.0
"""Makes docs/steps/*.png: six things of two rendered rooms, each found from one box, step by step (`make pictures`).

The box is the exact one of the frame that shows the whole thing largest; the rest is computed as on a robot.
"""

import sys
from pathlib import Path

import numpy as np

from scene_r1_ros.config import Config
from scene_r1_ros.evaluation.room_clips import STRUCTURED, RoomClip, film
from scene_r1_ros.reasoning.operator_box import OperatorBox
from scene_r1_ros.report.steps import save_steps
from scene_r1_ros.rooms.render import CAMERA
from scene_r1_ros.rooms.room import RoomObject
from scene_r1_ros.rooms.views import extent
from scene_r1_ros.scene_r1 import SceneR1
from scene_r1_ros.tracking import load_tracker
from scene_r1_ros.types import Box2D

ASKED = {0: ("green armchair", "yellow mug", "purple ball"), 1: ("wooden bookcase", "orange bottle", "red storage box")}
N_FRAMES = 36  # 0.1 m apart: what a robot's memory keeps of this walk


def main(folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    for seed, labels in ASKED.items():
        clip = film(seed, N_FRAMES)
        for thing in (o for o in clip.room.objects if o.label in labels):
            write_picture(clip, thing, folder / f"{thing.label.replace(' ', '_')}.png")
    return 0


def write_picture(clip: RoomClip, thing: RoomObject, path: Path) -> None:
    config = Config()
    frames = [shot.frame for shot in clip.shots[STRUCTURED]]
    source, box = shown_whole(clip, thing)
    heart = SceneR1(OperatorBox(frames[source].frame_id, box), load_tracker(config), config)
    answer = heart.ground(f"the {thing.label}", frames)
    if not answer.objects:
        raise SystemExit(f"the {thing.label} of room {clip.room.seed} was not found: {answer.error_msg}")
    save_steps(answer, frames, path, config.lift)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB, {answer.text}")


def shown_whole(clip: RoomClip, thing: RoomObject) -> tuple[int, Box2D]:
    """The frame that shows most of a thing, of those whose border does not cut it, and the box there."""
    for i in np.argsort(-clip.pixels(thing)):
        x1, y1, x2, y2 = extent(clip.truth[i].instances == thing.instance_id)
        if x1 > 0 and y1 > 0 and x2 < CAMERA.width and y2 < CAMERA.height:
            return int(i), Box2D(x1, y1, x2, y2)
    raise SystemExit(f"no frame of room {clip.room.seed} shows the {thing.label} whole; choose another thing")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/steps")))
