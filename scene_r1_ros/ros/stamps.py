# SPDX-License-Identifier: Apache-2.0
"""Stamps as nanoseconds and as ROS has them."""

from typing import Any

from builtin_interfaces.msg import Time

from scene_r1_ros.errors import BadInput

END_S = 2**31  # seconds of a ROS Time are an int32: it ends in the year 2038
JUMP_BACK_NS = 200_000_000  # stamps that go back further than this start a new time, as when a bag loops


def stamp_of(stamp_ns: int) -> Time:
    """Raises:
    BadInput: before 1970, or later than a ROS Time reaches.
    """
    if not 0 <= stamp_ns < END_S * 10**9:
        raise BadInput(
            f"stamp {stamp_ns} ns ({stamp_ns * 1e-9:.0f} s); a ROS Time holds 0 to {END_S - 1} s since 1970: "
            "correct the stamps of the recording, or replay it with stamps:=now"
        )
    return Time(sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9)


def stamp_ns(msg: Any) -> int:
    """The header's stamp in nanoseconds."""
    stamp = msg.header.stamp
    return stamp.sec * 10**9 + stamp.nanosec
