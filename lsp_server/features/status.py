"""Which backend answers, how it is, and what was kept back from it: for status lines.

The notification `$/lsp_server/status` goes to clients that ask for it with the experimental capability
`lspServerStatus`, whenever the status changes; the command `lsp_server.status` returns the same to any
client. Text of a document is never in it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from pygls.lsp.server import LanguageServer

METHOD = "$/lsp_server/status"
COMMAND = "lsp_server.status"
CAPABILITY = "lspServerStatus"


@dataclass(frozen=True)
class Status:
    """What a status line shows; the fields are the notification's parameters."""

    selected: str = ""
    """What the option `backend` says: `auto`, a profile or a backend."""
    backend: str = ""
    """Who answers completions now."""
    destination: str = ""
    """Whose machine that is; empty until the first answer."""
    state: str = "starting"
    """`starting`, `loading`, `ready`, `fallback` or `failed`."""
    message: str = ""
    """One sentence about the state, where there is something to say."""
    uri: str = ""
    """The document that `withheld` is about."""
    withheld: tuple[str, ...] = ()
    """What the privacy rules kept back from the backend, and why."""


class StatusLine:
    """The status of one connection."""

    def __init__(self, server: LanguageServer) -> None:
        self._server = server
        self._status = Status()
        self._wanted = False

    @property
    def status(self) -> Status:
        """Return what a status line shows now."""
        return self._status

    def begin(self) -> None:
        """Send the status from now on, if the client wants it; it has said `initialized`."""
        experimental = self._server.client_capabilities.experimental
        self._wanted = isinstance(experimental, Mapping) and experimental.get(CAPABILITY) is True
        self._send()

    def update(self, **changes: str | tuple[str, ...]) -> None:
        """Change fields of the status and send it if it is another one."""
        new = dataclasses.replace(self._status, **changes)  # type: ignore[arg-type]  # field names are checked by tests
        if new != self._status:
            self._status = new
            self._send()

    def _send(self) -> None:
        if self._wanted:
            self._server.protocol.notify(METHOD, dataclasses.asdict(self._status))
