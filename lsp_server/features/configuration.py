"""workspace/configuration, workspace/didChangeConfiguration, and saved configuration files.

Editors either answer when asked (pull) or send their settings along (push). Where both are
possible, asking wins: what VS Code sends along is null.
"""

from __future__ import annotations

import logging

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from lsp_server import config_files
from lsp_server.features import completion, registration
from lsp_server.features.session import Session
from lsp_server.options import EDITOR, SECTION, Layer
from lsp_server.settings import config_file_name
from lsp_server.uris import file_path

logger = logging.getLogger(__name__)


def register(server: LanguageServer, session: Session) -> None:
    """Follow changes of the configuration."""

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def did_change_configuration(params: types.DidChangeConfigurationParams) -> None:
        if _can_be_asked(server):
            session.expect_configuration()
            session.start(_pull(server, session))
        else:
            _apply(server, session, Layer.from_wire(EDITOR, params.settings))

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def did_save(params: types.DidSaveTextDocumentParams) -> None:
        path = file_path(params.text_document.uri)
        if path is not None and (path.name == config_file_name() or path == config_files.user_file()):
            _apply(server, session, None)


async def begin(server: LanguageServer, session: Session) -> None:
    """Get the editor's settings for the first time and ask to hear of changes."""
    if _can_be_asked(server):
        await _pull(server, session)
    else:
        _apply(server, session, None)
    workspace = server.client_capabilities.workspace
    changes = workspace.did_change_configuration if workspace else None
    if changes is not None and changes.dynamic_registration:
        options = types.DidChangeConfigurationRegistrationOptions(section=SECTION)
        await registration.register_later(server, types.WORKSPACE_DID_CHANGE_CONFIGURATION, options)


async def _pull(server: LanguageServer, session: Session) -> None:
    item = types.ConfigurationItem(section=SECTION)
    try:
        values = await server.workspace_configuration_async(types.ConfigurationParams([item]))
    except JsonRpcException as error:
        logger.warning("The editor did not tell its configuration: %s", error.message)
        values = []
    _apply(server, session, Layer.from_wire(EDITOR, values[0] if values else None))


def _apply(server: LanguageServer, session: Session, editor: Layer | None) -> None:
    session.configure(editor)
    session.start(completion.register_later_if_wanted(server, session))


def _can_be_asked(server: LanguageServer) -> bool:
    workspace = server.client_capabilities.workspace
    return bool(workspace and workspace.configuration)
