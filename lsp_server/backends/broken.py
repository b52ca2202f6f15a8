"""A backend that cannot be made from its settings, in the place it has in a chain. Knows only why."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from lsp_server.backends.protocol import ChatRequest, Chunk, FimRequest, Readiness
from lsp_server.errors import ConfigurationError


class Broken:
    """A `Backend` whose every answer is what is wrong with its settings."""

    def __init__(self, name: str, error: ConfigurationError) -> None:
        self.name = name
        self.error = error

    async def fim(self, request: FimRequest) -> AsyncGenerator[Chunk, None]:
        """Fail."""
        raise self.error.with_traceback(None)
        yield Chunk("")

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Chunk, None]:
        """Fail."""
        raise self.error.with_traceback(None)
        yield Chunk("")

    async def prepare(self) -> AsyncGenerator[Readiness, None]:
        """Fail."""
        raise self.error.with_traceback(None)
        yield Readiness(ready=False)

    async def probe(self) -> None:
        """Fail."""
        raise self.error.with_traceback(None)

    async def aclose(self) -> None:
        """Close nothing."""
