"""One request on its way: what is left of its deadlines, and whether a server has seen it.

Listens to the events that httpcore reports of a request (its `trace` extension), and resets an HTTP/2 stream
that nobody reads any more. Knows no URLs, keys or dialects.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Awaitable
from dataclasses import dataclass
from typing import Any, TypeVar

import anyio
import httpx

from lsp_server.backends.endpoint import Deadlines

log = logging.getLogger(__name__)

T = TypeVar("T")

FLUSH_S = 1.0
"""For a reset to get out: somebody types meanwhile. If it does not, it goes out with the next request."""


class Late(Exception):
    """A deadline has passed; the message says which, as the end of a sentence."""


class Exchange:
    """Keeps the time of one request, from `begin` to the last byte.

    No cancel scope is open across a `yield`: waits go through `within`, one await at a time.
    """

    def __init__(self, deadlines: Deadlines) -> None:
        self.deadlines = deadlines
        self.sent = False
        """Whether a byte of the request may have reached a server."""
        self.begun_reply = False
        """Whether something that counts has come; set by whoever can tell."""
        self._now = asyncio.get_running_loop().time
        self._begin = self._now()
        self._sent_at: float | None = None
        self._scope: anyio.CancelScope | None = None
        self._stream: _Stream | None = None

    def begin(self) -> None:
        """Let the time run from now on."""
        self._begin = self._now()

    def left_s(self) -> float:
        """Return how long the exchange may still take."""
        total_s = self.deadlines.total_s
        return float("inf") if total_s is None else self._begin + total_s - self._now()

    def again(self) -> None:
        """Forget the last attempt."""
        self.sent, self._sent_at, self._stream = False, None, None

    async def within(self, wait: Awaitable[T]) -> T:
        """Await `wait` for as long as the deadlines allow; raises Late."""
        # asyncio.wait_for loses a cancellation that comes together with the result before Python 3.12,
        # and asyncio.timeout is not in 3.10.
        cancellings = _cancellings()
        with anyio.CancelScope(deadline=self._deadline()) as scope:
            self._scope = scope
            try:
                return await wait
            finally:
                self._scope = None
        if _cancellings() > cancellings:  # while what the deadline has stopped was cleaning up
            raise asyncio.CancelledError
        raise Late(self._why())

    def _deadline(self) -> float:
        end = self._now() + self.left_s()
        first_s = self.deadlines.first_token_s
        if first_s is None or self._sent_at is None:
            return end
        # Later a server may be silent for as long as it may take to begin.
        return min(end, (self._now() if self.begun_reply else self._sent_at) + first_s)

    def _why(self) -> str:
        if self.left_s() <= 0:
            return f"did not finish within {self.deadlines.total_s:g} s"
        if self.begun_reply:
            return "has been silent for too long"
        return f"did not begin to answer within {self.deadlines.first_token_s:g} s"

    def extensions(self, client: httpx.AsyncClient) -> dict[str, Any]:
        """Return what the request needs so that this object hears of it."""

        async def trace(event: str, info: dict[str, Any]) -> None:
            protocol, _, step = event.partition(".")
            request: Any = info.get("request")
            if step == "send_request_headers.started" and request.method != b"CONNECT":
                self.sent = True
                if protocol == "http2":
                    self._stream = _Stream.of(client, request, info["stream_id"])
            elif step == "receive_response_headers.started" and self.sent:
                self._sent_at = self._now()
                if self._scope is not None:
                    self._scope.deadline = self._deadline()
            elif self._stream is not None and event == "http2.response_closed.started":
                await self._stream.reset()
            elif self._stream is not None and step.endswith(".failed") and "send_request" in step:
                self._stream.spoil()

        return {"trace": trace}


def _cancellings() -> int:
    """Return how often this task has been cancelled; Python 3.10 does not count, and raises Late then."""
    task = asyncio.current_task()
    return int(task.cancelling()) if task is not None and hasattr(task, "cancelling") else 0


@dataclass(frozen=True)
class _Stream:
    """An HTTP/2 stream, which httpcore 1.0 just forgets when its reader leaves.

    The server would go on to the end of its reply, what it sends would use up the connection's window, and h2
    would count the stream as open until no more are allowed, see
    https://github.com/encode/httpcore/issues/943 and https://github.com/encode/httpcore/issues/1022.
    So this reaches into httpcore; where that is built otherwise, only the server's work is lost.
    """

    connection: Any
    request: Any
    number: int

    @classmethod
    def of(cls, client: httpx.AsyncClient, request: object, number: int) -> _Stream | None:
        """Find the connection that carries `request`."""
        for transport in (client._transport, *client._mounts.values()):
            for queued in getattr(getattr(transport, "_pool", None), "_requests", ()):
                if queued.request is request:
                    return cls(getattr(queued.connection, "_connection", None), request, number)
        return None

    async def reset(self) -> None:
        """Tell the server that nobody reads on, unless it is done; httpcore shields this from cancelling."""
        import h2.errors
        import h2.events
        import h2.exceptions

        try:
            state = self.connection._h2_state
            waiting = self.connection._events.get(self.number, ())
            unread = [event for event in waiting if isinstance(event, h2.events.DataReceived)]
            with contextlib.suppress(h2.exceptions.ProtocolError, KeyError):
                for event in unread:
                    state.acknowledge_received_data(event.flow_controlled_length, self.number)
                state.reset_stream(self.number, h2.errors.ErrorCodes.CANCEL)
            with anyio.move_on_after(FLUSH_S):
                await self.connection._write_outgoing_data(self.request)
        except Exception as error:
            log.debug("an HTTP/2 stream could not be reset: %s", type(error).__name__)

    def spoil(self) -> None:
        """Let no other request use the connection: half a frame may have been written."""
        with contextlib.suppress(AttributeError):
            self.connection._connection_error = True


async def step(exchange: Exchange, items: AsyncGenerator[T, None]) -> T | None:
    """Return the next item within the deadlines, None at the end."""

    async def following() -> T | None:
        return await anext(items, None)

    return await exchange.within(following())
