# SPDX-License-Identifier: Apache-2.0
"""Small planes fitted to a cloud: which way its surface faces, and how thick its noise makes it."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

NEIGHBOURS = 48  # noise goes down by their root; in a dense cloud they span three voxels to each side
N_SAMPLES = 300  # places where the thickness is measured
MAX_POINTS = 20_000  # of a larger cloud so many are looked at


class LocalPlanes:
    """Planes through the ``NEIGHBOURS`` of a cloud that are nearest to a place.

    Source: Hoppe et al., "Surface reconstruction from unorganized points", SIGGRAPH 1992.

    Args:
        points: (N, 3) metres, N >= 1.
    """

    def __init__(self, points: NDArray):
        self._points = thinned(points, MAX_POINTS)
        # A balanced tree answers hardly faster, and takes several times as long to build.
        self._tree = KDTree(self._points, balanced_tree=False, compact_nodes=False)

    def at(self, places: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """For (M, 3) places: (M, 3) unit normals of either sign, (M,) standard deviations of the neighbours along them,
        metres, and (M, 3) centroids.
        """
        k = min(NEIGHBOURS, len(self._points))
        _, nearest = self._tree.query(places, k=k)
        near = self._points[nearest.reshape(len(places), k)].astype(np.float64)
        centroids = near.mean(axis=1)
        spread = near - centroids[:, None]
        eigenvalues, axes = np.linalg.eigh(spread.transpose(0, 2, 1) @ spread)
        return axes[:, :, 0], np.sqrt(np.maximum(eigenvalues[:, 0], 0) / k), centroids

    def thickness_m(self) -> float:
        """Standard deviation of the points across their surface: the noise of the depth, metres."""
        return float(np.median(self.at(thinned(self._points, N_SAMPLES))[1]))


def thinned(points: NDArray, count: int) -> NDArray:
    """At most ``count`` of (N, 3) points, evenly over their order."""
    return points[np.linspace(0, len(points) - 1, min(count, len(points))).astype(int)]
