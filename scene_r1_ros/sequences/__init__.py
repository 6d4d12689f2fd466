# SPDX-License-Identifier: Apache-2.0
"""Recorded RGB-D walks: read, described and written."""

from scene_r1_ros.sequences.base import Entry, Sequence
from scene_r1_ros.sequences.describe import Report, TopicReport, describe
from scene_r1_ros.sequences.opening import open_sequence
from scene_r1_ros.sequences.topics import Topics
from scene_r1_ros.sequences.write import write_folder

__all__ = ["Entry", "Report", "Sequence", "TopicReport", "Topics", "describe", "open_sequence", "write_folder"]
