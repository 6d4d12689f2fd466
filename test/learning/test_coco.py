# SPDX-License-Identifier: Apache-2.0
"""Boxes that a person drew on a recording, as samples; with every part of the file broken in turn."""

import json

import cv2
import numpy as np
import pytest

from scene_r1_ros.errors import BadInput, NotWritten
from scene_r1_ros.learning.checking import check_file
from scene_r1_ros.learning.coco import import_coco
from scene_r1_ros.learning.coco_file import read_coco
from scene_r1_ros.learning.jsonl import read_samples
from scene_r1_ros.sequences import write_folder
from test.command_line import several
from test.learning.making import changed, largest_file
from test.sequences.making import START_NS, STEP_NS, make_frame, write_bag
from test.sequences.making import recording as bag_of

N = 6
MUG, CHAIR = 1, 2


def drawing() -> dict:
    """A red mug in frames 1 to 3, another thing of its category in 3, two chairs in 2."""
    images = [{"id": 10 + i, "file_name": f"rgb/{i:06d}.color.jpg", "width": 32, "height": 24} for i in range(N)]
    mug = {"category_id": MUG, "track_id": 7, "query": "the red mug"}
    boxes = [{"image_id": 10 + i, "bbox": [i, 2, 8, 9], **mug} for i in (1, 2, 3)]
    boxes += [{"image_id": 13, "category_id": MUG, "bbox": [20, 5, 6, 6], "caption": "the mug by the wall"}]
    boxes += [{"image_id": 12, "category_id": CHAIR, "bbox": [x, 10, 9, 20], "iscrowd": 0} for x in (1, 15)]
    boxes += [{"image_id": 14, "category_id": CHAIR, "bbox": [3, 4, 5.5, 6]}]
    return {
        "images": images[::-1],
        "categories": [{"id": MUG, "name": "mug"}, {"id": CHAIR, "name": "chair"}],
        "annotations": [{"id": i, **box} for i, box in enumerate(boxes)],
    }


@pytest.fixture
def recording(tmp_path):
    write_folder(tmp_path / "walk", (make_frame(i) for i in range(N)))
    return tmp_path / "walk"


def imported(recording, values, out="out"):
    annotations = recording.parent / f"{out}.json"
    annotations.write_text(json.dumps(values))
    import_coco(recording, annotations, recording.parent / out)
    assert check_file(recording.parent / out / "samples.jsonl").problems == []
    return list(read_samples(recording.parent / out / "samples.jsonl"))


def test_what_is_asked_of_a_drawing(recording):
    samples = imported(recording, drawing())
    by_query = {
        (one.task, one.query): one
        for one in samples
        if one.task == "temporal" or (one.task == "image" and not one.tags)
    }
    windows = {query: [(w.start_s, w.end_s) for w in one.target.windows] for (_, query), one in by_query.items()}
    assert windows == {
        "the red mug": [(0.1, 0.3)],
        "the mug by the wall": [(0.3, 0.3)],
        "every chair": [(0.2, 0.2), (0.4, 0.4)],
    }
    assert all([shot.time_s for shot in one.shots] == [0, 0.1, 0.2, 0.3, 0.4, 0.5] for one in by_query.values())


def test_images_with_one_box_several_and_none(recording):
    samples = [one for one in imported(recording, drawing()) if one.task == "image"]
    asked = [(one.query, one.shots[0].time_s, len(one.target.boxes)) for one in samples]
    assert asked == [
        ("the red mug", 0.1, 1), ("the red mug", 0.2, 1), ("the red mug", 0.3, 1), ("the red mug", 0.4, 0),
        ("the mug by the wall", 0.3, 1), ("the mug by the wall", 0.2, 0),
        ("every chair", 0.2, 2), ("every chair", 0.4, 1), ("every chair", 0.3, 0),
    ]  # fmt: skip
    assert [one.tags for one in samples if not one.target.boxes] == [
        ("words", "absent"), ("words", "absent"), ("category", "absent"),
    ]  # fmt: skip


def test_everything_in_a_frame(recording):
    found = {
        one.shots[0].time_s: sorted(box.label for box in one.target.boxes)
        for one in imported(recording, drawing())
        if one.task == "objects"
    }
    assert found == {0.1: ["mug"], 0.2: ["chair", "chair", "mug"], 0.3: ["mug", "mug"], 0.4: ["chair"]}


def test_of_a_partial_drawing_only_what_is_drawn_is_asked(recording, tmp_path):
    (tmp_path / "boxes.json").write_text(json.dumps(drawing()))
    import_coco(recording, tmp_path / "boxes.json", tmp_path / "partial", complete=False)
    samples = list(read_samples(tmp_path / "partial" / "samples.jsonl"))
    assert len(samples) == 6
    assert all(one.task == "image" and one.target.boxes for one in samples)


def test_boxes_are_cut_to_the_image(recording):
    values = changed(drawing(), "annotations.0.bbox", [-5, 2, 10, 100])
    (one,) = [s for s in imported(recording, values) if s.task == "image" and s.shots[0].time_s == 0.1]
    assert one.target.boxes[0].box.xyxy == (0, 2, 5, 24)


def test_a_category_without_words_is_one_thing_or_several(recording):
    values = drawing()
    del values["annotations"][4]  # one of the two chairs of frame 2
    assert "the chair" in {one.query for one in imported(recording, values, "one")}
    for track, i in ((1, 4), (2, 5)):
        values["annotations"][i]["track_id"] = track
    assert "every chair" in {one.query for one in imported(recording, values, "two")}


def test_the_pictures_are_those_of_the_recording(recording):
    (one, *_) = imported(recording, drawing())
    assert [shot.image for shot in one.shots] == [f"images/walk/{i:06d}.jpg" for i in range(N)]
    picture = cv2.imread(str(recording.parent / "out" / one.shots[3].image))[:, :, ::-1]
    assert np.abs(picture.astype(int) - make_frame(3).color).max() < 12


def test_frames_by_their_id_and_of_a_part_of_the_recording(recording):
    values = drawing()
    values["images"] = [{"id": 10 + i, "frame_id": f"{i:06d}", "width": 32, "height": 24} for i in (3, 1, 2, 4)]
    (one, *_) = imported(recording, values)
    assert [shot.time_s for shot in one.shots] == [0, 0.1, 0.2, 0.3]


@pytest.mark.parametrize("by_stamp", [False, True])
def test_a_bag(tmp_path, by_stamp):
    bag = write_bag(tmp_path / "walk", bag_of(N))
    names = {i: START_NS + i * STEP_NS if by_stamp else f"{i:06d}" for i in range(N)}
    values = drawing()
    for image in values["images"]:
        image["file_name"] = f"{names[image['id'] - 10]}.png"
    (one, *_) = imported(bag, values)
    assert [shot.time_s for shot in one.shots] == [0, 0.1, 0.2, 0.3, 0.4, 0.5]
    picture = cv2.imread(str(tmp_path / "out" / one.shots[2].image))[:, :, ::-1]
    assert np.abs(picture.astype(int) - make_frame(2).color).max() < 12


def test_names_with_points_as_tum_has_them(tmp_path):
    assert read_coco(written(tmp_path, "1305031102.175304.png")).images[10].name == "1305031102.175304"
    assert read_coco(written(tmp_path, "rgb\\1305031102.175304")).images[10].name == "1305031102.175304"


def written(tmp_path, file_name):
    values = {
        **drawing(),
        "images": [{"id": 10 + i, "file_name": file_name, "width": 32, "height": 24} for i in range(N)],
    }
    (tmp_path / "a.json").write_text(json.dumps(values))
    return tmp_path / "a.json"


BAD = [
    ("images", [], "images = []; COCO annotations have lists images, categories and annotations"),
    ("annotations", "del", "annotations = None; COCO annotations"),
    ("images.0", 3, "images[0] has no field 'id'"),
    ("images.0.id", 10, "images holds an id twice"),
    ("images.0.id", None, "images[0].id = None; expected a whole number or text"),
    ("images.0.width", "32", "images[0]: width, height = ['32', 24]; expected whole pixels"),
    ("images.0.height", "del", "images[0] has no field 'height'"),
    ("images.0.width", 64, "image '000005' is 64x24, and the frame 32x24; draw on the frame itself"),
    ("images.0.file_name", "000099.jpg", "walk has no usable frame '000099'; it has 6 frames: 000000 to 000005"),
    ("images.0.file_name", "000001.jpg", "two images name the frame '000001'; join them"),
    ("images.0.file_name", "del", "images[0] has no field 'file_name'"),
    ("categories.0.name", "", "categories[0].name is empty"),
    ("annotations.0.image_id", 99, "annotations[0].image_id = 99 is no id of the file"),
    ("annotations.0.category_id", 99, "annotations[0].category_id = 99 is no id of the file"),
    ("annotations.0.category_id", [1], "annotations[0].category_id = [1]; expected a whole number or text"),
    ("annotations.0.bbox", [1, 2, 3], "annotations[0].bbox = [1, 2, 3]; expected [x, y, width, height]"),
    ("annotations.0.bbox", [1, 2, 3, "4"], "expected [x, y, width, height]"),
    ("annotations.0.bbox", [1, 2, 0, 4], "annotations[0].bbox = [1, 2, 0, 4] has no area"),
    ("annotations.0.bbox", [1, 2, 1e999, 4], "Infinity is no number of JSON"),
    ("annotations.0.bbox", [99, 2, 3, 4], "annotations[0].bbox = [99, 2, 3, 4] is outside its image of 32x24 pixels"),
    ("annotations.0.bbox", [10**400, 2, 3, 4], "is outside its image"),
    ("annotations.0.bbox", "del", "annotations[0] has no field 'bbox'"),
    ("annotations.0.iscrowd", 1, "annotations[0] is a crowd (iscrowd); a box must hold one thing"),
    ("annotations.0.query", "x" * 2001, "annotations[0].query has 2001 characters"),
    ("annotations.0.track_id", [], "annotations[0].track_id = []; expected a whole number or text"),
    ("annotations.3.caption", "the red mug", "'the red mug' names one thing and has 2 boxes in one image (the 4. in"),
]


@pytest.mark.parametrize(("path", "value", "message"), BAD, ids=[f"{p}={str(v)[:20]}" for p, v, _ in BAD])
def test_what_is_wrong_is_named(recording, path, value, message):
    with pytest.raises(BadInput) as caught:
        imported(recording, changed(drawing(), path, value))
    assert str(caught.value).startswith(f"{recording.parent / 'out.json'}: ")
    assert message in str(caught.value)
    assert not (recording.parent / "out" / "samples.jsonl").exists()


def test_files_that_are_no_drawing(tmp_path):
    for text, message in [
        ("{", "no JSON at column"),
        ("[]", "images = None"),
        ("7" * 9999, "no JSON that can be read"),
    ]:
        (tmp_path / "a.json").write_text(text)
        with pytest.raises(BadInput, match=message):
            read_coco(tmp_path / "a.json")
    with pytest.raises(BadInput, match="cannot be read: No such file"):
        read_coco(tmp_path / "none.json")


def test_an_older_import_is_not_overwritten(recording):
    imported(recording, drawing())
    with pytest.raises(BadInput, match="holds samples already; choose a new folder"):
        imported(recording, drawing())


def test_a_full_disk(recording, tmp_path):
    (tmp_path / "boxes.json").write_text(json.dumps(drawing()))
    with largest_file(100), pytest.raises(NotWritten, match=r"cannot write .*000000\.jpg: .*; make room there"):
        import_coco(recording, tmp_path / "boxes.json", tmp_path / "out")
    assert not (tmp_path / "out" / "samples.jsonl").exists()


def test_the_command(recording, tmp_path):
    (tmp_path / "boxes.json").write_text(json.dumps(drawing()))
    words = ("data", "coco", recording, tmp_path / "boxes.json", tmp_path / "drawn")
    done, again, partial, check = several(
        words,
        words,
        (*words[:-1], tmp_path / "part", "--partial"),
        ("data", "check", tmp_path / "drawn" / "samples.jsonl"),
    )
    assert done[0] == 0 and f"16 samples in {tmp_path / 'drawn' / 'samples.jsonl'}" in done[1]
    assert again[0] == 2 and "holds samples already" in again[1]
    assert partial[0] == 0 and "6 samples in" in partial[1]
    assert check[0] == 0
