# SPDX-License-Identifier: Apache-2.0
"""A model on a server that speaks OpenAI's protocol: vLLM or SGLang on one machine or many, ``transformers serve``.

The prompt begins with what does not change between queries, system text and frames, so that the server's own prefix
cache holds it. The key, where the server wants one, is taken from the environment at each request, goes to the
configured server only, and stands in no message.
"""

import asyncio
import json
import logging
import random
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

from scene_r1_ros.config import ModelConfig, shown
from scene_r1_ros.errors import BadInput, ModelFailed
from scene_r1_ros.reasoning.jpeg import data_url, seen_wh
from scene_r1_ros.reasoning.openai_stream import BadStream, ReplyStream, ServerError, quote
from scene_r1_ros.reasoning.prompting import messages
from scene_r1_ros.reasoning.protocol import ModelSpec, Reply, Request
from scene_r1_ros.reasoning.server_address import (
    ADDRESS,
    KEYS,
    check_architecture,
    checked_address,
    is_open,
    key,
    without_key,
)
from scene_r1_ros.reasoning.server_errors import BUSY, Again, beginning, is_tls, names_in, retry_after_s, told
from scene_r1_ros.reasoning.watching import watched
from scene_r1_ros.text import counted

BACKOFF_S = 0.5  # before it is asked again, doubled each time
MAX_NAMES = 10  # of models in a message

log = logging.getLogger(__name__)


class OpenAIServer:
    """Each reply is one connection, which ends with it, so that a server stops to compute what nobody waits for.

    Raises:
        BadInput: ``config.path`` is no base URL with a model, or the key cannot be sent.
        ModelFailed: httpx2 is missing.
    """

    def __init__(self, config: ModelConfig, spec: ModelSpec):
        self.spec = spec
        self.url, self.model = checked_address(config.path)
        self._config = config
        self._httpx = _library()
        check_architecture(self.model, spec)
        try:
            self._httpx.URL(self.url)
        except self._httpx.InvalidURL as error:
            raise BadInput(f"model.path = {shown(config.path)}: {error}; expected {ADDRESS}") from error
        if key() and is_open(self.url):
            log.warning("the key goes to %s unencrypted; https keeps it from others on the way", self.url)

    def __repr__(self) -> str:
        return f"model {shown(self.model)} at {self.url}"

    def reply(self, request: Request, on_text: Callable[[str], None], should_stop: Callable[[], bool]) -> Reply:
        """Greedy, one stream of words. Once ``should_stop()`` is true, the connection is closed."""
        started, first_token_s = monotonic(), 0.0
        said: list[str] = []

        def hear(words: str) -> None:
            nonlocal first_token_s
            if not should_stop():
                first_token_s = first_token_s or monotonic() - started
                said.append(words)
                on_text(words)

        sizes_wh = tuple(seen_wh(f.camera.width, f.camera.height, self.spec) for f in request.frames)
        pictures: list[str] = []
        for frame, wh in zip(request.frames, sizes_wh, strict=True):
            if should_stop():
                return Reply("", sizes_wh)
            pictures.append(data_url(frame.color, wh))
        body = json.dumps(self._body(request, pictures)).encode()
        stream = watched(self._exchange(body, hear), should_stop)
        text = "".join(said)
        if stream is None:
            log.info("%r: stopped after %d characters", self, len(text))
            return Reply(text, sizes_wh, output_tokens=len(said), first_token_s=first_token_s)
        return Reply(text, sizes_wh, stream.input_tokens, stream.cached_tokens, stream.output_tokens, first_token_s)

    def _body(self, request: Request, pictures: Sequence[str]) -> dict[str, Any]:
        system, user = messages(request, self.spec.prompts, self.spec.time_format)
        urls = iter(pictures)
        content = [
            {"type": "image_url", "image_url": {"url": next(urls)}} if part["type"] == "image" else part
            for part in user["content"]
        ]
        return {
            "model": self.model,
            "messages": [system, {"role": "user", "content": content}],
            "max_tokens": self.spec.max_new_tokens,
            "temperature": self.spec.temperature,
            "frequency_penalty": 0.0,  # `transformers serve` would take the checkpoint's penalty for repeated tokens
            "stream": True,
            "stream_options": {"include_usage": True},
        }

    async def _exchange(self, body: bytes, on_text: Callable[[str], None]) -> ReplyStream:
        attempt = 0
        while True:
            try:
                return await self._attempt(body, on_text)
            except Again as again:
                backoff_s = min(BACKOFF_S * 2**attempt, self._config.silence_s) * random.uniform(0.5, 1.0)
                wait_s, attempt = max(again.wait_s, backoff_s), attempt + 1
                if attempt > self._config.retries or wait_s > self._config.silence_s:
                    asked = counted(attempt, "time")
                    raise self._failed(f"{again}; asked {asked}, try later, or see its log") from again
                log.warning("%r %s; asked again in %.1f s", self, again, wait_s)
                await asyncio.sleep(wait_s)

    async def _attempt(self, body: bytes, on_text: Callable[[str], None]) -> ReplyStream:
        stream = ReplyStream(on_text)
        try:
            async with self._client() as client:
                await self._listen(client, body, stream)
        except BadStream as error:
            remedy = "ask again, or" if isinstance(error, ServerError) else f"is this a base URL like {ADDRESS}?"
            raise self._failed(f"sent {error}; {remedy} see its log", stream.text) from error
        except self._httpx.TransportError as error:
            if not stream.finished:
                raise self._broken(error, stream) from error
        return stream

    async def _listen(self, client: Any, body: bytes, stream: ReplyStream) -> None:
        async with client.stream("POST", f"{self.url}/chat/completions", content=body) as response:
            if response.status_code != 200:
                raise await self._refused(client, response)
            kind = response.headers.get("content-type", "")
            if not kind.startswith("text/event-stream"):
                raise BadStream(f"{quote(await beginning(response))} as {quote(kind)}, which is no stream of events")
            async for chunk in response.aiter_raw():
                stream.feed(chunk)
                if stream.done:
                    return
        if not stream.finished:
            raise self._httpx.RemoteProtocolError("the stream ended before the answer did")

    def _client(self) -> Any:
        """Follows no redirect; a proxy of the environment may relay TLS, but never reads frames and key."""
        secret, config = key(), self._config
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        try:
            return self._httpx.AsyncClient(
                headers=headers | ({"Authorization": f"Bearer {secret}"} if secret else {}),
                timeout=self._httpx.Timeout(config.silence_s, connect=config.connect_s),
                follow_redirects=False,
                trust_env=self.url.startswith("https:"),
            )
        # A file of certificates that is none, a proxy's address that is none, or one that needs another library.
        except (OSError, ValueError, ImportError, self._httpx.InvalidURL) as error:
            names = "SSL_CERT_FILE, SSL_CERT_DIR, HTTPS_PROXY, ALL_PROXY"
            raise self._failed(
                f"cannot be asked: {error}; correct in the environment what is set of {names}"
            ) from error

    def _broken(self, error: Exception, stream: ReplyStream) -> Exception:
        """What a connection that failed means; before the first word it is worth another attempt."""
        why = without_key(f": {error}" if str(error) else "")
        if stream.text:
            begun = f"broke off after {len(stream.text)} characters{why}"
            return self._failed(f"{begun}; ask again, or see its log", stream.text)
        if isinstance(error, self._httpx.ReadTimeout | self._httpx.WriteTimeout):
            rule = f"sent nothing for {self._config.silence_s:g} s (model.silence_s)"
            return self._failed(f"{rule}; see its log, allow more, or show it fewer or smaller frames")
        if is_tls(error):
            return self._failed(
                f"cannot be trusted, or speaks no TLS{why}; set SSL_CERT_FILE in the environment to a file with the "
                "certificate of whoever signed the server's, or correct the address in model.path (http or https)"
            )
        if isinstance(error, self._httpx.ConnectTimeout):
            why = f" within {self._config.connect_s:g} s (model.connect_s)"
        if isinstance(error, self._httpx.ConnectError | self._httpx.ConnectTimeout):
            return Again(f"cannot be reached{why}; start the server, or correct its address in model.path")
        return Again(f"closed the connection before its first word{why}")

    async def _refused(self, client: Any, response: Any) -> Exception:
        status = response.status_code
        if 300 <= status < 400:
            target = quote(response.headers.get("location", ""))
            return self._failed(f"redirects to {target}; no redirect is followed, set model.path to the server itself")
        if status in (401, 403):  # what such a server says may hold the key
            state = "does not take the key" if key() else "wants a key"
            return self._failed(f"{state} (HTTP {status}); set {KEYS[0]} or {KEYS[1]} in the environment")
        answer = f"answers HTTP {status}: {told(await beginning(response))}"
        if status in BUSY:
            return Again(answer, retry_after_s(response.headers.get("retry-after", "")))
        return self._failed(f"{answer}; {await self._remedy(client, status, answer)}")

    async def _remedy(self, client: Any, status: int, answer: str) -> str:
        if status == 404:
            return await self._known(client)
        if f"'{self.model}'" in answer:  # so `transformers serve` refuses a model that it was not started with
            return f"name the model it serves after the # of model.path: {ADDRESS}"
        return (
            "where it is too much, lower max_frames, max_pixels or max_new_tokens in the YAML of model.spec, "
            "or start the server with room for more (vLLM: --max-model-len, --limit-mm-per-prompt)"
        )

    async def _known(self, client: Any) -> str:
        """What the server says it has, for the message about a model it does not know."""
        try:
            async with client.stream("GET", f"{self.url}/models") as response:
                names = names_in(await beginning(response))
        except (self._httpx.TransportError, ValueError):
            return f"and it lists no models; is the base URL right? it looks like {ADDRESS}"
        more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
        return f"it lists the models {', '.join(map(quote, names[:MAX_NAMES])) or 'none'}{more}; name one after the #"

    def _failed(self, message: str, text: str = "") -> ModelFailed:
        return ModelFailed(f"{self!r} {message}", text)


def _library() -> Any:
    try:
        import httpx2
    except ImportError as error:
        raise ModelFailed(
            f"httpx2 is needed to ask a server: {error}; pip install httpx2 (Python 3.11 or newer)"
        ) from error
    return httpx2
