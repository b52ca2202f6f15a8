"""An editor without a screen that asks the real server for inline completions."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from lsprotocol import types
from pygls.lsp.client import LanguageClient

from tests.support.positions import utf16_position

SECONDS = 120
"""For one completion. Generous: a first request waits for the model to load."""


@asynccontextmanager
async def editor(name: str) -> AsyncIterator[LanguageClient]:
    """Start a server that waits for no pause in typing, and end it."""
    client = LanguageClient(name, "1")
    await client.start_io(sys.executable, "-m", "lsp_server", "--stdio", "--log-level", "warning")
    await client.initialize_async(
        types.InitializeParams(
            capabilities=types.ClientCapabilities(),
            initialization_options={"completion": {"debounce_ms": 0, "timeout_ms": 60_000}},
        )
    )
    client.initialized(types.InitializedParams())
    try:
        yield client
    finally:
        await client.shutdown_async(None)
        client.exit(None)
        await client.stop()  # type: ignore[no-untyped-call]


async def completed(client: LanguageClient, uri: str, language_id: str, before: str, after: str = "") -> str:
    """Open a document, and return what the server would insert between `before` and `after`."""
    document = types.TextDocumentItem(uri, language_id, 1, before + after)
    client.text_document_did_open(types.DidOpenTextDocumentParams(document))
    params = types.InlineCompletionParams(
        text_document=types.TextDocumentIdentifier(uri),
        position=utf16_position(before),
        context=types.InlineCompletionContext(types.InlineCompletionTriggerKind.Invoked),
    )
    answer = await asyncio.wait_for(client.text_document_inline_completion_async(params), SECONDS)
    client.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri)))
    items = answer.items if isinstance(answer, types.InlineCompletionList) else answer or []
    return str(items[0].insert_text) if items else ""
