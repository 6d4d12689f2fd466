# SPDX-License-Identifier: Apache-2.0
"""Which pixels look like the object and which like what is around it."""

import cv2
import numpy as np
from numpy.typing import NDArray

MIN_PIXELS = 10  # a side of fewer has no colours to tell apart


def colored_alike(
    color: NDArray[np.uint8], found: NDArray[np.bool_], is_object: NDArray[np.bool_], is_other: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """(h, w) what GrabCut (Rother, Kolmogorov and Blake 2004) takes for the object, starting from what was found."""
    labels = np.where(found, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[is_object], labels[is_other] = cv2.GC_FGD, cv2.GC_BGD
    n_object = np.count_nonzero(labels & 1)  # of OpenCV's labels, those of the object are odd
    if min(n_object, labels.size - n_object) < MIN_PIXELS:
        return found
    cv2.setRNGSeed(0)
    of_other, of_object, whole = np.zeros((1, 65)), np.zeros((1, 65)), (0, 0, color.shape[1], color.shape[0])
    cut, _, _ = cv2.grabCut(color, labels, whole, of_other, of_object, 1, cv2.GC_INIT_WITH_MASK)
    return np.isin(cut, (cv2.GC_FGD, cv2.GC_PR_FGD))
