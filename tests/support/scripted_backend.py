"""A backend that says what it is told to: for orders of events that no model can be made to produce."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from lsp_server.backends.protocol import ChatRequest, Chunk, FimRequest, Readiness

Piece = str | Chunk | None


class ScriptedBackend:
    """Answers each request with the next reply: pieces of text, `None` for "wait until told", or an error.

    A piece may be a whole `Chunk`, too; one with a finish reason ends the reply.

    Without replies it answers with its name.
    """

    def __init__(
        self,
        *replies: Sequence[Piece] | Exception,
        name: str = "scripted",
        steps: Sequence[Readiness | Exception | None] = (Readiness(ready=True),),
    ) -> None:
        """Take replies, and the steps of a preparation, where `None` waits for `may_be_ready`."""
        self.name = name
        self.replies = list(replies)
        self.steps = steps
        self.may_be_ready = asyncio.Event()
        self.preparations = 0
        self.sick: Exception | None = None
        """What a probe raises."""
        self.probes = 0
        self.probe_answers = asyncio.Event()
        self.probe_answers.set()
        self.is_closed = False
        self.requests: list[FimRequest] = []
        self.chats: list[ChatRequest] = []
        self.closed: list[FimRequest | ChatRequest] = []
        """Requests whose stream was closed before its end."""
        self.go_on = asyncio.Event()

    async def fim(self, request: FimRequest) -> AsyncGenerator[Chunk, None]:
        self.requests.append(request)
        async with aclosing(self._reply(request)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Chunk, None]:
        self.chats.append(request)
        async with aclosing(self._reply(request)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _reply(self, request: FimRequest | ChatRequest) -> AsyncGenerator[Chunk, None]:
        reply = self.replies.pop(0) if self.replies else [self.name]
        if isinstance(reply, Exception):
            raise reply
        ended = False
        try:
            for piece in reply:
                if piece is None:
                    await self.go_on.wait()
                    continue
                chunk = piece if isinstance(piece, Chunk) else Chunk(piece)
                ended = chunk.finish_reason is not None
                yield chunk
            if not ended:
                ended = True
                yield Chunk("", "stop")
        finally:
            if not ended:
                self.closed.append(request)

    async def prepare(self) -> AsyncGenerator[Readiness, None]:
        self.preparations += 1
        for step in self.steps:
            if isinstance(step, Exception):
                raise step
            if step is None:
                await self.may_be_ready.wait()
            else:
                yield step

    async def probe(self) -> None:
        self.probes += 1
        await self.probe_answers.wait()
        if self.sick is not None:
            raise self.sick

    async def aclose(self) -> None:
        self.is_closed = True
