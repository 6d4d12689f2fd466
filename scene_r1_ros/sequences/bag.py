# SPDX-License-Identifier: Apache-2.0
"""A sequence as a rosbag2 recording: colour, depth, camera_info and the pose of the camera's optical frame."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scene_r1_ros.errors import BadInput
from scene_r1_ros.geometry.camera import PinholeCamera
from scene_r1_ros.sequences.association import PAIR_SLOP_NS, Trajectory, nearest, pair_nearest
from scene_r1_ros.sequences.bag_reader import BagReader, open_bag
from scene_r1_ros.sequences.base import Entry, Sequence
from scene_r1_ros.sequences.decoding import check_registered, color_of, depth_of, encoding_of
from scene_r1_ros.sequences.messages import camera_of, distortion_advice, header_stamp_ns, pose_of
from scene_r1_ros.sequences.topics import ODOMETRY, Topics, choose
from scene_r1_ros.types import Frame

Key = tuple[str, int, int]  # role, log time and stamp of an image
Raws = dict[Key, bytes]
# Raw images held while their partner has not come; beyond, it is fetched from its place: slower, but nothing is lost.
MAX_WAITING = 256
MAX_WAITING_BYTES = 512 * 2**20


@dataclass(frozen=True)
class Slot:
    """Where an image lies in the bag."""

    stamp_ns: int
    log_ns: int
    number: int  # in its topic


class BagSequence(Sequence):
    """A frame's id is the number of its colour image in the topic, "000000" being the first.

    Raises:
        BadInput: not a bag, topics missing, no valid camera_info, or no image with both depth and pose.
    """

    kind = "bag"

    def __init__(self, path: Path, topics: Topics):
        super().__init__(path.name or str(path))
        self.path = path
        self._slots: dict[str, list[Slot]] = {"color": [], "depth": []}
        self._cameras: list[tuple[int, PinholeCamera]] = []  # (stamp, camera)
        self._poses: list[tuple[int, NDArray[np.float64]]] = []  # (stamp, T_world_camera)
        self._pairs: dict[str, tuple[Slot, Slot]] = {}  # frame_id -> colour, depth
        self.first: dict[str, Any] = {}  # the first colour, depth and pose message
        with open_bag(path) as reader:
            self._choose(reader, topics)
            self._scan(reader)
        self._check_frames(topics)
        if not self._cameras:
            raise self._no_camera()
        self._cameras.sort(key=lambda pair: pair[0])
        self._camera_ns = np.array([stamp for stamp, _ in self._cameras], np.int64)
        self._trajectory = Trajectory([stamp for stamp, _ in self._poses], [pose for _, pose in self._poses])
        self.set_entries(list(self._entries()))

    def pose(self, frame_id: str) -> NDArray[np.float64]:
        return self._trajectory.at(self.entry(frame_id).stamp_ns)

    def read(self, entry: Entry) -> Frame:
        with open_bag(self.path) as reader:
            return self._frame(reader, entry, {})

    def encodings(self) -> tuple[str, str]:
        return encoding_of(self.first["color"]), encoding_of(self.first["depth"])

    def loaders(self) -> Iterator[tuple[str, Callable[[], Frame]]]:
        """Reads the bag once, from front to end: a bag without index has no other way that is quick."""
        pending = list(reversed(self.entries))
        needed = {key for entry in pending for key in self._keys(entry)}
        waiting: Raws = {}
        with open_bag(self.path) as reader:
            for key, raw in self._images(reader):
                if key in needed:
                    waiting[key] = raw
                while pending and (too_many(waiting) or all(k in waiting for k in self._keys(pending[-1]))):
                    entry = pending.pop()
                    needed.difference_update(self._keys(entry))  # what was fetched must not wait when it comes
                    yield entry.frame_id, partial(self._frame, reader, entry, waiting)
            while pending:
                entry = pending.pop()
                yield entry.frame_id, partial(self._frame, reader, entry, waiting)

    def _choose(self, reader: BagReader, topics: Topics) -> None:
        notes: list[str] = []
        self.types = {name: type_ for name, type_ in reader.types.items() if reader.counts[name] > 0}
        self.topics = choose(self.types, topics, notes)
        self._roles = {name: role for role, name in vars(self.topics).items()}
        for note in notes:
            self.report(note)

    def _scan(self, reader: BagReader) -> None:
        """Note stamp and place of every image, and read every camera_info and pose."""
        count: Counter[str] = Counter()
        try:
            for topic, log_ns, raw in reader.messages(self._roles):
                try:
                    self._note(reader, topic, Slot(header_stamp_ns(raw), log_ns, count[topic]), raw)
                except BadInput as error:
                    self.tally(f"messages of {topic}", f"number {count[topic]}: {error}")
                count[topic] += 1
        except BadInput as error:
            self.report(f"only the first part is used: {error}")
        for slots in self._slots.values():
            slots.sort(key=lambda slot: slot.stamp_ns)
        self.report_tally()

    def _note(self, reader: BagReader, topic: str, slot: Slot, raw: bytes) -> None:
        role = self._roles[topic]
        if role not in self.first:
            self.first[role] = reader.deserialize(raw, self.types[topic])
        if role == "camera_info":
            self._note_camera(slot.stamp_ns, reader.deserialize(raw, self.types[topic]))
        elif slot.stamp_ns <= 0:
            raise BadInput(f"its stamp is {slot.stamp_ns} ns; the driver must stamp its messages")
        elif role == "pose":
            self._poses.append((slot.stamp_ns, pose_of(reader.deserialize(raw, self.types[topic]))))
        else:
            self._slots[role].append(slot)

    def _note_camera(self, stamp_ns: int, message: Any) -> None:
        self._cameras.append((stamp_ns, camera_of(message, self.topics.color)))
        if advice := distortion_advice(message, self.topics.color):
            self.report(advice)

    def _check_frames(self, given: Topics) -> None:
        """Say where the pose is not that of the camera, by the frame names in the headers."""
        color, pose = self.first.get("color"), self.first.get("pose")
        frame = color.header.frame_id if color else ""
        child = pose.child_frame_id if pose and self.types[self.topics.pose] == ODOMETRY else frame
        if child not in ("", frame):
            problem = (
                f"{self.topics.pose} is the pose of {child!r}, but the images are taken in {frame!r}; record the pose "
                "of the camera's optical frame, or name this topic to use it as if it were"
            )
            if given.pose is None:
                raise BadInput(problem)
            self.report(problem)

    def _no_camera(self) -> BadInput:
        return BadInput(
            f"{self.name} has no valid camera_info on {self.topics.camera_info}: {'; '.join(self.problems)}"
        )

    def _entries(self) -> Iterator[Entry]:
        colors, depths = self._slots["color"], self._slots["depth"]
        color_ns, depth_ns = (np.array([slot.stamp_ns for slot in slots], np.int64) for slots in (colors, depths))
        pairs = dict(pair_nearest(color_ns, depth_ns))
        for i, color in enumerate(colors):
            try:
                if i not in pairs:
                    raise BadInput(f"no depth within {PAIR_SLOP_NS * 1e-6:.0f} ms; {self._offset(color_ns, depth_ns)}")
                self._trajectory.at(color.stamp_ns)
            except BadInput as error:
                self.tally("frames", f"{color.number:06d}: {error}")
                continue
            depth = depths[pairs[i]]
            self._pairs[f"{color.number:06d}"] = (color, depth)
            yield Entry(f"{color.number:06d}", color.stamp_ns, depth.stamp_ns)

    def _offset(self, color_ns: NDArray[np.int64], depth_ns: NDArray[np.int64]) -> str:
        if len(depth_ns) == 0:
            return "there is no stamped depth image"
        apart_ms = np.median(np.abs(depth_ns[nearest(depth_ns, color_ns)] - color_ns)) * 1e-6
        return f"the nearest is {apart_ms:.1f} ms away in the median: synchronise the cameras or their clocks"

    def _keys(self, entry: Entry) -> tuple[Key, Key]:
        color, depth = self._pairs[entry.frame_id]
        return ("color", color.log_ns, color.stamp_ns), ("depth", depth.log_ns, depth.stamp_ns)

    def _images(self, reader: BagReader) -> Iterator[tuple[Key, bytes]]:
        try:
            for topic, log_ns, raw in reader.messages([self.topics.color, self.topics.depth]):
                if len(raw) >= 12:
                    yield (self._roles[topic], log_ns, header_stamp_ns(raw)), raw
        except BadInput as error:
            self.report(f"only the first part is used: {error}")

    def _frame(self, reader: BagReader, entry: Entry, raws: Raws) -> Frame:
        keys = self._keys(entry)
        held = {key: raws.pop(key) for key in keys if key in raws}  # both, before anything can go wrong with one
        held |= self._fetch([key for key in keys if key not in held])
        color, depth = (reader.deserialize(held[key], self.types[getattr(self.topics, key[0])]) for key in keys)
        check_registered(color.header.frame_id, depth.header.frame_id)
        camera = self._cameras[int(nearest(self._camera_ns, np.array([entry.stamp_ns]))[0])][1]
        return Frame(
            frame_id=entry.frame_id,
            stamp_ns=entry.stamp_ns,
            color=color_of(color),
            depth_m=depth_of(depth),
            camera=camera,
            T_world_camera=self._trajectory.at(entry.stamp_ns),
        )

    def _fetch(self, keys: list[Key]) -> Raws:
        """The raw images at these places, through a reader of its own: another may be half way through the file."""
        found: Raws = {}
        if not keys:
            return found
        with open_bag(self.path) as reader:
            for role, log_ns, stamp_ns in keys:
                for _, _, raw in reader.messages([getattr(self.topics, role)], log_ns):
                    if header_stamp_ns(raw) == stamp_ns:
                        found[role, log_ns, stamp_ns] = raw
                if (role, log_ns, stamp_ns) not in found:
                    raise BadInput(f"its {role} image is no longer in the bag; was the file changed meanwhile?")
        return found


def too_many(waiting: Raws) -> bool:
    return len(waiting) > MAX_WAITING or sum(map(len, waiting.values())) > MAX_WAITING_BYTES
