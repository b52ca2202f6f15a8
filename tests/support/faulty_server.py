"""A server on this machine that plays a fault by name until it is told to heal, and remembers what came.

    with FaultyServer("hang before headers") as server:
        ...                          # point a client, or the language server, at server.base_url
        server.heal()                # from now on every completion is `done`

It speaks HTTP/1.1 from bytes, so that it can break it. Faults concern POST requests; `GET /v1/models` works.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import trustme

from lsp_server.backends.http import ConnectionRefused
from lsp_server.errors import (
    BackendError,
    BackendLoading,
    BackendRejected,
    BackendUnavailable,
    RateLimited,
    RequestRejected,
    SuffixRefused,
)

KEY = "key-that-nobody-may-see"
"""For whoever asks this server; it repeats it in one of its errors."""

SSE = b"Content-Type: text/event-stream; charset=utf-8\r\n"
JSON = b"Content-Type: application/json\r\n"
HTML = b"Content-Type: text/html\r\n"


@dataclass
class Arrived:
    """A request that came in."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    gone: threading.Event = field(default_factory=threading.Event)
    """Set when the client went away while a reply to it was hanging."""


@dataclass
class Line:
    """One connection, as a fault sees it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    request: Arrived

    async def send(self, *parts: bytes) -> None:
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()

    async def hang(self) -> None:
        """Say nothing until the client goes away."""
        while await self.reader.read(1024):
            pass
        self.request.gone.set()


Play = Callable[[Line], Awaitable[None]]


@dataclass(frozen=True)
class Fault:
    """What happens, and what a client is to make of it."""

    play: Play
    error: type[BackendError] | None = None
    """None: the completion is `text`."""
    sentence: str = ""
    """A part of the error's message."""
    text: str = ""
    waits: bool = False
    """Only a deadline of the client ends it."""
    listens: bool = True
    """Whether there is a server at the port before `heal`."""
    host: str = "127.0.0.1"
    tls: str = ""
    """`untrusted`; `wrong host`: of a trusted authority, but for another name; `none`: no TLS there."""
    heals: bool = True
    """Whether the same address works after `heal`."""


def event(text: str | None = None, finish: str | None = None, **delta: object) -> bytes:
    """Return one event of a streamed reply."""
    if text is not None:
        delta["content"] = text
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    data = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice]}
    return b"data: " + json.dumps(data, ensure_ascii=False).encode() + b"\n\n"


END = event("", "stop")
DONE = b"data: [DONE]\n\n"


def _head(status: str, *headers: bytes) -> bytes:
    return f"HTTP/1.1 {status}\r\n".encode() + b"".join(headers)


def _whole(status: str, kind: bytes, body: bytes, *headers: bytes) -> Play:
    """Answer with a body of known length, and keep the connection."""

    async def play(line: Line) -> None:
        length = f"Content-Length: {len(body)}\r\n".encode()
        await line.send(_head(status, kind, length, *headers) + b"\r\n" + body)

    return play


def _json(status: str, body: object, *headers: bytes) -> Play:
    return _whole(status, JSON, json.dumps(body).encode(), *headers)


def _stream(*parts: bytes, kind: bytes = SSE) -> Play:
    """Answer with chunks, ended properly."""

    async def play(line: Line) -> None:
        await line.send(_head("200 OK", kind, b"Transfer-Encoding: chunked\r\n\r\n"))
        await line.send(*(_chunk(part) for part in parts if part), b"0\r\n\r\n")

    return play


def _cut_stream(*parts: bytes, then: Callable[[Line], Awaitable[None]]) -> Play:
    """Answer with chunks and no end; `then` goes on."""

    async def play(line: Line) -> None:
        await line.send(_head("200 OK", SSE, b"Transfer-Encoding: chunked\r\n\r\n"), *map(_chunk, parts))
        await then(line)

    return play


def _chunk(part: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(part), part)


async def _close(line: Line) -> None:
    line.writer.close()


async def _hang(line: Line) -> None:
    await line.hang()


def _endless(part: bytes, pause_s: float) -> Callable[[Line], Awaitable[None]]:
    async def go_on(line: Line) -> None:
        with contextlib.suppress(ConnectionError):
            while not line.writer.is_closing():
                await line.send(_chunk(part))
                await asyncio.sleep(pause_s)
        line.request.gone.set()

    return go_on


async def _half_a_chunk(line: Line) -> None:
    await line.send(b'40\r\ndata: {"choi')
    line.writer.close()


async def _garbage(line: Line) -> None:
    await line.send(b"\x00\x01 this is no HTTP \xff\r\n\r\n")
    line.writer.close()


def _split_everywhere(text: str) -> Play:
    whole = event(text) + END + DONE
    return _stream(*(whole[at : at + 1] for at in range(len(whole))))


def _crlf(data: bytes) -> bytes:
    return data.replace(b"\n", b"\r\n")


def _extra(message: str) -> dict[str, object]:
    return {"type": "extra_forbidden", "loc": ["body", "seed"], "msg": message, "input": "private text"}


REPLY = _stream(event("", role="assistant"), event("do"), event("ne"), END, DONE)
ACCENTS = "caf\u00e9 \U0001f600 \u2028 \x85"
HUGE = "0123456789abcdef" * 4096
PAGE = b"<html><head><title>%s</title></head><body><h1>Sorry</h1></body></html>"

FAULTS: Mapping[str, Fault] = {
    "none": Fault(REPLY, text="done"),
    "connection refused": Fault(_hang, ConnectionRefused, "cannot be reached", listens=False),
    "no such host": Fault(
        _hang, ConnectionRefused, "cannot be found", host="no-such-host.invalid", heals=False
    ),
    "certificate of nobody": Fault(REPLY, BackendUnavailable, "not trusted", tls="untrusted", heals=False),
    "certificate of another": Fault(REPLY, BackendUnavailable, "not trusted", tls="wrong host", heals=False),
    "no TLS": Fault(_hang, BackendUnavailable, "TLS", tls="none", heals=False),
    "hang before headers": Fault(_hang, BackendUnavailable, "did not begin", waits=True),
    "hang after the role": Fault(
        _cut_stream(event("", role="assistant"), then=_hang), BackendUnavailable, "did not begin", waits=True
    ),
    "comments without end": Fault(
        _cut_stream(then=_endless(b": OPENROUTER PROCESSING\n\n", 0.02)),
        BackendUnavailable,
        "did not begin",
        waits=True,
    ),
    "hang in the middle": Fault(
        _cut_stream(event("do"), then=_hang), BackendUnavailable, "silent for too long", waits=True
    ),
    "stream without end": Fault(
        _cut_stream(then=_endless(event("x"), 0.02)), BackendUnavailable, "did not finish", waits=True
    ),
    "flood without end": Fault(
        _cut_stream(then=_endless(event("x" * 100), 0.002)), BackendUnavailable, "did not finish", waits=True
    ),
    "closed before headers": Fault(_close, BackendUnavailable, "without an answer"),
    "no HTTP": Fault(_garbage, BackendUnavailable, "without an answer"),
    "closed in a chunk": Fault(
        _cut_stream(event("do"), then=_half_a_chunk), BackendUnavailable, "in the middle"
    ),
    "split at every byte": Fault(_split_everywhere(ACCENTS), text=ACCENTS),
    "comments and CRLF": Fault(
        _stream(
            b": hello\r\n\r\n", _crlf(event("do")), b"event: x\r\nid: 1\r\n", _crlf(event("ne") + END + DONE)
        ),
        text="done",
    ),
    "byte order mark": Fault(_stream(b"\xef\xbb\xbf" + event("done") + END + DONE), text="done"),
    "no DONE": Fault(_stream(event("done"), END), text="done"),
    "no last line end": Fault(_stream(event("done"), END.rstrip()), text="done"),
    "not streamed": Fault(
        _json("200 OK", {"choices": [{"message": {"content": "done"}, "finish_reason": "stop"}]}), text="done"
    ),
    "no finish reason": Fault(_stream(event("done")), BackendUnavailable, "before it was complete"),
    "nothing": Fault(_stream(), BackendUnavailable, "before it was complete"),
    "truncated JSON": Fault(_stream(event("done")[:40]), BackendUnavailable, "cannot be read"),
    "truncated JSON, not streamed": Fault(
        _whole("200 OK", JSON, b'{"choices": [{"message": {"content": "do'),
        BackendUnavailable,
        "cannot be read",
    ),
    "error in the stream": Fault(
        _stream(event("do"), b'data: {"error": {"message": "out of memory"}}\n\n'),
        BackendUnavailable,
        "out of memory",
    ),
    "key in the stream": Fault(
        _stream(event("do"), b'data: {"error": "Incorrect API key: %s"}\n\n' % KEY.encode()),
        BackendUnavailable,
        "in the middle of a reply.",
    ),
    "nested without end": Fault(
        _stream(b'data: {"error": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n\n"),
        BackendUnavailable,
        "cannot be read",
    ),
    "page with 200": Fault(_whole("200 OK", HTML, PAGE % b"Log in"), BackendUnavailable, "event stream"),
    "page without a type": Fault(_whole("200 OK", b"", PAGE % b"Log in"), BackendUnavailable, "event stream"),
    "page with 407": Fault(
        _whole("407 Proxy", HTML, PAGE % b"Proxy login"), BackendUnavailable, "wants a user name"
    ),
    "page with 502": Fault(_whole("502 Bad", HTML, PAGE % b"Bad gateway"), BackendUnavailable, "Bad gateway"),
    "redirect": Fault(
        _whole("302 Found", HTML, b"", b"Location: https://login.example/x?y\r\n"),
        BackendRejected,
        "https://login.example:",
    ),
    "401": Fault(_json("401 No", {"detail": "Unauthorized"}), BackendRejected, "refused the key from the"),
    "403": Fault(_whole("403 No", HTML, PAGE % b"Forbidden"), BackendRejected, "refused the key from the"),
    "402": Fault(_json("402 Pay", {"error": {"message": "Insufficient credits"}}), BackendRejected, "credit"),
    "404 model": Fault(
        _json("404 No", {"error": {"message": "The model `m` does not exist", "code": "model_not_found"}}),
        BackendRejected,
        "does not know the model codestral-latest",
    ),
    "404 path": Fault(_json("404 No", {"detail": "Not Found"}), BackendRejected, "has nothing at /v1/fim"),
    "413": Fault(_whole("413 Big", HTML, PAGE % b"Too large"), RequestRejected, "completion.context_tokens"),
    "context too long": Fault(
        _json("400 Bad", {"error": {"code": 400, "message": "exceeds the available context size"}}),
        RequestRejected,
        "completion.context_tokens",
    ),
    "suffix refused": Fault(
        _json("400 Bad", {"message": "suffix is not currently supported"}),
        SuffixRefused,
        "between two pieces",
    ),
    "422 nested": Fault(
        _json("422 No", {"object": "error", "message": {"detail": [_extra("Extra inputs")]}, "type": "x"}),
        RequestRejected,
        "seed: Extra inputs",
    ),
    "422 flat": Fault(_json("422 No", {"detail": [_extra("Not valid")]}), RequestRejected, "seed: Not valid"),
    "429 with headers": Fault(
        _json("429 Slow", {"message": "Rate limit exceeded"}, b"Retry-After: 1\r\n"), RateLimited, "in 1 s"
    ),
    "429 without headers": Fault(_json("429 Slow", None), RateLimited, "in 1 s"),
    "no quota": Fault(
        _json("429 Slow", {"error": {"message": "See your plan", "code": "insufficient_quota"}}),
        BackendRejected,
        "no credit",
    ),
    "500": Fault(_json("500 Oh", {"error": {"message": "boom"}}), BackendUnavailable, "HTTP 500): boom"),
    "500 not UTF-8": Fault(_whole("500 Oh", JSON, b'{"error": "\xff"}'), BackendUnavailable, "HTTP 500"),
    "502": Fault(_whole("502 Bad", b"", b""), BackendUnavailable, "HTTP 502"),
    "503": Fault(_json("503 Wait", {"detail": "busy"}), BackendUnavailable, "busy"),
    "503 loading": Fault(
        _json("503 Wait", {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}),
        BackendLoading,
        "loading",
    ),
    "empty completion": Fault(_stream(END, DONE), text=""),
    "huge completion": Fault(_stream(*[event(HUGE)] * 40, END, DONE), text=HUGE * 40),
    "huge event": Fault(_stream(event("x" * (1 << 20)), END, DONE), BackendUnavailable, "megabyte"),
    "line without end": Fault(
        _cut_stream(*[b"data: " + b"x" * 65_536] * 32, then=_hang), BackendUnavailable, "megabyte"
    ),
    "not UTF-8": Fault(_stream(event("a?b").replace(b"?", b"\xff"), END, DONE), text="a\ufffdb"),
}


class FaultyServer:
    """Plays one fault from a thread."""

    def __init__(self, fault: str) -> None:
        self.fault = FAULTS[fault]
        self.history: list[Arrived] = []
        self.open_connections = 0
        self.authority = trustme.CA() if self.fault.tls else None
        self._healed = False
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._tasks: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._thread = threading.Thread(target=self._loop.run_forever, name="faulty-server", daemon=True)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = int(free.getsockname()[1])

    @property
    def base_url(self) -> str:
        return f"{'https' if self.fault.tls else 'http'}://{self.fault.host}:{self._port}"

    def write_authority(self, directory: Path) -> str:
        """Return the path of the certificate that a client has to trust; empty where it is to trust none."""
        if self.authority is None or self.fault.tls != "wrong host":
            return ""
        path = directory / "authority.pem"
        self.authority.cert_pem.write_to_path(str(path))
        return str(path)

    def heal(self) -> None:
        """Answer properly from now on."""
        self._healed = True
        if self._server is None:
            self._call(self._listen())

    def wait_until_deserted(self, timeout_s: float = 10.0, *, but: int = 0) -> bool:
        """Say whether the last client has closed its connection, or all `but` some."""
        with self._changed:
            return self._changed.wait_for(lambda: self.open_connections <= but, timeout_s)

    def wait_for_request(self, count: int = 1, timeout_s: float = 20.0) -> Arrived:
        """Return the last of `count` requests once that many have come."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.history) >= count, timeout_s):
                raise AssertionError(f"{len(self.history)} requests came, not {count}")
            return self.history[count - 1]

    def __enter__(self) -> FaultyServer:
        self._thread.start()
        if self.fault.listens:
            self._call(self._listen())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, work: Awaitable[None]) -> None:
        async def run() -> None:
            await work

        asyncio.run_coroutine_threadsafe(run(), self._loop).result(20)

    async def _listen(self) -> None:
        tls = None
        if self.authority is not None and self.fault.tls != "none":
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            host = "other.example" if self.fault.tls == "wrong host" else "127.0.0.1"
            self.authority.issue_cert(host).configure_cert(tls)
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port, ssl=tls)

    async def _stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in self._tasks.values():
            writer.transport.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks[task] = writer
        self._count(+1)
        try:
            if self.fault.tls == "none" and not self._healed:
                await reader.read(1024)
                writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                return
            while (request := await _read_request(reader)) is not None:
                with self._changed:
                    self.history.append(request)
                    self._changed.notify_all()
                await self._answer(Line(reader, writer, request))
                if writer.is_closing():
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()
            del self._tasks[task]
            self._count(-1)

    async def _answer(self, line: Line) -> None:
        if line.request.method == "GET":
            await _json("200 OK", {"object": "list", "data": [{"id": "codestral-latest"}]})(line)
        elif self._healed:
            await REPLY(line)
        else:
            await self.fault.play(line)

    def _count(self, more: int) -> None:
        with self._changed:
            self.open_connections += more
            self._changed.notify_all()


async def _read_request(reader: asyncio.StreamReader) -> Arrived | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
        return None
    first, *lines = head.decode("latin-1").rstrip().split("\r\n")
    method, _, rest = first.partition(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Arrived(method, rest.partition(" ")[0], headers, body)
