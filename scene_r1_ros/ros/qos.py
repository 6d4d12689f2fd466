# SPDX-License-Identifier: Apache-2.0
"""Quality of service: inputs connect to any publisher, outputs to any subscriber, and a mismatch is said loudly."""

from collections import Counter
from typing import Any

from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy, qos_policy_name_from_kind
from rclpy.qos_overriding_options import QoSOverridingOptions

LOST = "lost on the way"  # a reason to count


def sensor(depth: int = 5) -> QoSProfile:
    """For inputs: best effort hears best-effort and reliable publishers alike (REP 2003)."""
    return QoSProfile(depth=depth, reliability=ReliabilityPolicy.BEST_EFFORT)


def reliable(depth: int = 5) -> QoSProfile:
    """For outputs of a stream: reliable speaks to every volatile subscriber."""
    return QoSProfile(depth=depth, reliability=ReliabilityPolicy.RELIABLE)


def latched() -> QoSProfile:
    """For results: who subscribes later (RViz, a speaker) still gets the last one."""
    return QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def overridable() -> QoSOverridingOptions:
    """Lets the operator set ``qos_overrides./<topic>.<publisher|subscription>.<reliability|depth|history>``."""
    return QoSOverridingOptions.with_default_policies()


def subscription_events(node: Node, topic: str, counts: Counter[tuple[str, str]]) -> SubscriptionEventCallbacks:
    """Counts and reports messages lost on the way and publishers whose QoS does not fit."""

    def lost(event: Any) -> None:
        counts[topic, LOST] += event.total_count_change

    def incompatible(event: Any) -> None:
        counts[topic, "publishers with incompatible QoS"] += event.total_count_change
        node.get_logger().error(_incompatible(topic, event, "publisher", "subscription"))

    return SubscriptionEventCallbacks(incompatible_qos=incompatible, message_lost=lost)


def publisher_events(node: Node, topic: str) -> PublisherEventCallbacks:
    """Reports subscribers whose QoS does not fit."""

    def incompatible(event: Any) -> None:
        node.get_logger().error(_incompatible(topic, event, "subscription", "publisher"))

    return PublisherEventCallbacks(incompatible_qos=incompatible)


def _incompatible(topic: str, event: Any, theirs: str, ours: str) -> str:
    policy = qos_policy_name_from_kind(event.last_policy_kind).lower()
    return (
        f"a {theirs} of {topic} has a QoS that does not fit ours in '{policy}': nothing passes between them; "
        f"set the parameter qos_overrides.{topic}.{ours}.{policy}, or change the {theirs}"
    )
