"""The command `lsp_server.pause`: automatic completions of this server stop, which is those of one window.

    pause {paused?, minutes?}   without arguments the other way round; with `minutes` for so long

What somebody asks for by hand is answered, and actions work. Returns the status.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer

from lsp_server.features.session import Session
from lsp_server.features.status import StatusLine

COMMAND = "lsp_server.pause"
LONGEST_MIN = 7 * 24 * 60
"""A week; who wants longer turns completions off in the settings."""


def register(server: LanguageServer, session: Session) -> None:
    """Serve the command."""
    pause = Pause(session.status, session.warm_up)

    @server.command(COMMAND)
    async def set_pause(*arguments: dict[str, object]) -> dict[str, Any]:
        wanted = arguments[0] if arguments and arguments[0] is not None else {}
        if not isinstance(wanted, Mapping):
            raise JsonRpcInvalidParams(f"{COMMAND} takes an object")
        minutes = _minutes(wanted.get("minutes"))
        paused = wanted.get("paused")
        if paused is None:
            paused = minutes is not None or not session.status.status.paused
        if not isinstance(paused, bool):
            raise JsonRpcInvalidParams(f"{COMMAND}: `paused` has to be true or false")
        pause.set(paused, minutes)
        return dataclasses.asdict(session.status.status)


class Pause:
    """Whether completions are paused, and until when."""

    def __init__(self, status: StatusLine, resumed: Callable[[], None]) -> None:
        self._status = status
        self._resumed = resumed
        self._end: asyncio.TimerHandle | None = None

    def set(self, paused: bool, minutes: float | None = None) -> None:
        """Begin or end a pause; a new one takes the place of an older one."""
        if self._end is not None:
            self._end.cancel()
            self._end = None
        was_paused = self._status.status.paused
        if paused and minutes is not None:
            self._end = asyncio.get_running_loop().call_later(minutes * 60, self.set, False)
        self._status.update(paused=paused)
        if was_paused and not paused:
            self._resumed()


def _minutes(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= LONGEST_MIN:
        raise JsonRpcInvalidParams(f"{COMMAND}: `minutes` has to be a number above 0, {LONGEST_MIN} at most")
    return float(value)
