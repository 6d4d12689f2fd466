# SPDX-License-Identifier: Apache-2.0
"""From a box to the object's silhouette in one view: what cannot be reached from outside the box without an edge."""

import cv2
import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.tracking.colors import colored_alike
from scene_r1_ros.tracking.crop import Crop
from scene_r1_ros.tracking.geodesic import Terrain, filled
from scene_r1_ros.tracking.layers import one_layer
from scene_r1_ros.tracking.surroundings import seen_past
from scene_r1_ros.types import Box2D, Frame

LEVELS = np.geomspace(0.06, 0.7, 14)  # candidates for the edge's height, as shares of how far inside the box reaches
NEARBY = 1.25  # a level is steady if the silhouette hardly changes from a level this much lower to one as much higher
SMALL_PART = 0.2  # parts of a mask with less than this share of its largest part are noise
MIN_KEPT = 0.8  # planes, and colours, may cost a silhouette this much of how well it fills its box
MIN_MEASURED = 0.5  # where less of a silhouette has depth, layers of depth are guesses
SLACK_PX = 1.0  # boxes are drawn too small by up to this: so much nearer pixels may still be the object's
TRIM = 0.01  # share of the pixels that may stick out of a mask's extent on each side


def silhouette(frame: Frame, box: Box2D) -> NDArray[np.bool_]:
    """(H, W) mask of what a box shows, by the edges of colour and depth between its inside and what lies around it.

    Of the levels of the geodesic distance from outside the one is taken whose contour is steadiest (as of maximally
    stable regions: Matas et al. 2002) and fills the box best (a box that someone drew is tight: Lempitsky et al. 2009).
    """
    crop = Crop(frame, box)
    inside = crop.inside(loosened(box))
    if inside.all() or not crop.inside(box).any():  # the whole image has no outside, less than a pixel no inside
        return crop.to_frame(crop.inside(box))
    far = Terrain(crop).distance(~inside)
    found = max(candidates(far, inside), key=lambda c: tightness(c[0], crop, box) - c[1])[0]
    found = tidied(found, crop, box, ~inside)
    return within(crop.to_frame(found), loosened(box))


def tidied(found: NDArray[np.bool_], crop: Crop, box: Box2D, outside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A silhouette without what planes around it, colours outside it and other layers of depth have in it."""
    depth_m = filled(crop.depth_m)

    def guarded(cut: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return cut if tightness(cut, crop, box) >= MIN_KEPT * tightness(found, crop, box) else found

    found = guarded(main_part(found & ~seen_past(crop, depth_m, found, outside)))
    found = guarded(main_part(colored_alike(crop.color, found, np.zeros_like(found), outside) & found))
    if np.count_nonzero(found & (crop.depth_m > 0)) < MIN_MEASURED * np.count_nonzero(found):
        return found
    return one_layer(found, depth_m, lambda mask: tightness(mask, crop, box))


def loosened(box: Box2D) -> Box2D:
    """A box with room for what it cut off by being drawn a little too small."""
    return Box2D(box.x1 - SLACK_PX, box.y1 - SLACK_PX, box.x2 + SLACK_PX, box.y2 + SLACK_PX)


def within(pixels: NDArray[np.bool_], box: Box2D) -> NDArray[np.bool_]:
    """A mask without what sticks out of a box: pixels of the crop are larger than those of the frame."""
    rows, columns = (slice(max(round(a), 0), max(round(b), 0)) for a, b in ((box.y1, box.y2), (box.x1, box.x2)))
    clipped = np.zeros_like(pixels)
    clipped[rows, columns] = pixels[rows, columns]
    return clipped


def candidates(far: NDArray[np.float64], inside: NDArray[np.bool_]) -> list[tuple[NDArray[np.bool_], float]]:
    """Silhouettes at each level, with the share of pixels that come or go around it."""
    result: list[tuple[NDArray[np.bool_], float]] = []
    for level in (LEVELS * np.quantile(far[inside], 0.9)).tolist():
        area = max(int(np.count_nonzero(far > level)), 1)
        change = np.count_nonzero((far > level / NEARBY) & (far <= level * NEARBY)) / area
        result.append((main_part(far > level), float(change)))
    return result


def tightness(found: NDArray[np.bool_], crop: Crop, box: Box2D) -> float:
    """IoU of the extent of a mask and the box; 0 for next to no pixels."""
    rows, columns = np.nonzero(found)
    if len(rows) < 5:
        return 0.0
    half = crop.shrink / 2
    x1, x2 = np.quantile(crop.columns[columns], [TRIM, 1 - TRIM])
    y1, y2 = np.quantile(crop.rows[rows], [TRIM, 1 - TRIM])
    return Box2D(x1 - half, y1 - half, x2 + half, y2 + half).iou(box)


def main_part(found: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The parts of a mask that are not small beside the largest one, with gaps of a pixel closed."""
    closed = cv2.morphologyEx(found.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    n, parts, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=4)
    if n < 2:
        return found
    areas = stats[1:, cv2.CC_STAT_AREA]
    return np.isin(parts, 1 + np.flatnonzero(areas >= SMALL_PART * areas.max()))
