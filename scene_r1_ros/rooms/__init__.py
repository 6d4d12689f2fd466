# SPDX-License-Identifier: Apache-2.0
"""Procedural rooms with exact ground truth: the world of the demo and of tests."""

from scene_r1_ros.rooms.render import RenderedFrame, render
from scene_r1_ros.rooms.room import Room, RoomObject, build_room
from scene_r1_ros.rooms.walk import walk
from scene_r1_ros.rooms.write import write_room

__all__ = ["RenderedFrame", "Room", "RoomObject", "build_room", "render", "walk", "write_room"]
