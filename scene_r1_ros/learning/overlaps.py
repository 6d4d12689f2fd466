# SPDX-License-Identifier: Apache-2.0
"""How much of what is said is true, for several windows or boxes at once."""

import re
from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from scene_r1_ros.evaluation.metrics import temporal_iou
from scene_r1_ros.learning.sample import NamedBox
from scene_r1_ros.reasoning.image import MAX_BOXES
from scene_r1_ros.types import TimeWindow

ARTICLE = re.compile(r"\b(?:an?|the)\b")


def windows_iou(said: Sequence[TimeWindow], true: Sequence[TimeWindow], several: bool = False) -> float:
    """Intersection over union of what is said and what is true, both as sets of points in time: seconds that lie in
    both over seconds that lie in one of them. Where neither holds a window: 1.0, where one of them does not: 0.0.

    Where one thing is looked for and true windows are several, to name one of them is right, too: the best counts.
    Times are compared in hundredths of a second, in which a model is shown them. Of one window and one, it is
    ``evaluation.metrics.temporal_iou``; two equal moments match.

    >>> windows_iou([TimeWindow(0, 2)], [TimeWindow(1, 3)])
    0.3333333333333333
    """
    said, true = _merged(said), _merged(true)
    if not said or not true:
        return float(not said and not true)
    choices = [true] if several else [true, *([window] for window in true)]
    return max(_union_iou(said, choice) for choice in choices)


def _merged(windows: Sequence[TimeWindow]) -> list[TimeWindow]:
    """The same set of times, in hundredths, as windows in order that do not overlap."""
    merged: list[TimeWindow] = []
    for start_s, end_s in sorted((round(w.start_s, 2), round(w.end_s, 2)) for w in windows):
        if merged and start_s <= merged[-1].end_s:
            merged[-1] = TimeWindow(merged[-1].start_s, max(merged[-1].end_s, end_s))
        else:
            merged.append(TimeWindow(start_s, end_s))
    return merged


def _union_iou(a: list[TimeWindow], b: list[TimeWindow]) -> float:
    if len(a) == len(b) == 1:
        return temporal_iou(a[0], b[0])
    shared_s = sum(max(0.0, min(v.end_s, w.end_s) - max(v.start_s, w.start_s)) for v in a for w in b)
    union_s = sum(w.end_s - w.start_s for w in (*a, *b)) - shared_s
    return min(shared_s / union_s, 1.0) if union_s > 0 else float(a == b)


def boxes_iou(said: Sequence[NamedBox | None], true: Sequence[NamedBox], labels_count: bool = False) -> float:
    """Sum of the IoU of the pairs in the best matching of said and true boxes, over the larger of their numbers: for
    one and one, their IoU. Where neither holds a box: 1.0, where one of them does not: 0.0.

    Args:
        said: None for a box outside the image, which matches nothing but is counted.
        labels_count: only boxes of the same name make a pair.

    >>> from scene_r1_ros.types import Box2D
    >>> mug, cup = NamedBox("mug", Box2D(0, 0, 10, 10)), NamedBox("cup", Box2D(20, 0, 30, 10))
    >>> boxes_iou([mug], [mug]), boxes_iou([mug, cup], [mug]), boxes_iou([cup], [mug])
    (1.0, 0.5, 0.0)
    """
    if not said or not true:
        return float(not said and not true)
    tried = said[: max(MAX_BOXES, 2 * len(true))]  # as the robot ignores the others; they are counted
    ious = np.array([[_pair_iou(a, b, labels_count) for b in true] for a in tried])
    pairs = linear_sum_assignment(ious, maximize=True)
    return float(ious[pairs].sum()) / max(len(said), len(true))


def _pair_iou(said: NamedBox | None, true: NamedBox, labels_count: bool) -> float:
    if said is None or (labels_count and plain_words(said.label) != plain_words(true.label)):
        return 0.0
    return said.box.iou(true.box)


def plain_words(text: str) -> str:
    """Its words in small letters, without punctuation and articles."""
    words = ARTICLE.sub(" ", text.casefold())
    return " ".join(re.findall(r"\w+(?:\.\d+)?", words))
