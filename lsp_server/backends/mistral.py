"""Mistral's HTTP API: the cloud, our engine and whoever else speaks it. Knows nothing of LSP or of documents.

One pooled client per backend; closing a stream closes its connection at once, which is how the server learns
that nobody waits any more.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

import httpx
from httpx_sse import SSEError, aconnect_sse

from lsp_server import __version__
from lsp_server.backends import wire
from lsp_server.backends.protocol import ChatRequest, Chunk, FimRequest, Readiness
from lsp_server.errors import BackendRejected, BackendUnavailable

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 5.0
"""A server that has not accepted by then is not going to help somebody who is typing."""
READ_TIMEOUT_S = 60.0
"""Longest silence inside a reply; the completion's own timeout is shorter and the caller's business."""
KEEP_CONNECTION_S = 60.0
"""Idle connections are dropped here before servers do it (our engine after 120 s): none is just closing."""
END_TIMEOUT_S = 1.0
"""From the last event to the end of the response; mostly they come together."""
LONGEST_RETRY_AFTER_S = 60.0
"""Rate limits are per second or per minute; a longer `Retry-After` is not waited for."""


EMPTY = Chunk("")
"""The first event of a stream says whose turn it is and no more."""


class ConnectionRefused(BackendUnavailable):
    """No connection: the request was certainly not seen by a server."""


class MistralBackend:
    """A `Backend` over `POST /v1/fim/completions` and `POST /v1/chat/completions`."""

    def __init__(
        self,
        base_url: str,
        model: str,
        api_key: Callable[[], str | None] | str | None,
        *,
        name: str = "mistral",
        key_hint: str = "the API key",
        engine: bool = False,
        read_timeout_s: float = READ_TIMEOUT_S,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Reach `model` at `base_url`; `key_hint` says in errors where the key comes from.

        `engine` is set for our own engine alone: it gets fields that other servers refuse, and no proxy.
        """
        self._base_url = base_url.rstrip("/").removesuffix("/v1")
        self._model = model
        self._api_key = api_key
        self._name = name
        self._key_hint = key_hint
        self._engine = engine
        self._timeout = httpx.Timeout(read_timeout_s, connect=CONNECT_TIMEOUT_S)
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._opening = asyncio.Lock()
        self._silent_until = 0.0

    @property
    def name(self) -> str:
        """Return the name for logs and `--why`."""
        return self._name

    def fim(self, request: FimRequest) -> AsyncGenerator[Chunk, None]:
        """Stream the text between prefix and suffix."""
        return self._stream("/v1/fim/completions", wire.fim_body(request, self._model, engine=self._engine))

    def chat(self, request: ChatRequest) -> AsyncGenerator[Chunk, None]:
        """Stream the assistant's next turn."""
        return self._stream("/v1/chat/completions", wire.chat_body(request, self._model, engine=self._engine))

    async def prepare(self) -> AsyncGenerator[Readiness, None]:
        """Report readiness at once: a remote server is ready or says otherwise when asked."""
        yield Readiness(ready=True)

    async def aclose(self) -> None:
        """Close all connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _stream(self, path: str, body: dict[str, Any]) -> AsyncGenerator[Chunk, None]:
        self._check_rate_limit()
        finished = False
        try:
            async with aconnect_sse(
                await self._ready_client(), "POST", self._base_url + path, json=body, headers=self._headers()
            ) as source:
                if source.response.is_error:
                    raise await self._refusal(source.response)
                async with aclosing(source.aiter_sse()) as events:
                    async for event in events:
                        if event.data == "[DONE]":
                            finished = True
                            # A connection can be used again only once its response has been read to the end.
                            await asyncio.wait_for(anext(events, None), END_TIMEOUT_S)
                            break
                        chunk = wire.chunk(event.data)
                        if chunk != EMPTY:
                            yield chunk
        except asyncio.TimeoutError:  # another class than TimeoutError before Python 3.11
            log.debug("%s keeps a finished reply open", self._name)
        except wire.StreamFailed as error:
            raise BackendUnavailable(f"{self._who()} gave up in the middle of a reply: {error}") from error
        except (httpx.HTTPError, httpx.InvalidURL, SSEError) as error:
            raise self._explained(error) from error
        if not finished:
            raise BackendUnavailable(f"{self._who()} ended a reply before it was complete; try again.")

    async def _ready_client(self) -> httpx.AsyncClient:
        async with self._opening:
            if self._client is None:
                # It reads certificates, which takes tens of milliseconds.
                self._client = await asyncio.to_thread(self._new_client)
            return self._client

    def _new_client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            timeout=self._timeout,
            limits=httpx.Limits(keepalive_expiry=KEEP_CONNECTION_S),
            headers={"User-Agent": f"codestral-lsp/{__version__}"},
            trust_env=not self._engine,
            verify=not self._engine,
            transport=self._transport,
        )

    def _headers(self) -> dict[str, str]:
        key = self._api_key() if callable(self._api_key) else self._api_key
        return {"Authorization": f"Bearer {key}"} if key else {}

    def _check_rate_limit(self) -> None:
        wait_s = self._silent_until - time.monotonic()
        if wait_s > 0:
            raise BackendUnavailable(
                f"{self._who()} limits the rate of requests; the next one may be sent in {wait_s:.0f} s."
            )

    async def _refusal(self, response: httpx.Response) -> BackendUnavailable | BackendRejected:
        status = response.status_code
        said = wire.error_text(await response.aread())
        log.debug("%s answered %d: %s", self._name, status, said)
        reason = f": {said}" if said else "."
        if status == 429:
            wait_s = _retry_after_s(response.headers)
            self._silent_until = time.monotonic() + wait_s
            return BackendUnavailable(
                f"{self._who()} limits the rate of requests; waiting {wait_s:.0f} s{reason}"
            )
        if status >= 500:
            return BackendUnavailable(f"{self._who()} cannot answer now (HTTP {status}){reason}")
        if status in (401, 403):
            return BackendRejected(
                f"{self._who()} refused the key (HTTP {status}): check {self._key_hint}.", status
            )
        return BackendRejected(f"{self._who()} refused the request (HTTP {status}){reason}", status)

    def _explained(self, error: Exception) -> BackendUnavailable:
        who = self._who()
        if isinstance(error, httpx.ConnectTimeout):
            return ConnectionRefused(f"{who} did not accept a connection within {CONNECT_TIMEOUT_S:.0f} s.")
        if isinstance(error, httpx.ConnectError):
            return ConnectionRefused(f"{who} cannot be reached: {error}.")
        if isinstance(error, httpx.TimeoutException):
            return BackendUnavailable(f"{who} has been silent for too long; the request was given up.")
        if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
            return BackendUnavailable(f"{who} cannot be reached: {error}; check the base URL.")
        if isinstance(error, SSEError):
            return BackendUnavailable(f"{who} did not answer with an event stream; check the base URL.")
        return BackendUnavailable(f"{who} closed the connection in the middle of a reply; try again.")

    def _who(self) -> str:
        return "The local model" if self._engine else f"The server {self._base_url}"


def _retry_after_s(headers: httpx.Headers) -> float:
    given = headers.get("retry-after-ms"), headers.get("retry-after")
    for value, unit_s in zip(given, (0.001, 1.0), strict=True):
        if value is not None and value.replace(".", "", 1).isdecimal():  # not a date
            return min(float(value) * unit_s, LONGEST_RETRY_AFTER_S)
    return 1.0  # the limit of Mistral's free tier is one request a second
