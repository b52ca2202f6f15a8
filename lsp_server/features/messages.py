"""What the user is told: window/showMessage, or to clients that want it `$/lsp_server/message`.

The experimental capability `lspServerMessages` asks for the latter: such a client knows where its log and its
settings are, and offers to open them. Must not know when something is told.
"""

from __future__ import annotations

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from lsp_server.features import client
from lsp_server.reporting import Notice, Severity

METHOD = "$/lsp_server/message"
CAPABILITY = "lspServerMessages"

_TYPES = {
    Severity.ERROR: types.MessageType.Error,
    Severity.WARNING: types.MessageType.Warning,
    Severity.INFO: types.MessageType.Info,
}


def show(server: LanguageServer, notice: Notice) -> None:
    """Let the editor show it."""
    kind = _TYPES[notice.severity]
    if notice.log_place and client.has_said(server, CAPABILITY):
        told = {"type": kind.value, "message": client.plain(notice.text), "setting": notice.setting}
        server.protocol.notify(METHOD, told)
    else:
        server.window_show_message(types.ShowMessageParams(kind, client.plain(str(notice))))
