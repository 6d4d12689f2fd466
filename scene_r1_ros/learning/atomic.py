# SPDX-License-Identifier: Apache-2.0
"""Files that are whole or not there: written beside their place, then moved into it."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scene_r1_ros.errors import NotWritten


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A new file's path, in a temporary folder beside ``path``, that takes its place when the block ends.

    Where the block raises, or the disk is full, the older file stays as it was and nothing is left behind.

    Raises:
        NotWritten: the folder cannot be made or written, with the reason.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=path.parent) as folder:
            new = Path(folder) / path.name
            yield new
            with new.open("rb+") as file:
                os.fsync(file.fileno())  # before the rename, or a power cut leaves an empty file under the name
            new.replace(path)
    except OSError as error:
        reason = error.strerror or error
        raise NotWritten(f"cannot write {path}: {reason}; make room there or choose another folder") from error
