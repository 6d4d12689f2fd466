# SPDX-License-Identifier: Apache-2.0
"""Pairs in line are bounded in number and in bytes."""

from types import SimpleNamespace

from scene_r1_ros.ros.waiting import Pair, WaitingPairs


def pair(nbytes: int) -> Pair:
    return Pair(SimpleNamespace(data=bytes(nbytes - 1)), SimpleNamespace(data=bytes(1)), None)


def test_the_number_is_bounded():
    waiting = WaitingPairs(2)
    for _ in range(2):
        waiting.append(pair(10))
    assert waiting.overfull() == ""
    waiting.append(pair(10))
    assert waiting.overfull() == "more than 2 images wait for their pose (pose_queue)"
    waiting.pop()
    assert waiting.overfull() == "" and len(waiting) == 2


def test_the_bytes_are_bounded_but_one_pair_may_always_wait():
    waiting = WaitingPairs(30, max_bytes=2**20)
    waiting.append(pair(3 * 2**20))
    assert waiting.overfull() == ""
    waiting.append(pair(2**20))
    assert waiting.overfull() == "the 2 images that wait for their pose hold 4 MiB, at most 1"
    assert waiting.pop().nbytes == 3 * 2**20
    assert waiting.overfull() == ""
