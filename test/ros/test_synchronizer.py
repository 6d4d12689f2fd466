# SPDX-License-Identifier: Apache-2.0
"""The synchroniser against an exhaustive search, and each promise it makes beyond message_filters."""

import threading
from itertools import pairwise
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scene_r1_ros.ros.synchronizer import NearestSynchronizer

MS = 1_000_000
START = 10**9


def message(stamp_ns: int) -> SimpleNamespace:
    stamp = SimpleNamespace(sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9)
    return SimpleNamespace(header=SimpleNamespace(stamp=stamp), ns=stamp_ns)


def synchronizer(count=2, queue_size=1000, slop_s=0.05, **kwargs):
    """A synchroniser of inputs a, b, c..., and the list its sets (of stamps) arrive in."""
    sync, sets = NearestSynchronizer("abcdef"[:count], queue_size, slop_s, **kwargs), []
    sync.registerCallback(lambda *messages: sets.append(tuple(m.ns for m in messages)))
    return sync, sets


def feed(sync, *arrivals):
    for index, ms in arrivals:
        sync.add(message(START + round(ms * MS)), index)


def in_ms(sets):
    return [tuple((ns - START) / MS for ns in s) for s in sets]


def exhaustive(streams, slop):
    """The rule of the module's docstring, by search through everything."""
    used, found = [0] * len(streams), []
    for i, pivot in enumerate(streams[0]):
        later = streams[0][i + 1 :]
        partners = []
        for j in range(1, len(streams)):
            free = [
                s
                for s in streams[j]
                if s > used[j] and abs(s - pivot) <= slop and not any(abs(p - s) < abs(s - pivot) for p in later)
            ]
            partners.append(min(free, key=lambda s: (abs(s - pivot), s), default=None))
        if None not in partners:
            found.append((pivot, *partners))
        taken = [0] * len(streams) if None in partners else [0, *partners]
        used = [max(pivot, t) for t in taken]
    return found


def streams(count):
    stamps = st.lists(st.integers(1, 120), unique=True, max_size=14).map(sorted)
    return st.lists(stamps, min_size=count, max_size=count)


@st.composite
def arrivals(draw):
    """Streams of 2 to 4 inputs, and an order of arrival that keeps each stream's own order."""
    inputs = draw(st.integers(2, 4).flatmap(streams))
    order = draw(st.permutations([i for i, s in enumerate(inputs) for _ in s]))
    left = [iter(s) for s in inputs]
    return inputs, [(i, next(left[i])) for i in order]


@given(arrivals(), st.integers(0, 30))
@settings(max_examples=400, deadline=None)
def test_the_sets_are_those_of_an_exhaustive_search_in_any_order_of_arrival(case, slop):
    inputs, order = case
    sync, sets = synchronizer(len(inputs), slop_s=slop * 1e-9)
    for index, stamp in order:
        sync.add(message(stamp), index)
    sync.flush()
    assert sets == exhaustive(inputs, slop)


@given(arrivals(), st.integers(0, 30), st.integers(1, 5))
@settings(max_examples=200, deadline=None)
def test_short_queues_lose_sets_but_never_order_slop_or_uniqueness(case, slop, queue_size):
    inputs, order = case
    sync, sets = synchronizer(len(inputs), queue_size, slop * 1e-9)
    for index, stamp in order:
        sync.add(message(stamp), index)
        assert max(map(len, sync._queues)) <= queue_size
    sync.flush()
    for earlier, later in pairwise(sets):
        assert all(a < b for a, b in zip(earlier, later, strict=True))
    assert all(abs(s - found[0]) <= slop for found in sets for s in found)


@given(arrivals(), st.integers(0, 30), st.integers(1, 5))
@settings(max_examples=100, deadline=None)
def test_every_message_is_counted_once(case, slop, queue_size):
    inputs, order = case
    sync, _ = synchronizer(len(inputs), queue_size, slop * 1e-9)
    for index, stamp in order:
        sync.add(message(stamp), index)
    sync.flush()
    for index, stream in enumerate(inputs):
        waiting = len(sync._queues[index])
        counted = sum(sync.counts[sync.names[index], what] for what in ("matched", "unmatched", "too late"))
        assert counted + waiting == len(stream)


def test_a_slop_of_zero_matches_equal_stamps_at_once():
    sync, sets = synchronizer(slop_s=0.0)
    feed(sync, (0, 0), (1, 0), (1, 33), (0, 33))
    assert in_ms(sets) == [(0, 0), (33, 33)]


def test_the_slop_is_inclusive():
    sync, sets = synchronizer(slop_s=0.02)
    feed(sync, (0, 20), (1, 0), (1, 100), (0, 200), (1, 220.000001))
    sync.flush()
    assert in_ms(sets) == [(20, 0)]


def test_a_depth_stamped_after_its_image_is_not_paired_with_the_image_before():
    # rgb every 33 ms, depth 30 ms after it: the pair 3 ms apart is right, the pair 30 ms apart is within the slop too
    sync, sets = synchronizer()
    feed(sync, *(arrival for k in range(5) for arrival in ((0, 33 * k), (1, 33 * k + 30))))
    sync.flush()
    assert in_ms(sets) == [(33, 30), (66, 63), (99, 96), (132, 129)]


def test_flush_gives_the_last_pair_of_a_stream_that_ended():
    sync, sets = synchronizer()
    feed(sync, (0, 0), (1, 4))
    assert sets == []  # a later image could be nearer to this depth
    sync.flush()
    assert in_ms(sets) == [(0, 4)]


@pytest.mark.parametrize("back_ms", [1000, 250])
def test_a_bag_loop_goes_on_and_loses_nothing(back_ms):
    sync, sets = synchronizer(queue_size=10)
    once = [(i, ms) for ms in range(0, back_ms, 33) for i in (0, 1)]
    feed(sync, *once, *once, *once)
    assert len(sets) == len(once) // 2 * 3
    assert sync.counts["a", "reset"] == 2


def test_an_input_that_loops_later_costs_only_what_came_in_between():
    sync, sets = synchronizer(queue_size=10, slop_s=0.0)
    feed(sync, (0, 990), (1, 990), (0, 0), (1, 1023), (0, 33), (1, 0), (1, 33), (0, 66), (1, 66))
    assert in_ms(sets) == [(990, 990), (66, 66)]


def test_repeated_and_reordered_stamps_are_dropped_and_counted():
    sync, sets = synchronizer()
    feed(sync, (0, 33), (0, 33), (0, 0), (1, 33))
    assert in_ms(sets) == [(33, 33)]
    assert (sync.counts["a", "same stamp"], sync.counts["a", "out of order"]) == (1, 1)


def test_a_callback_that_raises_is_logged_counted_and_called_again(caplog):
    sync, sets = synchronizer()
    sync.registerCallback(lambda *_: 1 / 0)
    feed(sync, (0, 0), (1, 0), (0, 33), (1, 33))
    assert len(sets) == 2
    assert sync.counts["a", "callback failed"] == 2
    assert "division by zero" in caplog.text


def test_a_slow_callback_blocks_no_input_keeps_order_and_the_newest_win():
    sync, sets = synchronizer(queue_size=2)
    entered, leave = threading.Event(), threading.Event()
    sync.registerCallback(lambda *_: (entered.set(), leave.wait(60)))
    slow = threading.Thread(target=feed, args=(sync, (0, 0), (1, 0)))
    slow.start()
    assert entered.wait(60)
    feed(sync, *((i, 33 * k) for k in range(1, 10) for i in (0, 1)))  # returns though the callback is busy
    leave.set()
    slow.join(30)
    assert in_ms(sets) == [(0, 0), (198, 198), (231, 231), (264, 264), (297, 297)]
    assert sync.counts["a", "lost to a slow callback"] == 5


def test_callbacks_get_their_own_arguments_and_may_feed_the_synchronizer():
    sync, sets = synchronizer()
    seen = []
    sync.registerCallback(lambda a, b, tag: (seen.append((a.ns, tag)), feed(sync, (0, 33), (1, 33))), "tag")
    feed(sync, (0, 0), (1, 0))
    assert in_ms(sets) == [(0, 0), (33, 33)]
    assert seen == [(START, "tag"), (START + 33 * MS, "tag")]


class Filter:
    """What message_filters' SimpleFilter is to us."""

    def __init__(self, topic):
        self.topic, self.connections = topic, []

    def registerCallback(self, callback, *args):
        self.connections.append((callback, args))

    def signal(self, *messages):
        for callback, args in self.connections:
            callback(*messages, *args)


def test_filters_are_inputs_and_the_synchronizer_is_a_filter():
    color, depth, label = Filter("rgb/image"), Filter("depth/image"), Filter("label")
    pairs = NearestSynchronizer([color, depth], 10, 0.02)
    assert pairs.names == ["rgb/image", "depth/image"]
    sets = []
    pairs.registerCallback(lambda *messages: sets.append(messages))
    a, b = message(START), message(START)
    color.signal(a)
    depth.signal(b)
    label.signal(message(START))
    assert sets == [(a, b)]


def test_a_chain_of_the_real_message_filters():
    message_filters = pytest.importorskip("message_filters", reason="message_filters comes only with ROS itself")
    color, depth, after = (message_filters.SimpleFilter() for _ in range(3))
    pairs = NearestSynchronizer([color, depth], 10, 0.02)
    pairs.registerCallback(after.signalMessage)
    sets = []
    after.registerCallback(lambda *messages: sets.append(messages))
    a, b = message(START), message(START)
    color.signalMessage(a)
    depth.signalMessage(b)
    assert sets == [(a, b)]


@pytest.mark.parametrize(
    ("fed", "said"),
    [
        ([(0, 0)], "b: no message yet"),  # a silent topic
        ([(0, 0), (1, 1000), (0, 33)], "b: the nearest is 967.0 ms from the last a without a partner, but the slop is"),
        ([(0, 0), (1, -1000)], "b: 1 messages have a zero stamp"),  # START - 1 s is 0
        ([(0, k) for k in range(0, 200, 33)] + [(1, 0)], "the queue of 3 is too short"),  # depth far behind
        ([(1, k) for k in range(0, 200, 33)] + [(0, 0), (0, 33)], "the queue of 3 is too short"),  # colour far behind
        ([(0, 0), (1, 0)], "1 sets of a + b\n(a matched 1, b matched 1)"),  # all is well
    ],
)
def test_explain_says_why_nothing_matches(fed, said):
    sync, _ = synchronizer(queue_size=3, slop_s=0.02)
    feed(sync, *fed)
    assert said in sync.explain()


@pytest.mark.parametrize("wrong", [{"inputs": ["a"]}, {"queue_size": 0}, {"slop_s": -1.0}])
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ValueError, match="expected 2 inputs or more, a queue of 1 or more"):
        NearestSynchronizer(**{"inputs": ["a", "b"], "queue_size": 10, "slop_s": 0.02, **wrong})
