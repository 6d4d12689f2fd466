# SPDX-License-Identifier: Apache-2.0
"""Which parts of a silhouette are one object in depth, and which a thing before it or what shows behind it."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

JUMP = 0.04  # neighbours whose depths differ by more than this share belong to different parts
MIN_PART = 10  # pixels; smaller ones are noise at edges, or too thin to say how deep they lie
MAX_PARTS = 24
KEPT_FILL, KEPT_AREA = 0.93, 0.35  # what is left must fill the box so nearly as well, and be so much of the silhouette
MAX_RANGE = 0.8  # a range of depth that is hardly shorter than that of all parts tells nothing
ROOM = 0.08  # parts nearer or farther by this share than the range that fills the box may be the object's too


def one_layer(
    found: NDArray[np.bool_], depth_m: NDArray[np.float32], fill: Callable[[NDArray[np.bool_]], float]
) -> NDArray[np.bool_]:
    """(h, w) the parts of a silhouette in the shortest range of depth that fills the box about as well as all of them.

    A box is drawn around the object alone (Lempitsky et al. 2009): its parts reach all four sides. What lies far before
    or behind them, between two bars or on the table before the sofa, is not needed for that.

    Args:
        found: (h, w) the silhouette.
        depth_m: (h, w) without holes.
        fill: how well a mask fills the box, 0 to 1.
    """
    log_depth = np.log(depth_m)
    labels, large = parts(found, log_depth)
    if len(large) < 2:
        return found
    spans = np.array([np.quantile(log_depth[labels == part], [0.1, 0.9]) for part in large])
    chosen = shortest_range([labels == part for part in large], spans, found, fill)
    if chosen is None:
        return found
    near, far = chosen[0] - ROOM, chosen[1] + ROOM
    is_large = np.isin(labels, large)
    kept = np.isin(labels, large[(spans[:, 0] >= near) & (spans[:, 1] <= far)])
    return found & np.where(is_large, kept, (log_depth > near) & (log_depth < far))


def parts(found: NDArray[np.bool_], log_depth: NDArray[np.float32]) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """(h, w) labels of the parts without a jump of depth, pixels outside each their own, and the labels of large ones,
    largest first."""
    index = np.arange(found.size).reshape(found.shape)
    a: list[NDArray[np.intp]] = []
    b: list[NDArray[np.intp]] = []
    for one, other in ((np.s_[1:], np.s_[:-1]), (np.s_[:, 1:], np.s_[:, :-1])):
        joined = found[one] & found[other] & (np.abs(log_depth[one] - log_depth[other]) < JUMP)
        a.append(index[one][joined])
        b.append(index[other][joined])
    rows, columns = np.concatenate(a), np.concatenate(b)
    links = csr_array((np.ones(len(rows), bool), (rows, columns)), shape=(found.size, found.size))
    labels = connected_components(links, directed=False)[1].reshape(found.shape)
    areas = np.bincount(labels[found], minlength=labels.max() + 1)
    order = np.argsort(-areas, kind="stable")[:MAX_PARTS]
    return labels, order[areas[order] >= MIN_PART]


def shortest_range(
    masks: list[NDArray[np.bool_]],
    spans: NDArray[np.float64],
    found: NDArray[np.bool_],
    fill: Callable[[NDArray[np.bool_]], float],
) -> tuple[float, float] | None:
    """The nearest and farthest log depth of the parts that fill the box; None where it takes about all of them.

    Args:
        masks: of each part, (h, w).
        spans: (N, 2) the nearest and farthest log depth of each part.
    """
    enough_fill, enough_area = KEPT_FILL * fill(found), KEPT_AREA * np.count_nonzero(found)
    areas = np.array([np.count_nonzero(mask) for mask in masks])
    shortest = MAX_RANGE * float(spans[:, 1].max() - spans[:, 0].min())
    best: tuple[float, float] | None = None
    for near in spans[:, 0].tolist():
        for far in spans[:, 1].tolist():
            within = np.flatnonzero((spans[:, 0] >= near) & (spans[:, 1] <= far))
            if not 0 <= far - near < shortest or areas[within].sum() < enough_area:
                continue
            if fill(np.any([masks[i] for i in within], axis=0)) >= enough_fill:
                best, shortest = (near, far), far - near
    return best
