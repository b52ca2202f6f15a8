"""initialize, initialized, shutdown."""

from __future__ import annotations

import asyncio
from pathlib import Path

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from lsp_server.documents.positions import Encoding
from lsp_server.features import client_process, completion, configuration, hover
from lsp_server.features.protocol import Protocol
from lsp_server.features.session import Session
from lsp_server.options import Layer
from lsp_server.uris import file_path


def register(server: LanguageServer, session: Session) -> None:
    """Serve the life cycle."""
    watching: set[asyncio.Task[None]] = set()  # a loop keeps no tasks by itself

    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        # pygls has chosen: the first of the client's encodings that it knows, UTF-16 without a list.
        encoding = Encoding(server.workspace.position_encoding)
        options = Layer.from_wire("initializationOptions", params.initialization_options)
        if isinstance(server.protocol, Protocol):
            server.protocol.client_name = params.client_info.name if params.client_info else ""
        session.open_workspace(_root(params), encoding, options)
        if params.process_id is not None:
            # No chore of the session, which ends with `shutdown`: the editor may die before its `exit`.
            watch = client_process.leave_with(params.process_id, server.shutdown)
            watching.add(asyncio.create_task(watch))
        completion.register_if_wanted(server, session)
        hover.register_if_wanted(server, session)

    @server.feature(types.INITIALIZED)
    def initialized(_: types.InitializedParams) -> None:
        session.status.begin()
        session.start(configuration.begin(server, session))

    @server.feature(types.SHUTDOWN)
    async def shutdown(_: None) -> None:
        await session.aclose()


def _root(params: types.InitializeParams) -> Path | None:
    """Return the folder whose configuration file counts: the first one, if there are many."""
    folders = params.workspace_folders or []
    uri = folders[0].uri if folders else params.root_uri
    if uri is None:
        return Path(params.root_path) if params.root_path else None
    return file_path(uri)
