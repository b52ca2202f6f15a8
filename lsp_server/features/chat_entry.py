"""The entry of a code-action menu that opens a chat about what stands at a place of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from lsp_server.documents.snapshot import Snapshot
from lsp_server.features.chat_document import KIND, OPEN
from lsp_server.features.client import Client
from lsp_server.features.session import Session
from lsp_server.uris import file_path

if TYPE_CHECKING:
    from lsp_server.chat.actions.site import Target


def openings(
    session: Session, client: Client, snapshot: Snapshot, target: Target | None
) -> list[types.Command | types.CodeAction]:
    """Return the entry, if something here can be linked to; many editors run no commands but from a menu."""
    path = file_path(snapshot.uri)
    if session.root is None or path is None or target is None or not client.shows_documents:
        return []
    if not path.is_relative_to(session.root):
        return []
    from lsp_server.chat.actions.offer import titled

    first, _ = snapshot.lines.position(target.start, session.encoding)
    last, column = snapshot.lines.position(target.end, session.encoding)
    place = {"start": {"line": first, "character": 0}, "end": {"line": last, "character": column}}
    title = titled("Ask about {kind} {name} in a chat", target)
    command = types.Command(title, OPEN, arguments=[{"uri": snapshot.uri, "range": place}])
    return [types.CodeAction(title, kind=KIND, command=command) if client.literals else command]
