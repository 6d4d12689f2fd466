# SPDX-License-Identifier: Apache-2.0
"""How one view should move to agree with another: depth point to plane, and colour warped from one into the other.

Point-to-plane distances by projective association (Blais and Levine 1995; Chen and Medioni 1992) hold where there is
shape, differences of grey value by a dense warp (Steinbruecker, Sturm and Cremers 2011) hold where there is texture.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.geometry.camera import PinholeCamera
from scene_r1_ros.geometry.depth import depth_sigma_m
from scene_r1_ros.geometry.pose import inverse
from scene_r1_ros.types import Frame

GREY_SIGMA = 8.0  # of 255: noise, gloss and the camera's automatic exposure
SHAPE_SIGMA = 0.5  # of the noise of one pixel's depth is left after averaging, with what surfaces are not flat
C_TUKEY = 4.685  # residuals beyond so many standard deviations do not count
MIN_COSINE = 0.7  # of the angle between the normals of counterparts
MIN_MATCHES = 30
SUBSAMPLES = 2  # pixels along each side of a block that are averaged; more cost time and hardly help
INDEPENDENT = 0.05  # share of the pixels that count as independent measurements
MIN_OVERLAP = 0.1  # share of a view's pixels that must find a counterpart


class Level(NamedTuple):
    """What a frame shows, averaged over blocks of pixels."""

    camera: PinholeCamera
    points_camera: NDArray[np.float32]  # (h, w, 3) metres, NaN where depth is missing or jumps
    normals_camera: NDArray[np.float32]  # (h, w, 3) unit, NaN likewise
    grey: NDArray[np.float32]  # (h, w, 3): value and its change per pixel along u and v
    sample: NDArray[np.intp]  # (S,) indices of pixels with a normal, spread evenly


class Equations(NamedTuple):
    """Normal equations of how one view moves relative to another, a twist (translation, rotation) at a centre."""

    A: NDArray[np.float64]  # (6, 6)
    b: NDArray[np.float64]  # (6,)
    cost: float  # mean robust loss of the pixels, 0 to 1; 1 for those without a counterpart


class Matches(NamedTuple):
    """Pixels of one view and what another one shows in their place, in the other one's camera frame."""

    pixels: NDArray[np.intp]  # (M,) indices in the first view
    points: NDArray[np.float32]  # (M, 3) metres, of the first view
    normals: NDArray[np.float32]  # (M, 3) unit, of the other view
    gap: NDArray[np.float32]  # (M, 3) metres, from the other view's points to those of the first
    u: NDArray[np.float32]  # (M,) pixels of the other view
    v: NDArray[np.float32]  # (M,)


NOTHING = Equations(np.zeros((6, 6)), np.zeros(6), 1.0)


def level_of(frame: Frame, columns: int, n_samples: int) -> Level:
    """Average a frame over blocks of pixels, down to a width of ``columns``."""
    scale = min(columns / frame.depth_m.shape[1], 1.0)
    size = round(frame.depth_m.shape[1] * scale), max(round(frame.depth_m.shape[0] * scale), 3)
    camera = frame.camera.resized(*size)
    every = stride(frame.depth_m.shape[1], size[0])
    z = block_depth(np.ascontiguousarray(frame.depth_m[::every, ::every]), size)
    v, u = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float32)
    x, y = (u - np.float32(camera.cx)) / np.float32(camera.fx), (v - np.float32(camera.cy)) / np.float32(camera.fy)
    points = np.stack([x * z, y * z, z], axis=2)
    normals = normals_of(points)
    usable = np.flatnonzero(~np.isnan(normals[..., 0]))
    sample = usable[:: max(len(usable) // n_samples, 1)]
    return Level(camera, points, normals, grey_of(frame.color, size), sample)


def grey_of(color: NDArray[np.uint8], size_wh: tuple[int, int]) -> NDArray[np.float32]:
    """(h, w, 3) softened grey value and its change per pixel along u and v."""
    every = stride(color.shape[1], size_wh[0])
    small = cv2.resize(np.ascontiguousarray(color[::every, ::every]), size_wh, interpolation=cv2.INTER_AREA)
    grey = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32), (3, 3), 0)
    return np.stack([grey, *(cv2.Sobel(grey, cv2.CV_32F, du, 1 - du, scale=1 / 8) for du in (1, 0))], axis=2)


def stride(n: int, n_blocks: int) -> int:
    """Take each so manieth of n pixels: an odd number, since some drivers leave every second or fourth one empty.

    The first of so many does as well as the middle one: views differ in it by at most a few millimetres, on slanted
    surfaces in large images.
    """
    return max((n // (SUBSAMPLES * n_blocks) - 1) | 1, 1)


def block_depth(depth_m: NDArray[np.float32], size_wh: tuple[int, int]) -> NDArray[np.float32]:
    """(h, w) mean depth of blocks of pixels, NaN where most of a block is missing or it spans a jump."""
    known = (depth_m > 0).astype(np.float32)
    share, first, second = (
        cv2.resize(values, size_wh, interpolation=cv2.INTER_AREA) for values in (known, depth_m, depth_m * depth_m)
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = first / share
        spread = np.sqrt(np.maximum(second / share - mean * mean, 0))
        return np.where((share > 0.4) & (spread < 0.03 * mean), mean, np.float32(np.nan))


def normals_of(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """(h, w, 3) unit normals towards the camera from central differences, NaN at the border and at jumps."""
    normals = np.full_like(points, np.nan)
    along_u, along_v = points[1:-1, 2:] - points[1:-1, :-2], points[2:, 1:-1] - points[:-2, 1:-1]
    n = np.cross(along_v, along_u)
    length = np.linalg.norm(n, axis=2, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        n = n / length
        z = points[1:-1, 1:-1, 2]
        smooth = np.maximum(np.abs(along_u[..., 2]), np.abs(along_v[..., 2])) < 0.15 * z
        n[~smooth] = np.nan
    normals[1:-1, 1:-1] = n
    return normals


def relative_equations(
    source: Level,
    target: Level,
    T_world_source: NDArray,
    T_world_target: NDArray,
    center_world: NDArray,
    gate_m: float,
    relax: float,
) -> Equations:
    """How ``source`` should move in the world to agree with ``target``, linearised."""
    T_target_source = (inverse(T_world_target) @ T_world_source).astype(np.float32)
    found = matches(source, target, T_target_source, gate_m)
    if found is None:
        return NOTHING
    directions, residuals = differences(source, target, found)
    R = T_world_target[:3, :3].astype(np.float32)
    arms = np.tile(found.points @ R.T + (T_world_target[:3, 3] - center_world).astype(np.float32), (2, 1))
    directions = directions @ R.T
    J = np.concatenate([directions, cross(arms, directions)], axis=1)
    near = 1 / (1 + np.einsum("nk,nk->n", arms, arms))  # what is near the object counts most
    return normal_equations(J / np.float32(relax), residuals / np.float32(relax), near, len(source.sample))


def matches(source: Level, target: Level, T_target_source: NDArray[np.float32], gate_m: float) -> Matches | None:
    """The pixels of ``source`` whose place ``target`` shows too: near, and facing alike. None where they are few."""
    R, t = T_target_source[:3, :3], T_target_source[:3, 3]
    points = source.points_camera.reshape(-1, 3)[source.sample] @ R.T + t
    u, v, shown = projected(points, target.camera)
    at = np.where(shown, np.rint(v) * target.camera.width + np.rint(u), 0).astype(np.intp)
    normals = source.normals_camera.reshape(-1, 3)[source.sample] @ R.T
    gap, target_normals = points - target.points_camera.reshape(-1, 3)[at], target.normals_camera.reshape(-1, 3)[at]
    with np.errstate(invalid="ignore"):
        alike = np.einsum("nk,nk->n", normals, target_normals) > MIN_COSINE
        kept = np.flatnonzero(shown & alike & (np.einsum("nk,nk->n", gap, gap) < gate_m**2))
    if len(kept) < max(MIN_OVERLAP * len(points), MIN_MATCHES):
        return None
    return Matches(source.sample[kept], points[kept], target_normals[kept], gap[kept], u[kept], v[kept])


def differences(source: Level, target: Level, found: Matches) -> tuple[NDArray, NDArray]:
    """In standard deviations, how depth and then grey value differ (2 M,), and how that changes as the points move in
    the target's frame (2 M, 3).
    """
    sigma = SHAPE_SIGMA * depth_sigma_m(found.points[:, 2:])
    shape = found.normals / sigma, np.einsum("nk,nk->n", found.normals, found.gap) / sigma[:, 0]
    grey = source.grey[..., 0].ravel()[found.pixels]
    texture = grey_residuals(found.points, bilinear(target.grey, found.u, found.v), grey, target.camera)
    directions, residuals = (np.concatenate(pair) for pair in zip(shape, texture, strict=True))
    return directions, residuals


def normal_equations(J: NDArray, residuals: NDArray, near: NDArray, n_samples: int) -> Equations:
    """Robust least squares of (2 M,) residuals with the Jacobian (2 M, 6), weighted by the biweight (Beaton and Tukey
    1974) and by (2 M,) ``near``; M of ``n_samples`` pixels have a counterpart.
    """
    left = np.maximum(1 - np.square(residuals / C_TUKEY), 0)
    WJ = J * (INDEPENDENT * near * left * left)[:, None]
    cost = 1 - float((near * left**3).sum() / near.sum()) * (len(near) // 2) / n_samples
    return Equations(WJ.T @ J, WJ.T @ residuals, cost)


def projected(points: NDArray[np.float32], camera: PinholeCamera) -> tuple[NDArray, NDArray, NDArray[np.bool_]]:
    """Pixels (u, v) of (N, 3) points, and which of them lie inside the image with neighbours all around."""
    z = np.maximum(points[:, 2], np.float32(1e-3))
    u = points[:, 0] / z * np.float32(camera.fx) + np.float32(camera.cx)
    v = points[:, 1] / z * np.float32(camera.fy) + np.float32(camera.cy)
    inside = (u > 0.5) & (v > 0.5) & (u < camera.width - 1.5) & (v < camera.height - 1.5)
    return u, v, inside & (points[:, 2] > 0.05)


def grey_residuals(
    points: NDArray[np.float32], sampled: NDArray[np.float32], grey: NDArray[np.float32], camera: PinholeCamera
) -> tuple[NDArray, NDArray]:
    """How grey values differ (N,), and how that changes as the (N, 3) points move in the camera's frame (N, 3)."""
    gu = sampled[:, 1] * np.float32(camera.fx) / points[:, 2]
    gv = sampled[:, 2] * np.float32(camera.fy) / points[:, 2]
    toward = -(gu * points[:, 0] + gv * points[:, 1]) / points[:, 2]
    difference = sampled[:, 0] - grey
    difference -= np.median(difference)  # exposure
    return np.stack([gu, gv, toward], axis=1) / np.float32(GREY_SIGMA), difference / np.float32(GREY_SIGMA)


def cross(a: NDArray, b: NDArray) -> NDArray:
    """np.cross of (N, 3) rows, several times quicker."""
    (ax, ay, az), (bx, by, bz) = a.T, b.T
    return np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], axis=1)


def bilinear(image: NDArray[np.float32], u: NDArray, v: NDArray) -> NDArray:
    """(N, C) values of (h, w, C) at sub-pixel places inside of it."""
    u0, v0 = u.astype(np.intp), v.astype(np.intp)
    fu, fv = (u - u0)[:, None], (v - v0)[:, None]
    top = image[v0, u0] * (1 - fu) + image[v0, u0 + 1] * fu
    bottom = image[v0 + 1, u0] * (1 - fu) + image[v0 + 1, u0 + 1] * fu
    return top * (1 - fv) + bottom * fv
