"""A drawn buffer and what a model writes there, taken through context, cut and post-processing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from lsp_server.backends.protocol import FinishReason
from lsp_server.completion.context import Context, ContextBuilder
from lsp_server.completion.postprocess import postprocess
from lsp_server.completion.result import Reason
from lsp_server.completion.truncate import Cut, Truncator
from lsp_server.documents.snapshot import Snapshot
from lsp_server.settings import CompletionSettings
from tests.support.drawn import cursor

SETTINGS = CompletionSettings()

Case = tuple[str, str, str | Reason]
"""A drawn buffer, what the model writes, and what is inserted, or why nothing is."""


def context_of(language_id: str, drawn: str, settings: CompletionSettings = SETTINGS) -> Context:
    """Return the context at the cursor of a drawn buffer."""
    text, offset = cursor(drawn)
    return context_at(language_id, text, offset, settings)


def context_at(language_id: str, text: str, offset: int, settings: CompletionSettings = SETTINGS) -> Context:
    """Return the context at an offset."""
    snapshot = Snapshot("file:///drawn", language_id, 1, text)
    return asyncio.run(ContextBuilder(settings).build(snapshot, offset))


def cut_of(context: Context, pieces: Iterable[str], ended: FinishReason = "length") -> Cut:
    """Return what is kept of a stream that came in `pieces`."""
    truncator = Truncator(context.cursor, context.judge)
    for piece in pieces:
        cut = truncator.feed(piece)
        if cut is not None:
            return cut
    return truncator.finish(ended)


def inserted(context: Context, pieces: Iterable[str], ended: FinishReason = "length") -> str | Reason:
    """Return the text that would be inserted, or why there is none."""
    cut = cut_of(context, pieces, ended)
    return postprocess(cut, context.cursor, context.above, context.line_end)


def cut_up(text: str, size: int) -> list[str]:
    """Return `text` in pieces of `size` characters."""
    return [text[start : start + size] for start in range(0, len(text), size)]


def check(language_id: str, case: Case) -> None:
    """Assert what is inserted, however the stream is cut into pieces."""
    drawn, written, expected = case
    context = context_of(language_id, drawn)
    for size in (max(1, len(written)), 1, 3):
        assert inserted(context, cut_up(written, size)) == expected, f"in pieces of {size}"
