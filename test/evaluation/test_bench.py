# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks print and store, from figures made up here; real figures are for ``make bench``."""

import io
import json

import cv2
import numpy as np
import pytest
from rich.console import Console

from scene_r1_ros.errors import BadInput, SceneR1Error
from scene_r1_ros.evaluation import bench, bench_lift
from scene_r1_ros.evaluation.bench_calibration import (
    calibration_lines,
    calibration_table,
    expected_error,
    reliability,
    slipped,
)
from scene_r1_ros.evaluation.bench_lift import (
    bench_growth,
    bench_memory,
    bench_speed,
    largest,
    lift_lines,
    lift_table,
    masks_of,
    typical,
    well_seen,
)
from scene_r1_ros.evaluation.bench_masks import masks_lines, masks_table
from scene_r1_ros.evaluation.bench_rooms import rooms_lines
from scene_r1_ros.evaluation.bench_tracker import mean_iou, one_core, tracker_lines
from scene_r1_ros.evaluation.lift_memory import load_masks, resident_mb, save_masks
from scene_r1_ros.evaluation.mask_cases import BLEED_4, CLEAN, SHAKEN, WRONG
from scene_r1_ros.evaluation.reporting import Line, at_least, at_most
from scene_r1_ros.evaluation.room_clips import LARGE_COLOR, STRUCTURED, film
from scene_r1_ros.evaluation.routes import ROUTES
from scene_r1_ros.evaluation.what import What
from scene_r1_ros.types import Box2D
from test.scenes import clip


def mask_row(case, group, iou=0.95, route="scene_r1", **more):
    row = {"objects": 9, "lifted": 9, "iou": iou, "f_score": 0.97, "center_m": 0.01, "size_error": 0.05, **more}
    return {"case": case.name, "route": route, "group": group, **row}


def mask_figures(**more):
    cases = [(case, group) for case in (CLEAN, BLEED_4, WRONG, SHAKEN) for group in ("near", "near, large", "all")]
    return {"summary": [*(mask_row(*case, **more) for case in cases), mask_row(SHAKEN, "near, small", **more)]}


def test_good_masks_meet_every_target():
    assert [line.met for line in masks_lines(mask_figures())] == [True] * 9


@pytest.mark.parametrize(
    ("more", "missed"),
    [
        ({"iou": 0.85}, {0, 8}),
        ({"iou": 0.75}, {0, 4, 5, 8}),
        ({"iou": 0.5}, {0, 4, 5, 6, 8}),
        ({"iou": 0.4}, {0, 4, 5, 6, 7, 8}),
        ({"f_score": 0.94}, {1}),
        ({"center_m": 0.021}, {2}),
        ({"size_error": 0.11}, {3}),
        ({"iou": 0.0, "center_m": None, "size_error": None}, {0, 2, 3, 4, 5, 6, 7, 8}),  # nothing was lifted
    ],
)
def test_bad_masks_miss_theirs(more, missed):
    lines = masks_lines(mask_figures(**more))
    assert {i for i, line in enumerate(lines) if not line.met} == missed


def printed(table) -> str:
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(table)
    return console.export_text()


def test_a_route_that_lifts_nothing_has_no_errors_in_the_table():
    row = mask_row(CLEAN, "near", iou=0.0, lifted=0, center_m=None, size_error=None, route="every pixel")
    said = printed(masks_table({"summary": [*mask_figures()["summary"], row]}))
    assert CLEAN.name in said and "9/9" not in said and "every pixel (0/9)" in said and "1.0 cm" in said


LIFT = {
    "speed": {
        "object": "table",
        "longest_m": 0.8,
        "views": 32,
        "mask_pixels": 100,
        "seconds": {"scene_r1": 0.2, "every pixel": 8.0, "voxel + filter": 0.3, "reading all depth and masks": 0.03},
        "scores": {
            name: {"iou": iou, "f_score": 0.9}
            for name, iou in (("scene_r1", 0.9), ("every pixel", 0.8), ("voxel + filter", 0.7))
        },
    },
    "growth": {"object": "table", "views": [5, 10], "seconds": {5: 0.1, 10: 0.2}, "added": {5: 0.02, 10: 0.02}},
    "memory": {"views": 100, "input_mb": 246.0, "extra_mb": 150.0},
}


SOFA_S = {"scene_r1": 0.4, "every pixel": 6.0, "voxel + filter": 0.5, "reading all depth and masks": 0.04}
LIFT["speed_largest"] = {**LIFT["speed"], "object": "sofa", "longest_m": 2.0, "seconds": SOFA_S}


def test_the_largest_object_stands_beside_the_targets():
    (line,) = [line for line in lift_lines(LIFT) if "sofa of 2.0 m" in line.what]
    assert line.measured == "15.0 and 1.2 times faster, 10.0 times reading" and line.target == ""
    assert "sofa of 2.0 m in 32 views" in printed(lift_table(LIFT))


def test_a_quick_lift_meets_every_target_and_a_slow_one_none():
    assert all(line.met for line in lift_lines(LIFT))
    slow = {**LIFT["speed"], "seconds": {**LIFT["speed"]["seconds"], "scene_r1": 1.0}}
    slow["scores"] = {**slow["scores"], "scene_r1": {"iou": 0.6, "f_score": 0.9}}
    growth, memory = {**LIFT["growth"], "added": {5: 0.02, 10: 0.05}}, {**LIFT["memory"], "extra_mb": 250.0}
    missed = lift_lines({**LIFT, "speed": slow, "growth": growth, "memory": memory})
    assert not any(line.met for line in missed if line.target)
    assert "0.300" in printed(lift_table(LIFT)) and "20.0 ms an added view" in printed(lift_table(LIFT))


def test_the_tracker_has_one_target():
    runs = [{"object": "mug", "frames": 40, "masked": 30, "seconds": 1.0, "iou_2d": 0.9}]
    assert [line.met for line in tracker_lines({"runs": runs, "fps": 40.0})] == [True, True]
    assert not tracker_lines({"runs": runs, "fps": 19.9})[0].met


def test_one_core_is_given_back():
    threads = cv2.getNumThreads()
    with one_core():
        assert cv2.getNumThreads() == 1
    assert cv2.getNumThreads() == threads


def test_reliability_by_hand():
    rows = reliability([(0.95, 0.9), (0.92, 0.3), (1.0, 0.6), (0.1, 0.0), (0.5, 0.5)])
    assert [(row["low"], row["high"], row["answers"]) for row in rows] == [(0.0, 0.2, 1), (0.5, 0.6, 1), (0.9, 1.0, 3)]
    assert rows[2]["share_25"] == 1 and rows[2]["share_50"] == pytest.approx(2 / 3)
    assert rows[0]["share_25"] == 0 and rows[1]["share_50"] == 1
    error = (0.1 * 1 + 0.5 * 1 + 3 * abs(2.87 / 3 - 2 / 3)) / 5
    assert expected_error(rows, "share_50") == pytest.approx(error)
    assert reliability([]) == [] and expected_error([], "share_50") == 0


def test_calibration_says_how_many_were_found():
    answers = [{"status": "found"}, {"status": "not_found"}]
    figures = {"answers": answers, "reliability": reliability([(0.9, 0.8)])}
    assert calibration_lines(figures)[0].measured == "1/2"
    assert "0.9 to 1.0" in printed(calibration_table(figures))


def test_a_slipped_box_stays_within_its_share():
    frame = clip(1)[0][0]
    box, rng = Box2D(40, 30, 80, 90), np.random.default_rng(0)
    assert slipped(box, 0.0, frame, rng) == box
    for _ in range(50):
        off = np.abs(np.subtract(slipped(box, 0.4, frame, rng).xyxy, box.xyxy))
        assert (off <= 0.4 * np.array([40, 60, 40, 60])).all()


def test_masks_come_back_from_their_file(tmp_path):
    _, masks = clip(3)
    save_masks(tmp_path / "masks.npz", masks)
    for before, after in zip(masks, load_masks(tmp_path / "masks.npz"), strict=True):
        np.testing.assert_array_equal(before.pixels, after.pixels)
        np.testing.assert_array_equal(before.frame.depth_m, after.frame.depth_m)
        np.testing.assert_allclose(before.frame.T_world_camera, after.frame.T_world_camera, atol=1e-12)
        assert before.frame.camera == after.frame.camera


def test_memory_is_what_the_process_holds():
    held_mb, _ = resident_mb()
    ballast = np.ones(400_000_000, np.uint8)  # far more than what else this process may take or give back meanwhile
    now_mb, peak_mb = resident_mb()
    assert 300 < now_mb - held_mb < 500 and peak_mb >= now_mb and ballast.any()


@pytest.fixture(scope="module")
def short():
    return film(0, 4, (STRUCTURED, LARGE_COLOR), lit=False)


def test_the_object_that_is_timed_is_the_one_the_targets_speak_of(short):
    thing = typical(short)
    views = short.well_seen(thing)
    assert 2 <= short.distance_m(thing, views) <= 3
    assert 0.6 < short.surface(thing, views).box.size_m.max() < 1


def test_the_largest_object_has_the_longest_edge(short):
    edges_m = [short.surface(thing, views).box.size_m.max() for thing, views in well_seen(short)]
    thing = largest(short)
    assert short.surface(thing, short.well_seen(thing)).box.size_m.max() == max(edges_m) > 1


def test_lifting_is_measured_on_a_real_clip(short, monkeypatch):
    monkeypatch.setattr(bench_lift, "REPEATS", 1)
    speed = bench_speed(short, typical(short))
    assert set(speed["scores"]) == set(ROUTES) and set(ROUTES) < set(speed["seconds"])
    growth = bench_growth(short, views=(2, 4))
    assert growth["added"][2] == growth["seconds"][2] / 2
    assert growth["added"][4] == (growth["seconds"][4] - growth["seconds"][2]) / 2
    assert bench_memory(short, 4)["views"] == 4
    json.dumps([speed, growth])


def test_boxes_of_exact_masks_overlap_wholly(short):
    thing = next(o for o in short.room.objects if o.name == "mug")
    exact = [m for m in masks_of(short, STRUCTURED, thing, 4) if m.box]
    assert mean_iou(short, thing, exact) == 1
    other = next(o for o in short.room.objects if o.name == "bottle")
    assert mean_iou(short, other, exact) < 0.2


def test_a_process_that_fails_is_quoted(short, monkeypatch):
    monkeypatch.setattr(bench_lift, "save_masks", lambda path, masks: path.write_bytes(b"no masks"))
    with pytest.raises(SceneR1Error, match="lifting 2 views in a process of its own failed"):
        bench_memory(short, 2)


def fake(monkeypatch, met: bool):
    def measure(tell):
        tell("the fake")
        return {"figure": 1}

    lines = [Line("a figure", "1", "at least 2" if not met else "at least 1", met)]
    monkeypatch.setattr(bench, "BENCHES", {What.MASKS: bench.Bench(measure, lambda figures: lines)})


@pytest.mark.parametrize(("met", "code"), [(True, 0), (False, 1)])
def test_a_missed_target_ends_with_1_and_all_is_stored(monkeypatch, tmp_path, met, code):
    fake(monkeypatch, met)
    console = Console(record=True, width=200, file=io.StringIO())
    assert bench.run_bench(What.ALL, tmp_path / "new" / "bench.json", console) == code
    stored = json.loads((tmp_path / "new" / "bench.json").read_text(encoding="utf-8"))
    assert set(stored) == {"machine", "masks", "targets"} and stored["masks"] == {"figure": 1}
    assert stored["targets"][0].keys() == {"what", "measured", "target", "met"} and stored["targets"][0]["met"] is met
    assert ("met" if met else "missed") in console.export_text()


def test_only_what_is_asked_for_is_measured(monkeypatch, tmp_path):
    fake(monkeypatch, True)
    bench.run_bench(What.LIFT, tmp_path / "bench.json", Console(file=io.StringIO()))
    assert set(json.loads((tmp_path / "bench.json").read_text(encoding="utf-8"))) == {"machine", "targets"}


def test_a_file_that_cannot_be_written_is_named_before_the_work(tmp_path):
    with pytest.raises(BadInput, match=r"cannot write the figures to .*name another file with --out"):
        bench.run_bench(What.ALL, tmp_path, Console(file=io.StringIO()))


def test_ros_is_needed_for_ros_alone():
    assert [what for what in What if what.needs_ros] == [What.ALL, What.ROS]
    assert set(bench.BENCHES) == set(What) - {What.ALL}


def test_lines_meet_their_target_at_its_edge():
    assert at_least("x", 0.9, 0.9).met and not at_least("x", 0.899, 0.9).met
    assert at_most("x", 2.0, 2.0).met and not at_most("x", 2.01, 2.0).met
    assert at_most("x", None, 2.0) == Line("x", "nothing", "at most 2", False)


def test_rooms_are_told_by_frames_a_second():
    figures = {"frames_per_cpu_s": 90.0, "median_frames_per_cpu_s": 80.0, "full_frames_per_cpu_s": 4.0, "ratio": 22.5}
    first, second = rooms_lines(figures)
    assert first.measured == "90" and not first.met
    assert second.measured == "80 in the median room, 22 times the full 4.0"
