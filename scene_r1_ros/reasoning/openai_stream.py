# SPDX-License-Identifier: Apache-2.0
"""A chat completion as servers stream it: lines ``data: {...}`` of server-sent events, in whatever pieces they come.

Nothing a server sends is trusted: lines, the stream and the text are bounded, and every field may be of any type.
"""

import json
from collections.abc import Callable
from typing import Any

from scene_r1_ros.reasoning.sections import MAX_CHARACTERS
from scene_r1_ros.reasoning.server_address import without_key
from scene_r1_ros.text import clean_text

MAX_BYTES = 32 * 2**20  # of one stream; a word costs some 300 bytes
MAX_TOKENS = 2**24  # no model reads or writes more in one reply: what says so counts wrongly
MAX_LINE_BYTES = 2**20
MAX_QUOTED = 300  # characters of what a server sent, in a message
FIELDS = (b"data", b"event", b"id", b"retry", b"")  # of server-sent events; empty: a comment, or the end of an event


class BadStream(ValueError):
    """What a server streamed is no chat completion."""


class ServerError(BadStream):
    """The server says in its stream that it failed."""


class ReplyStream:
    """Fed with bytes, it says each word of the answer through ``on_text``."""

    def __init__(self, on_text: Callable[[str], None]):
        self.text = ""
        self.input_tokens = 0  # 0 where the server does not count
        self.cached_tokens = 0  # of these, in its prefix cache
        self.output_tokens = 0  # where the server does not count, pieces of text
        self.finished = False  # the model came to its end, or to the limit of tokens
        self.done = False  # nothing follows
        self._on_text = on_text
        self._thinking = False
        self._counted = False  # the server has said how many tokens it wrote
        self._rest = b""  # a line that has not ended yet
        self._n_bytes = 0

    def feed(self, chunk: bytes) -> None:
        """
        Raises:
            BadStream: this is no stream of a chat completion, or it is too long.
            ServerError: the server says that it failed.
        """
        self._n_bytes += len(chunk)
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if self._n_bytes > MAX_BYTES or len(self._rest) > MAX_LINE_BYTES:
            raise BadStream(f"more than {MAX_BYTES} bytes, or a line of more than {MAX_LINE_BYTES}")
        for line in lines:
            if not self.done:
                self._read(line.strip())

    def _read(self, line: bytes) -> None:
        field, _, value = line.partition(b":")
        if field not in FIELDS:
            raise BadStream(f"{quote(line)} is no line of server-sent events")
        if field == b"data" and value.strip():
            self._event(value.strip())

    def _event(self, data: bytes) -> None:
        if data == b"[DONE]":
            self.done = self.finished = True
            return
        try:
            event = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise BadStream(f"{quote(data)} is no JSON") from error
        if not isinstance(event, dict):
            raise BadStream(f"{quote(data)} is no JSON object")
        if event.get("error"):
            raise ServerError(f"the error {told_in(event)}")
        self._count(_dict(event.get("usage")))
        choices = event.get("choices")
        if isinstance(choices, list) and choices:
            self._hear(_dict(choices[0]))

    def _count(self, usage: dict[str, Any]) -> None:
        self.input_tokens = _count_of(usage.get("prompt_tokens"), self.input_tokens)
        self._counted = self._counted or _count_of(usage.get("completion_tokens"), -1) >= 0
        self.output_tokens = _count_of(usage.get("completion_tokens"), self.output_tokens)
        cached = _count_of(_dict(usage.get("prompt_tokens_details")).get("cached_tokens"), self.cached_tokens)
        self.cached_tokens = min(cached, self.input_tokens)

    def _hear(self, choice: dict[str, Any]) -> None:
        """Some servers take the thinking out of the text and send it beside; here it is put back."""
        delta = _dict(choice.get("delta"))
        if thought := _text(delta.get("reasoning_content")) or _text(delta.get("reasoning")):
            self._say(thought if self._thinking else f"<think>{thought}")
            self._thinking = True
        if words := _text(delta.get("content")):
            self._say(f"</think>{words}" if self._thinking else words)
            self._thinking = False
        self.finished = self.finished or bool(choice.get("finish_reason"))

    def _say(self, words: str) -> None:
        self.text += words
        self.output_tokens += not self._counted
        if len(self.text) > MAX_CHARACTERS:
            raise BadStream(f"more than {MAX_CHARACTERS} characters of answer")
        self._on_text(words)


def told_in(message: Any) -> str:
    """What an error message of a server says, in any of the forms they use, quoted and cut."""
    for key in ("error", "message", "detail"):
        if isinstance(message, dict) and message.get(key):
            message = message[key]
    return quote(message if isinstance(message, str) else json.dumps(message))


def quote(sent: str | bytes) -> str:
    """The beginning of what a server sent, on one line; without the key, which it may have sent back."""
    text = sent.decode("utf-8", "replace") if isinstance(sent, bytes) else sent
    return repr(clean_text(" ".join(without_key(text).split()), MAX_QUOTED))


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return clean_text(value, MAX_CHARACTERS + 1) if isinstance(value, str) else ""


def _count_of(value: Any, otherwise: int) -> int:
    return value if type(value) is int and 0 <= value < MAX_TOKENS else otherwise
