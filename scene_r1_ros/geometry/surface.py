# SPDX-License-Identifier: Apache-2.0
"""Small planes fitted to a cloud: which way its surface faces, and how thick its noise makes it."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

NEIGHBOURS = 48  # noise goes down by their root; in a dense cloud they span three voxels to each side
N_SAMPLES = 300  # places where the thickness is measured
MAX_POINTS = 20_000  # of a larger cloud so many are looked at


def local_planes(points: NDArray, at: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Planes through the ``NEIGHBOURS`` nearest of (N, 3) points, N >= 1, to each of (M, 3) points ``at``.

    Returns:
        (M, 3) unit normals of either sign, (M,) standard deviations of the neighbours along them, metres, and (M, 3)
        centroids.

    Source: Hoppe et al., "Surface reconstruction from unorganized points", SIGGRAPH 1992.
    """
    points = thinned(points, MAX_POINTS)
    k = min(NEIGHBOURS, len(points))
    _, nearest = KDTree(points).query(at, k=k)
    near = points[nearest.reshape(len(at), k)].astype(np.float64)
    centroids = near.mean(axis=1)
    spread = near - centroids[:, None]
    eigenvalues, axes = np.linalg.eigh(spread.transpose(0, 2, 1) @ spread)
    return axes[:, :, 0], np.sqrt(np.maximum(eigenvalues[:, 0], 0) / k), centroids


def thickness_m(points: NDArray) -> float:
    """Standard deviation of (N, 3) points across their surface, N >= 1: the noise of the depth, metres."""
    return float(np.median(local_planes(points, thinned(points, N_SAMPLES))[1]))


def thinned(points: NDArray, count: int) -> NDArray:
    """At most ``count`` of (N, 3) points, N >= 1, evenly over their order."""
    return points[np.linspace(0, len(points) - 1, min(count, len(points))).astype(int)]
