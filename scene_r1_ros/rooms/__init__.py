# SPDX-License-Identifier: Apache-2.0
"""Procedural rooms with exact ground truth: the world of the demo and of tests."""

from scene_r1_ros.rooms.close_up import close_up
from scene_r1_ros.rooms.furnished import furnished_room
from scene_r1_ros.rooms.quick import render_views
from scene_r1_ros.rooms.render import RenderedFrame, render
from scene_r1_ros.rooms.room import Room, RoomObject, build_room
from scene_r1_ros.rooms.tour import tour
from scene_r1_ros.rooms.walk import walk
from scene_r1_ros.rooms.write import write_room

__all__ = [
    "RenderedFrame", "Room", "RoomObject", "build_room", "close_up", "furnished_room", "render", "render_views", "tour",
    "walk", "write_room",
]  # fmt: skip
