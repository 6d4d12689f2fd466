# SPDX-License-Identifier: Apache-2.0
"""A real HTTP server that answers chat completions as a test wants it to, also badly."""

import base64
import json
import socket
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import cv2
import numpy as np

Behaviour = Callable[["Handler"], None]

COUNTS = {"prompt_tokens": 700, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 512}}
USAGE = {"choices": [], "usage": COUNTS}
STOP = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


class Handler(BaseHTTPRequestHandler):
    """One connection. What was asked is kept by the server; what is answered, the next of its behaviours says."""

    server: "ChatServer"
    sent: bytes
    body: Any

    def do_POST(self) -> None:
        self.sent = self.rfile.read(int(self.headers["Content-Length"]))
        self.body = json.loads(self.sent)
        self._serve(self.server.next_behaviour())

    def do_GET(self) -> None:
        self.body = None
        self._serve(self.server.models)

    def _serve(self, behaviour: Behaviour) -> None:
        self.server.asked.append(self)
        self.server.was_asked.set()
        try:
            behaviour(self)
        finally:
            self.close_connection = True

    def start(self, status: int = 200, kind: str = "text/event-stream", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def event(self, event: Any) -> None:
        self.raw(b"data: " + (event if isinstance(event, bytes) else json.dumps(event).encode()) + b"\n\n")

    def words(self, *words: str) -> None:
        for word in words:
            self.event({"choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]})

    def raw(self, content: bytes) -> None:
        self.wfile.write(content)
        self.wfile.flush()

    @property
    def pictures(self) -> list[np.ndarray]:
        """What the model is shown, each (H, W, 3) RGB."""
        parts = [part for part in self.body["messages"][1]["content"] if part["type"] == "image_url"]
        return [_decoded(part["image_url"]["url"]) for part in parts]

    def wait_for_the_end(self) -> None:
        """Until the client closes the connection; that is noted."""
        try:
            while self.connection.recv(4096):
                pass
        except ConnectionError:
            pass
        self.server.left.set()

    def log_message(self, format: str, *args: Any) -> None:
        """Tests are quiet."""


def _decoded(url: str) -> np.ndarray:
    head, _, data = url.partition(",")
    assert head == "data:image/jpeg;base64"
    jpeg = np.frombuffer(base64.b64decode(data), np.uint8)
    return cv2.cvtColor(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def red_box(picture: np.ndarray) -> tuple[int, int, int, int]:
    """Where something red is, x1, y1, x2, y2 in pixels of the picture."""
    rows, columns = np.nonzero(picture[..., 0].astype(int) - picture[..., 2] > 100)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


class ChatServer(ThreadingHTTPServer):
    """Behaviours are used one after the other, the last one again and again."""

    daemon_threads = True

    def __init__(self, *behaviours: Behaviour, tls: ssl.SSLContext | None = None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.scheme = "https" if tls else "http"
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.behaviours = list(behaviours)
        self.models = json_reply({"data": [{"id": "served/model"}]})
        self.asked: list[Handler] = []
        self.was_asked = threading.Event()
        self.left = threading.Event()  # the client closed a connection that was waiting for its end
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_address[1]}/v1"

    @property
    def chats(self) -> list[Handler]:
        return [asked for asked in self.asked if asked.command == "POST"]

    def next_behaviour(self) -> Behaviour:
        return self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that leaves in the middle is what some tests want."""

    def close(self) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()


def says(*words: str, usage: bool = True, done: bool = True) -> Behaviour:
    """A good answer."""

    def behave(to: Handler) -> None:
        to.start()
        to.event({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}], "usage": None})
        to.words(*words)
        for event in [STOP, *([USAGE] if usage else []), *([b"[DONE]"] if done else [])]:
            to.event(event)

    return behave


def status(code: int, told: Any = None, **headers: str) -> Behaviour:
    def behave(to: Handler) -> None:
        to.start(code, "application/json", **headers)
        to.raw(json.dumps(told if told is not None else {"error": {"message": f"this is {code}"}}).encode())

    return behave


def json_reply(content: Any) -> Behaviour:
    return status(200, content)


def sends(content: bytes, *words: str) -> Behaviour:
    """These words, then these bytes, then the end of the connection."""

    def behave(to: Handler) -> None:
        to.start()
        to.words(*words)
        to.raw(content)

    return behave


def hangs(*words: str) -> Behaviour:
    """These words, if any, and then silence until the client leaves."""

    def behave(to: Handler) -> None:
        if words:
            to.start()
            to.words(*words)
        to.wait_for_the_end()

    return behave


def drops(to: Handler) -> None:
    """Closes the connection without a word."""
    to.connection.shutdown(socket.SHUT_RDWR)


def cut_in_a_chunk(to: Handler) -> None:
    """The connection is lost inside a chunk of which the rest was promised."""
    to.protocol_version = "HTTP/1.1"
    to.start(Transfer_Encoding="chunked")
    line = b'data: {"choices": [{"delta": {"content": "the red "}}]}\n\n'
    to.raw(b"%x\r\n%s\r\n" % (len(line), line) + b"40\r\ndata: {")
