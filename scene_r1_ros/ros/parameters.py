# SPDX-License-Identifier: Apache-2.0
"""ROS parameters made from dataclasses of settings, so that default, range and help stand in one place.

A setting ``max_bytes`` of the field ``buffer`` is the parameter ``buffer.max_bytes``, whether it comes from a params
file or from ``-p buffer.max_bytes:=...``. Parameters are read once, at start, hence read-only.
"""

from array import array
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.node import Node

from scene_r1_ros.config import override

Settings = TypeVar("Settings")


def declare(node: Node, defaults: Settings, prefix: str = "") -> Settings:
    """Declare a parameter for every setting of a dataclass tree and return the tree with the values that were given.

    Args:
        prefix: put before the names, as ``prefix.name``.

    Raises:
        BadInput: a value of the wrong type, out of range or not among the choices; the same words as for a YAML file.
    """
    start = f"{prefix}." if prefix else ""
    settings = override(defaults, _given(node, defaults, start), f"parameters of node {node.get_name()}")
    _declare(node, settings, start)
    return settings


def _given(node: Node, settings: Any, start: str) -> dict[str, Any]:
    """The values the operator gave, of whatever type: rclpy's own check would speak before ours."""
    anything = ParameterDescriptor(dynamic_typing=True)
    values = {}
    for setting in fields(settings):
        default, name = getattr(settings, setting.name), start + setting.name
        if is_dataclass(default):
            values[setting.name] = _given(node, default, f"{name}.")
        else:
            given = node.declare_parameter(name, _to_ros(default), anything).value
            node.undeclare_parameter(name)
            values[setting.name] = _from_ros(given, default)
    return values


def _declare(node: Node, settings: Any, start: str) -> None:
    for setting in fields(settings):
        value, name = getattr(settings, setting.name), start + setting.name
        if is_dataclass(value):
            _declare(node, value, f"{name}.")
        else:
            node.declare_parameter(name, _to_ros(value), _descriptor(setting.metadata, value), ignore_override=True)


def _descriptor(rule: Any, value: Any) -> ParameterDescriptor:
    descriptor = ParameterDescriptor(description=rule["help"], read_only=True)
    if rule["choices"]:
        descriptor.additional_constraints = f"one of: {', '.join(rule['choices'])}"
    low, high = rule["low"], rule["high"]
    if low is not None and high is not None:
        if isinstance(value, int):
            descriptor.integer_range = [IntegerRange(from_value=low, to_value=high)]
        else:
            descriptor.floating_point_range = [FloatingPointRange(from_value=float(low), to_value=float(high))]
    return descriptor


def _to_ros(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _from_ros(value: Any, default: Any) -> Any:
    """Arrays as tuples, their numbers as floats; the rest as it is."""
    if isinstance(default, tuple) and isinstance(value, array | list):
        return tuple(float(v) if isinstance(v, int | float) else v for v in value)
    return value
