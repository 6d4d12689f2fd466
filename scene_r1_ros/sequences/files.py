# SPDX-License-Identifier: Apache-2.0
"""Reading a file that somebody else named, without hanging or filling the memory."""

import stat
from pathlib import Path

from scene_r1_ros.errors import BadInput


def read_file(path: Path, max_bytes: int, what: str) -> bytes:
    """The content of a regular file; a device or a pipe may never end.

    Args:
        what: what is expected there, for the message.

    Raises:
        BadInput: it cannot be read, is no regular file, or is larger than ``max_bytes``.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise BadInput(f"{path.name} is no regular file; expected {what}: put the file itself there")
        if status.st_size <= max_bytes:
            with path.open("rb") as file:
                data = file.read(max_bytes + 1)  # it may have grown meanwhile
            if len(data) <= max_bytes:
                return data
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        reason = getattr(error, "strerror", None) or error
        raise BadInput(f"{path.name[:100]} cannot be read: {reason}; expected {what}: copy it again") from error
    raise BadInput(f"{path.name} has more than {max_bytes} bytes; expected {what}: is it the right file?")
