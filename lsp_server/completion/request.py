"""From the context to the request that a backend understands."""

from __future__ import annotations

from lsp_server.backends.protocol import FimRequest
from lsp_server.completion.context import Context
from lsp_server.settings import CompletionSettings

LINE_TOKENS = 64
"""Longest single line asked for, in tokens: 200 characters, twice what style guides allow."""


def fim_request(context: Context, settings: CompletionSettings, *, document: str) -> FimRequest:
    """Return the request for `context`.

    No stop sequences: where text ends is decided by `truncate`, which sees the syntax.
    """
    line = context.cursor.scope == "line" and not context.cursor.inline
    return FimRequest(
        prefix=context.heading + context.prefix + context.cursor.opening,
        suffix=context.suffix,
        max_tokens=min(LINE_TOKENS, settings.max_tokens) if line else settings.max_tokens,
        temperature=settings.temperature,
        document=document,
    )
