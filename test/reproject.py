# SPDX-License-Identifier: Apache-2.0
"""How well objects lifted from one hand-made box project into the other views that have one.

``python -m test.reproject FOLDER`` grounds every query of the folder's ``queries.json`` from its first box, offline.
``python -m test.reproject FOLDER --bag BAG`` plays the bag into a running server and sends the boxes as goals over DDS.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from scene_r1_ros.config import Config
from scene_r1_ros.geometry.pose import inverse, transform
from scene_r1_ros.offline import remember
from scene_r1_ros.reasoning.operator_box import OperatorBox
from scene_r1_ros.scene_r1 import SceneR1
from scene_r1_ros.sequences import open_sequence
from scene_r1_ros.tracking import load_tracker
from scene_r1_ros.types import Box2D, Frame

Ground = Callable[[str, Frame, Box2D], np.ndarray | None]  # query, frame and box to (N, 3) world points


def reprojection_iou(points_world: np.ndarray, frame: Frame, box: Box2D) -> float:
    """Box IoU of a hand-made box and the 2nd to 98th percentile of the projected points, clipped to the image."""
    points = transform(inverse(frame.T_world_camera), points_world)
    points = points[points[:, 2] > 0.05]
    if len(points) == 0:
        return 0.0
    u = points[:, 0] / points[:, 2] * frame.camera.fx + frame.camera.cx
    v = points[:, 1] / points[:, 2] * frame.camera.fy + frame.camera.cy
    x1, x2 = np.clip(np.percentile(u, [2, 98]), 0, frame.camera.width)
    y1, y2 = np.clip(np.percentile(v, [2, 98]), 0, frame.camera.height)
    return Box2D(x1, y1, x2, y2).iou(box) if x2 > x1 and y2 > y1 else 0.0


def score(folder: Path, ground: Ground) -> Iterator[tuple[str, str, list[float]]]:
    """(id, query, IoU in each other labelled view) of every query that is there; 0 where nothing was found."""
    sequence = open_sequence(folder)
    for query in json.loads((folder / "queries.json").read_text(encoding="utf-8"))["queries"]:
        if query.get("absent"):
            continue
        (source, box), *others = [(sequence.frame(b["frame"]), Box2D(*b["box_xyxy"])) for b in query["boxes"]]
        points = ground(query["query"], source, box)
        ious = [reprojection_iou(points, frame, b) if points is not None else 0.0 for frame, b in others]
        yield query["id"], query["query"], ious


def offline(folder: Path) -> Ground:
    from rich.console import Console

    config, sequence, quiet = Config(), open_sequence(folder), Console(quiet=True)

    def ground(query: str, source: Frame, box: Box2D) -> np.ndarray | None:
        frames = remember(sequence, config, quiet, keep=source.frame_id)
        answer = SceneR1(OperatorBox(source.frame_id, box), load_tracker(config), config).ground(query, frames)
        return answer.objects[0].points_world if answer.objects else None

    return ground


def over_dds(bag: Path, first_stamp_ns: int, stack: ExitStack) -> Ground:
    """A server that keeps every frame, the bag played into it once, and a client that sends the boxes."""
    from scene_r1_ros.ros import transport

    os.environ |= transport.local(1 + os.getpid() % 100)
    import rclpy

    from scene_r1_ros.ros.client import SceneR1Client

    module = [sys.executable, "-m"]
    keep_all = ["-p", "buffer.min_translation_m:=0.0", "-p", "buffer.patience_s:=0.0"]
    server = subprocess.Popen([*module, "scene_r1_ros.ros.server", "--ros-args", *keep_all])
    stack.callback(server.wait)
    stack.callback(server.terminate)
    subprocess.run([*module, "scene_r1_ros.ros.replay", "--ros-args", "-p", f"sequence:={bag}"], check=True)
    rclpy.init()
    stack.callback(rclpy.shutdown)
    client = SceneR1Client()
    client.wait_until_ready()
    bag_start_ns = open_sequence(bag).entries[0].stamp_ns

    def ground(query: str, source: Frame, box: Box2D) -> np.ndarray | None:
        client.ground(query, box, source.stamp_ns - first_stamp_ns + bag_start_ns)
        outcome = client.get_result()
        if not outcome.found:
            print(f"  {outcome.error_msg}")
            return None
        return client.points(outcome.objects[0])[0]

    return ground


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--bag", type=Path)
    words = parser.parse_args()
    with ExitStack() as stack:
        first_stamp_ns = open_sequence(words.folder).entries[0].stamp_ns
        ground = over_dds(words.bag, first_stamp_ns, stack) if words.bag else offline(words.folder)
        everything = []
        for name, query, ious in score(words.folder, ground):
            print(f"{name}  {'  '.join(f'{iou:.2f}' for iou in ious)}  {query}")
            everything += ious
        share = np.mean(np.array(everything) >= 0.5)
        print(f"mean {np.mean(everything):.3f}, at least 0.5: {share:.0%} of {len(everything)}")


if __name__ == "__main__":
    main()
