# SPDX-License-Identifier: Apache-2.0
"""The command line as a user meets it: real processes, real files, exit codes and messages."""

import json
import shutil
import subprocess
import sys

import pytest
import yaml

import scene_r1_ros
from scene_r1_ros.sequences import write_folder
from test.scenes import clip, tight_box

FRAMES, TRUTHS = clip(6)


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli") / "room"
    write_folder(folder, FRAMES, "png")
    boxes = {mask.frame.stamp_ns: {"bbox_2d": tight_box(mask).xyxy, "label": "block"} for mask in TRUTHS}
    images = {str(stamp_ns): f"<answer>{json.dumps(box)}</answer>" for stamp_ns, box in boxes.items()}
    answers = [
        {"query": "the ghost", "temporal": "<think>No.</think><answer>not present</answer>", "image": {}},
        {"query": "how many blocks?", "answer": "<think>One red.</think><answer>There is one.</answer>"},
        {"query": "where is the red block?", "answer": "<think>At 0.1 s.</think><answer>on the floor</answer>"},
        {"query": "the red block", "temporal": "<answer>0s to 0.5s</answer>", "image": images},
    ]
    (folder.parent / "recorded.yaml").write_text(yaml.safe_dump({"answers": answers}), encoding="utf-8")
    return folder


def scene_r1(*words, cwd=None):
    command = [sys.executable, "-m", "scene_r1_ros.cli", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=100)
    return done.returncode, done.stdout + done.stderr


def box(index: int) -> str:
    return TRUTHS[index].frame.frame_id + ":" + ",".join(f"{v:g}" for v in tight_box(TRUTHS[index]).xyxy)


def test_a_box_grounds_without_a_model(room, tmp_path):
    code, said = scene_r1("ground", "the red block", "-s", room, "--box", box(1), "-o", tmp_path)
    assert code == 0, said
    assert "verify" in said and "found" in said and "object_0.ply" in said
    answer = json.loads((tmp_path / "answer.json").read_text(encoding="utf-8"))
    assert answer["status"] == "found" and answer["objects"][0]["source_frame"] == FRAMES[1].frame_id


def test_what_is_not_there_ends_with_3(room, tmp_path):
    model = f"recorded:{room.parent / 'recorded.yaml'}"
    code, said = scene_r1("ground", "the ghost", "-s", room, "-m", model, "-o", tmp_path)
    assert code == 3 and "not in the video" in said
    assert json.loads((tmp_path / "answer.json").read_text(encoding="utf-8"))["status"] == "not_found"


def test_a_question_is_answered(room, tmp_path):
    model = f"recorded:{room.parent / 'recorded.yaml'}"
    code, said = scene_r1("ask", "How many  blocks?", "-s", room, "-m", model, "-o", tmp_path)
    assert code == 0 and "One red." in said and "answered 1" in said
    assert json.loads((tmp_path / "answer.json").read_text(encoding="utf-8"))["kind"] == "count"


def test_a_question_where_something_is_comes_with_it(room, tmp_path):
    model = f"recorded:{room.parent / 'recorded.yaml'}"
    words = ("-s", room, "-m", model, "-t", "geometric", "--steps", "-o", tmp_path)
    code, said = scene_r1("ask", "Where is the red block?", *words)
    assert code == 0 and "answered, confidence" in said and "on the floor. block: at (" in " ".join(said.split())
    answer = json.loads((tmp_path / "answer.json").read_text(encoding="utf-8"))
    assert (answer["status"], answer["kind"], len(answer["objects"])) == ("answered", "free", 1)
    assert answer["rationale"][0]["frames"] == answer["rationale"][-1]["frames"] == [FRAMES[1].frame_id]
    files = {file.name for file in tmp_path.iterdir()}
    assert {"object_0.ply", "overlay.png", "scene.png", "steps.png"} <= files


@pytest.mark.parametrize(("question", "says"), [(" ", "has 0 characters"), ("x" * 2001, "has 2001 characters")])
def test_a_question_has_1_to_2000_characters(room, tmp_path, question, says):
    model = f"recorded:{room.parent / 'recorded.yaml'}"
    code, said = scene_r1("ask", question, "-s", room, "-m", model, "-o", tmp_path / "out")
    assert code == 2 and says in " ".join(said.split()) and "expected 1 to 2000" in " ".join(said.split())


def test_the_longest_query_is_looked_for(room, tmp_path):
    code, said = scene_r1("ground", "x" * 2000, "-s", room, "--box", box(1), "-o", tmp_path)
    assert code == 0, said
    assert len(json.loads((tmp_path / "answer.json").read_text(encoding="utf-8"))["query"]) == 2000


def test_what_was_checked_and_what_it_took_is_told_and_kept(room, tmp_path):
    code, said = scene_r1("ground", "the red block", "-s", room, "--box", box(1), "-o", tmp_path)
    assert code == 0 and "checked and holds: " in said and "temporal: 1 model call, 6 frames" in said
    answer = json.loads((tmp_path / "answer.json").read_text(encoding="utf-8"))
    assert all(check["holds"] for check in answer["checks"]) and answer["usage"]["temporal"]["calls"] == 1


def test_the_version_is_that_of_the_package():
    assert scene_r1("--version") == (0, f"scene-r1 {scene_r1_ros.__version__}\n")


def test_a_refused_query_leaves_the_last_answer(room, tmp_path):
    words = ["-s", room, "--box", box(1), "-o", tmp_path]
    assert scene_r1("ground", "the red block", *words)[0] == 0
    old = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    code, said = scene_r1("ground", " ", *words)
    assert code == 2 and "expected 1 to 2000" in said
    model = f"recorded:{room.parent / 'recorded.yaml'}"
    assert scene_r1("ground", "a thing it was never asked", "-s", room, "-m", model, "-o", tmp_path)[0] == 1
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == old


def test_colons_in_paths_are_no_emoji(tmp_path):
    code, said = scene_r1("info", tmp_path / "nope:cat:x")
    assert code == 2 and "nope:cat:x" in "".join(said.split())


def test_a_found_answer_is_told_and_kept_where_open3d_is_missing(room, tmp_path):
    code = "import sys; sys.modules['open3d'] = None; from scene_r1_ros.cli import main; main()"
    words = ["ground", "the red block", "-s", room, "--box", box(1), "-o", tmp_path]
    done = subprocess.run([sys.executable, "-c", code, *map(str, words)], capture_output=True, text=True, timeout=100)
    assert done.returncode == 1 and "found, confidence" in done.stdout and "Traceback" not in done.stderr
    assert "pip install open3d" in " ".join(done.stderr.split())
    assert json.loads((tmp_path / "answer.json").read_text(encoding="utf-8"))["status"] == "found"


def test_what_was_looked_at_in_vain_is_drawn(room, tmp_path):
    model = f"recorded:{room.parent / 'recorded.yaml'}"
    code, said = scene_r1("ground", "the ghost", "-s", room, "-m", model, "-o", tmp_path, "--steps")
    assert code == 3 and "steps.png" in said and (tmp_path / "steps.png").exists()


BAD = {
    "no such frame": (["ground", "q", "--box", "999999:1,1,5,5"], "it has 000000 to 000005"),
    "no box": (["ground", "q", "--box", "000001:1,1"], "expected FRAME:x1,y1,x2,y2"),
    "box without area": (["ground", "q", "--box", "000001:9,9,5,5"], "x2 > x1"),
    "box outside": (["ground", "q", "--box", "000001:900,900,950,950"], "outside the image of 160x120"),
    "no model": (["ground", "q"], "--box FRAME:x1,y1,x2,y2"),
    "unknown model": (["ground", "q", "--model", "magic"], "expected recorded:FILE, transformers:FOLDER-OR-NAME"),
    "unknown tracker": (["ground", "q", "--box", "000001:1,1,9,9", "--tracker", "magic"], "expected one of geometric"),
    "tracker without file": (["ground", "q", "--box", "000001:1,1,9,9", "-t", "geometric:x"], "has no file"),
    "box and model": (["ground", "q", "--box", "000001:1,1,9,9", "-m", "recorded:x"], "leave one of them out"),
    "no answers file": (["ask", "q", "--model", "recorded:absent.yaml"], "absent.yaml"),
    "no checkpoint": (["ask", "q", "--model", "transformers:absent/folder"], "absent/folder"),
    "no config": (["ground", "q", "--box", "000001:1,1,9,9", "--config", "absent.yaml"], "absent.yaml"),
    "empty query": (["ground", "", "--box", "000001:60,40,100,80"], "expected 1 to 2000"),
    "blank query": (["ground", " \n", "--box", "000001:60,40,100,80"], "the query has 0 characters"),
    "oversized query": (["ground", "x" * 2001, "--box", "000001:60,40,100,80"], "the query has 2001 characters"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_ends_with_2_and_its_remedy(room, tmp_path, case):
    words, says = BAD[case]
    code, said = scene_r1(*words, "-s", room, "-o", tmp_path / "out", cwd=tmp_path)
    assert " ".join(says.split()) in " ".join(said.split()), said
    assert code == 2 and "Traceback" not in said


@pytest.mark.parametrize("path", ["absent", "recorded.yaml", "."])
def test_what_is_no_sequence_is_named(room, tmp_path, path):
    code, said = scene_r1("info", room.parent / path)
    assert code == 2 and "Traceback" not in said and "scene-r1:" in said


def test_info_says_what_a_folder_holds(room):
    code, said = scene_r1("info", room)
    assert code == 0 and "160x120" in said and "frames" in said


def test_config_prints_what_config_takes(room, tmp_path):
    code, said = scene_r1("config")
    assert code == 0 and "# edge of the voxels the points are fused in, metres (0.001 to 0.5)\n  voxel_m: 0.005" in said
    (tmp_path / "mine.yaml").write_text(said, encoding="utf-8")
    assert scene_r1("config", "--config", tmp_path / "mine.yaml") == (0, said)


@pytest.mark.parametrize("command", ["demo", "ground", "ask", "replay", "info", "bench", "config"])
def test_help_teaches(command):
    code, said = scene_r1(command, "--help")
    assert code == 0 and "Usage" in said


def test_a_label_cannot_paint_the_terminal(room, tmp_path):
    """Markup and control characters in a query are text, not orders."""
    code, said = scene_r1("ground", "[red]x[/red]\x1b[2J", "-s", room, "--box", box(1), "-o", tmp_path)
    assert code == 0 and "[red]x[/red]" in said and "\x1b[2J" not in said


def test_a_place_that_cannot_be_written_is_named_before_the_work(room):
    for command in (["ground", "q", "--box", box(1), "-s", room], ["demo"]):
        code, said = scene_r1(*command, "-o", "/proc/nowhere/out")
        assert code == 2 and "choose a folder you may write to" in " ".join(said.split()) and "select" not in said


def test_info_names_every_broken_file(room, tmp_path):
    folder = tmp_path / "broken"
    shutil.copytree(room, folder)
    for frame_id in ("000002", "000004"):
        (folder / f"{frame_id}.color.png").write_bytes(b"no picture")
    code, said = scene_r1("info", folder)
    assert code == 0 and "000002" in said and "000004" in said and said.count("skipped:") == 2
