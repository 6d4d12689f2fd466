# SPDX-License-Identifier: Apache-2.0
"""What servers say when they refuse, and what it means. Nothing of it is trusted, and all of it is bounded."""

import json
import re
import ssl
from email.utils import parsedate_to_datetime
from time import time
from typing import Any

from scene_r1_ros.reasoning.openai_stream import quote, told_in

MAX_TOLD_BYTES = 64 * 2**10  # of an error, or of a list of models
BUSY = (429, 500, 502, 503)  # asked again


class Again(Exception):
    """The server may answer a moment later; ``wait_s`` is how long it wants to be left alone."""

    def __init__(self, message: str, wait_s: float = 0.0):
        super().__init__(message)
        self.wait_s = wait_s


async def beginning(response: Any) -> bytes:
    """The first ``MAX_TOLD_BYTES`` of a response."""
    content = b""
    async for chunk in response.aiter_raw():
        content += chunk
        if len(content) > MAX_TOLD_BYTES:
            break
    return content[:MAX_TOLD_BYTES]


def told(content: bytes) -> str:
    """What an error says, quoted, whether it is JSON or not."""
    try:
        return told_in(json.loads(content))
    except (ValueError, RecursionError):
        return quote(content)


def names_in(content: bytes) -> list[str]:
    """The models that a list of them names.

    Raises:
        ValueError: this is no such list.
    """
    try:
        return [str(entry["id"]) for entry in json.loads(content)["data"]]
    except (LookupError, TypeError, RecursionError) as error:
        raise ValueError("no list of models") from error


def retry_after_s(header: str) -> float:
    """Seconds or a date (RFC 9110, 10.2.3); 0 where there is none that can be read."""
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", header, re.ASCII):
        return float(header)
    try:
        return parsedate_to_datetime(header).timestamp() - time()
    except (ValueError, TypeError, IndexError, OverflowError):
        return 0.0


def is_tls(error: BaseException | None) -> bool:
    """Whether it was TLS that failed: a certificate that nobody known has signed, another protocol."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
