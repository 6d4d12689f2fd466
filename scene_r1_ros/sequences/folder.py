# SPDX-License-Identifier: Apache-2.0
"""A sequence as a folder: ``NNNNNN.color.jpg`` (or png), ``NNNNNN.depth.png``, ``NNNNNN.pose.txt``, ``camera.json``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.errors import BadInput
from scene_r1_ros.geometry.pose import checked_pose
from scene_r1_ros.sequences.association import to_ns
from scene_r1_ros.sequences.base import Entry, Sequence
from scene_r1_ros.sequences.calibration import camera_of, load_calibration, number
from scene_r1_ros.sequences.files import read_file
from scene_r1_ros.sequences.images import decode_color, decode_depth, read_bytes
from scene_r1_ros.types import Frame, clean_depth

COLOR_SUFFIXES = (".color.jpg", ".color.png")
MAX_POSE_BYTES = 4096


class FolderSequence(Sequence):
    """Stamps come from ``stamps_s`` of camera.json. Where the first is 0 or earlier, all are moved so that it is 1 s:
    a stamp of 0 means 'not stamped' in ROS, and only differences matter.

    Raises:
        BadInput: no usable camera.json, or no frame with all its files.
    """

    kind = "folder"

    def __init__(self, path: Path):
        super().__init__(path.name or str(path))
        self.path = path
        values = load_calibration(path / "camera.json")
        self.camera = camera_of(values, str(path / "camera.json"))
        self.depth_unit_m = depth_unit_of(values, str(path / "camera.json"))
        self.colors = dict(self._colors())
        self.set_entries(self._entries(values.get("stamps_s")))

    def pose(self, frame_id: str) -> NDArray[np.float64]:
        entry = self.entry(frame_id)
        return read_pose(self.path / f"{entry.frame_id}.pose.txt")

    def read(self, entry: Entry) -> Frame:
        return Frame(
            frame_id=entry.frame_id,
            stamp_ns=entry.stamp_ns,
            color=decode_color(read_bytes(self.path / self.colors[entry.frame_id])),
            depth_m=clean_depth(decode_depth(read_bytes(self._depth(entry.frame_id))), self.depth_unit_m),
            camera=self.camera,
            T_world_camera=read_pose(self.path / f"{entry.frame_id}.pose.txt"),
        )

    def encodings(self) -> tuple[str, str]:
        return Path(self.colors[self.entries[0].frame_id]).suffix[1:], f"16-bit png, {self.depth_unit_m} m"

    def _depth(self, frame_id: str) -> Path:
        return self.path / f"{frame_id}.depth.png"

    def _colors(self) -> Iterator[tuple[str, str]]:
        for path in sorted(self.path.iterdir()):
            for suffix in COLOR_SUFFIXES:
                if path.name.endswith(suffix):
                    yield path.name.removesuffix(suffix), path.name

    def _entries(self, stamps_s: Any) -> list[Entry]:
        stamps_ns = {id_: stamp for id_ in self.colors if (stamp := self._stamp_ns(id_, stamps_s)) is not None}
        first = min(stamps_ns.values(), default=1)
        shift = 1_000_000_000 - first if first <= 0 else 0
        return [Entry(id_, stamp + shift, stamp + shift) for id_, stamp in stamps_ns.items()]

    def _stamp_ns(self, frame_id: str, stamps_s: Any) -> int | None:
        """The stamp of a frame whose files are all there; otherwise says what is missing."""
        try:
            for path in (self._depth(frame_id), self.path / f"{frame_id}.pose.txt"):
                if not path.is_file():
                    raise BadInput(f"{path.name} is missing")
            if not isinstance(stamps_s, dict) or frame_id not in stamps_s:
                raise BadInput("camera.json has no stamp for it; add it to stamps_s, in seconds")
            return to_ns(stamps_s[frame_id])
        except BadInput as error:
            self.report(f"frame {frame_id} skipped: {error}")
            return None


def depth_unit_of(values: dict[str, Any], where: str) -> float:
    """Metres of one step in the depth images; millimetres where the file does not say."""
    unit_m = number({"depth_unit_m": 0.001, **values}, "depth_unit_m", where)
    if not 0 < unit_m <= 1:
        raise BadInput(f"{where}: depth_unit_m = {unit_m}; expected metres per step, 0.001 for millimetres")
    return unit_m


def read_pose(path: Path) -> NDArray[np.float64]:
    """``T_world_camera`` (4, 4) from a text file of 16 numbers.

    Raises:
        BadInput: unreadable, not 16 numbers, or not rigid.
    """
    try:
        text = read_file(path, MAX_POSE_BYTES, "a 4x4 matrix as text").decode("ascii")
        numbers = [float(word) for word in text.split()]
    except ValueError as error:
        raise BadInput(f"{path.name} cannot be read: {error}; expected a 4x4 matrix as text") from error
    if len(numbers) != 16:
        raise BadInput(f"{path.name} holds {len(numbers)} numbers; a pose is a 4x4 matrix")
    return checked_pose(np.reshape(numbers, (4, 4)), path.name)
