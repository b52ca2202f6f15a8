"""At most one answer is being worked out per document: a newer request supersedes the older."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Turns:
    """Who is being served, by document."""

    def __init__(self) -> None:
        self._superseded: dict[str, asyncio.Future[None]] = {}

    async def take(self, uri: str, answer: Coroutine[Any, Any, T]) -> T | None:
        """Run `answer`; return None as soon as a newer turn for the same document begins."""
        self.end(uri)
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._superseded[uri] = mine
        task = asyncio.ensure_future(answer)
        try:
            waited: set[asyncio.Future[Any]] = {task, mine}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            task.cancel()
            if self._superseded.get(uri) is mine:
                del self._superseded[uri]

    def end(self, uri: str) -> None:
        """End the turn of `uri` without an answer, if there is one."""
        running = self._superseded.pop(uri, None)
        if running is not None and not running.done():
            running.set_result(None)

    def taken(self, uri: str) -> bool:
        """Say whether somebody waits for an answer in `uri`."""
        return uri in self._superseded
