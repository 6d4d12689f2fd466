# SPDX-License-Identifier: Apache-2.0
"""Which messages belong together: the nearest stamps, in order, each message once, and a reason when nothing matches.

Works alone, and as a link in a chain of ``message_filters``: what has ``registerCallback`` can be an input, and it has
``registerCallback`` itself. Unlike ``message_filters.ApproximateTimeSynchronizer`` a slop of 0 matches equal stamps,
sets come out in order, a looping bag goes on, a slow or failing callback blocks nobody, and a message costs the same
whatever the length of the queues.

The rule. The first input is the pivot. Pivots are taken in order; the partner of a pivot is, on every other input, the
nearest message that is unused, not more than the slop away, and not nearer to a later pivot. What comes out depends on
the stamps alone, not on the order of arrival: a pivot waits until no later message can change the choice, and only a
full queue or ``flush`` cuts the waiting short.
"""

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Any

from scene_r1_ros.ros.delivery import Delivery
from scene_r1_ros.ros.stamps import JUMP_BACK_NS, stamp_ns

log = logging.getLogger(__name__)

Entry = tuple[int, Any]  # (stamp_ns, message)
WAIT = (-1, None)  # not decided yet


class NearestSynchronizer:
    """Thread-safe. Callbacks are called one at a time, in order of the stamps, outside the lock. A stamp more than
    ``JUMP_BACK_NS`` behind its predecessor starts a new time, as a looping bag does.

    Args:
        inputs: two or more; a name to ``add`` messages under, or an object with ``registerCallback``. First the pivot.
        queue_size: messages kept per input while they wait for partners.
        slop_s: largest distance of a partner from its pivot, inclusive, seconds.
    """

    def __init__(self, inputs: Sequence[Any], queue_size: int, slop_s: float):
        if len(inputs) < 2 or queue_size < 1 or slop_s < 0:
            raise ValueError(
                f"{len(inputs)} inputs, queue_size {queue_size}, slop {slop_s} s; "
                "expected 2 inputs or more, a queue of 1 or more and a slop of 0 or more"
            )
        self.names = [_name(given, index) for index, given in enumerate(inputs)]
        self.queue_size = queue_size
        self.slop_ns = round(slop_s * 1e9)
        self.counts: Counter[tuple[str, str]] = Counter()  # (input, what became of a message) -> how many
        self._queues: list[deque[Entry]] = [deque() for _ in inputs]
        self._newest_ns = [0] * len(inputs)  # 0 = none yet
        self._heard_s: list[float | None] = [None] * len(inputs)  # monotonic
        self._gap_ns: list[int | None] = [None] * len(inputs)  # nearest message to the last pivot without partner
        self._decided_ns = 0  # the newest pivot that is matched or given up
        self._forced_ns = 0  # ... before its time, because a queue was full
        self._evicted_ns = [0] * len(inputs)  # the newest message that a full queue lost before a pivot came
        self._delivery = Delivery(" + ".join(self.names), 2 * queue_size, self._count_delivery)
        self._lock = threading.RLock()
        for index, given in enumerate(inputs):
            if not isinstance(given, str):
                given.registerCallback(self.add, index)

    def registerCallback(self, callback: Callable, *args: Any) -> int:
        """Have ``callback(*messages, *args)`` called for every set; the name is that of message_filters."""
        return self._delivery.register(callback, args)

    def add(self, msg: Any, index: int) -> None:
        """Take a message of input ``index``. Never raises for what the message says, or for what a callback does."""
        stamp = stamp_ns(msg)
        with self._lock:
            self._heard_s[index] = time.monotonic()
            if self._accepts(stamp, index):
                self._queues[index].append((stamp, msg))
                self._newest_ns[index] = stamp
                self._match()
                self._shorten(index)
        self._delivery.run()

    def flush(self) -> None:
        """Decide what can be decided with what is there. For the end of a stream, where no later message comes."""
        with self._lock:
            while self._queues[0] and self._decide(final=True):
                pass
        self._delivery.run()

    @property
    def idle_s(self) -> float:
        """Seconds since the last message on any input; infinite before the first."""
        heard = [t for t in self._heard_s if t is not None]
        return time.monotonic() - max(heard) if heard else float("inf")

    @property
    def matched(self) -> int:
        """How many sets were found."""
        return self.counts[self.names[0], "matched"]

    def explain(self) -> str:
        """Why nothing matches, or how well it does, in a few lines."""
        with self._lock:
            lines = [line for index in range(len(self.names)) for line in self._complaints(index)]
            tally = ", ".join(f"{name} {what} {n}" for (name, what), n in sorted(self.counts.items()))
        title = f"{self.matched} sets of {' + '.join(self.names)}"
        return "\n".join([title, *lines, *([f"({tally})"] if tally else [])])

    # Deciding, with the lock held ------------------------------------------------------------------------------------

    def _accepts(self, stamp: int, index: int) -> bool:
        newest = self._newest_ns[index]
        if stamp <= 0:
            self._count(index, "zero stamp")
        elif newest and newest - stamp > JUMP_BACK_NS:
            self._start_anew(stamp, index)
            return True
        elif newest and stamp <= newest:
            self._count(index, "same stamp" if stamp == newest else "out of order")
        elif stamp <= self._decided_ns:
            self._count(index, "too late" if stamp <= self._forced_ns + self.slop_ns else "unmatched")
        else:
            return True
        return False

    def _start_anew(self, stamp: int, index: int) -> None:
        """Time went back: forget what lies in the future of ``stamp``; inputs that looped earlier keep theirs."""
        log.warning("%s went back by %.3f s (a bag loop?): matching starts anew",
                    self.names[index], (self._newest_ns[index] - stamp) * 1e-9)  # fmt: skip
        self._count(index, "reset")
        self._decided_ns = self._forced_ns = 0
        self._evicted_ns = [0] * len(self.names)
        for other, queue in enumerate(self._queues):
            while queue and (other == index or queue[-1][0] > stamp + JUMP_BACK_NS):
                queue.pop()
                self._count(other, "of the time before")
            self._newest_ns[other] = queue[-1][0] if queue else 0

    def _match(self) -> None:
        while self._queues[0] and self._decide(final=False):
            pass

    def _shorten(self, index: int) -> None:
        """A full queue ends the waiting: the oldest pivot is decided with what is there."""
        queue = self._queues[index]
        while len(queue) > self.queue_size:
            if self._queues[0]:
                self._forced_ns = self._queues[0][0][0]
                self._decide(final=True)
                self._match()
            else:
                self._evicted_ns[index], _ = queue.popleft()
                self._count(index, "unmatched")

    def _decide(self, final: bool) -> bool:
        """Match the oldest pivot or give it up. False if that must wait."""
        pivot_ns = self._queues[0][0][0]
        partners: list[Entry | None] = []
        for index in range(1, len(self._queues)):
            partner = self._partner(index, pivot_ns, final)
            if partner is None:
                self._settle(pivot_ns, [None])
                return True
            partners.append(partner)
        if any(partner is WAIT for partner in partners):
            return False
        self._settle(pivot_ns, partners)
        return True

    def _partner(self, index: int, pivot_ns: int, final: bool) -> Entry | None:
        """The message of an input that belongs to the oldest pivot, ``WAIT``, or None where there is none."""
        before, after = self._neighbours(index, pivot_ns)
        if before and before[0] == pivot_ns:
            return before
        if after is None and not final:
            return WAIT
        back_ns = pivot_ns - before[0] if before else self.slop_ns + 1
        ahead_ns = after[0] - pivot_ns if after else self.slop_ns + 1
        if after and ahead_ns < back_ns and ahead_ns <= self.slop_ns:
            suits_later = self._suits_later_pivot(after[0], ahead_ns)
            if suits_later is None and not final:
                return WAIT
            if not suits_later:
                return after
        if back_ns <= self.slop_ns:
            return before
        self._explain_miss(index, pivot_ns, before, after)
        return None

    def _neighbours(self, index: int, pivot_ns: int) -> tuple[Entry | None, Entry | None]:
        """The last message not after the pivot and the first one after it: no other comes into question."""
        queue = self._queues[index]
        while len(queue) > 1 and queue[1][0] <= pivot_ns:
            queue.popleft()
            self._count(index, "unmatched")
        if not queue or queue[0][0] > pivot_ns:
            return None, queue[0] if queue else None
        return queue[0], queue[1] if len(queue) > 1 else None

    def _suits_later_pivot(self, after_ns: int, ahead_ns: int) -> bool | None:
        """Whether the next pivot is nearer to a message than the oldest is; None while there is no next pivot."""
        pivots = self._queues[0]
        return None if len(pivots) < 2 else abs(pivots[1][0] - after_ns) < ahead_ns

    def _explain_miss(self, index: int, pivot_ns: int, *around: Entry | None) -> None:
        if pivot_ns <= self._evicted_ns[index] + self.slop_ns:
            self._count(index, "gone too early")
        else:
            self._gap_ns[index] = min((abs(entry[0] - pivot_ns) for entry in around if entry), default=None)

    def _settle(self, pivot_ns: int, partners: list) -> None:
        """Take the oldest pivot out with its partners; whatever lies before them can belong to no later pivot."""
        pivot = self._queues[0].popleft()
        self._decided_ns = pivot_ns
        matched = partners != [None]
        for index in range(1, len(self._queues)):
            used_ns = partners[index - 1][0] if matched else 0
            self._discard(index, max(pivot_ns, used_ns), used_ns)
        self._count(0, "matched" if matched else "unmatched")
        if matched:
            self._gap_ns = [None] * len(self.names)
            self._delivery.put((pivot[1], *(msg for _, msg in partners)))

    def _discard(self, index: int, until_ns: int, used_ns: int) -> None:
        queue = self._queues[index]
        while queue and queue[0][0] <= until_ns:
            stamp, _ = queue.popleft()
            self._count(index, "matched" if stamp == used_ns else "unmatched")

    def _count(self, index: int, what: str) -> None:
        self.counts[self.names[index], what] += 1

    def _count_delivery(self, what: str) -> None:
        with self._lock:
            self._count(0, what)

    # Explaining, with the lock held ----------------------------------------------------------------------------------

    def _complaints(self, index: int) -> list[str]:
        name, pivot = self.names[index], self.names[0]
        heard_s = self._heard_s[index]
        if heard_s is None:
            return [f"{name}: no message yet; is it published under this name, and with a QoS that fits?"]
        found = []
        silent_s = time.monotonic() - heard_s
        if silent_s > 1.0:
            found.append(f"{name}: silent for {silent_s:.1f} s")
        if self.counts[name, "zero stamp"]:
            found.append(f"{name}: {self.counts[name, 'zero stamp']} messages have a zero stamp; "
                         "the driver must stamp them")  # fmt: skip
        gap_ns = self._gap_ns[index]
        if gap_ns is not None:
            found.append(
                f"{name}: the nearest is {gap_ns * 1e-6:.1f} ms from the last {pivot} without a partner, but "
                f"the slop is {self.slop_ns * 1e-6:.1f} ms; raise the slop or synchronise the clocks"
            )
        lost = self.counts[name, "too late"] + self.counts[name, "gone too early"]
        if lost:
            found.append(f"{name}: {lost} messages were too far from their {pivot} in time of arrival; "
                         f"the queue of {self.queue_size} is too short for this delay")  # fmt: skip
        return found


def _name(given: Any, index: int) -> str:
    return given if isinstance(given, str) else str(getattr(given, "topic", f"input {index}"))
