# SPDX-License-Identifier: Apache-2.0
"""Fits what ``geometry.confidence`` holds: ``python -m scene_r1_ros.evaluation.calibrate`` prints BIAS and WEIGHTS.

Objects of rendered rooms are grounded from boxes of all qualities. A non-negative logistic regression then maps the
evidence for each to whether its 3D box has an IoU of 0.5 or more with that of the surface its views truly show.
That a box is on another thing altogether, no geometry can see: how often it is must be assumed, see ``BOX_SHARES``.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from scene_r1_ros.answer import Evidence
from scene_r1_ros.config import Config
from scene_r1_ros.errors import BadBox
from scene_r1_ros.evaluation.bench_tracker import true_box
from scene_r1_ros.evaluation.room_clips import STRUCTURED, RoomClip, film
from scene_r1_ros.geometry.confidence import WEIGHTS, features
from scene_r1_ros.reasoning.operator_box import OperatorBox
from scene_r1_ros.rooms.room import RoomObject
from scene_r1_ros.scene_r1 import SceneR1
from scene_r1_ros.tracking import load_tracker
from scene_r1_ros.types import Box2D, Frame

SEEDS = (20, 21, 22, 23)  # rooms that no benchmark and no test shows
N_FRAMES = 12
MIN_VIEWS = 3
RIGHT_IOU = 0.5
# How often a model's box is like that: of the samples, each kind counts this much in all.
BOX_SHARES = {
    "exact": 0.3,
    "shifted by 15 %": 0.3,
    "shifted by 50 %": 0.1,
    "scaled by 0.6": 0.1,
    "scaled by 1.6": 0.1,
    "of another thing": 0.05,
    "anywhere": 0.05,
}
RIDGE = 0.002  # keeps weights finite where right and wrong can be told apart without an error


class Sample(NamedTuple):
    """One object that was found, and whether rightly."""

    label: str
    box_kind: str
    evidence: Evidence
    iou: float  # of its box in 3D, 0 to 1


def samples(seeds: Sequence[int] = SEEDS) -> Iterator[Sample]:
    """Every well-seen object of some rooms, grounded from several boxes; those that were refused are left out."""
    for seed in seeds:
        clip = film(seed, N_FRAMES, [STRUCTURED])
        frames = [shot.frame for shot in clip.shots[STRUCTURED]]
        for thing in clip.room.objects:
            if len(clip.well_seen(thing)) >= MIN_VIEWS:
                yield from grounded(clip, frames, thing)


def grounded(clip: RoomClip, frames: Sequence[Frame], thing: RoomObject) -> Iterator[Sample]:
    views, config = clip.well_seen(thing), Config()
    middle, truth = views[len(views) // 2], clip.surface(thing, range(len(frames)))
    rng = np.random.default_rng([clip.room.seed, 7, thing.instance_id])
    for kind, box in boxes(clip, thing, middle, rng):
        mind = OperatorBox(frames[middle].frame_id, box)
        for found in SceneR1(mind, load_tracker(config), config).ground(thing.label, frames).objects:
            yield Sample(thing.label, kind, found.evidence, truth.score(found.points_world, found.box).iou)


def boxes(clip: RoomClip, thing: RoomObject, index: int, rng: np.random.Generator) -> Iterator[tuple[str, Box2D]]:
    """Boxes of a thing in a frame that are right, shifted, scaled, of another thing, and anywhere."""
    exact = true_box(clip, thing, index)
    camera = clip.shots[STRUCTURED][index].frame.camera
    angle = rng.uniform(0, 2 * np.pi)
    others = [o for o in clip.room.objects if o is not thing and index in clip.well_seen(o)]
    wanted = [
        ("exact", exact),
        ("shifted by 15 %", moved(exact, 0.15, angle, 1.0)),
        ("shifted by 50 %", moved(exact, 0.5, angle, 1.0)),
        ("scaled by 0.6", moved(exact, 0.0, angle, 0.6)),
        ("scaled by 1.6", moved(exact, 0.0, angle, 1.6)),
        ("anywhere", moved(exact, 2.0, angle, 1.0)),
    ]
    if others:
        wanted.append(("of another thing", true_box(clip, others[rng.integers(len(others))], index)))
    for kind, box in wanted:
        try:
            yield kind, box.clipped(camera.width, camera.height)
        except BadBox:  # moved out of the image
            continue


def moved(box: Box2D, share: float, angle: float, scale: float) -> Box2D:
    """A box moved by a share of its size in a direction of the image, and scaled about its middle."""
    width, height = box.x2 - box.x1, box.y2 - box.y1
    x, y = (box.x1 + box.x2) / 2 + share * width * np.cos(angle), (box.y1 + box.y2) / 2 + share * height * np.sin(angle)
    return Box2D(x - scale * width / 2, y - scale * height / 2, x + scale * width / 2, y + scale * height / 2)


def fit(values: NDArray, right: NDArray, counts: NDArray) -> tuple[float, NDArray[np.float64]]:
    """(bias, weights (K,), none below 0) of the logistic map from (N, K) features to the chance of being right, (N,).
    ``counts`` (N,) says how much each sample counts.

    A weight below 0 would mean that more evidence makes an object less sure. ``RIDGE`` pulls them towards 0.
    """

    def loss(parameters: NDArray) -> float:
        logits = parameters[0] + values @ parameters[1:]
        misfit = np.average(np.logaddexp(0, -np.where(right, logits, -logits)), weights=counts)
        return float(misfit + RIDGE / 2 * np.mean(np.square(parameters[1:])))

    bounds = [(None, None), *[(0.0, None)] * values.shape[1]]
    best = minimize(loss, np.zeros(values.shape[1] + 1), bounds=bounds, method="L-BFGS-B").x
    return float(best[0]), best[1:]


def main() -> None:
    found = list(samples())
    values = np.array([list(features(sample.evidence).values()) for sample in found])
    right = np.array([sample.iou >= RIGHT_IOU for sample in found])
    kinds = np.array([sample.box_kind for sample in found])
    counts = np.array([BOX_SHARES[kind] / np.count_nonzero(kinds == kind) for kind in kinds])
    bias, weights = fit(values, right, counts)
    chances = 1 / (1 + np.exp(-bias - values @ weights))
    for kind in BOX_SHARES:
        n, of_kind = np.count_nonzero(kinds == kind), kinds == kind
        print(f"# {kind}: {n} found, {right[of_kind].mean():.2f} right, score {chances[of_kind].mean():.2f}")
    mean = np.average(right, weights=counts)
    brier, worst = (np.average(np.square(p - right), weights=counts) for p in (chances, mean))
    print(f"# Brier score {brier:.3f}, always the mean {worst:.3f}")
    print(f"BIAS = {bias:.2f}")
    print("WEIGHTS = {" + ", ".join(f'"{n}": {w:.2f}' for n, w in zip(WEIGHTS, weights, strict=True)) + "}")


if __name__ == "__main__":
    main()
