# SPDX-License-Identifier: Apache-2.0
"""Every sensor of a clip sees the same room, and the cases spoil what they say and nothing else."""

import numpy as np
import pytest

from scene_r1_ros.errors import NoDepth
from scene_r1_ros.evaluation.bench_masks import MIN_VIEWS, bench_case, bench_masks, masks_table, summary
from scene_r1_ros.evaluation.mask_cases import BLEED_4, CASES, CLEAN, SHAKEN, WRONG, chosen_views, posed, spoilt
from scene_r1_ros.evaluation.room_clips import LARGE_COLOR, SENSORS, SMALL_DEPTH, STEREO, STRUCTURED, film
from scene_r1_ros.evaluation.surface import TrueSurface
from scene_r1_ros.geometry.pose import distance, transform

CASE = {case.name: case for case in CASES}


@pytest.fixture(scope="module")
def clip():
    return film(0, 7, SENSORS, lit=False)


def named(clip, label):
    return next(o for o in clip.room.objects if o.label == label)


def depth_points(frame, pixels) -> np.ndarray:
    v, u = np.nonzero(pixels & (frame.depth_m > 0))
    return transform(frame.T_world_camera, frame.depth_camera.unproject(np.stack([u, v], 1), frame.depth_m[v, u]))


def test_sensors_have_their_sizes_and_see_the_true_depth(clip):
    sizes = {name: (shots[0].frame.color.shape[:2], shots[0].frame.depth_m.shape) for name, shots in clip.shots.items()}
    assert sizes == {
        STRUCTURED: ((480, 640), (480, 640)),
        STEREO: ((480, 640), (480, 640)),
        LARGE_COLOR: ((968, 1296), (480, 640)),
        SMALL_DEPTH: ((480, 640), (240, 320)),
    }
    for sensor in SENSORS:
        depth_m, z_m = clip.shots[sensor][3].frame.depth_m, clip.truth[3].z_m
        z_m = z_m if depth_m.shape == z_m.shape else z_m[::2, ::2]
        near = (depth_m > 0) & (z_m < 2)
        assert np.median(np.abs(depth_m - z_m)[near]) < 0.02, sensor


def test_large_masks_show_what_small_ones_show(clip):
    small, large = clip.truth[3].instances, clip.shots[LARGE_COLOR][3].instances
    rows, columns = (np.arange(480) * 968 + 484) // 480, (np.arange(640) * 1296 + 648) // 640
    assert (large[np.ix_(rows, columns)] == small).mean() > 0.98


def test_the_surface_lies_in_the_box_of_the_object(clip):
    for thing in clip.room.objects:
        for view in clip.truth:
            points = view.surface(thing.instance_id)
            in_box = np.abs((points - thing.box.center_world) @ thing.box.R_world_box)
            assert (in_box <= thing.box.size_m / 2 + 1e-3).all(), thing.label


def test_well_seen_views_show_the_object_large(clip):
    mug = next(o for o in clip.room.objects if o.name == "mug")
    views, pixels = clip.well_seen(mug), clip.pixels(mug)
    assert len(views) >= MIN_VIEWS and pixels[views].min() >= 0.4 * pixels.max()
    assert 1 < clip.distance_m(mug, views) < 2.5


def test_a_seed_gives_one_clip():
    one, two = (film(1, 2, (STEREO,)).shots[STEREO][1].frame for _ in range(2))
    np.testing.assert_array_equal(one.depth_m, two.depth_m)
    np.testing.assert_array_equal(one.color, two.color)
    assert one.color.std() > 20  # lit


def test_views_are_spread_over_the_walk(clip):
    mug = next(o for o in clip.room.objects if o.name == "mug")
    views = chosen_views(clip, WRONG, mug)
    assert len(views) == 5 and views[0] == clip.well_seen(mug)[0] and views[-1] == clip.well_seen(mug)[-1]


def masks_in(clip, case):
    thing = next(o for o in clip.room.objects if o.name == "mug")
    views = chosen_views(clip, case, thing)
    exact = [clip.shots[case.sensor][i].instances == thing.instance_id for i in views]
    return spoilt(clip, case, posed(clip, case), thing, views), exact


def test_each_case_spoils_the_masks_as_it_says(clip):
    for case, made, exact in ((case, *masks_in(clip, case)) for case in CASES):
        if case.drop_every:
            assert len(made) == len(exact) - len(exact) // 4
            continue
        changed = [not np.array_equal(m.pixels, e) for m, e in zip(made, exact, strict=True)]
        spoils = bool(case.bleed_px or case.erosion_px)
        assert sum(changed) == (len(exact) if spoils else int(case.wrong_view)), case.name
    (wrong,) = [m.pixels for m, e in zip(*masks_in(clip, WRONG), strict=True) if not (m.pixels & e).any()]
    assert wrong.any()
    for mask, exact_pixels in zip(*masks_in(clip, BLEED_4), strict=True):
        assert (mask.pixels & exact_pixels).sum() == exact_pixels.sum()


def test_poses_are_off_by_what_the_case_says(clip):
    for case, moved_m, turned_deg in ((CLEAN, 0, 0), (SHAKEN, 0.03, 1)):
        for believed, view in zip(posed(clip, case), clip.truth, strict=True):
            assert distance(believed.T_world_camera, view.T_world_camera) == pytest.approx(
                (moved_m, np.deg2rad(turned_deg)), abs=1e-6
            )


def raw(masks):
    """A route without any thought: all depth in all masks."""
    points = np.concatenate([depth_points(m.frame, m.pixels) for m in masks])
    return points, TrueSurface(points).box


def nothing(masks):
    raise NoDepth("nothing")


def test_results_add_up_to_the_table(clip):
    results = list(bench_case(clip, CLEAN, {"raw": raw, "nothing": nothing}))
    rows = summary(results)
    assert {r["group"] for r in rows} == {"near", "near, large", "near, small", "far", "all"}
    for row in rows:
        assert row["lifted"] == (row["objects"] if row["route"] == "raw" else 0)
        if row["route"] == "nothing":
            assert (row["iou"], row["f_score"], row["center_m"], row["size_error"]) == (0, 0, None, None)
    by_group = {row["group"]: row for row in rows if row["route"] == "raw"}
    assert by_group["near"]["objects"] == by_group["near, large"]["objects"] + by_group["near, small"]["objects"]
    assert by_group["all"]["objects"] == by_group["near"]["objects"] + by_group["far"]["objects"]
    assert by_group["near"]["iou"] > 0.5 and by_group["near"]["f_score"] > 0.95  # noise, but no errors
    assert masks_table({"summary": rows}).row_count == 3  # the case and two routes


def test_bleeding_ruins_the_thoughtless_route(clip):
    bleed = CASE["bleed 8 px"]
    (clean,), (bled,) = (
        [row for row in summary(list(bench_case(clip, case, {"raw": raw}))) if row["group"] == "near"]
        for case in (CLEAN, bleed)
    )
    assert bled["iou"] < 0.3 < clean["iou"] and bled["size_error"] > 1 > clean["size_error"]


def test_the_same_seed_gives_the_same_figures():
    said = []
    one, two = (bench_masks(said.append, (2,), (SHAKEN,), {"raw": raw}, n_frames=5) for _ in range(2))
    assert one == two and len(one["objects"]) > 2
    assert said[:2] == ["room 2: rendering", f"room 2: {SHAKEN.name}"]
