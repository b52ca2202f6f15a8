"""Which backend answers, how it is, what it does, and what was kept back from it: for status lines.

The notification `$/lsp_server/status` goes to clients that ask for it with the experimental capability
`lspServerStatus`, whenever the status changes; the command `lsp_server.status` returns the same to any
client. Text of a document is never in it.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pygls.lsp.server import LanguageServer

from lsp_server.features.client import has_said

METHOD = "$/lsp_server/status"
COMMAND = "lsp_server.status"
CAPABILITY = "lspServerStatus"

BUSY_S = 0.15
"""A model has to be at work, or at rest, for so long before `busy` says so. While somebody types one request
takes the place of another within milliseconds, and what is over sooner looks like a flicker and not like
work. With this, `busy` changes six times a second at most, whatever is typed."""


@dataclass(frozen=True)
class Status:
    """What a status line shows; the fields are the notification's parameters."""

    selected: str = ""
    """What the option `backend` says: `auto`, a profile or a backend."""
    backend: str = ""
    """Who answers completions now."""
    model: str = ""
    """With which weights, or which model of a server; empty before it is known."""
    destination: str = ""
    """Whose machine that is; empty until the first answer."""
    state: str = "starting"
    """`starting`, `loading`, `ready`, `fallback` or `failed`."""
    message: str = ""
    """One sentence about the state, where there is something to say."""
    busy: bool = False
    """Whether a model is at work, for completions, actions or chats."""
    paused: bool = False
    """Whether completions wait to be asked for by hand, see `pause`."""
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
        self._work = 0
        """Replies that are being read."""
        self._timer: asyncio.TimerHandle | None = None

    @property
    def status(self) -> Status:
        """Return what a status line shows now."""
        return self._status

    def begin(self) -> None:
        """Send the status from now on, if the client wants it; it has said `initialized`."""
        self._wanted = has_said(self._server, CAPABILITY)
        self._send()

    @contextmanager
    def working(self) -> Iterator[None]:
        """Be busy meanwhile."""
        self._work += 1
        self._look_soon()
        try:
            yield
        finally:
            self._work -= 1
            self._look_soon()

    def update(self, **changes: str | bool | tuple[str, ...]) -> None:
        """Change fields of the status and send it if it is another one."""
        new = dataclasses.replace(self._status, **changes)  # type: ignore[arg-type]  # field names are checked by tests
        if new != self._status:
            self._status = new
            self._send()

    def end(self) -> None:
        """Send nothing any more: the connection ends."""
        self._wanted = False
        if self._timer is not None:
            self._timer.cancel()

    def _look_soon(self) -> None:
        """Show in a moment whether there is work; not if that is what is shown."""
        if self._timer is not None:
            if (self._work > 0) == self._status.busy:
                self._timer.cancel()
                self._timer = None
        elif (self._work > 0) != self._status.busy:
            self._timer = asyncio.get_running_loop().call_later(BUSY_S, self._look)

    def _look(self) -> None:
        self._timer = None
        self.update(busy=self._work > 0)

    def _send(self) -> None:
        if self._wanted:
            self._server.protocol.notify(METHOD, dataclasses.asdict(self._status))
