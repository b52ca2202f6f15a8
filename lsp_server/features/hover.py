"""textDocument/hover: the last explanation of a document, over the code that it explains. Asks no model."""

from __future__ import annotations

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from lsp_server.features.session import Session


def register_if_wanted(server: LanguageServer, session: Session) -> None:
    """Serve hovers if there are explanations; before `initialize` is answered this advertises them."""
    if not session.settings.chat.enabled:
        return

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def hover(params: types.HoverParams) -> types.Hover | None:
        snapshot = session.documents.get(params.text_document.uri)
        if snapshot is None or not session.settings.chat.enabled:
            return None
        line, character = params.position.line, params.position.character
        offset = snapshot.lines.offset(line, character, session.encoding)
        explained = await session.explanations.at(snapshot, offset)
        if explained is None:
            return None
        return types.Hover(
            contents=types.MarkupContent(types.MarkupKind.Markdown, explained.markdown),
            range=types.Range(
                types.Position(*snapshot.lines.position(explained.start, session.encoding)),
                types.Position(*snapshot.lines.position(explained.end, session.encoding)),
            ),
        )
