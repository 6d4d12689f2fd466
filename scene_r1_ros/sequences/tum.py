# SPDX-License-Identifier: Apache-2.0
"""The TUM RGB-D layout: ``rgb.txt``, ``depth.txt`` and ``groundtruth.txt`` list stamps with files or poses.

Format and intrinsics: https://cvg.cit.tum.de/data/datasets/rgbd-dataset/file_formats; J. Sturm et al., "A Benchmark for
the Evaluation of RGB-D SLAM Systems", IROS 2012. Poses are of the colour camera's optical frame; depth is registered.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.errors import BadInput
from scene_r1_ros.geometry.camera import PinholeCamera
from scene_r1_ros.geometry.pose import from_quaternion
from scene_r1_ros.sequences.association import Trajectory, pair_nearest, to_ns
from scene_r1_ros.sequences.base import Entry, Sequence
from scene_r1_ros.sequences.calibration import camera_of, load_calibration
from scene_r1_ros.sequences.files import read_file
from scene_r1_ros.sequences.images import decode_color, decode_depth, read_bytes
from scene_r1_ros.types import Frame, clean_depth

DEPTH_UNIT_M = 1 / 5000
MAX_LIST_BYTES = 256 * 2**20
FREIBURG = {
    "1": PinholeCamera(640, 480, 517.3, 516.5, 318.6, 255.3),
    "2": PinholeCamera(640, 480, 520.9, 521.0, 325.1, 249.7),
    "3": PinholeCamera(640, 480, 535.4, 539.2, 320.1, 247.6),
}


class TumSequence(Sequence):
    """Raises:
    BadInput: a list is missing, the camera is unknown, or no image has both depth and pose.
    """

    kind = "tum"

    def __init__(self, path: Path):
        super().__init__(path.name or str(path))
        self.path = path
        self.camera = self._camera()
        self.trajectory = self._trajectory()
        self._files: dict[str, tuple[str, str]] = {}  # frame_id -> colour file, depth file
        self.set_entries(list(self._entries()))

    def pose(self, frame_id: str) -> NDArray[np.float64]:
        return self.trajectory.at(self.entry(frame_id).stamp_ns)

    def read(self, entry: Entry) -> Frame:
        color, depth = self._files[entry.frame_id]
        return Frame(
            frame_id=entry.frame_id,
            stamp_ns=entry.stamp_ns,
            color=decode_color(read_bytes(self.path / color)),
            depth_m=clean_depth(decode_depth(read_bytes(self.path / depth)), DEPTH_UNIT_M),
            camera=self.camera,
            T_world_camera=self.trajectory.at(entry.stamp_ns),
        )

    def encodings(self) -> tuple[str, str]:
        return Path(self._files[self.entries[0].frame_id][0]).suffix[1:], f"16-bit png, {DEPTH_UNIT_M} m"

    def _camera(self) -> PinholeCamera:
        beside = self.path / "camera.json"
        if beside.exists():
            return camera_of(load_calibration(beside), str(beside))
        found = re.search(r"(?:freiburg|fr)_?([123])", self.path.resolve().name.lower())
        if not found:
            raise BadInput(
                f"the camera of {self.path} is unknown: its name has no freiburg1, freiburg2 or freiburg3; "
                "put a camera.json with width, height, fx, fy, cx, cy beside rgb.txt"
            )
        if found[1] != "3":
            self.report(f"freiburg{found[1]} images are distorted, and are used as if they were not; undistort them")
        return FREIBURG[found[1]]

    def _trajectory(self) -> Trajectory:
        stamps_ns, poses = [], []
        for line, (stamp_ns, words) in enumerate(self._rows("groundtruth.txt", 7), 1):
            try:
                values = [float(word) for word in words[:7]]
                poses.append(from_quaternion(values[:3], values[3:]))
                stamps_ns.append(stamp_ns)
            except (ValueError, BadInput) as error:
                self.tally("poses of groundtruth.txt", f"pose {line}: {error}")
        return Trajectory(stamps_ns, poses)

    def _entries(self) -> Iterator[Entry]:
        colors, depths = (sorted(self._rows(name, 1)) for name in ("rgb.txt", "depth.txt"))
        color_ns, depth_ns = (np.array([stamp for stamp, _ in rows], np.int64) for rows in (colors, depths))
        pairs = dict(pair_nearest(color_ns, depth_ns))
        for i, (stamp_ns, (color, *_)) in enumerate(colors):
            frame_id = Path(color).stem
            try:
                if stamp_ns <= 0 or frame_id in self._files:
                    raise BadInput(f"its stamp is {stamp_ns} ns and its name {color!r}; both must be unique, above 0")
                if i not in pairs:
                    raise BadInput("no depth image within 20 ms; record both at the same rate")
                self.trajectory.at(stamp_ns)
            except BadInput as error:
                self.tally("frames", f"{frame_id}: {error}")
                continue
            self._files[frame_id] = (color, depths[pairs[i]][1][0])
            yield Entry(frame_id, stamp_ns, depths[pairs[i]][0])

    def _rows(self, name: str, n_values: int) -> Iterator[tuple[int, list[str]]]:
        """(stamp in ns, the other words) of each line that is not a comment."""
        for number, line in enumerate(read_lines(self.path / name), 1):
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            try:
                if len(words) <= n_values:
                    raise BadInput(f"{len(words)} words; expected a stamp and {n_values} more")
                yield to_ns(words[0]), words[1:]
            except BadInput as error:
                self.tally(f"lines of {name}", f"line {number}: {error}")


def read_lines(path: Path) -> list[str]:
    """Raises:
    BadInput: missing, unreadable or far too large.
    """
    try:
        return read_file(path, MAX_LIST_BYTES, "a list with one line per image").decode("utf-8").splitlines()
    except (BadInput, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: {error}; a TUM sequence has rgb.txt, depth.txt and groundtruth.txt") from error
