# SPDX-License-Identifier: Apache-2.0
"""Work that waits for others, such as a server, and can be called off at any moment."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from scene_r1_ros.errors import ModelFailed

POLL_S = 0.02  # how soon a cancel is seen while nothing comes

T = TypeVar("T")


def watched(work: Coroutine[Any, Any, T], should_stop: Callable[[], bool]) -> T | None:
    """What a coroutine returns; None where ``should_stop()`` became true: it is canceled then, wherever it waits."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        loop = asyncio.new_event_loop()
    else:
        work.close()
        raise ModelFailed("a server cannot be asked from inside an event loop (a notebook, a coroutine); "
                          "call from a thread: await asyncio.to_thread(...)")  # fmt: skip
    task = loop.create_task(work)
    try:
        loop.run_until_complete(_until(task, should_stop))
        return None if task.cancelled() else task.result()
    finally:
        task.cancel()
        loop.run_until_complete(asyncio.wait({task}))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()  # does not wait for a name that is still being resolved


async def _until(task: asyncio.Task, should_stop: Callable[[], bool]) -> None:
    while not task.done() and not should_stop():
        await asyncio.wait({task}, timeout=POLL_S)
    if task.cancel():
        await asyncio.wait({task})
