# SPDX-License-Identifier: Apache-2.0
"""The main function of a node that lives until it is interrupted."""

import sys
from collections.abc import Callable

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node

from scene_r1_ros.errors import SceneR1Error


def run(make: Callable[[], Node], args: list[str] | None) -> int:
    """Make a node and spin it until Ctrl-C. Returns the exit code: 0, or 2 where its settings are bad."""
    rclpy.init(args=args)
    try:
        node = make()
    except SceneR1Error as error:  # no shutdown: newer rclpy would destroy the half-made node
        sys.stderr.write(f"{error}\n")
        return 2
    try:
        spin(node)
    finally:
        node.destroy_node()
        rclpy.try_shutdown()
    return 0


def spin(node: Node) -> None:
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    try:
        executor.spin()
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except Exception:  # a signal that comes while the executor lays out what to wait for ends as an error of rcl
        if rclpy.ok():
            raise
