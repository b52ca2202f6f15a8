"""A backend that is seen at work: whoever watches knows when a model is being read from.

Owns nothing else: streams, errors and the end of a stream are those of the backend inside.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager, aclosing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lsp_server.backends.protocol import Backend, ChatRequest, Chunk, FimRequest, Readiness


class WatchedBackend:
    """A `Backend` around another one; each stream is read inside of a context of `work`."""

    def __init__(self, backend: Backend, work: Callable[[], AbstractContextManager[None]]) -> None:
        self._backend = backend
        self._work = work

    @property
    def name(self) -> str:
        """Return the name of the backend inside."""
        return self._backend.name

    def fim(self, request: FimRequest) -> AsyncGenerator[Chunk, None]:
        """Stream the text between prefix and suffix."""
        return self._watched(self._backend.fim(request))

    def chat(self, request: ChatRequest) -> AsyncGenerator[Chunk, None]:
        """Stream the assistant's next turn."""
        return self._watched(self._backend.chat(request))

    def prepare(self) -> AsyncGenerator[Readiness, None]:
        """Make the backend inside ready, which is not watched."""
        return self._backend.prepare()

    async def probe(self) -> None:
        """Look for a sign of life of the backend inside."""
        await self._backend.probe()

    async def aclose(self) -> None:
        """Close the backend inside."""
        await self._backend.aclose()

    async def _watched(self, chunks: AsyncGenerator[Chunk, None]) -> AsyncGenerator[Chunk, None]:
        with self._work():
            async with aclosing(chunks):
                async for chunk in chunks:
                    yield chunk
