"""A raw LSP client: starts the server, frames JSON-RPC itself, records every message.

    with LspClient(env=...) as client:
        client.initialize()
        request = client.request("textDocument/inlineCompletion", {...})
        assert client.result(request) == {"items": []}

Every message the server sends has to be consumed by the test; leaving the block shuts the server
down and fails on whatever came twice or was not asked for. Unlike a typed client this sees duplicated
answers and can send what no client should.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

Message = dict[str, Any]
PATIENCE_S = 60.0
"""For a busy machine; a test that waits this long fails."""

_LEFT_BEHIND = ("was destroyed", "never retrieved", "never awaited", "unclosed ")
"""What Python says of tasks, coroutines and files that nobody looked after, mostly in development mode."""

_QUIET_REQUESTS = {"window/workDoneProgress/create", "client/registerCapability"}


class LspClient:
    """One server process and everything it said."""

    def __init__(
        self,
        log: Path,
        *,
        arguments: Sequence[str] = ("--stdio",),
        env: Mapping[str, str] | None = None,
        configuration: object = None,
        module: str = "lsp_server",
    ) -> None:
        """`configuration` answers workspace/configuration; `log` takes the server's stderr."""
        self.log = log
        self.configuration = configuration
        self.asked: list[Message] = []
        """Requests of the server; they are answered by the client itself."""
        self.answers: dict[str, object] = {}
        """Results for requests of the server that a client need not expect; a function gets the params."""
        self.refused: set[str] = set()
        """Requests of the server that this client does not know."""
        self.tracebacks_expected = False
        self._stderr = log.open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env={**os.environ, **(env or {})},
        )
        self._messages: list[Message] = []
        self._arrived = threading.Condition()
        self._writing = threading.Lock()
        self._ended = False
        self._discarded: set[str] = set()
        self._last_id = 0
        self._version: dict[str, int] = {}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Return the server's process id."""
        return self._process.pid

    # Sending

    def send(self, *messages: Mapping[str, Any]) -> None:
        """Send messages in one write."""
        self.send_bytes(b"".join(framed({"jsonrpc": "2.0", **message}) for message in messages))

    def send_bytes(self, data: bytes) -> None:
        """Send bytes as they are."""
        assert self._process.stdin is not None
        with self._writing:
            self._process.stdin.write(data)
            self._process.stdin.flush()

    def new_request(self, method: str, params: object = None) -> Message:
        """Make a request without sending it."""
        self._last_id += 1
        return {"id": self._last_id, "method": method, "params": params}

    def request(self, method: str, params: object = None) -> int:
        """Send a request; return its id."""
        message = self.new_request(method, params)
        self.send(message)
        return int(message["id"])

    def notify(self, method: str, params: object = None) -> None:
        """Send a notification."""
        self.send({"method": method, "params": params})

    def end_of_input(self) -> None:
        """Close the server's stdin."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    # Receiving

    def response(self, request_id: int | None) -> Message:
        """Wait for the response to a request and consume it."""
        return self._take(
            lambda it: "method" not in it and it.get("id", 0) == request_id, f"response {request_id}"
        )

    def is_answered(self, request_id: int) -> bool:
        """Tell whether the response to a request is here, without consuming it."""
        with self._arrived:
            return any("method" not in it and it.get("id") == request_id for it in self._messages)

    def result(self, request_id: int) -> Any:  # noqa: ANN401
        """Wait for the result of a request."""
        response = self.response(request_id)
        assert "error" not in response, response
        return response["result"]

    def error_code(self, request_id: int | None) -> int:
        """Wait for a request to fail."""
        response = self.response(request_id)
        assert "error" in response, response
        assert "data" not in response["error"], response
        return int(response["error"]["code"])

    def expect(self, method: str, **params: object) -> Any:  # noqa: ANN401
        """Wait for a notification of the server, with these params among others, and return all of them."""

        def wanted(message: Message) -> bool:
            return message.get("method") == method and params.items() <= message["params"].items()

        return self._take(wanted, f"{method} {params}")["params"]

    def discard(self, method: str) -> None:
        """Do not care how many of these notifications come until the end."""
        self._discarded.add(method)

    def arrived(self, method: str) -> list[Any]:
        """Return the params of the notifications of this kind that are here by now, and consume them."""
        self.round_trip()
        with self._arrived:
            found = [message for message in self._messages if message.get("method") == method]
            self._messages = [message for message in self._messages if message.get("method") != method]
        return [message["params"] for message in found]

    def round_trip(self) -> None:
        """Wait until the server has dealt with everything sent before."""
        assert self.error_code(self.request("test/unknownMethod")) == -32601

    # Life cycle

    def initialize(
        self,
        capabilities: Mapping[str, object] | None = None,
        *,
        options: object = None,
        root: Path | None = None,
        name: str = "",
    ) -> Message:
        """Do the handshake and return the server's capabilities."""
        params = {
            "processId": None,
            "rootUri": root.as_uri() if root else None,
            "capabilities": {"textDocument": {"inlineCompletion": {}}, **(capabilities or {})},
            "initializationOptions": options,
            **({"clientInfo": {"name": name}} if name else {}),
        }
        result = self.result(self.request("initialize", params))
        self.notify("initialized", {})
        offered: Message = result["capabilities"]
        return offered

    def shut_down(self) -> None:
        """Ask the server to prepare for its end."""
        assert self.result(self.request("shutdown")) is None

    def exit_status(self) -> int:
        """Wait for the end of the process."""
        return self._process.wait(PATIENCE_S)

    def __enter__(self) -> LspClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        try:
            if kind is None and self._process.poll() is None:
                self.shut_down()
                self.notify("exit")
                assert self.exit_status() == 0
        finally:
            self._process.kill()
            self._process.wait()
            self._reader.join(PATIENCE_S)
            for stream in (self._process.stdin, self._process.stdout, self._stderr):
                assert stream is not None
                with contextlib.suppress(BrokenPipeError):  # what was not flushed has no reader any more
                    stream.close()
        if kind is None:
            left = [message for message in self._messages if message.get("method") not in self._discarded]
            assert left == [], left  # otherwise the server said what the test did not expect
            log = self.log.read_text(encoding="utf-8")
            assert self.tracebacks_expected or "Traceback" not in log, log
            assert not [words for words in _LEFT_BEHIND if words in log], log

    # Documents

    def open(self, uri: str, text: str, language: str = "python") -> None:
        """Open a document at version 1."""
        self._version[uri] = 1
        document = {"uri": uri, "languageId": language, "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": document})

    def change(self, uri: str, *changes: Mapping[str, Any]) -> None:
        """Change a document; it need not be open."""
        self.send(self.new_change(uri, *changes))

    def new_change(self, uri: str, *changes: Mapping[str, Any]) -> Message:
        """Make a change without sending it."""
        self._version[uri] = self._version.get(uri, 0) + 1
        document = {"uri": uri, "version": self._version[uri]}
        params = {"textDocument": document, "contentChanges": changes}
        return {"method": "textDocument/didChange", "params": params}

    def close(self, uri: str) -> None:
        """Close a document."""
        self.notify("textDocument/didClose", {"textDocument": {"uri": uri}})

    def complete(self, uri: str, line: int, character: int) -> int:
        """Ask for an inline completion; return the id of the request."""
        return self.request("textDocument/inlineCompletion", inline_params(uri, line, character))

    def completed(self, request_id: int) -> list[str]:
        """Wait for the texts of an inline completion."""
        return [item["insertText"] for item in self.result(request_id)["items"]]

    # Inside

    def _take(self, wanted: Callable[[Message], bool], what: str) -> Message:
        deadline = time.monotonic() + PATIENCE_S
        with self._arrived:
            while True:
                for index, message in enumerate(self._messages):
                    if wanted(message):
                        return self._messages.pop(index)
                if self._ended or not self._arrived.wait(deadline - time.monotonic()):
                    log = self.log.read_text(encoding="utf-8")
                    raise AssertionError(f"no {what}; there was {self._messages}; the server's log: {log}")

    def _read(self) -> None:
        assert self._process.stdout is not None
        stream = self._process.stdout
        while header := stream.readline():
            length = 0
            while header.strip():
                name, _, value = header.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
                header = stream.readline()
            self._receive(json.loads(stream.read(length)))
        with self._arrived:
            self._ended = True
            self._arrived.notify_all()

    def _receive(self, message: Message) -> None:
        if "id" in message and "method" in message:
            self.asked.append(message)
            result: object = None
            if message["method"] == "workspace/configuration":
                result = [self.configuration]
            elif message["method"] in self.answers:
                answer = self.answers[message["method"]]
                result = answer(message["params"]) if callable(answer) else answer
            elif message["method"] in self.refused:
                error = {"code": -32601, "message": "There is no such method"}
                self.send({"id": message["id"], "error": error})
                return
            else:
                assert message["method"] in _QUIET_REQUESTS, message
            self.send({"id": message["id"], "result": result})
            return
        with self._arrived:
            self._messages.append(message)
            self._arrived.notify_all()


def inline_params(uri: str, line: int, character: int, trigger: int = 2) -> Message:
    """Return the params of textDocument/inlineCompletion; trigger 1 is by hand, 2 automatic."""
    return {
        "textDocument": {"uri": uri},
        "position": {"line": line, "character": character},
        "context": {"triggerKind": trigger},
    }


def insertion(line: int, character: int, text: str) -> Message:
    """Return a content change that inserts `text`."""
    place = {"line": line, "character": character}
    return {"range": {"start": place, "end": place}, "text": text}


def framed(message: Mapping[str, Any]) -> bytes:
    """Return a message as it goes over the wire."""
    body = json.dumps(message).encode()
    return b"Content-Length: %d\r\n\r\n" % len(body) + body
