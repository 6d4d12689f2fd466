# SPDX-License-Identifier: Apache-2.0
"""The places that were tried for one query, and which of them wins: the one that the boxes of most frames agree on."""

from scene_r1_ros.answer import MAX_CUT, N_VIEWS, SceneObject, Try
from scene_r1_ros.config import VerifyConfig
from scene_r1_ros.errors import SceneR1Error
from scene_r1_ros.geometry.surface import thinned
from scene_r1_ros.geometry.verify import MAX_POINTS, iou_with, projected_box
from scene_r1_ros.reasoning.clip import Clip
from scene_r1_ros.run import Run
from scene_r1_ros.tracking.consistency import Checked
from scene_r1_ros.tracking.views import spread
from scene_r1_ros.types import Hypothesis

# A box agrees with an object whose projection, or whose mask there, it covers by this IoU; then it need not be tried.
AGREES_IOU = 0.7


class Tries:
    """All boxes that the model named, the objects that held in 3D, and why others did not."""

    def __init__(self, config: VerifyConfig, clip: Clip):
        self.config = config
        self.clip = clip
        self.boxes: list[Hypothesis] = []
        self.found: list[SceneObject] = []
        self.failed: list[Try] = []

    @property
    def best(self) -> SceneObject | None:
        """The object that the boxes of all frames together cover best; of equals, the one with the best score."""
        return max(self.found, key=lambda found: (sum(self._ious(found).values()), found.score), default=None)

    @property
    def over(self) -> bool:
        """Enough frames agree on the best place, or none needs to, or enough was tried."""
        if self.found and self.config.confirmations == 0:
            return True
        tried = len(self.found) + len(self.failed)
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

    def _agreeing(self) -> list[str]:
        """The frames that have a box on the best object. Its own counts only if covered as well as any other."""
        ious = self._ious(self.best) if self.best else {}
        return [frame_id for frame_id, iou in ious.items() if iou >= AGREES_IOU]

    def _ious(self, found: SceneObject) -> dict[str, float]:
        """frame_id -> how well the best box there covers an object."""
        ious: dict[str, float] = {}
        for box in self.boxes:
            frame_id = box.frame.frame_id
            ious[frame_id] = max(ious.get(frame_id, 0.0), overlap(found, box))
        return ious


def overlap(found: SceneObject, hypothesis: Hypothesis) -> float:
    """How well a box covers a known object in its frame: the whole of it, or what the mask there shows of it."""
    whole = projected_box(thinned(found.points_world, MAX_POINTS), hypothesis.frame)
    if hypothesis.frame is found.source:  # the mask there was made from the box
        return iou_with(whole, hypothesis.box)
    shown = next((mask.box for mask in found.masks if mask.frame is hypothesis.frame), None)
    return max(iou_with(whole, hypothesis.box), iou_with(shown, hypothesis.box))
