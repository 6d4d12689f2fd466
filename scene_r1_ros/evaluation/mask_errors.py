# SPDX-License-Identifier: Apache-2.0
"""Errors that trackers make, made on purpose: masks that bleed, shrink, jump to another object or are missing."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray


def bleed(pixels: NDArray[np.bool_], radius_px: float) -> NDArray[np.bool_]:
    """(H, W) every pixel within ``radius_px`` of the mask, between pixel centres: what a soft edge gives."""
    return apart(~pixels) <= radius_px if radius_px > 0 and pixels.any() else pixels


def erosion(pixels: NDArray[np.bool_], radius_px: float) -> NDArray[np.bool_]:
    """(H, W) the pixels farther than ``radius_px`` from all that is outside the mask; none where it is thinner.

    What lies beyond the image counts as inside, so that an object the image cuts is not eaten from there.
    """
    return apart(pixels) > radius_px if radius_px > 0 and not pixels.all() else pixels


def apart(pixels: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(H, W) distance of each pixel from the nearest one that is not set, in pixels."""
    return np.asarray(cv2.distanceTransform(pixels.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)


def neighbour(instances: NDArray[np.uint16], instance_id: int, min_pixels: int) -> NDArray[np.bool_] | None:
    """(H, W) mask of the other object that comes nearest to one in the image, None where there is no other.

    This is where a tracker that loses its object ends up.
    """
    counts = np.bincount(instances.ravel())
    others = [i for i in np.flatnonzero(counts >= min_pixels) if i not in (0, instance_id)]
    if not others:
        return None
    gap_px = apart(instances != instance_id)
    return instances == min(others, key=lambda other: gap_px[instances == other].min())


def dropped(views: Sequence[int], every: int) -> list[int]:
    """``views`` without one of each ``every`` in a row, none of them the first."""
    return [view for k, view in enumerate(views) if k % every != every - 1]
