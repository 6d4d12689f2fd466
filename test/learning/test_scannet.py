# SPDX-License-Identifier: Apache-2.0
"""A folder as ScanNet has it with descriptions as ScanRefer has them; with every part broken in turn."""

import json

import cv2
import numpy as np
import pytest

from scene_r1_ros.errors import BadInput
from scene_r1_ros.learning.checking import check_file
from scene_r1_ros.learning.jsonl import read_samples
from scene_r1_ros.learning.scannet import boxes_in, import_scannet
from scene_r1_ros.sequences.images import encode_jpeg, encode_png
from test.command_line import several
from test.learning.making import changed

CABINET = {
    "scene_id": "scene0000_00",
    "object_id": "4",
    "object_name": "kitchen_cabinet",
    "ann_id": "0",
    "description": "this is a brown cabinet. it is left of the fridge.",
    "token": ["this", "is"],
}
NUMBERS = [0, 30, 60, 90]


@pytest.fixture
def scene(tmp_path):
    """Four pictures of 48x36; the cabinet, object 4, is seen in 30 and 60. Instance images have half the size."""
    folder = tmp_path / "scene0000_00"
    (folder / "color").mkdir(parents=True)
    (folder / "instance-filt").mkdir()
    for number in NUMBERS:
        color = np.full((36, 48, 3), 50 + number, np.uint8)
        (folder / "color" / f"{number}.jpg").write_bytes(encode_jpeg(color, 90))
        instances = np.zeros((18, 24), np.uint8)
        instances[12:16, 2:8] = 3 + 1
        if number in (30, 60):
            instances[5:10, 10 : 10 + number // 10] = 4 + 1
        (folder / "instance-filt" / f"{number}.png").write_bytes(encode_png(instances))
    return folder


def imported(scene, *entries, **options):
    annotations, out = scene.parent / "scanrefer.json", scene.parent / "out"
    annotations.write_text(json.dumps(entries))
    import_scannet(scene, annotations, out, **options)
    assert check_file(out / "samples.jsonl").problems == []
    return list(read_samples(out / "samples.jsonl"))


def test_what_an_instance_image_shows(scene):
    temporal, *images = imported(scene, CABINET, {**CABINET, "scene_id": "scene0001_00"})
    assert temporal.query == CABINET["description"]
    assert [shot.time_s for shot in temporal.shots] == [0, 1, 2, 3]
    assert [(w.start_s, w.end_s) for w in temporal.target.windows] == [(1, 2)]
    found = [[(box.label, box.box.xyxy) for box in one.target.boxes] for one in images]
    assert found == [
        [("kitchen cabinet", (20, 10, 26, 20))], [("kitchen cabinet", (20, 10, 32, 20))], [],
    ]  # fmt: skip
    assert images[2].shots[0].time_s == 3 and images[2].tags == ("words", "absent")


def test_the_boxes_of_an_entry_go_before_and_need_no_instance_images(scene):
    for path in (scene / "instance-filt").iterdir():
        path.unlink()
    (scene / "instance-filt").rmdir()
    entry = {**CABINET, "boxes": {"60": [1, 2, 300, 20], "90": [3, 4, 5, 6]}}
    temporal, first, second, _ = imported(scene, entry)
    assert [(w.start_s, w.end_s) for w in temporal.target.windows] == [(2, 3)]
    assert first.target.boxes[0].box.xyxy == (1, 2, 48, 20)  # cut to the picture
    assert second.target.boxes[0].box.xyxy == (3, 4, 5, 6)


def test_the_pictures_are_copied_as_they_are(scene):
    (temporal, *_) = imported(scene, CABINET)
    assert [shot.image for shot in temporal.shots] == [f"images/scene0000_00/{n}.jpg" for n in NUMBERS]
    for number, shot in zip(NUMBERS, temporal.shots, strict=True):
        copied = scene.parent / "out" / shot.image
        assert copied.read_bytes() == (scene / "color" / f"{number}.jpg").read_bytes()


def test_rate_and_number_of_pictures(scene):
    (temporal, *_) = imported(scene, CABINET, fps=10.0, max_frames=3)
    assert [shot.time_s for shot in temporal.shots] == [0, 3, 9]


def test_16_bit_instances_and_specks(tmp_path):
    instances = np.zeros((968, 1296), np.uint16)
    instances[100:200, 300:400] = 700
    instances[500:520, 500:520] = 3  # fewer pixels than a thousandth: a speck
    assert boxes_in(instances, (1296, 968), tmp_path).keys() == {699}


BAD = [
    ("scene_id", "scene0009_00", "has no entry with scene_id 'scene0000_00', the name of the folder"),
    ("object_id", "del", "entry 0 has no field 'object_id'"),
    ("object_id", "-1", "entry 0: object_id = '-1'; expected a whole number"),
    ("object_id", [4], "entry 0: object_id = [4]; expected a whole number"),
    ("object_id", 77, "none of the objects of scene0000_00 is seen in 4 pictures"),
    ("object_name", "", "entry 0: object_name is empty"),
    ("description", 3, "entry 0: description = 3; expected text"),
    ("description", "x" * 2001, "entry 0: description has 2001 characters"),
    ("boxes", [], "entry 0: boxes = []; expected {number of the picture: [x1, y1, x2, y2]}"),
    ("boxes", {"31": [1, 2, 3, 4]}, "entry 0: boxes names the picture '31', which is not in color/"),
    ("boxes", {"x": [1, 2, 3, 4]}, "entry 0: boxes names the picture 'x'"),
    ("boxes", {"30": [1, 2, 3]}, "entry 0: boxes, picture 30: [1, 2, 3]; expected [x1, y1, x2, y2]"),
    ("boxes", {"30": [99, 2, 110, 4]}, "entry 0: boxes, picture 30: box (99.0, 2.0, 110.0, 4.0) lies outside"),
    ("boxes", {"30": [9, 2, 3, 4]}, "entry 0: boxes, picture 30: box (9.0, 2.0, 3.0, 4.0): expected x1,y1,x2,y2"),
    ("boxes", {"30": [10**400, 2, 3, 4]}, "entry 0: boxes, picture 30: "),
]


@pytest.mark.parametrize(("field", "value", "message"), BAD, ids=[f"{f}={str(v)[:20]}" for f, v, _ in BAD])
def test_what_is_wrong_with_an_entry_is_named(scene, field, value, message):
    with pytest.raises(BadInput) as caught:
        imported(scene, changed(CABINET, field, value))
    assert message in str(caught.value)


def test_what_is_wrong_with_the_files_is_named(scene, tmp_path):
    def refused(message):
        with pytest.raises(BadInput, match=message):
            imported(scene, CABINET)

    color, instances = scene / "color" / "30.jpg", scene / "instance-filt" / "30.png"
    whole = instances.read_bytes()
    instances.unlink()
    refused(r"instance-filt/30\.png: 30\.png cannot be read")
    instances.write_bytes(whole[:-40])
    refused(r"instance-filt/30\.png: an image of 24x18 pixels in \d+ bytes is damaged")
    instances.write_bytes(encode_png(np.zeros((18, 18), np.uint8)))
    refused(r"expected one channel, shaped like the picture of \(48, 36\)")
    instances.write_bytes(encode_png(np.zeros((18, 24, 3), np.uint8)))
    refused("expected one channel")
    color.write_bytes(b"no image")
    refused(r"color/30\.jpg: an image starts with bytes")
    color.rename(scene / "color" / "000.jpg")
    refused("holds a number twice")
    for path in (scene / "color").iterdir():
        path.unlink()
    refused(r"color holds no N\.jpg")
    with pytest.raises(BadInput, match=r"color holds no N\.jpg"):
        import_scannet(tmp_path / "none", tmp_path / "scanrefer.json", tmp_path / "out")


def test_without_boxes_and_instances(scene):
    (scene / "instance-filt").rename(scene / "other")
    with pytest.raises(BadInput, match="has no folder instance-filt or instance, and entries have no boxes"):
        imported(scene, CABINET)


@pytest.mark.parametrize("text", ["{}", "[3]", '{"a": [1]}', "["])
def test_a_file_that_is_no_list_of_descriptions(scene, tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(BadInput, match=r"a\.json(: no JSON| is .*; expected a list of objects, as ScanRefer has it)"):
        import_scannet(scene, tmp_path / "a.json", tmp_path / "out")


def test_the_command(scene, tmp_path):
    (tmp_path / "refer.json").write_text(json.dumps([CABINET]))
    words = ("data", "scannet", scene, tmp_path / "refer.json", tmp_path / "out", "--fps", "15", "--frames", "4")
    done, check = several(words, ("data", "check", tmp_path / "out" / "samples.jsonl"))
    assert done[0] == 0 and "4 samples in" in done[1]
    assert check[0] == 0 and "tag absent" in check[1]
    assert cv2.imread(str(tmp_path / "out" / "images" / "scene0000_00" / "30.jpg")).shape == (36, 48, 3)
