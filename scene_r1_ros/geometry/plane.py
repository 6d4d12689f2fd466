# SPDX-License-Identifier: Apache-2.0
"""A plane, and the one that most points of a cloud lie on."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SAMPLE, TRIALS = 400, 60  # points that are looked at, and planes through three of them that are tried


class Plane(NamedTuple):
    """All points with ``normal . p = offset_m``."""

    normal: NDArray[np.float64]  # (3,) unit vector
    offset_m: float

    @classmethod
    def fitted(cls, points: NDArray) -> "Plane":
        """With the least squared distance to (N, 3) points, metres, N >= 1; its normal has either sign."""
        middle = points.mean(axis=0)
        spread = points - middle
        normal = np.linalg.eigh(spread.T @ spread)[1][:, 0]
        return cls(normal, float(normal @ middle))

    @classmethod
    def dominant(cls, points: NDArray, tolerance_m: NDArray) -> "Plane":
        """Near which most of (N, 3) points lie, N >= 1, each within its own tolerance (N,), all metres. The same points
        give the same plane.

        Source: RANSAC, Fischler and Bolles, "Random sample consensus", CACM 1981; all trials at once, on a sample.
        """
        random = np.random.default_rng(0)
        chosen = random.choice(len(points), min(SAMPLE, len(points)), replace=False)
        sample, tolerance_m = points[chosen], tolerance_m[chosen]
        a, b, c = sample[random.integers(len(sample), size=(3, TRIALS))]
        normals = np.cross(b - a, c - a)
        lengths = np.linalg.norm(normals, axis=1, keepdims=True)
        normals = np.where(
            lengths > 1e-9, normals / np.maximum(lengths, 1e-12), (0, 0, 1)
        )  # one point twice: any plane
        offsets_m = np.einsum("nk,nk->n", normals, a)
        holds = np.abs(sample @ normals.T - offsets_m) < tolerance_m[:, None]  # (N, TRIALS)
        best = int(np.argmax(holds.sum(axis=0)))
        return cls(normals[best], float(offsets_m[best]))

    def heights(self, points: NDArray) -> NDArray[np.float64]:
        """(...,) how far (..., 3) points lie on the side that the normal points to, metres."""
        return np.asarray(points @ self.normal - self.offset_m)

    def facing(self, places: NDArray) -> "Plane":
        """The same plane, most of (V, 3) places, metres, on the side that its normal points to."""
        return self if np.median(self.heights(places)) > 0 else Plane(-self.normal, -self.offset_m)
