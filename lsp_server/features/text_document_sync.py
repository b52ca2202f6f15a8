"""textDocument/didOpen, didChange, didClose: the documents of the session.

The handlers are not coroutines: a change is in force before the next message is looked at.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from lsp_server.documents.store import Edit, UnknownDocument
from lsp_server.features.session import Session

logger = logging.getLogger(__name__)


def register(server: LanguageServer, session: Session) -> None:
    """Keep the documents as the client has them."""

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: types.DidOpenTextDocumentParams) -> None:
        session.open_document(params.text_document)
        session.warm_up()

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(params: types.DidChangeTextDocumentParams) -> None:
        change_document(session, params.text_document, params.content_changes)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(params: types.DidCloseTextDocumentParams) -> None:
        session.close_document(params.text_document.uri)


def change_document(
    session: Session,
    document: types.VersionedTextDocumentIdentifier,
    changes: Iterable[types.TextDocumentContentChangeEvent],
) -> None:
    """Take changes of a document, or of a cell of a notebook."""
    try:
        now = session.documents.change(document.uri, document.version, map(_edit, changes))
    except UnknownDocument:
        logger.warning("Ignored a change of a document that is not open: %s", document.uri)
        return
    session.stats.changed(now)


def _edit(change: types.TextDocumentContentChangeEvent) -> Edit:
    if isinstance(change, types.TextDocumentContentChangeWholeDocument):
        return Edit(change.text)
    start, end = change.range.start, change.range.end
    return Edit(change.text, ((start.line, start.character), (end.line, end.character)))
