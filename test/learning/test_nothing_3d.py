# SPDX-License-Identifier: Apache-2.0
"""Scene-R1 learns without 3D labels: no depth, pose or point of a source can be found in what is made from it.

What is written is the same, byte for byte, whatever the depth images, poses and intrinsics of the source are.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from scene_r1_ros.geometry.camera import PinholeCamera
from scene_r1_ros.learning.coco import import_coco
from scene_r1_ros.learning.scannet import import_scannet
from scene_r1_ros.rooms.render import render
from scene_r1_ros.rooms.room import build_room
from scene_r1_ros.rooms.walk import walk
from scene_r1_ros.sequences import write_folder
from scene_r1_ros.sequences.images import encode_png

CAMERA = PinholeCamera(160, 120, 131.0, 131.0, 79.5, 59.5)
N = 5
KEYS = {
    "id", "task", "scene", "frames", "image", "time_s", "size_wh", "query", "target", "reasoning", "tags",
    "boxes", "box_xyxy", "label", "windows_s", "answer",
}  # fmt: skip


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """A rendered room: the recording, its instance images, and the boxes of its objects in COCO's format."""
    folder = tmp_path_factory.mktemp("room")
    built = build_room(3)
    shots = list(render(built, walk(built, 3, N, 30.0), 30.0, CAMERA))
    write_folder(folder / "walk", (shot.frame for shot in shots))
    annotations = []
    for i, shot in enumerate(shots):
        (folder / f"{i}.png").write_bytes(encode_png(shot.instances))
        for thing in built.objects:
            ys, xs = np.nonzero(shot.instances == thing.instance_id)
            if len(ys) > 20:
                box = [int(xs.min()), int(ys.min()), int(np.ptp(xs)) + 1, int(np.ptp(ys)) + 1]
                annotations.append(
                    {"image_id": i, "category_id": 1, "bbox": box, "query": f"thing {thing.instance_id}"}
                )
    images = [{"id": i, "frame_id": s.frame.frame_id, "width": 160, "height": 120} for i, s in enumerate(shots)]
    drawing = {"images": images, "categories": [{"id": 1, "name": "thing"}], "annotations": annotations}
    (folder / "boxes.json").write_text(json.dumps(drawing))
    return folder


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def with_another_third_dimension(source: Path, target: Path) -> Path:
    """The same pictures and times, with depth, poses and intrinsics of somewhere else."""
    shutil.copytree(source, target)
    rng = np.random.default_rng(7)
    for path in target.glob("*.depth.png"):
        path.write_bytes(encode_png(rng.integers(0, 5000, (120, 160)).astype(np.uint16)))
    for path in target.glob("*.pose.txt"):
        T = np.diag([-1.0, -1.0, 1.0, 1.0])
        T[:3, 3] = rng.uniform(-9, 9, 3)
        path.write_text("\n".join(" ".join(map(str, row)) for row in T))
    camera = json.loads((target / "camera.json").read_text())
    camera |= {"fx": 77.0, "fy": 78.0, "cx": 60.0, "cy": 50.0}
    (target / "camera.json").write_text(json.dumps(camera))
    return target


def test_other_depth_poses_and_intrinsics_give_the_same_bytes(room, tmp_path):
    changed = with_another_third_dimension(room / "walk", tmp_path / "walk")
    for number, recording in enumerate((room / "walk", changed)):
        import_coco(recording, room / "boxes.json", tmp_path / f"out{number}")
    first, second = files_of(tmp_path / "out0"), files_of(tmp_path / "out1")
    assert first == second
    assert len(first) == N + 1
    source, other = files_of(room / "walk"), files_of(changed)
    assert all(source[name] != other[name] for name in source if "depth" in name or "pose" in name)


def test_only_these_keys_and_no_more_numbers_than_boxes_and_times_have(room, tmp_path):
    import_coco(room / "walk", room / "boxes.json", tmp_path / "out")
    lines = (tmp_path / "out" / "samples.jsonl").read_text().splitlines()
    assert len(lines) > 20
    allowed = {"time_s": 1, "size_wh": 2, "box_xyxy": 4, "windows_s": 2}
    for line in lines:
        for key, value in pairs_of(json.loads(line)):
            assert key in KEYS
            rows = value if key == "windows_s" else [value]
            for row in rows if not isinstance(value, dict) else []:
                numbers = [v for v in (row if isinstance(row, list) else [row]) if isinstance(v, (int, float))]
                assert len(numbers) in (0, allowed.get(key, 0))


def pairs_of(value):
    """All keys with their values, at any depth."""
    if isinstance(value, dict):
        yield from value.items()
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from pairs_of(inner)


def test_a_scannet_folder_is_read_without_its_3d_files(room, tmp_path):
    """The files beside the pictures may be of any content, or not readable at all."""
    for number in range(2):
        scene = tmp_path / str(number) / "scene0000_00"
        for name in ("color", "instance"):
            (scene / name).mkdir(parents=True)
        for i, path in enumerate(sorted((room / "walk").glob("*.color.jpg"))):
            shutil.copy(path, scene / "color" / f"{i}.jpg")
            shutil.copy(room / f"{i}.png", scene / "instance" / f"{i}.png")
        if number:
            for name in ("depth", "pose", "scene0000_00_vh_clean_2.ply", "intrinsic"):
                (scene / name).write_bytes(b"\xff not what it should be")
    ids = {int(v) for v in np.unique(instances_of(room)) if v > 0}
    entries = [
        {"scene_id": "scene0000_00", "object_id": v - 1, "object_name": "thing", "description": f"thing {v}"}
        for v in sorted(ids)
    ]
    (tmp_path / "refer.json").write_text(json.dumps(entries))
    for number in range(2):
        import_scannet(tmp_path / str(number) / "scene0000_00", tmp_path / "refer.json", tmp_path / f"out{number}")
    assert files_of(tmp_path / "out0") == files_of(tmp_path / "out1")


def instances_of(room):
    import cv2

    return np.stack([cv2.imread(str(room / f"{i}.png"), cv2.IMREAD_UNCHANGED) for i in range(N)])
