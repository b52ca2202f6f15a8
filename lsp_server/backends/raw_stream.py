"""A model's continuation of a raw prompt, as it streams in: what was held back of the prefix is taken off."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncGenerator

from lsp_server.backends.protocol import Chunk
from lsp_server.backends.raw_fim import Opening


async def continued(chunks: AsyncGenerator[Chunk, None], held: str) -> AsyncGenerator[Chunk, None]:
    """Yield what follows `held`; only an end if the model does not begin with it. The caller closes."""
    opening = Opening(held)
    async for chunk in chunks:
        text = opening.take(chunk.text)
        if text is None:
            yield Chunk("", finish_reason="stop")
            return
        if text or chunk.finish_reason is not None:
            yield dataclasses.replace(chunk, text=text)
