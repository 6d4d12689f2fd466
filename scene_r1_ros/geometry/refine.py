# SPDX-License-Identifier: Apache-2.0
"""Depth for mask pixels that have none, where the measured pixels around them lie on one smooth surface."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.geometry.depth import depth_sigma_m

BLOCKS_ACROSS = 16  # pixels are averaged in blocks first, so that time hardly grows with their number
RADII = (2, 6)  # of the windows, blocks
MIN_MEASURED = 12  # pixels in a window
MIN_SHARE = 0.02  # of a window's mask pixels that must be measured
NOISE_RATIO = 4.0  # a surface that leaves more than so many standard deviations of the sensor is not smooth
# Variance of the prediction, beside that of one measured depth: less than 1 where measurements surround the pixel, more
# the farther it lies from them.
MAX_VARIANCE = 1.0
MIN_SPREAD = 0.05  # px^4, determinant of the covariance of measured pixels: those on one line hold no plane


class Surfaces(NamedTuple):
    """A plane in (u, v, inverse depth) through the measured pixels of each of N windows. All arrays are (N,)."""

    measured: NDArray[np.float64]  # how many pixels are
    u: NDArray[np.float64]  # their mean
    v: NDArray[np.float64]
    inverse_depth: NDArray[np.float64]  # 1/m, there
    slope_u: NDArray[np.float64]
    slope_v: NDArray[np.float64]
    cov_uu: NDArray[np.float64]  # px^2
    cov_uv: NDArray[np.float64]
    cov_vv: NDArray[np.float64]
    spread: NDArray[np.float64]  # determinant of the covariance
    is_smooth: NDArray[np.bool_]

    @classmethod
    def fitted(cls, sums: NDArray[np.float64]) -> "Surfaces":
        """Least squares from the (N, 11) ``moments`` of windows."""
        n, su, sv, suu, suv, svv, sq, squ, sqv, sqq, area = sums.T
        count = np.maximum(n, 1)
        u, v, q = su / count, sv / count, sq / count
        uu, uv, vv = suu / count - u * u, suv / count - u * v, svv / count - v * v
        uq, vq, qq = squ / count - u * q, sqv / count - v * q, sqq / count - q * q
        spread = np.maximum(uu * vv - uv * uv, 1e-9)
        slope_u, slope_v = (vv * uq - uv * vq) / spread, (uu * vq - uv * uq) / spread
        variance = np.maximum(qq - slope_u * uq - slope_v * vq, 0) * count / np.maximum(count - 3, 1)
        z = 1 / np.maximum(q, 1e-6)
        is_smooth = np.sqrt(variance) * z * z < NOISE_RATIO * depth_sigma_m(z)
        is_smooth &= (n >= MIN_MEASURED) & (n >= MIN_SHARE * area) & (spread > MIN_SPREAD)
        return cls(n, u, v, q, slope_u, slope_v, uu, uv, vv, spread, is_smooth)

    def at(
        self, window: NDArray[np.intp], u: NDArray[np.intp], v: NDArray[np.intp]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Inverse depth (M,) at the pixels (u, v), each by one of the windows, and where it is as sure as measured."""
        du, dv = u - self.u[window], v - self.v[window]
        uu, uv, vv = self.cov_uu[window], self.cov_uv[window], self.cov_vv[window]
        apart = (vv * du * du - 2 * uv * du * dv + uu * dv * dv) / self.spread[window]
        middle = self.inverse_depth[window]
        inverse_depth = middle + self.slope_u[window] * du + self.slope_v[window] * dv
        is_sure = self.is_smooth[window] & (1 + apart < MAX_VARIANCE * self.measured[window])
        return inverse_depth, is_sure & (inverse_depth > 0.5 * middle)


def completed(depth_m: NDArray[np.float32], inside: NDArray[np.bool_], solid: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(h, w) depth of mask pixels that were not measured, metres, 0 elsewhere and where nothing holds it.

    Each such point is where the pixel's ray meets the surface that measured pixels of the same mask around it lie on.
    A plane has an inverse depth linear in the pixel, so linear regression of inverse depth in a window is exact for
    planes. Windows grow until one holds the pixel: its measured pixels lie on one surface within the sensor's noise, so
    there is no jump among them, and predict the pixel as surely as a measurement of its own would. Points are
    interpolated between measurements of one surface, or carried on by a little beyond them; where nothing was measured
    around, nothing is invented.

    Args:
        depth_m: (h, w) metres; inside, solid: (h, w) the mask, and its pixels whose depth is trusted.
    """
    result = np.zeros_like(depth_m)
    v, u = np.nonzero(inside & ~(depth_m > 0))
    if len(u) == 0 or np.count_nonzero(solid) < MIN_MEASURED:
        return result
    block = max(int(np.sqrt(np.count_nonzero(inside)) / BLOCKS_ACROSS), 1)
    totals = np.asarray(cv2.integral(moments(depth_m, inside, solid, block)), np.float64)
    blocks, block_of = np.unique((v // block) * (totals.shape[1] - 1) + u // block, return_inverse=True)
    for radius in RADII:
        fitted = Surfaces.fitted(window_sums(totals, blocks, radius))
        inverse_depth, is_sure = fitted.at(block_of, u, v)
        result[v[is_sure], u[is_sure]] = 1 / inverse_depth[is_sure]
        v, u, block_of = v[~is_sure], u[~is_sure], block_of[~is_sure]
        if len(u) == 0:
            break
    return result


def window_sums(totals: NDArray[np.float64], blocks: NDArray[np.intp], radius: int) -> NDArray[np.float64]:
    """(N, C) sums over windows of ``2 * radius + 1`` blocks to a side around N blocks (flat indices), from the integral
    image (H + 1, W + 1, C) of all blocks (Crow 1984).
    """
    height, width = totals.shape[0] - 1, totals.shape[1] - 1
    v, u = np.divmod(blocks, width)
    low_v, high_v = np.maximum(v - radius, 0), np.minimum(v + radius + 1, height)
    low_u, high_u = np.maximum(u - radius, 0), np.minimum(u + radius + 1, width)
    return totals[high_v, high_u] - totals[low_v, high_u] - totals[high_v, low_u] + totals[low_v, low_u]


def moments(depth_m: NDArray, inside: NDArray, solid: NDArray, block: int) -> NDArray[np.float64]:
    """(H, W, 11) sums over blocks of pixels: 1, u, v, uu, uv, vv, q, qu, qv, qq of the measured ones, with q the
    inverse depth, and 1 of all in the mask. Products are those of the means of blocks.
    """
    one = solid.astype(np.float32)
    v, u = (np.arange(size, dtype=np.float32) for size in depth_m.shape)
    q = np.divide(1, depth_m, out=np.zeros_like(depth_m), where=solid)
    planes = (one, one * u, one * v[:, None], q, inside.astype(np.float32))
    n, nu, nv, nq, area = (block_sums(plane, block) for plane in planes)
    mean_u, mean_v, mean_q = (total / np.maximum(n, 1) for total in (nu, nv, nq))
    products = (nu * mean_u, nu * mean_v, nv * mean_v, nq, nq * mean_u, nq * mean_v, nq * mean_q)
    return np.stack([n, nu, nv, *products, area], axis=2)


def block_sums(values: NDArray[np.float32], block: int) -> NDArray[np.float64]:
    """(H, W) sums of (h, w) over squares of ``block`` pixels; what lies beyond the border counts as 0."""
    height, width = values.shape
    beyond = -height % block, -width % block
    padded = cv2.copyMakeBorder(values, 0, beyond[0], 0, beyond[1], cv2.BORDER_CONSTANT, value=0)
    size = padded.shape[1] // block, padded.shape[0] // block
    return cv2.resize(padded, size, interpolation=cv2.INTER_AREA).astype(np.float64) * block * block
