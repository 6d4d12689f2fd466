# SPDX-License-Identifier: Apache-2.0
"""A rosbag2 recording, sqlite3 or mcap, read without ROS through the library ``rosbags``."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rosbags.highlevel import AnyReader
from rosbags.typesys import Stores, get_typestore

from scene_r1_ros.errors import BadInput

STORAGE_SUFFIXES = (".mcap", ".db3")


def storage_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix in STORAGE_SUFFIXES)


def bag_path(path: Path) -> Path:
    """What to open: the folder where it has a metadata.yaml, otherwise its one storage file.

    Raises:
        BadInput: several files and no metadata.yaml to tell their order.
    """
    if path.is_file() or (path / "metadata.yaml").exists():
        return path
    files = storage_files(path)
    if len(files) != 1:
        raise BadInput(f"{path} has {len(files)} bag files and no metadata.yaml; run: ros2 bag reindex {path}")
    return files[0]


class BagReader:
    """One opened bag. A damaged one makes ``rosbags`` raise whatever its parser runs into; here it is BadInput."""

    def __init__(self, reader: AnyReader, name: str):
        self._reader, self.name = reader, name

    @property
    def counts(self) -> dict[str, int]:
        """Messages of each topic."""
        return {name: info.msgcount for name, info in self._reader.topics.items()}

    @property
    def types(self) -> dict[str, str]:
        """Type of each topic; "several" where its publishers did not agree."""
        return {name: info.msgtype or "several" for name, info in self._reader.topics.items()}

    def messages(self, topics: Iterable[str], start_ns: int | None = None) -> Iterator[tuple[str, int, bytes]]:
        """(topic, log time, raw message) in order of log time; only those logged at ``start_ns`` where it is given.

        Raises:
            BadInput: the bag is damaged from here on.
        """
        names = set(topics)
        connections = [c for c in self._reader.connections if c.topic in names]
        stop_ns = None if start_ns is None else start_ns + 1
        try:
            for connection, log_ns, raw in self._reader.messages(connections, start_ns, stop_ns) if connections else ():
                yield connection.topic, log_ns, raw
        except Exception as error:
            raise damaged(self.name, error) from error

    def deserialize(self, raw: bytes, type_: str) -> Any:
        """Raises:
        BadInput: the bytes are no message of this type.
        """
        try:
            return self._reader.deserialize(raw, type_)
        except Exception as error:
            raise BadInput(f"a message of {len(raw)} bytes is no {type_}: {error}; record the bag again") from error


@contextmanager
def open_bag(path: Path) -> Iterator[BagReader]:
    """Raises:
    BadInput: not a bag that can be opened.
    """
    # Bags of Humble and older carry no type definitions; the types we read are the same in every distribution.
    try:
        reader = AnyReader([bag_path(path)], default_typestore=get_typestore(Stores.ROS2_JAZZY))
        reader.open()
    except BadInput:
        raise
    except Exception as error:
        raise damaged(str(path), error) from error
    try:
        yield BagReader(reader, path.name)
    finally:
        reader.close()


def damaged(name: str, error: Exception) -> BadInput:
    return BadInput(
        f"bag {name} cannot be read: {type(error).__name__}: {error}; if the recording was cut off, "
        "repair it with 'ros2 bag reindex' (sqlite3) or 'mcap recover' (mcap)"
    )
