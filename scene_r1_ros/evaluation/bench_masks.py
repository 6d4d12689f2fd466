# SPDX-License-Identifier: Apache-2.0
"""How near lifted objects are to the truth when masks, depth and poses err on purpose, beside two naive routes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table

from scene_r1_ros.errors import NoDepth, NotThere
from scene_r1_ros.evaluation.mask_cases import BLEED_4, CASES, CLEAN, SHAKEN, WRONG, Case, chosen_views, posed, spoilt
from scene_r1_ros.evaluation.reporting import Line, Tell, at_least, at_most, nobody
from scene_r1_ros.evaluation.room_clips import RoomClip, film
from scene_r1_ros.evaluation.routes import OURS, ROUTES, Route
from scene_r1_ros.evaluation.surface import NOTHING, Score, TrueSurface
from scene_r1_ros.types import Mask

SEEDS = (0, 1)
N_FRAMES = 24  # of each walk
MIN_VIEWS = 5  # an object that fewer frames show well is left out
LARGE_M = 0.4  # objects whose longest edge is at least this are large
# One depth of structured light has a standard deviation of 1.4 cm at 3 m, and steps of 2 cm. What stands farther away
# is listed apart: no fusion of eight views brings its points within 2 cm.
FAR_M = 3.0
GROUPS = ("near", "near, large", "near, small", "far", "all")


@dataclass(frozen=True)
class Result:
    """One object in one case by one route."""

    case: str
    route: str
    seed: int
    label: str
    longest_m: float  # edge of its true box
    distance_m: float
    views: int
    lifted: bool
    score: Score

    def groups(self) -> tuple[str, ...]:
        if self.distance_m > FAR_M:
            return ("far", "all")
        return ("near", "near, large" if self.longest_m >= LARGE_M else "near, small", "all")


def bench_masks(
    tell: Tell = nobody,
    seeds: Sequence[int] = SEEDS,
    cases: Sequence[Case] = CASES,
    routes: Mapping[str, Route] = ROUTES,
    n_frames: int = N_FRAMES,
) -> dict[str, Any]:
    """Score every route on every object in every case. The same seeds give the same scores.

    Returns:
        ``summary``: means per case, route and group of objects; ``objects``: every single result.
    """
    results: list[Result] = []
    for seed in seeds:
        tell(f"room {seed}: rendering")
        clip = film(seed, n_frames, sorted({case.sensor for case in cases}))
        for case in cases:
            tell(f"room {seed}: {case.name}")
            results += bench_case(clip, case, routes)
    return {"summary": summary(results), "objects": [asdict(r) for r in results]}


def bench_case(clip: RoomClip, case: Case, routes: Mapping[str, Route] = ROUTES) -> Iterator[Result]:
    frames = posed(clip, case)
    for thing in clip.room.objects:
        views = chosen_views(clip, case, thing)
        if len(views) < MIN_VIEWS:
            continue
        truth, distance_m = clip.surface(thing, views), clip.distance_m(thing, views)
        masks, longest_m = spoilt(clip, case, frames, thing, views), float(truth.box.size_m.max())
        for name, route in routes.items():
            score = scored(route, masks, truth)
            told = (case.name, name, clip.room.seed, thing.label, longest_m, distance_m, len(masks))
            yield Result(*told, lifted=score is not NOTHING, score=score)


def scored(route: Route, masks: Sequence[Mask], truth: TrueSurface) -> Score:
    try:
        return truth.score(*route(masks))
    except (NoDepth, NotThere):
        return NOTHING


def summary(results: Sequence[Result]) -> list[dict[str, Any]]:
    """The means per case, route and group, of groups that have objects."""
    rows = []
    for case, route in dict.fromkeys((r.case, r.route) for r in results):
        for group in GROUPS:
            some = [r for r in results if (r.case, r.route) == (case, route) and group in r.groups()]
            if some:
                rows.append({"case": case, "route": route, "group": group, **means(some)})
    return rows


def means(results: Sequence[Result]) -> dict[str, Any]:
    """Means over objects; the errors of centre and size are those of objects that were lifted, None if none was."""
    found = [r.score for r in results if r.lifted]
    return {
        "objects": len(results),
        "lifted": len(found),
        "iou": float(np.mean([r.score.iou for r in results])),
        "f_score": float(np.mean([r.score.f_score for r in results])),
        "center_m": float(np.mean([s.center_m for s in found])) if found else None,
        "size_error": float(np.mean([s.size_error for s in found])) if found else None,
    }


def masks_lines(figures: dict[str, Any]) -> list[Line]:
    """The targets, for near objects (see ``FAR_M``), and what clean masks give over all distances."""
    mean = {(row["case"], row["group"]): row for row in figures["summary"] if row["route"] == OURS}
    clean, large, small = mean[CLEAN.name, "near"], mean[SHAKEN.name, GROUPS[1]], mean[SHAKEN.name, GROUPS[2]]
    return [
        at_least("clean masks, box IoU", clean["iou"], 0.9, 3),
        at_least("clean masks, F-score at 2 cm", clean["f_score"], 0.95, 3),
        at_most("clean masks, error of the centre", scaled(clean["center_m"], 100), 2, " cm"),
        at_most("clean masks, error of the size", scaled(clean["size_error"], 100), 10, " %", 1),
        at_least("bleed of 4 px, box IoU", mean[BLEED_4.name, "near"]["iou"], 0.8, 3),
        at_least("one of 5 views on another object, box IoU", mean[WRONG.name, "near"]["iou"], 0.8, 3),
        at_least("poses off 3 cm and 1 degree, box IoU, 40 cm and more", large["iou"], 0.7, 3),
        at_least("poses off 3 cm and 1 degree, box IoU, smaller", small["iou"], 0.45, 3),
        at_least("clean masks, box IoU, far objects too", mean[CLEAN.name, "all"]["iou"], 0.9, 3),
    ]


def scaled(value: float | None, by: float) -> float | None:
    return None if value is None else value * by


def masks_table(figures: dict[str, Any]) -> Table:
    """A row per case and route: means over near objects, then the box IoU of each other group."""
    headers = ("", "box IoU", "F 2 cm", "centre", "size", ">= 40 cm", "< 40 cm", "far", "all")
    table = Table(*headers, box=SIMPLE_HEAD, padding=(0, 0, 0, 1))
    mean = {(row["case"], row["route"], row["group"]): row for row in figures["summary"]}
    last = ""
    for case, route in dict.fromkeys((row["case"], row["route"]) for row in figures["summary"]):
        if case != last:
            table.add_row(f"[bold]{case}")
        of_groups = [mean.get((case, route, group)) for group in GROUPS]
        table.add_row(*cells(route, of_groups[0]), *(iou(row) for row in of_groups[1:]))
        last = case
    return table


def cells(route: str, row: dict[str, Any] | None) -> list[str]:
    """The name of a route, with how many objects it lifted where these are not all, and its means."""
    if row is None:
        return [f"  {route}", "-", "-", "-", "-"]
    lost = "" if row["lifted"] == row["objects"] else f" ({row['lifted']}/{row['objects']})"
    center, size = scaled(row["center_m"], 100), scaled(row["size_error"], 100)
    errors = ["-" if center is None else f"{center:.1f} cm", "-" if size is None else f"{size:.0f} %"]
    return [f"  {route}{lost}", iou(row), f"{row['f_score']:.3f}", *errors]


def iou(row: dict[str, Any] | None) -> str:
    return "-" if row is None else f"{row['iou']:.3f}"
