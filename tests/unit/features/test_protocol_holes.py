"""What pygls would do by itself and must not: tracebacks for clients, threads that handlers exhaust."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from pygls.constants import ATTR_EXECUTE_IN_THREAD

from lsp_server.server import Server

AT_ONCE = {
    *("initialize", "initialized", "workspace/didChangeConfiguration", "textDocument/didSave"),
    *("textDocument/didOpen", "textDocument/didChange", "textDocument/didClose"),
    *("notebookDocument/didOpen", "notebookDocument/didChange", "notebookDocument/didClose"),
    *("lsp_server.chat.stop", "lsp_server.stopAction", "lsp_server.status", "lsp_server.stats"),
}
"""Handlers that are no coroutines: the reader waits for them, so they only keep what they are told."""


@pytest.fixture(autouse=True)
def _level() -> Iterator[None]:
    """Give the log its level back: a server sets it for its whole process."""
    log = logging.getLogger("lsp_server")
    before = log.level
    yield
    log.setLevel(before)


class Written:
    """What the server sends; a writer of pygls."""

    def __init__(self) -> None:
        self._messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.all: list[dict[str, Any]] = []

    async def answer(self, request_id: int) -> dict[str, Any]:
        while (message := await self._messages.get()).get("id") != request_id:
            pass
        return message

    def write(self, data: bytes) -> None:
        self.all.append(json.loads(data.partition(b"\r\n\r\n")[2]))
        self._messages.put_nowait(self.all[-1])

    def close(self) -> None:
        """Keep all."""


def _send(server: Server, **message: object) -> None:
    text = json.dumps({"jsonrpc": "2.0", **message})
    hook = server.protocol.structure_message
    server.protocol.handle_message(json.loads(text, object_hook=hook))


@pytest.mark.parametrize("is_async", [True, False])
async def test_an_internal_error_is_answered_and_brings_no_traceback(is_async: bool) -> None:
    server, written = Server("nowhere", None), Written()
    server.protocol.set_writer(written)

    async def fail_later() -> None:
        await asyncio.sleep(0)
        raise ZeroDivisionError("text of the buffer")

    def fail() -> None:
        raise ZeroDivisionError("text of the buffer")

    server.command("test.fail")(fail_later if is_async else fail)
    params: dict[str, object] = {"processId": None, "rootUri": None, "capabilities": {}}
    _send(server, id=1, method="initialize", params=params)
    _send(server, id=2, method="workspace/executeCommand", params={"command": "test.fail"})
    answer = await written.answer(2)
    assert answer["error"]["code"] == -32603
    assert set(answer["error"]) == {"code", "message"}
    assert "buffer" not in str(answer)
    assert [it for it in written.all if "window" in it.get("method", "")] == []
    await server.session.aclose()


async def test_a_cancellation_that_comes_late_is_an_ordinary_event(caplog: pytest.LogCaptureFixture) -> None:
    server, written = Server("nowhere", None), Written()
    server.protocol.set_writer(written)
    params: dict[str, object] = {"processId": None, "rootUri": None, "capabilities": {}}
    _send(server, id=1, method="initialize", params=params)
    await written.answer(1)
    with caplog.at_level(logging.INFO):
        for request in (1, 99, "no number"):
            _send(server, method="$/cancelRequest", params={"id": request})
    assert [it["id"] for it in written.all if "id" in it] == [1]
    assert caplog.messages == []
    await server.session.aclose()


def test_no_handler_keeps_the_reader_waiting() -> None:
    """A handler on pygls' threads may starve the reader, which needs one of them; a sync one blocks it."""
    manager = Server("nowhere", None).protocol.fm
    handlers = {**manager.features, **manager.commands}
    assert not [name for name, handler in handlers.items() if hasattr(handler, ATTR_EXECUTE_IN_THREAD)]
    sync = {name for name, it in handlers.items() if not inspect.iscoroutinefunction(inspect.unwrap(it))}
    assert sync <= AT_ONCE
