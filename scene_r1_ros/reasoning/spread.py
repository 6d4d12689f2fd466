# SPDX-License-Identifier: Apache-2.0
"""Which frames of a long clip a model is shown, by their numbers in order of time."""

import heapq
import math
from collections.abc import Iterable
from itertools import pairwise

GROWTH = 1.25  # strides grow by this factor


def spread(n: int, count: int) -> list[int]:
    """At most ``count`` and at least four fifths of them, of 0 to n - 1, evenly spread, both ends among them.

    Multiples of a stride that only takes the values 1.25^k, and the last one: until ``n`` has grown by a quarter, what
    is appended changes nothing but the last. A model that keeps keys and values of the beginning of its prompt then
    knows all other frames from the query before.
    """
    if n <= count:
        return list(range(n))
    if count < 2:
        return [n // 2] * count
    stride = GROWTH ** math.ceil(math.log((n - 1) / (count - 1)) / math.log(GROWTH))
    return [i for k in range(count - 1) if (i := int(k * stride)) < n - 1] + [n - 1]


def between(shown: Iterable[int], n: int, count: int) -> list[int]:
    """At most ``count`` others of 0 to n - 1, in order: always the middle of the widest gap that is left."""
    gaps = [(low - high, low, high) for low, high in pairwise([-1, *sorted(shown), n]) if high - low > 1]
    heapq.heapify(gaps)
    chosen = list[int]()
    while gaps and len(chosen) < count:
        _, low, high = heapq.heappop(gaps)
        middle = (low + high) // 2
        chosen.append(middle)
        for gap in ((low - middle, low, middle), (middle - high, middle, high)):
            if gap[0] < -1:
                heapq.heappush(gaps, gap)
    return sorted(chosen)
