# SPDX-License-Identifier: Apache-2.0
"""Poses of all views of an object corrected together, so that what they show around it agrees.

Each pair of views gives a relative correction with its certainty, see ``relative_motion``. The measured poses are a
prior, so that what nothing holds stays as measured, and that the corrections of all views average to zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.geometry.relative_motion import Equations, level_of, relative_equations
from scene_r1_ros.run import Run
from scene_r1_ros.types import Frame

PRIOR_M, PRIOR_RAD = 0.05, 0.03  # standard deviation of measured poses at the object
MAX_M, MAX_RAD = 0.25, 0.12  # a correction beyond these is a wrong match
NEIGHBOUR_RANKS = (0, 1, 2, 4, 8, 16)
AGREE_M = 0.005  # views that a step moves no farther than this (root mean square) agree
SMALL_M = 0.0007  # a step that moves no view farther than this was the last

PRIOR = np.diag(np.repeat([1 / PRIOR_M**2, 1 / PRIOR_RAD**2], 3))


@dataclass(frozen=True)
class Step:
    """One stage of the way from coarse to fine."""

    columns: int  # of the level
    samples: int  # pixels of a view that look for a counterpart
    gate_m: float  # counterparts are at most this far apart
    iterations: int
    relax: float = 1.0  # the first residuals may be so many times larger; halved each time (Zhou, Park, Koltun 2016)


GLANCE = Step(64, 300, 0.3, 1)
GLANCE_VIEWS = 12  # poses of more views agree where those of so many, evenly over their order, do
SCHEDULE = (Step(80, 1000, 0.3, 10, relax=8.0), Step(160, 1500, 0.06, 3))


def moved(T: NDArray, twist: NDArray, center: NDArray) -> NDArray[np.float64]:
    """A pose moved by a twist (translation, rotation vector) at a centre in the world."""
    R = cv2.Rodrigues(np.asarray(twist[3:], np.float64))[0]
    T_new = T.copy()
    T_new[:3, :3] = R @ T[:3, :3]
    T_new[:3, 3] = R @ (T[:3, 3] - center) + center + twist[:3]
    return T_new


def align(frames: Sequence[Frame], center_world: NDArray, run: Run | None = None) -> list[NDArray[np.float64]]:
    """Correct the poses of all frames together, so that what they show around a point agrees.

    Poses that agree already are found out by a glance and returned as they are. So are all of them where the
    correction does not make the views agree better, and single ones whose correction is too large to be believed.

    Args:
        center_world: (3,) the point, metres.
        run: is asked between the steps whether the query should stop.

    Returns:
        ``T_world_camera`` (4, 4) of each frame. The corrections average to about zero: of n poses with independent
        errors, the error of what they see together falls with sqrt(n).
    """
    measured = [f.T_world_camera for f in frames]
    if len(frames) < 2 or agree(frames, center_world):
        return measured
    graph = PoseGraph(frames, neighbours(measured), center_world)
    graph.settle(run or Run())
    return graph.believable() if graph.cost(measured=False) < graph.cost(measured=True) else measured


def agree(frames: Sequence[Frame], center_world: NDArray) -> bool:
    """Whether a quick look finds nothing to correct: few views and pixels, each view against the next, some against
    others.
    """
    n = min(len(frames), GLANCE_VIEWS)
    frames = [frames[i] for i in np.linspace(0, len(frames) - 1, n).round().astype(int)]
    pairs = [(i, i + 1) for i in range(n - 1)] + [(i, i + 6) for i in range(0, n - 6, 3)]
    graph = PoseGraph(frames, pairs, center_world)
    graph.look(GLANCE)
    graph.improve()
    return float(np.sqrt(np.square(graph.twists[:, :3]).sum(axis=1).mean())) < AGREE_M


def neighbours(poses: Sequence[NDArray]) -> list[tuple[int, int]]:
    """Pairs of views: each with its nearest ones and with some farther away, so that errors do not add up."""
    positions = np.array([T[:3, 3] for T in poses])
    axes = np.array([T[:3, 2] for T in poses])  # where they look
    pairs: set[tuple[int, int]] = set()
    for i in range(len(poses)):
        apart = np.linalg.norm(positions - positions[i], axis=1) + np.linalg.norm(axes - axes[i], axis=1)
        order = [int(j) for j in np.argsort(apart) if j != i]
        pairs.update((min(i, order[k]), max(i, order[k])) for k in NEIGHBOUR_RANKS if k < len(order))
    return sorted(pairs)


class PoseGraph:
    """Poses, and what pairs of views say about their relative motion."""

    def __init__(self, frames: Sequence[Frame], pairs: list[tuple[int, int]], center_world: NDArray):
        self.frames, self.pairs, self.center_world = frames, pairs, center_world
        self.poses = [f.T_world_camera for f in frames]
        self.twists = np.zeros((len(frames), 6))  # all corrections so far

    def settle(self, run: Run) -> None:
        """Correct from coarse to fine, until nothing moves any more."""
        for step in SCHEDULE:
            self.look(step)
            for _ in range(step.iterations):
                run.check()
                is_last = self.relax == 1.0
                if self.improve() < SMALL_M and is_last:
                    break

    def look(self, step: Step) -> None:
        self.step, self.relax = step, step.relax
        self.levels = [level_of(f, step.columns, step.samples) for f in self.frames]

    def improve(self) -> float:
        """One Gauss-Newton step on all poses together. Returns how far it moved the view that moved farthest, m."""
        n = len(self.poses)
        H, g = np.kron(np.eye(n), PRIOR).reshape(n, 6, n, 6), self.twists @ PRIOR
        for a, b in self.pairs:
            A, right, _ = self._equations(a, b, self.poses)
            H[a, :, a] += A
            H[b, :, b] += A
            H[a, :, b] -= A
            H[b, :, a] -= A
            g[a] += right
            g[b] -= right
        twists = -np.linalg.solve(H.reshape(6 * n, 6 * n), g.ravel()).reshape(n, 6)
        self.twists += twists
        self.poses = [moved(T, twist, self.center_world) for T, twist in zip(self.poses, twists, strict=True)]
        self.relax = max(self.relax / 2, 1.0)
        return float(np.abs(twists[:, :3]).max())

    def _equations(self, a: int, b: int, poses: Sequence[NDArray]) -> Equations:
        views = self.levels[a], self.levels[b], poses[a], poses[b]
        return relative_equations(*views, self.center_world, self.step.gate_m, self.relax)

    def cost(self, measured: bool) -> float:
        """How badly the views disagree with the measured or with the corrected poses, 0 to 1."""
        poses = [f.T_world_camera for f in self.frames] if measured else self.poses
        return float(np.mean([self._equations(a, b, poses).cost for a, b in self.pairs] or [1.0]))

    def believable(self) -> list[NDArray[np.float64]]:
        """The corrected poses, but the measured ones where a correction is too large."""
        far_m, far_rad = np.linalg.norm(self.twists[:, :3], axis=1), np.linalg.norm(self.twists[:, 3:], axis=1)
        is_wild = (far_m > MAX_M) | (far_rad > MAX_RAD)
        return [f.T_world_camera if w else T for f, T, w in zip(self.frames, self.poses, is_wild, strict=True)]
