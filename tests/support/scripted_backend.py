"""A backend that says what it is told to: for orders of events that no model can be made to produce."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from lsp_server.backends.protocol import ChatRequest, Chunk, FimRequest, Readiness


class ScriptedBackend:
    """Answers each request with the next reply: pieces of text, `None` for "wait until told", or an error."""

    name = "scripted"

    def __init__(self, *replies: list[str | None] | Exception) -> None:
        self.replies = list(replies)
        self.requests: list[FimRequest] = []
        self.closed: list[FimRequest] = []
        """Requests whose stream was closed before its end."""
        self.go_on = asyncio.Event()

    async def fim(self, request: FimRequest) -> AsyncGenerator[Chunk, None]:
        self.requests.append(request)
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        ended = False
        try:
            for piece in reply:
                if piece is None:
                    await self.go_on.wait()
                else:
                    yield Chunk(piece)
            ended = True
            yield Chunk("", "stop")
        finally:
            if not ended:
                self.closed.append(request)

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Chunk, None]:
        raise NotImplementedError(request)
        yield Chunk("")

    async def prepare(self) -> AsyncGenerator[Readiness, None]:
        yield Readiness(ready=True)

    async def aclose(self) -> None:
        return None
