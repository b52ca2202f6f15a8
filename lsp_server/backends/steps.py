"""What is told on the way to a ready backend, to everybody who waits for it. Knows no backend."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable

from lsp_server.backends.protocol import Readiness


class Steps:
    """The steps of one backend's preparation; several may listen."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[Readiness | None]] = set()

    def tell(self, message: str, fraction: float | None = None) -> None:
        """Report a step to whoever listens now."""
        for listener in self._listeners:
            listener.put_nowait(Readiness(ready=False, message=message, fraction=fraction))

    async def until(self, ready: Awaitable[object]) -> AsyncGenerator[Readiness, None]:
        """Yield what is told until `ready` is done, and raise what it raises; leaving early cancels it."""
        news: asyncio.Queue[Readiness | None] = asyncio.Queue()
        self._listeners.add(news)
        waiting = asyncio.ensure_future(ready)
        waiting.add_done_callback(lambda _: news.put_nowait(None))
        try:
            while (step := await news.get()) is not None:
                yield step
            await waiting
        finally:
            self._listeners.discard(news)
            waiting.cancel()
