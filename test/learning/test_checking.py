# SPDX-License-Identifier: Apache-2.0
"""``scene-r1 data check``, and what it rests on."""

import json

import pytest

from scene_r1_ros.errors import BadInput
from scene_r1_ros.learning.checking import MAX_KEPT, check_file
from scene_r1_ros.learning.images import read_image
from scene_r1_ros.learning.jsonl import write_samples
from test.command_line import several
from test.learning.making import ANSWER, IMAGE, OBJECTS, TEMPORAL, changed, sample, write_images


@pytest.fixture
def path(tmp_path):
    """A file of four samples, with their images."""
    samples = [sample(values) for values in (IMAGE, TEMPORAL, ANSWER, OBJECTS)]
    write_samples(tmp_path / "samples.jsonl", samples)
    write_images(tmp_path, *samples)
    return tmp_path / "samples.jsonl"


def add(path, values) -> None:
    with path.open("a") as file:
        file.write(json.dumps(values) + "\n")


def test_what_is_in_a_file(path):
    add(path, {**IMAGE, "id": "a", "scene": "val/3", "target": {"boxes": []}})
    checked = check_file(path)
    assert checked.problems == []
    assert checked.tasks == {"image": 2, "temporal": 1, "answer": 1, "objects": 1}
    assert checked.absent["image"] == 1 and checked.absent["temporal"] == 0
    assert checked.splits == {"train": 4, "val": 1}
    assert checked.tags == {"relation": 2, "on": 2}
    assert (len(checked.scenes), len(checked.images)) == (2, 11)


def test_all_problems_are_found(path):
    add(path, {**IMAGE, "id": "a", "depth": 1})
    add(path, IMAGE)
    add(path, changed({**IMAGE, "id": "b"}, "frames.0.image", "images/none.jpg"))
    add(path, changed({**IMAGE, "id": "c"}, "frames.0.size_wh", [225, 168]))
    checked = check_file(path)
    assert [problem.partition(";")[0] for problem in checked.problems] == [
        "line 5: a sample has a field 'depth'",
        "line 6: id 'train/7/0' stands in line 1 too",
        f"line 7: image images/none.jpg is missing in {path.parent}",
        "line 8: size_wh of image images/7/000004.jpg is 225x168, and 224x168 in an earlier line",
    ]
    assert checked.n_problems == 4 and checked.samples == 6


def test_the_count_goes_on_where_the_text_of_problems_is_no_longer_kept(tmp_path):
    (tmp_path / "a.jsonl").write_text("{}\n" * (MAX_KEPT + 5))
    checked = check_file(tmp_path / "a.jsonl")
    assert (checked.n_problems, len(checked.problems)) == (MAX_KEPT + 5, MAX_KEPT)


def jpeg_of(path) -> bytes:
    return (path.parent / "images/7/000004.jpg").read_bytes()


DAMAGE = {
    "cut off": (lambda data: data[:-100], "is cut off; copy it again"),
    "only a header": (lambda data: data[:50], "is cut off in its header"),
    "empty": (lambda data: b"", "expected a PNG or JPEG"),
    "text": (lambda data: b"no image", "an image starts with bytes '6e 6f 20 69'"),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_image(path, how):
    damage, message = DAMAGE[how]
    (path.parent / "images/7/000004.jpg").write_bytes(damage(jpeg_of(path)))
    (problem,) = check_file(path).problems  # once, though three samples show it
    assert problem.startswith("line 1: image images/7/000004.jpg")
    assert message in problem
    assert check_file(path, images=False).problems == []


def test_an_image_of_another_size(path):
    write_images(path.parent, sample(IMAGE, frames__0__size_wh=[320, 240]))
    (problem,) = check_file(path).problems
    assert "image images/7/000004.jpg has 320x240 pixels, and size_wh says 224x168" in problem
    with pytest.raises(BadInput, match="has 320x240 pixels"):
        read_image(path.parent, sample(IMAGE).shots[0])


def test_no_link_leads_out_of_the_folder(path, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "a.jpg"
    outside.write_bytes(jpeg_of(path))
    (path.parent / "images/7/000004.jpg").unlink()
    (path.parent / "images/7/000004.jpg").symlink_to(outside)
    (problem,) = check_file(path).problems
    assert "image images/7/000004.jpg is a link out of" in problem
    with pytest.raises(BadInput, match="is a link out of"):
        read_image(path.parent, sample(IMAGE).shots[0])


def test_links_in_a_circle_and_folders_are_no_images(path):
    image = path.parent / "images/7/000004.jpg"
    image.unlink()
    image.symlink_to(image)
    assert "cannot be found" in check_file(path).problems[0] or "is missing" in check_file(path).problems[0]
    image.unlink()
    image.mkdir()
    assert "is missing" in check_file(path).problems[0]


def test_an_image_is_read_as_pixels(path):
    assert read_image(path.parent, sample(IMAGE).shots[0]).shape == (168, 224, 3)


def test_the_command(path, tmp_path):
    bad, empty, none = tmp_path / "bad.jsonl", tmp_path / "empty.jsonl", tmp_path / "none.jsonl"
    bad.write_text("{}\n" * 30)
    empty.touch()
    fine, wrong, nothing, missing, unseen = several(
        ("data", "check", path), ("data", "check", bad), ("data", "check", empty), ("data", "check", none),
        ("data", "check", "--no-images", path.parent),
    )  # fmt: skip
    assert fine[0] == 0 and unseen[0] == 0
    assert "4 samples of 1 scene, 11 images" in fine[1]
    assert "task temporal" in fine[1] and "tag relation" in fine[1] and "split train" in fine[1]
    assert wrong[0] == 2
    assert wrong[1].count("a sample has no field 'id'; add it") == 20
    assert f"{bad}: 30 problems beside 0 samples that can be read; the first are above" in wrong[1]
    assert nothing[0] == 2 and "the file holds no sample" in nothing[1]
    assert missing[0] == 2 and f"{none} cannot be read: No such file or directory" in missing[1]
