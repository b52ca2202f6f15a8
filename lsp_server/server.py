"""Wiring: settings, features and a transport make a language server. No behaviour lives here."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from functools import partial
from typing import TYPE_CHECKING

from pygls.exceptions import JsonRpcParseError
from pygls.io_ import StdoutWriter
from pygls.lsp.server import LanguageServer

from lsp_server import __version__, transport
from lsp_server.features import (
    code_action,
    configuration,
    inline_completion,
    lifecycle,
    messages,
    notebook_sync,
    pause,
    protocol,
    select_backend,
    statistics,
    text_document_sync,
)
from lsp_server.features.session import Session
from lsp_server.framing import NotAMessage
from lsp_server.reporting import Reporter

if TYPE_CHECKING:
    from pygls.io_ import Writer

    from lsp_server.framing import Reader

logger = logging.getLogger(__name__)


class Server(LanguageServer):
    """One connection to one editor."""

    protocol: protocol.Protocol

    def __init__(self, log_place: str, log_level: str | None, warning: str | None = None) -> None:
        """`warning` is told to the user as soon as there is one."""
        super().__init__(
            "codestral-lsp",
            __version__,
            protocol_cls=protocol.Protocol,
            notebook_document_sync=notebook_sync.OPTIONS,
        )
        self._reading: asyncio.Task[None] | None = None
        reporter = Reporter(partial(messages.show, self), log_place)
        self.session = Session(self, reporter, log_level=log_level, warning=warning)
        for feature in (lifecycle, configuration, text_document_sync, notebook_sync):
            feature.register(self, self.session)
        for feature in (inline_completion, code_action):
            feature.register(self, self.session)
        for commands in (select_backend, pause, statistics):
            commands.register(self, self.session)

    async def serve(self, reader: Reader, writer: Writer) -> int:
        """Serve until `exit`, the end of the stream or of the editor; return the process's exit status."""
        self.protocol.set_writer(writer)
        self._reading = asyncio.create_task(self._read(reader))
        try:
            await asyncio.wait({self._reading})
            if not self._reading.cancelled():
                self._reading.result()
        except NotAMessage as error:
            logger.error("%s", error)
        finally:
            self.shutdown()
            await self.session.aclose()
            await self.protocol.last_answers()  # `exit` may come in one write with `shutdown`
        return 0 if self.protocol.closing else 1

    def shutdown(self) -> None:
        """Read no more: `serve` comes to its end. pygls calls this, too."""
        if self._reading is not None:
            self._reading.cancel()

    async def _read(self, reader: Reader) -> None:
        while (body := await reader.message()) is not None:
            self._take(body)

    def _take(self, body: bytes) -> None:
        try:
            # The hook sees nested objects, too: it is what makes messages of them.
            self.protocol.handle_message(json.loads(body, object_hook=self.protocol.structure_message))
        except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
            self.protocol.refuse(None, JsonRpcParseError("The message is not JSON"))
        except Exception:
            logger.exception("A message could not be dealt with")


def serve_stdio(log_place: str, log_level: str | None, warning: str | None = None) -> int:
    """Serve the editor that started this process."""
    stdout = transport.claim_stdout()

    async def main() -> int:
        server = Server(log_place, log_level, warning)
        return await server.serve(transport.stdin_reader(), StdoutWriter(stdout))

    try:
        return asyncio.run(main())
    finally:
        with contextlib.suppress(OSError):  # the editor may be gone
            stdout.close()


def serve_tcp(host: str, port: int, log_place: str, log_level: str | None, warning: str | None = None) -> int:
    """Wait for one editor on a TCP port and serve it."""

    async def main() -> int:
        async with transport.one_connection(host, port) as (reader, writer):
            return await Server(log_place, log_level, warning).serve(reader, writer)

    return asyncio.run(main())
