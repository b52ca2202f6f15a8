"""What the client can do, as far as actions and chats depend on it: LSP's capabilities in plain words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from lsp_server.features.protocol import Protocol

PARTIAL = "lspServerPartial"
"""Experimental capability of a client that wants `$/lsp_server/partial`."""
ANSWERS = "lspServerAnswers"
"""Experimental capability of a client that shows answers itself from these notifications."""

_LINK = re.compile(r"\](?=\([A-Za-z][\w+-]*:)")

_STANDING_STILL = frozenset({"Emacs (eglot)", "Eglot", "Emacs", "emacs"})
"""`clientInfo.name` of Eglot and lsp-mode in their versions."""

_RELOADING = re.compile(r"(?i)code|codium|cursor|windsurf|theia|positron|zed|sublime|kate|intellij")
"""In the `clientInfo.name` of editors that show what becomes of an open file. Neovim, Helix, Emacs do not."""


def has_said(server: LanguageServer, capability: str) -> bool:
    """Tell whether the client has this experimental capability."""
    experimental = server.client_capabilities.experimental
    return isinstance(experimental, Mapping) and experimental.get(capability) is True


@dataclass(frozen=True)
class Client:
    """The capabilities of one client; one that says nothing can do nothing."""

    literals: bool = False
    """Takes code actions, and not only commands."""
    resolves_edits: bool = False
    """Asks for the edit of an action when the action was chosen."""
    previews_actions: bool = False
    """Shows the edit of an action first where that wants to be confirmed."""
    versions: bool = False
    """Takes edits of a document at a version."""
    creates: bool = False
    annotations: bool = False
    """Shows an edit first where that wants to be confirmed."""
    applies: bool = False
    """Applies an edit when the server asks it to."""
    shows_documents: bool = False
    reloads: bool = False
    """Shows what becomes of a file while that is open."""
    asks: bool = False
    """Has said that it can ask the user; others may be able to."""
    partial: bool = False
    """Wants to hear what a model has said so far."""
    answers: bool = False
    """Shows answers in words itself: it is asked to open no file."""
    waits: bool = True
    """Goes on while it waits for an answer; Emacs stands still for ten seconds and then gives up."""

    @classmethod
    def of(cls, server: LanguageServer) -> Client:
        """Read the capabilities of the client that is connected."""
        capabilities = server.client_capabilities
        workspace = capabilities.workspace or types.WorkspaceClientCapabilities()
        window = capabilities.window or types.WindowClientCapabilities()
        text = capabilities.text_document or types.TextDocumentClientCapabilities()
        action = text.code_action or types.CodeActionClientCapabilities()
        edit = workspace.workspace_edit or types.WorkspaceEditClientCapabilities()
        resolve = action.resolve_support
        literals = action.code_action_literal_support is not None
        annotations = edit.change_annotation_support is not None
        name = server.protocol.client_name if isinstance(server.protocol, Protocol) else ""
        waits = name not in _STANDING_STILL
        return cls(
            waits=waits,
            literals=literals,
            resolves_edits=waits and literals and resolve is not None and "edit" in resolve.properties,
            previews_actions=annotations and action.honors_change_annotations is True,
            # With either of the two a client takes `documentChanges` (LSP 3.17, WorkspaceEdit).
            versions=bool(edit.document_changes or edit.resource_operations),
            creates=types.ResourceOperationKind.Create in (edit.resource_operations or ()),
            annotations=annotations,
            applies=workspace.apply_edit is True,
            shows_documents=window.show_document is not None and window.show_document.support,
            reloads=_RELOADING.search(name) is not None,
            asks=window.show_message is not None,
            partial=has_said(server, PARTIAL) or has_said(server, ANSWERS),
            answers=has_said(server, ANSWERS),
        )


def plain(message: str) -> str:
    """Return a message that has no links: VS Code makes some in messages, even such as run its commands."""
    return _LINK.sub("] ", message)


class CannotAskError(Exception):
    """The client has no way to ask the user."""


async def ask(server: LanguageServer, question: str, choices: list[str], *, warn: bool = False) -> str | None:
    """Let the user choose; None if the user does not. Raises `CannotAskError`."""
    params = types.ShowMessageRequestParams(
        type=types.MessageType.Warning if warn else types.MessageType.Info,
        message=plain(question),
        actions=[types.MessageActionItem(title=choice) for choice in choices],
    )
    try:
        answer = await server.window_show_message_request_async(params)
    except JsonRpcException as error:
        raise CannotAskError from error
    return answer.title if answer is not None and answer.title in choices else None
