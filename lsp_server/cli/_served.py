"""A server process of our own, spoken to as an editor does it, to measure what editors get.

Not pygls's client: it parses each message with all types of LSP, on the loop that takes the times.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from lsp_server.engine.launcher import RUN
from lsp_server.errors import BackendUnavailable

LONGEST_MESSAGE = 1 << 20
"""Bytes of a header line; what is longer is none."""
ENDING_S = 5.0


@asynccontextmanager
async def served(root: Path, options: Mapping[str, object]) -> AsyncGenerator[Served, None]:
    """Start a server with these initialization options, and end it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", RUN, "--log-level", "error", "--stdio"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=LONGEST_MESSAGE,
    )
    server = Served(process)
    try:
        capabilities = {
            "general": {"positionEncodings": ["utf-32"]},
            "textDocument": {"inlineCompletion": {}},
        }
        params = {"processId": None, "rootUri": root.as_uri(), "capabilities": capabilities}
        await server.request("initialize", {**params, "initializationOptions": options})
        server.notify("initialized", {})
        yield server
        await server.request("shutdown", None)
        server.notify("exit", None)
        await asyncio.wait_for(process.wait(), ENDING_S)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        await server.aclose()


class Served:
    """The server, over its stdin and stdout."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._stdin, self._stdout = process.stdin, process.stdout
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._last = 0
        self._reading = asyncio.create_task(self._read())

    def notify(self, method: str, params: object) -> None:
        """Send a notification."""
        self._send({"method": method, "params": params})

    async def request(self, method: str, params: object) -> Any:  # noqa: ANN401
        """Return a result, or None for an error; raises `BackendUnavailable` if the server ended."""
        self._last += 1
        answer = self._waiting[self._last] = asyncio.get_running_loop().create_future()
        self._send({"id": self._last, "method": method, "params": params})
        await self._stdin.drain()
        return await answer

    async def aclose(self) -> None:
        """Read no more."""
        self._reading.cancel()
        await asyncio.wait({self._reading})

    def _send(self, message: Mapping[str, object]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    async def _read(self) -> None:
        try:
            while header := await self._stdout.readline():
                length = 0
                while header.strip():
                    name, _, value = header.partition(b":")
                    length = int(value) if name.lower() == b"content-length" else length
                    header = await self._stdout.readline()
                self._take(json.loads(await self._stdout.readexactly(length)))
        finally:
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(BackendUnavailable("The server ended while it was measured."))
            self._waiting.clear()

    def _take(self, message: Mapping[str, Any]) -> None:
        if "method" in message:
            if "id" in message:  # whatever it asks for, nobody is there
                self._send({"id": message["id"], "result": None})
            return
        answer = self._waiting.pop(message["id"], None)
        if answer is not None and not answer.done():
            answer.set_result(message.get("result"))
