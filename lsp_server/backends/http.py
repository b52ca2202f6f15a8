"""HTTP for every backend: one pool of connections to one server. Knows no dialect, no LSP and no documents.

Closing a stream (or cancelling whoever reads it) closes its HTTP/1.1 connection or resets its HTTP/2 stream
at once, which is how the server learns that nobody waits any more. All errors are those of
`lsp_server.errors`, each one sentence; the key is in none of them and in no log.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Mapping
from contextlib import aclosing
from typing import Any

import httpx

from lsp_server.backends import event_stream, failures
from lsp_server.backends.endpoint import Deadlines, Endpoint
from lsp_server.backends.exchange import Exchange, Late, step
from lsp_server.backends.failures import ConnectionRefused
from lsp_server.backends.sender import Sender, read_body
from lsp_server.backends.wire import has_finished, has_text
from lsp_server.errors import BackendUnavailable

__all__ = ["ConnectionRefused", "HttpClient"]

log = logging.getLogger(__name__)

END_TIMEOUT_S = 0.2
"""From the last piece of text to the end of the response; mostly they come together. Less than opening a new
connection to a far server takes, which is what waiting for it saves."""
LONGEST_BODY_BYTES = 16 << 20
"""Of a reply that is not streamed; lists of models have some 100 kB."""

Json = Any
"""What a server makes of it; dialects look before they take."""

Split = Callable[[AsyncIterable[bytes]], AsyncGenerator[str, None]]


class HttpClient:
    """Requests to the server of one endpoint."""

    def __init__(self, endpoint: Endpoint, *, retries: bool = True, who: str = "") -> None:
        """Reach `endpoint`; `who` is the subject of sentences about it.

        Without `retries` each failure is the caller's business.
        """
        self._endpoint = endpoint
        self._sender = Sender(endpoint, retries=retries, who=who)
        self.host = self._sender.host
        """The server's name, for dialects that differ by host."""
        self.who = self._sender.who

    async def get_json(self, path: str, deadline_s: float) -> Json:
        """Return the JSON at `path`."""
        return await self._json("GET", path, None, deadline_s)

    async def post_json(self, path: str, body: Mapping[str, Any], deadline_s: float) -> Json:
        """Return the JSON that `path` answers `body` with."""
        return await self._json("POST", path, body, deadline_s)

    def events(
        self,
        path: str,
        body: Mapping[str, Any],
        deadlines: Deadlines,
        *,
        carries: Callable[[str], bool] = has_text,
        ends: Callable[[str], bool] = has_finished,
    ) -> AsyncGenerator[str, None]:
        """Yield the data of each Server-Sent Event, up to `[DONE]` or the end of the response.

        A server that ignores `stream` and answers with plain JSON is taken for one that sends one event.
        `carries` says whether an event is the first token that `deadlines` wait for: not all have text.
        `ends` says whether it is the last one with text: readers leave then, so it comes with all the rest.
        """
        return self._streamed(path, body, deadlines, event_stream.event_data, carries, ends)

    def lines(
        self,
        path: str,
        body: Mapping[str, Any],
        deadlines: Deadlines,
        *,
        carries: Callable[[str], bool] = bool,
        ends: Callable[[str], bool] = has_finished,
    ) -> AsyncGenerator[str, None]:
        """Yield the lines of the response that are not empty, as `events` does: newline-delimited JSON."""
        return self._streamed(path, body, deadlines, event_stream.lines, carries, ends)

    def ended_early(self) -> BackendUnavailable:
        """Return the error for a stream that ends without having said so; dialects know how it is said."""
        return BackendUnavailable(f"{self.who} ended a reply before it was complete; try again.")

    def gave_up(self, words: str, body: Mapping[str, Any]) -> BackendUnavailable:
        """Return the error for a failure that the server reports inside the stream that answers `body`."""
        reason = self._sender.quoted(words, body)
        return BackendUnavailable(f"{self.who} gave up in the middle of a reply{reason}")

    async def aclose(self) -> None:
        """Close all connections."""
        await self._sender.aclose()

    async def _json(
        self, method: str, path: str, body: Mapping[str, Any] | None, deadline_s: float
    ) -> object:
        deadlines = Deadlines(self._endpoint.fim.connect_s, None, deadline_s)
        exchange = Exchange(deadlines)
        response = await self._sender.respond(method, path, body, exchange)
        try:
            return json.loads(await self._whole(response, exchange))
        except (ValueError, RecursionError) as error:
            raise BackendUnavailable(f"{self.who} did not answer with JSON; check the base URL.") from error
        finally:
            await response.aclose()

    async def _streamed(
        self,
        path: str,
        body: Mapping[str, Any],
        deadlines: Deadlines,
        split: Split,
        carries: Callable[[str], bool],
        ends: Callable[[str], bool],
    ) -> AsyncGenerator[str, None]:
        exchange = Exchange(deadlines)
        response = await self._sender.respond("POST", path, body, exchange)
        try:
            kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind == "application/json":
                yield (await self._whole(response, exchange)).decode("utf-8", "replace")
                return
            if "html" in kind:
                raise self._no_stream()
            async with aclosing(split(response.aiter_bytes())) as items:
                empty = True
                while (item := await self._next(items, exchange)) is not None:
                    if item == "[DONE]":
                        await self._rest(items)
                        return
                    if not item:
                        continue
                    exchange.begun_reply = exchange.begun_reply or carries(item)
                    empty = False
                    rest = await self._rest(items) if ends(item) else None
                    yield item
                    if rest is not None:
                        for left in rest:
                            yield left
                        return
                if empty and kind not in {"text/event-stream", "application/x-ndjson"}:
                    raise self._no_stream()
        finally:
            await response.aclose()

    def _no_stream(self) -> BackendUnavailable:
        return BackendUnavailable(f"{self.who} did not answer with an event stream; check the base URL.")

    async def _next(self, items: AsyncGenerator[str, None], exchange: Exchange) -> str | None:
        try:
            return await step(exchange, items)
        except (httpx.HTTPError, Late, event_stream.TooLong) as error:
            raise failures.broken_off(error, self.who) from error

    async def _rest(self, items: AsyncGenerator[str, None]) -> list[str]:
        """Read to the end: a connection can be used again only once its response has been."""
        rest: list[str] = []
        exchange = Exchange(Deadlines(None, None, END_TIMEOUT_S))
        try:
            while (item := await step(exchange, items)) is not None:
                rest += [item] if item and item != "[DONE]" else []
        except (httpx.HTTPError, Late, event_stream.TooLong):
            log.debug("%s keeps a finished reply open", self._endpoint.name)
        return rest

    async def _whole(self, response: httpx.Response, exchange: Exchange) -> bytes:
        try:
            body = await exchange.within(read_body(response, LONGEST_BODY_BYTES))
        except (httpx.HTTPError, Late) as error:
            raise failures.broken_off(error, self.who) from error
        if len(body) > LONGEST_BODY_BYTES:
            raise BackendUnavailable(f"{self.who} sent a reply without an end; check the base URL.")
        return body
