# SPDX-License-Identifier: Apache-2.0
"""Where things are to each other, and which is larger or nearer: in the room, and as the picture shows it.

Each has a margin to both sides: what lies in between is open to argument. Arguments: scope, anchors, thing.
"""

import numpy as np

from scene_r1_ros.rooms.expressions import Scope
from scene_r1_ros.rooms.naming import MAYBE, NO, YES
from scene_r1_ros.rooms.room import RoomObject
from scene_r1_ros.rooms.scene_graph import Seen

NEXT_TO_M = 0.3  # gap between two things on one support, for small ones half their edges; twice that is not next to
SAME_LEVEL_M = 0.1  # a shelf has several
CLEARLY_NEARER = 1.4  # ratio of distances in the room
NEARER_IN_PICTURE = 1.15  # ratio of distances in the picture, which must not say the opposite
AS_LARGE = 0.6  # nobody says "the bed next to the ball"
CLEARLY_LARGER = 1.25  # ratio of the longest edges
LARGER_IN_CLIP = 1.5  # of things that perhaps no picture shows together
LARGER_IN_PICTURE = 1.1  # ratio of what is seen
ASIDE_PX = 8  # between two things of which one is left of the other
NEARER_TO_CAMERA = 1.3
LOWER_PX = 4  # of two things on one support, the nearer one's lower edge is so much lower in the picture


def on(scope: Scope, anchor: RoomObject, thing: RoomObject) -> float:
    return YES if thing.support_id == anchor.instance_id else NO


def under(scope: Scope, anchor: RoomObject, thing: RoomObject) -> float:
    """Standing on the floor as the anchor does, within its outline seen from above, and lower."""
    if thing.support_id or anchor.support_id or thing is anchor:
        return NO
    offset = (thing.box.center_world - anchor.box.center_world) @ anchor.box.R_world_box
    outside = np.abs(offset[:2]) - anchor.box.size_m[:2] / 2
    top_m = thing.box.center_world[2] + thing.box.size_m[2] / 2
    anchor_top_m = anchor.box.center_world[2] + anchor.box.size_m[2] / 2
    if outside.max() > 0.1 or top_m > anchor_top_m + 0.1:
        return NO
    return YES if outside.max() < -0.03 and top_m < anchor_top_m - 0.02 else MAYBE


def next_to(scope: Scope, anchor: RoomObject, thing: RoomObject) -> float:
    """Side by side on one support."""
    if thing is anchor or on(scope, anchor, thing) or on(scope, thing, anchor):
        return NO
    limit_m = min(NEXT_TO_M, (longest_m(thing) + longest_m(anchor)) / 2)
    if gap_m(thing, anchor) > 2 * limit_m + 0.1:
        return NO
    same = thing.support_id == anchor.support_id and abs(bottom_m(thing) - bottom_m(anchor)) < SAME_LEVEL_M
    near = gap_m(thing, anchor) < limit_m and not under(scope, thing, anchor) and not under(scope, anchor, thing)
    return YES if same and near else MAYBE


def bottom_m(thing: RoomObject) -> float:
    return float(thing.box.center_world[2] - thing.box.size_m[2] / 2)


def gap_m(thing: RoomObject, anchor: RoomObject) -> float:
    """Between the outlines seen from above, taken as boxes along the anchor's axes; about."""
    offset = np.abs((thing.box.center_world - anchor.box.center_world) @ anchor.box.R_world_box)[:2]
    turned = np.abs(anchor.box.R_world_box.T @ thing.box.R_world_box)[:2, :2] @ thing.box.size_m[:2]
    return float(np.linalg.norm(np.maximum(offset - (anchor.box.size_m[:2] + turned) / 2, 0)))


def left_of(scope: Scope, anchor: RoomObject, thing: RoomObject) -> float:
    """As seen: wholly to the left in the picture."""
    if thing.instance_id not in scope.seen or anchor.instance_id not in scope.seen:
        return NO
    return aside(scope.seen[thing.instance_id], scope.seen[anchor.instance_id])


def right_of(scope: Scope, anchor: RoomObject, thing: RoomObject) -> float:
    return left_of(scope, thing, anchor)


def aside(seen: Seen, anchor: Seen) -> float:
    """Whether the first is left of the second."""
    if seen is anchor or seen.center_xy[0] >= anchor.center_xy[0] - 2:
        return NO
    return YES if seen.box_xyxy[2] + ASIDE_PX <= anchor.box_xyxy[0] else MAYBE


def linked_to(thing: RoomObject, anchor: RoomObject) -> bool:
    """Whether one stands on the other, which leaves no doubt how near they are."""
    return thing.support_id == anchor.instance_id or anchor.support_id == thing.instance_id


def away_m(anchor: RoomObject, thing: RoomObject) -> float:
    return float(np.linalg.norm(thing.box.center_world - anchor.box.center_world))


def clearly_nearer(scope: Scope, near: RoomObject, far: RoomObject, anchor: RoomObject) -> bool:
    """Whether ``near`` is nearer to the anchor than ``far``, and does not look the other way round."""
    if away_m(anchor, far) < CLEARLY_NEARER * away_m(anchor, near) + 0.1:
        return False
    if gap_m(far, anchor) < gap_m(near, anchor) + 0.1:  # its middle may be far, but its rim near
        return False
    if not scope.seen:
        return True
    middle, one, other = (np.array(scope.seen[t.instance_id].center_xy, float) for t in (anchor, near, far))
    return bool(np.linalg.norm(other - middle) > NEARER_IN_PICTURE * np.linalg.norm(one - middle))


def longest_m(thing: RoomObject) -> float:
    return float(max(thing.box.size_m))


def is_larger(more: RoomObject, less: RoomObject, ratio: float) -> bool:
    """By its longest edge, and not smaller in any other."""
    one, other = np.sort(more.box.size_m), np.sort(less.box.size_m)
    return longest_m(more) >= ratio * longest_m(less) and bool((one >= 0.95 * other).all())


def clearly_larger(scope: Scope, more: RoomObject, less: RoomObject) -> bool:
    """By all edges in the room; and it does not look the other way round."""
    if not is_larger(more, less, CLEARLY_LARGER if scope.seen else LARGER_IN_CLIP):
        return False
    if not scope.seen:
        return True
    large, small = scope.seen[more.instance_id], scope.seen[less.instance_id]
    return large.size_px > LARGER_IN_PICTURE * small.size_px and not small.cut


def lies_between(scope: Scope, a: RoomObject, b: RoomObject, thing: RoomObject) -> float:
    if thing in (a, b):
        return NO
    place, first, second = (x.box.center_world[:2] for x in (thing, a, b))
    way, offset = second - first, place - first
    length_m = max(float(np.linalg.norm(way)), 1e-6)
    along = float(offset @ way) / length_m**2
    off = float(np.linalg.norm(offset - along * way)) / length_m
    if not -0.1 < along < 1.1 or off > 0.6:
        return NO
    same = thing.support_id == a.support_id
    return YES if same and 0.25 < along < 0.75 and off < 0.2 and seen_between(scope, thing, a, b) else MAYBE


def seen_between(scope: Scope, thing: RoomObject, a: RoomObject, b: RoomObject) -> bool:
    if not scope.seen:
        return True
    x, left, right = (scope.seen[t.instance_id].center_xy[0] for t in (thing, a, b))
    return min(left, right) + ASIDE_PX < x < max(left, right) - ASIDE_PX


def apart(first: Seen, second: Seen) -> bool:
    """Whether one is clearly beside the other: by more than a third of their widths."""
    widths = [seen.box_xyxy[2] - seen.box_xyxy[0] for seen in (first, second)]
    return abs(first.center_xy[0] - second.center_xy[0]) >= max(ASIDE_PX, sum(widths) / 3)


def nearer(first: Seen, second: Seen) -> bool:
    """Whether the first is clearly nearer to the camera, and does not look farther away."""
    if second.distance_m < NEARER_TO_CAMERA * first.distance_m:
        return False
    if first.thing.support_id == second.thing.support_id:
        return first.box_xyxy[3] >= second.box_xyxy[3] + LOWER_PX
    return first.size_px > second.size_px


def farther(first: Seen, second: Seen) -> bool:
    return nearer(second, first)
