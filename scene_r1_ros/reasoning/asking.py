# SPDX-License-Identifier: Apache-2.0
"""Ask a model and read its reply; when that fails, tell it why and ask once more."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from scene_r1_ros.answer import Usage
from scene_r1_ros.errors import ParseFailed
from scene_r1_ros.reasoning.protocol import Model, Reply, Request
from scene_r1_ros.reasoning.sections import reasoning_of
from scene_r1_ros.run import Run

log = logging.getLogger(__name__)

T = TypeVar("T")


def ask(model: Model, request: Request, run: Run, read: Callable[[Reply], T]) -> tuple[T, Reply]:
    """What ``read`` made of the reply, and the reply itself. The words are streamed to the listener of ``run``.

    Raises:
        ParseFailed: ``read`` could not read the second reply either.
        ModelFailed: the model could not run.
        Canceled, DeadlineExceeded: the query should stop.
        OutOfTokens: the model has written all that it may for this query; it is not asked any more.
    """
    reply = _reply(model, request, run)
    try:
        value = read(reply)
    except ParseFailed as error:
        log.warning("%s: unreadable reply to a %s request, asked again: %s", model.spec.name, request.task, error)
        reply = _reply(model, replace(request, complaint=str(error)), run)
        value = _read_again(model, reply, read)
    run.think(reasoning_of(reply.text))
    return value, reply


def _read_again(model: Model, reply: Reply, read: Callable[[Reply], T]) -> T:
    try:
        return read(reply)
    except ParseFailed as error:
        remedy = f"{model.spec.name} was told so and asked again, in vain: ask in other words, or another model"
        raise ParseFailed(f"{error}; {remedy}", error.text) from error


def _reply(model: Model, request: Request, run: Run) -> Reply:
    run.check()
    run.check_tokens()
    reply = model.reply(request, run.say, run.should_stop)
    tokens = (reply.input_tokens, reply.cached_tokens, reply.output_tokens)
    run.count(Usage(1, len(request.frames), *tokens, reply.first_token_s))
    run.say("" if reply.text.endswith("\n") else "\n")  # what is said next begins a line of its own
    run.check()  # a reply that was stopped is not whole, and is never read
    return reply
