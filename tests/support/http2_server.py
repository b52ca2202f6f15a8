"""A server that speaks HTTP/2 over TLS and nothing else, and remembers which streams were reset.

Each request is answered by what `replies` has next: `done`, or a stream that hangs at some point.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections import deque
from dataclasses import dataclass
from types import TracebackType

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import trustme

from tests.support.faulty_server import DONE, END, event


@dataclass
class Reply:
    """What a stream gets; without an end it hangs until the client resets it."""

    headers: bool = True
    data: bytes = event("done") + END + DONE
    ends: bool = True


class Http2Server:
    """Serves from a thread."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        """Have a certificate for `host`, which need not be where the server is."""
        self.authority = trustme.CA()
        self._host = host
        self.replies: deque[Reply] = deque()
        self.requests: list[dict[str, str]] = []
        self.connections = 0
        self.resets: list[int] = []
        """Error codes of the streams that a client has reset."""
        self.base_url = ""
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="http2-server", daemon=True)

    def wait_for_resets(self, count: int, timeout_s: float = 20.0) -> bool:
        """Say whether so many streams have been reset."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.resets) >= count, timeout_s)

    def wait_for_requests(self, count: int, timeout_s: float = 20.0) -> bool:
        """Say whether so many requests have come."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.requests) >= count, timeout_s)

    def __enter__(self) -> Http2Server:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(20)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(20)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.set_alpn_protocols(["h2"])
        self.authority.issue_cert(self._host).configure_cert(tls)
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=tls)
        self.base_url = f"https://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _stop(self) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        connection = _Connection(self, writer)
        try:
            await connection.start()
            while data := await reader.read(65_536):
                await connection.receive(data)
        except (ConnectionError, h2.exceptions.ProtocolError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()
            self._writers.discard(writer)
            self._tasks.discard(task)

    def note(self, request: dict[str, str] | None = None, reset: int | None = None) -> None:
        with self._changed:
            if request is not None:
                self.requests.append(request)
            if reset is not None:
                self.resets.append(reset)
            self._changed.notify_all()


class _Connection:
    def __init__(self, server: Http2Server, writer: asyncio.StreamWriter) -> None:
        self._server = server
        self._writer = writer
        self._state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        self._asked: dict[int, dict[str, str]] = {}
        self._queued: dict[int, tuple[bytearray, bool]] = {}

    async def start(self) -> None:
        self._state.initiate_connection()
        await self._flush()

    async def receive(self, data: bytes) -> None:
        for happened in self._state.receive_data(data):
            if isinstance(happened, h2.events.RequestReceived):
                self._asked[happened.stream_id or 0] = dict(_text(pair) for pair in happened.headers or ())
            elif isinstance(happened, h2.events.DataReceived) and happened.flow_controlled_length:
                self._state.acknowledge_received_data(
                    happened.flow_controlled_length, happened.stream_id or 0
                )
            elif isinstance(happened, h2.events.StreamEnded):
                stream = happened.stream_id or 0
                self._answer(stream)
                self._server.note(request=self._asked.pop(stream))
            elif isinstance(happened, h2.events.StreamReset):
                self._queued.pop(happened.stream_id or 0, None)
                self._server.note(reset=int(happened.error_code or 0))
        self._send_queued()
        await self._flush()

    def _answer(self, stream: int) -> None:
        reply = self._server.replies.popleft() if self._server.replies else Reply()
        if reply.headers:
            self._state.send_headers(stream, [(":status", "200"), ("content-type", "text/event-stream")])
            self._queued[stream] = bytearray(reply.data), reply.ends

    def _send_queued(self) -> None:
        """Send what the client's windows allow."""
        for stream, (data, ends) in list(self._queued.items()):
            while data:
                room = self._state.local_flow_control_window(stream)
                size = min(len(data), room, self._state.max_outbound_frame_size)
                if size <= 0:
                    break
                self._state.send_data(stream, bytes(data[:size]))
                del data[:size]
            if not data:
                del self._queued[stream]
                if ends:
                    self._state.end_stream(stream)

    async def _flush(self) -> None:
        self._writer.write(self._state.data_to_send())
        await self._writer.drain()


def _text(pair: tuple[bytes | str, bytes | str]) -> tuple[str, str]:
    name, value = (part.decode() if isinstance(part, bytes) else part for part in pair)
    return name, value
