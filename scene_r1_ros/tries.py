# SPDX-License-Identifier: Apache-2.0
"""The places that were tried for one query, and which of them win.

A query for one thing: the boxes are alternatives. The place that the boxes of most frames agree on wins, and nothing
more is tried once enough frames agree.

A query for several, "the chairs" (``reasoning.several``): each box may show one more of them, and hardly ever does one
frame show all, so every frame of the windows is asked that may be (``ModelSpec.image_frames``). A box that falls on an
object that was found confirms it, any other is tracked and lifted. Then the objects share out the boxes, the one that
covers them best first: each takes the boxes it covers, and a mixture of two things finds none left. The same thing
twice is told by its points. There may be as many things as the fullest frame has boxes, and ``verify.max_tries`` is for
each of them.
"""

from collections.abc import Sequence

import numpy as np
from scipy.spatial import KDTree

from scene_r1_ros.answer import DOUBTFUL, MAX_CUT, N_VIEWS, SceneObject, Try
from scene_r1_ros.config import VerifyConfig
from scene_r1_ros.errors import SceneR1Error
from scene_r1_ros.geometry.surface import thinned
from scene_r1_ros.geometry.verify import MAX_POINTS, iou_with, projected_box, verdict
from scene_r1_ros.reasoning.clip import Clip
from scene_r1_ros.run import Run
from scene_r1_ros.tracking.consistency import Checked
from scene_r1_ros.tracking.views import spread
from scene_r1_ros.types import Hypothesis

# A box agrees with an object whose projection, or whose mask there, it covers by this IoU; then it need not be tried.
AGREES_IOU = 0.7
MAX_OBJECTS = 8  # of one answer
SHOWS_IOU = 0.5  # of several things: a box shows the one that covers it so well,
TAKES_IOU = 0.3  # and one that covers it so well leaves it to no other
# Two clouds are of the same thing if this share of the points of one of them has a point of the other so near. Not
# told from their boxes, as that of a table holds the chair that is pushed under it. Of thin things, two spines side by
# side, nearer: by a third of the thinner one's smallest edge, but no nearer than depth is exact.
SAME_SHARE, SAME_M, LEAST_SAME_M = 0.5, 0.02, 0.01


class Tries:
    """All boxes that the model named, the objects that held in 3D, and why others did not."""

    def __init__(self, config: VerifyConfig, clip: Clip, several: bool = False):
        self.config = config
        self.clip = clip
        self.several = several
        self.boxes: list[Hypothesis] = []
        self.found: list[SceneObject] = []
        self.failed: list[Try] = []

    @property
    def objects(self) -> tuple[SceneObject, ...]:
        """What is answered, best first: the best place, or all different ones where several things are asked for.

        The best is the one that the boxes of all frames together cover best; of equals, the one with the best score.
        """
        if not self.several:
            return tuple(sorted(self.found, key=lambda found: self._support(found, self.boxes), reverse=True)[:1])
        kept: list[SceneObject] = []
        rest, free = list(self.found), list(self.boxes)
        while rest and len(kept) < MAX_OBJECTS:
            best = max(rest, key=lambda found: self._support(found, free))
            rest.remove(best)
            if not kept or (self._stands(best, free) and not any(same_thing(best, other) for other in kept)):
                kept.append(best)
                taken = [box for iou, box in self._covered(best, free).values() if iou >= TAKES_IOU]
                free = [box for box in free if box not in taken]
        return tuple(kept)

    def _stands(self, found: SceneObject, free: Sequence[Hypothesis]) -> bool:
        """Whether boxes that no better object covers show an object: in as many other frames as must confirm it, of
        those that see it; in fewer only where it is not doubtful.
        """
        showing = [frame_id for frame_id, (iou, _) in self._covered(found, free).items() if iou >= SHOWS_IOU]
        asked = {box.frame.frame_id: box.frame for box in self.boxes}
        seeing = sum(verdict(found.points_world, frame) == "visible" for frame in asked.values())
        enough = len(showing) > min(self.config.confirmations, seeing - 1)
        return bool(showing) and (enough or found.score >= DOUBTFUL)

    @property
    def over(self) -> bool:
        """Enough frames agree on the best place, or none needs to, or enough was tried."""
        tried = len(self.found) + len(self.failed)
        if self.several:
            return tried >= self.config.max_tries * self._things()
        if self.found and self.config.confirmations == 0:
            return True
        return tried >= self.config.max_tries or len(self._agreeing()) > self.config.confirmations

    def agrees(self, hypothesis: Hypothesis, run: Run) -> bool:
        """Whether a box falls on an object that was found before, so that it only confirms it."""
        self.boxes.append(hypothesis)
        ious = [overlap(found, hypothesis) for found in self.found]
        if max(ious, default=0.0) < AGREES_IOU:
            return False
        found = self.found[ious.index(max(ious))]
        run.note(
            f"The box in {self.clip.name(hypothesis.frame)} falls on '{found.label}' as found from "
            f"{self.clip.name(found.source)}, with IoU {max(ious):.2f}: that confirms it."
        )
        return True

    def fail(self, hypothesis: Hypothesis, masks: Checked, failure: SceneR1Error, run: Run) -> None:
        """Remember a box that does not hold, with the masks that the tracker made of it, if it came to that."""
        run.note(f"The box in {self.clip.name(hypothesis.frame)} does not hold: {failure}")
        frame = hypothesis.frame
        cut = spread([c.mask for c in masks.cut], frame, MAX_CUT)
        shown = [mask for mask in masks.masks if mask.frame is frame]
        shown += spread(masks.masks, frame, N_VIEWS - len(cut))
        shown.sort(key=lambda mask: mask.frame.stamp_ns)
        views = len(masks.masks) + len(masks.cut)
        self.failed.append(
            Try(frame, hypothesis.box, tuple(shown), tuple(cut), views, len(masks.cut), failure.code, str(failure))
        )

    def _things(self) -> int:
        """How many things there may be: the boxes of the frame that has most, also where some were not tried yet."""
        return max((box.boxes_named for box in self.boxes), default=1)

    def _agreeing(self) -> list[str]:
        """The frames that have a box on the best object. Its own counts only if covered as well as any other."""
        covered = self._covered(self.objects[0], self.boxes) if self.found else {}
        return [frame_id for frame_id, (iou, _) in covered.items() if iou >= AGREES_IOU]

    def _support(self, found: SceneObject, boxes: Sequence[Hypothesis]) -> tuple[float, float]:
        return sum(iou for iou, _ in self._covered(found, boxes).values()), found.score

    def _covered(self, found: SceneObject, boxes: Sequence[Hypothesis]) -> dict[str, tuple[float, Hypothesis]]:
        """frame_id -> how well an object covers a box there, and which: the one that it covers best."""
        best: dict[str, tuple[float, Hypothesis]] = {}
        for box in boxes:
            iou, frame_id = overlap(found, box), box.frame.frame_id
            if frame_id not in best or iou > best[frame_id][0]:
                best[frame_id] = iou, box
        return best


def overlap(found: SceneObject, hypothesis: Hypothesis) -> float:
    """How well a box covers a known object in its frame: the whole of it, or what the mask there shows of it."""
    whole = projected_box(thinned(found.points_world, MAX_POINTS), hypothesis.frame)
    if hypothesis.frame is found.source:  # the mask there was made from the box
        return iou_with(whole, hypothesis.box)
    shown = next((mask.box for mask in found.masks if mask.frame is hypothesis.frame), None)
    return max(iou_with(whole, hypothesis.box), iou_with(shown, hypothesis.box))


def same_thing(one: SceneObject, other: SceneObject) -> bool:
    """Whether two clouds lie on each other, or one on a part of the other."""
    thin_m = min(float(found.box.size_m.min()) for found in (one, other))
    near_m = min(max(thin_m / 3, LEAST_SAME_M), SAME_M)
    return max(share_near(one, other, near_m), share_near(other, one, near_m)) > SAME_SHARE


def share_near(one: SceneObject, other: SceneObject, near_m: float) -> float:
    """The share of one object's points that have a point of the other within ``near_m``, metres."""
    points_world = thinned(one.points_world, MAX_POINTS)
    away_m, _ = KDTree(other.points_world).query(points_world, distance_upper_bound=near_m)
    return float(np.mean(np.isfinite(away_m)))
