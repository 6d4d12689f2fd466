# SPDX-License-Identifier: Apache-2.0
import json
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scene_r1_ros.errors import BadInput, NotWritten
from scene_r1_ros.learning.jsonl import MAX_LINE_BYTES, line_of, parsed, read_samples, write_samples
from scene_r1_ros.learning.schema import dict_of, sample_of
from test.learning.making import ANSWER, IMAGE, OBJECTS, TEMPORAL, changed, largest_file, sample

ALL = [IMAGE, TEMPORAL, ANSWER, OBJECTS]


def write_lines(path, *lines: str) -> None:
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")


def test_what_is_written_is_read(tmp_path):
    samples = [sample(values) for values in ALL]
    assert write_samples(tmp_path / "new" / "samples.jsonl", samples) == 4
    assert list(read_samples(tmp_path / "new" / "samples.jsonl")) == samples
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["samples.jsonl"]


def test_the_file_is_the_json_that_the_schema_shows(tmp_path):
    write_samples(tmp_path / "samples.jsonl", [sample(IMAGE), sample(TEMPORAL)])
    lines = (tmp_path / "samples.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [IMAGE, TEMPORAL]
    assert "[34, 50, 61, 80]" in lines[0]  # whole numbers stay whole


def test_empty_lists_say_not_there_and_survive(tmp_path):
    absent = [sample(IMAGE, target={"boxes": []}), sample(TEMPORAL, target={"windows_s": []})]
    write_samples(tmp_path / "samples.jsonl", absent)
    back = list(read_samples(tmp_path / "samples.jsonl"))
    assert back == absent
    assert back[0].target.boxes == () and back[0].target.windows is None


def test_empty_lines_and_files_are_no_error(tmp_path):
    write_lines(tmp_path / "a.jsonl", "", json.dumps(IMAGE), "  ")
    assert [one.sample_id for one in read_samples(tmp_path / "a.jsonl")] == ["train/7/0"]
    (tmp_path / "b.jsonl").touch()
    assert list(read_samples(tmp_path / "b.jsonl")) == []


numbers = st.floats(0, 100, allow_nan=False)


@given(st.tuples(numbers, numbers, numbers, numbers), st.text(max_size=30), st.text(min_size=1, max_size=30))
def test_any_sample_that_is_accepted_survives(corners, reasoning, label):
    (x1, x2), (y1, y2) = sorted(corners[0::2]), sorted(corners[1::2])
    box = {"box_xyxy": [x1, y1, x2, y2], "label": label}
    try:
        one = sample_of({**IMAGE, "target": {"boxes": [box]}, "reasoning": reasoning})
    except BadInput:
        return
    assert sample_of(parsed(line_of(one))) == one


leaves = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5)
anything = st.recursive(leaves, lambda v: st.lists(v, max_size=4) | st.dictionaries(st.text(max_size=5), v, max_size=4))
paths = [
    *IMAGE, "frames.0", "frames.0.image", "frames.0.time_s", "frames.0.size_wh", "frames.0.size_wh.0", "target.boxes",
    "target.boxes.0", "target.boxes.0.box_xyxy", "target.boxes.0.box_xyxy.2", "target.boxes.0.label", "tags.0",
]  # fmt: skip


@given(st.sampled_from(paths), anything)
def test_any_value_anywhere_is_read_or_refused_with_reason(path, value):
    try:
        assert sample_of(changed(IMAGE, path, value)) is not None
    except BadInput as error:
        assert len(str(error)) < 1000


# What is wrong, and what the message must say.
BAD = [
    (IMAGE, "depth", [1.0], "field 'depth'; nothing 3D may be there"),
    (IMAGE, "pose", [1.0], "field 'pose'; nothing 3D"),
    (IMAGE, "T_world_camera", [], "field 'T_world_camera'; nothing 3D"),
    (IMAGE, "frames.0.points_world", [], "frames[0] has a field 'points_world'; nothing 3D"),
    (IMAGE, "frames.0.depth", "a.png", "frames[0] has a field 'depth'; nothing 3D"),
    (IMAGE, "target.boxes.0.center_world", [0, 0, 0], "target.boxes[0] has a field 'center_world'; nothing 3D"),
    (IMAGE, "target.box_3d", [], "target has a field 'box_3d'; nothing 3D"),
    (IMAGE, "comment", "x", "unknown field 'comment'; known are id, task"),
    (IMAGE, "scene", "del", "has no field 'scene'; add it"),
    (IMAGE, "target.boxes.0.label", "del", "target.boxes[0] has no field 'label'"),
    (IMAGE, "task", "point", "task = 'point'; expected one of temporal, image, answer, objects"),
    (IMAGE, "task", ["image"], "task = ['image']; expected one of"),
    (IMAGE, "id", "", "id is empty"),
    (IMAGE, "id", 7, "id = 7; expected text"),
    (IMAGE, "id", "x" * 301, "id has 301 characters; at most 300"),
    (IMAGE, "query", " ", "query is empty"),
    (IMAGE, "query", "x" * 2001, "query has 2001 characters"),
    (IMAGE, "query", "mug\x1b[2J", "holds control characters"),
    (IMAGE, "query", "mug \ud800", "halves of a surrogate pair"),
    (OBJECTS, "query", "mugs", "objects asks for everything that has a name: leave it empty"),
    (IMAGE, "frames", [], "frames is empty"),
    (IMAGE, "frames", {}, "frames is {}; expected a list"),
    (IMAGE, "frames", TEMPORAL["frames"], "frames has 11 images; the task image is about exactly one"),
    (OBJECTS, "frames", TEMPORAL["frames"], "frames has 11 images; the task objects is about exactly one"),
    (TEMPORAL, "frames", TEMPORAL["frames"] * 100, "frames is a list of 1100; expected a list of at most 1000"),
    (TEMPORAL, "frames.3.time_s", 1.0, "frames[3].time_s = 1 follows 1; times must rise"),
    (TEMPORAL, "frames.3.time_s", 0.1, "frames[3].time_s = 0.1 follows 1; times must rise"),
    (IMAGE, "frames.0.time_s", -1, "frames[0].time_s = -1; expected a number from 0"),
    (IMAGE, "frames.0.time_s", True, "frames[0].time_s = True; expected a number"),
    (IMAGE, "frames.0.time_s", "1.6", "frames[0].time_s = '1.6'; expected a number"),
    (IMAGE, "frames.0.time_s", 10**400, "expected a number from 0 to 1e+06"),
    (IMAGE, "frames.0.size_wh", [224], "frames[0].size_wh = [224]; expected [width, height]"),
    (IMAGE, "frames.0.size_wh", [224, 168.0], "expected [width, height] in whole pixels"),
    (IMAGE, "frames.0.size_wh", [224, 0], "expected [width, height] in whole pixels, 1 to 20000"),
    (IMAGE, "frames.0.image", "/home/me/a.jpg", "expected a path with / below the folder of this file"),
    (IMAGE, "frames.0.image", "images/../../a.jpg", "without '..'"),
    (IMAGE, "frames.0.image", "..\\a.jpg", "expected a path with /"),
    (IMAGE, "frames.0.image", "C:/a.jpg", "expected a path with /"),
    (IMAGE, "frames.0.image", "images/a.npy", "expected a file that ends with .jpg, .jpeg, .png"),
    (IMAGE, "target", {}, "target has no field 'boxes'"),
    (IMAGE, "target", [], "target is []; expected a JSON object"),
    (IMAGE, "target", {"answer": "3"}, "target has answer; the task image is answered by boxes"),
    (TEMPORAL, "target", {"boxes": []}, "target has boxes; the task temporal is answered by windows_s"),
    (ANSWER, "target", {"windows_s": []}, "target has windows_s; the task answer is answered by answer"),
    (IMAGE, "target.answer", "3", "target has an unknown field 'answer'"),
    (IMAGE, "target.boxes", None, "target.boxes is None; expected a list"),
    (IMAGE, "target.boxes.0.box_xyxy", [34, 50, 61], "expected [x1, y1, x2, y2] in pixels"),
    (IMAGE, "target.boxes.0.box_xyxy", [34, 50, 61, "80"], "expected [x1, y1, x2, y2] in pixels"),
    (IMAGE, "target.boxes.0.box_xyxy", [34, 50, 225, 80], "is not inside its image of 224x168 pixels"),
    (IMAGE, "target.boxes.0.box_xyxy", [-1, 50, 61, 80], "is not inside its image of 224x168 pixels"),
    (IMAGE, "target.boxes.0.box_xyxy", [61, 50, 34, 80], "has no area; expected x1 < x2"),
    (IMAGE, "target.boxes.0.box_xyxy", [34, 80, 61, 80], "has no area; expected x1 < x2"),
    (IMAGE, "target.boxes.0.box_xyxy", [34, float("nan"), 61, 80], "nan, 61, 80] has no area"),
    (IMAGE, "target.boxes", IMAGE["target"]["boxes"] * 2, "target.boxes[1] stands there twice; keep one"),
    (IMAGE, "target.boxes.0.label", "not present", "says that nothing is there"),
    (TEMPORAL, "target.windows_s.0", [2.0, 1.0], "ends before it starts"),
    (TEMPORAL, "target.windows_s.0", [1.0, 5.1], "is not inside the clip, whose frames are from 0 s to 5 s"),
    (TEMPORAL, "target.windows_s.0", [1.0], "target.windows_s[0] = [1.0]; expected [start, end] in seconds"),
    (TEMPORAL, "target.windows_s.0", 1.0, "expected [start, end] in seconds"),
    (TEMPORAL, "target.windows_s.0", [float("nan"), 2], "target.windows_s[0] = nan; expected a number"),
    (ANSWER, "target.answer", 3, "target.answer = 3; expected text"),
    (ANSWER, "target.answer", "", "target.answer is empty"),
    (ANSWER, "target.answer", "some", "does not fit the query 'How many mugs are there?': no number"),
    (ANSWER, "query", "Is there a mug?", "does not begin with yes or no"),
    (ANSWER, "query", "Is it (A) red or (B) blue?", "does not name one of the options A, B"),
    (ANSWER, "target.answer", "3</answer>", "holds '<'"),
    (IMAGE, "reasoning", "</think>", "reasoning holds '<'"),
    (IMAGE, "reasoning", "at (300, 20)", "names the place (300, 20), which is outside of 224x168 pixels"),
    (IMAGE, "reasoning", None, "reasoning = None; expected text"),
    (IMAGE, "tags", "on", "tags is 'on'; expected a list of at most 32"),
    (IMAGE, "tags.0", 3, "tags = 3; expected text"),
    (IMAGE, "tags", ["a"] * 33, "tags is a list of 33"),
]


@pytest.mark.parametrize(("values", "path", "value", "message"), BAD, ids=[f"{p}={str(v)[:20]}" for _, p, v, _ in BAD])
def test_what_breaks_a_rule_is_refused(values, path, value, message):
    with pytest.raises(BadInput) as caught:
        sample_of(changed(values, path, value))
    assert message in str(caught.value)


LINES = [
    ("{", "no JSON at column"),
    ('{"id": "a",}', "no JSON at column"),
    ("[]", "a sample is []; expected a JSON object with the keys id, task"),
    ("[" * 100_000, "no JSON that can be read: maximum recursion depth"),
    ('{"id": ' + "9" * 5000 + "}", "no JSON that can be read: Exceeds the limit"),
    ('{"id": NaN}', "NaN is no number of JSON"),
    ('{"id": -Infinity}', "-Infinity is no number of JSON"),
    ('{"id": "a", "id": "b"}', "the field 'id' stands there twice"),
    ("\ufeff{}", "no JSON at column 1"),
    ("x" * MAX_LINE_BYTES, f"more than {MAX_LINE_BYTES} bytes"),
    (json.dumps(IMAGE), "id 'train/7/0' stands in line 1 too"),
    (json.dumps({**IMAGE, "id": "b", "depth": 1}), "field 'depth'; nothing 3D may be there"),
]


@pytest.mark.parametrize(("line", "message"), LINES, ids=[line[:20] for line, _ in LINES])
def test_a_bad_line_is_named_with_its_number(tmp_path, line, message):
    path = tmp_path / "samples.jsonl"
    write_lines(path, json.dumps(IMAGE), "", line)
    read = read_samples(path)
    assert next(read) == sample(IMAGE)
    with pytest.raises(BadInput) as caught:
        next(read)
    assert str(caught.value).startswith(f"{path}, line 3: ")
    assert message in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_a_file_that_is_no_text_or_none_at_all(tmp_path):
    (tmp_path / "latin.jsonl").write_bytes(b'{"id": "caf\xe9"}\n')
    with pytest.raises(BadInput, match=r"line 1: no UTF-8 text.*save the file as UTF-8"):
        list(read_samples(tmp_path / "latin.jsonl"))
    with pytest.raises(BadInput, match=r"none\.jsonl cannot be read: No such file"):
        list(read_samples(tmp_path / "none.jsonl"))
    with pytest.raises(BadInput, match="cannot be read: Is a directory"):
        list(read_samples(tmp_path))


def test_the_writer_refuses_what_the_reader_would(tmp_path):
    one = sample(IMAGE)
    path = tmp_path / "samples.jsonl"
    with pytest.raises(BadInput, match="sample 2, 'train/7/0': id 'train/7/0' stands in line 1 too"):
        write_samples(path, [one, one])
    many = sample(TEMPORAL, frames=[
        {"image": f"{'ä' * 290}{i}.jpg", "time_s": i, "size_wh": [9, 9]} for i in range(1000)
    ])  # fmt: skip
    with pytest.raises(BadInput, match=r"sample 1, 'train/7/1': it takes \d+ bytes; at most"):
        write_samples(path, [many])
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_older_file_whole(tmp_path):
    path = tmp_path / "samples.jsonl"
    write_samples(path, [sample(IMAGE)])
    before = path.read_bytes()
    many = [sample(IMAGE, id=f"{i}") for i in range(500)]
    with largest_file(10_000), pytest.raises(NotWritten, match=r"cannot write .*samples\.jsonl: .*; make room there"):
        write_samples(path, many)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_what_interrupts_the_samples_leaves_the_older_file_whole(tmp_path):
    path = tmp_path / "samples.jsonl"
    write_samples(path, [sample(IMAGE)])
    before = path.read_bytes()

    def interrupted():
        yield sample(TEMPORAL)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_samples(path, interrupted())
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotWritten, match=r"cannot write .*; make room there or choose another folder"):
        write_samples(tmp_path / "file" / "samples.jsonl", [])


def test_others_may_read_what_is_written(tmp_path):
    (tmp_path / "plain").touch()
    write_samples(tmp_path / "samples.jsonl", [sample(IMAGE)])
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "samples.jsonl")}
    assert len(modes) == 1


def test_the_keys_are_closed_whatever_the_task():
    """Nothing but these names can ever stand in a file of samples."""

    def keys(value):
        if isinstance(value, dict):
            return set(value).union(*map(keys, value.values()))
        return set().union(*map(keys, value)) if isinstance(value, list) else set()

    known = {"id", "task", "scene", "frames", "query", "target", "reasoning", "tags", "image", "time_s", "size_wh",
             "boxes", "box_xyxy", "label", "windows_s", "answer"}  # fmt: skip
    assert set().union(*(keys(dict_of(sample(values))) for values in ALL)) == known
