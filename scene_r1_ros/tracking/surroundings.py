# SPDX-License-Identifier: Apache-2.0
"""Floors, walls and table tops around an object that also show between its legs, behind its back, or before it."""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from scene_r1_ros.color import smooth_lab
from scene_r1_ros.geometry.depth import depth_sigma_m
from scene_r1_ros.geometry.plane import Plane
from scene_r1_ros.geometry.surface import thinned
from scene_r1_ros.tracking.crop import Crop
from scene_r1_ros.tracking.layers import JUMP

MAX_PLANES = 4
MIN_SHARE, MIN_POINTS = 0.12, 40  # of what is measured around an object, so much must lie on a plane
MAX_KNOWN = 400  # colours of a plane
SIGMAS, SLACK_M = 3.0, 0.01  # how far from a plane a point may lie: noise of the depth, and what floors are uneven
LIGHTNESS = 0.5  # shadows lie on planes: a difference in lightness counts so much of one in hue
MAX_COLOR_STEP = 20.0  # pixels further (CIELAB, 8-bit scale) from all colours that a plane has outside are not of it
MIN_JUMPS = 0.5  # of the border between a piece of plane and the rest, so much must be a jump of depth
MIN_PIECE = 6  # pixels


def seen_past(
    crop: Crop, depth_m: NDArray[np.float32], found: NDArray[np.bool_], around: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """(h, w) which pixels of a silhouette show a plane that goes on around the object, with a gap between the two.

    A thing that stands or lies on the plane passes into it without a jump of depth; the floor seen between legs ends
    at the legs with one. So does a table top that hides part of a sofa.

    Args:
        depth_m: (h, w) of the crop, without holes.
        found: (h, w) the silhouette so far.
        around: (h, w) pixels that are certainly not the object.
    """
    past, log_depth = np.zeros_like(found), np.log(depth_m)
    weighted_lab = smooth_lab(crop.color) * np.array([LIGHTNESS, 1, 1], np.float32)
    for plane in planes(crop, around):
        like_plane = found & plane
        like_plane[like_plane] = colored_as(weighted_lab[like_plane], weighted_lab[plane & around])
        past |= pieces_with_a_gap(like_plane, found & ~plane, log_depth)
    return past


def planes(crop: Crop, around: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    """Of each plane that holds much of what lies ``around``: (h, w) True where the crop shows it."""
    points, measured = crop.points_camera(), crop.depth_m > 0
    tolerance_m = SLACK_M + SIGMAS * depth_sigma_m(crop.depth_m)
    found: list[NDArray[np.bool_]] = []
    left = around & measured
    enough = max(MIN_POINTS, MIN_SHARE * np.count_nonzero(left))
    while len(found) < MAX_PLANES and np.count_nonzero(left) >= enough:
        near = left & (np.abs(Plane.dominant(points[left], tolerance_m[left]).heights(points)) < tolerance_m)
        if np.count_nonzero(near) < enough:
            break
        plane = measured & (np.abs(Plane.fitted(points[near]).heights(points)) < tolerance_m)
        found.append(plane)
        left &= ~(near | plane)
    return found


def colored_as(colors: NDArray[np.float32], known: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(N,) which of (N, 3) colours one of the (M, 3) ``known`` ones is, or nearly."""
    if len(known) == 0:
        return np.zeros(len(colors), bool)
    step, _ = KDTree(thinned(known, MAX_KNOWN)).query(colors, distance_upper_bound=MAX_COLOR_STEP)
    return np.isfinite(step)


def pieces_with_a_gap(
    pieces: NDArray[np.bool_], rest: NDArray[np.bool_], log_depth: NDArray[np.float32]
) -> NDArray[np.bool_]:
    """(h, w) those connected pieces whose border with the rest is mostly a jump of depth."""
    n, labels, stats, _ = cv2.connectedComponentsWithStats(pieces.astype(np.uint8), connectivity=4)
    border, jumps = np.zeros(n), np.zeros(n)
    for turn in range(4):  # the neighbour above, and the one beyond it: a jump may take a pixel of mixed depth
        label, depth = np.rot90(labels, turn), np.rot90(log_depth, turn)
        other: NDArray[np.bool_] = np.rot90(rest, turn)
        at = (label[2:] > 0) & other[1:-1]
        beyond = np.where(other[:-2], np.abs(depth[2:] - depth[:-2]), 0)
        jump = np.maximum(np.abs(depth[2:] - depth[1:-1]), beyond) > JUMP
        border += np.bincount(label[2:][at], minlength=n)
        jumps += np.bincount(label[2:][at], jump[at], minlength=n)
    has_gap = (border > 0) & (jumps >= MIN_JUMPS * border) & (stats[:, cv2.CC_STAT_AREA] >= MIN_PIECE)
    has_gap[0] = False
    return np.asarray(has_gap[labels], bool)
