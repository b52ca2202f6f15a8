"""Work under way for requests, by document, so that it can be stopped from outside.

Owns the promise that a request is answered whatever happens to its document or its settings.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

T = TypeVar("T")


class InFlight:
    """Tasks that requests wait for."""

    def __init__(self) -> None:
        self._tasks: dict[asyncio.Task[object], str] = {}

    async def run(self, uri: str, work: Coroutine[object, object, T], stopped: T) -> T:
        """Return the result of `work`, or `stopped` if `cancel` or `stop` ended it.

        If the caller is cancelled the work is too, and the caller does not wait for its clean-up.
        """
        task: asyncio.Task[T] = asyncio.create_task(work)
        self._tasks[task] = uri
        task.add_done_callback(self._forget)
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()
        return stopped if task.cancelled() else task.result()

    def cancel(self, uri: str) -> None:
        """Stop the work on one document."""
        for task, of in self._tasks.items():
            if of == uri:
                task.cancel()

    async def stop(self) -> None:
        """Stop all work and wait for its clean-up."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks))

    def _forget(self, task: asyncio.Task[object]) -> None:
        del self._tasks[task]
        if not task.cancelled():
            task.exception()  # the caller may be gone; asyncio would complain that nobody looked
