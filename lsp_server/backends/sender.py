"""Requests as they go out: connection pool, key, attempts and what a refusal means. Reads no reply.

The key is in no error and in no log.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

import httpx

from lsp_server import __version__
from lsp_server.backends import failures, refusals, tls
from lsp_server.backends.endpoint import Endpoint, shown
from lsp_server.backends.exchange import Exchange, Late
from lsp_server.backends.failures import Again
from lsp_server.backends.rate_limit import RateLimit
from lsp_server.backends.shared import Shared
from lsp_server.errors import (
    BackendError,
    BackendLoading,
    BackendUnavailable,
    ConfigurationError,
    RateLimited,
)
from lsp_server.keys.key import Key
from lsp_server.privacy.destination import Destination

WRITE_TIMEOUT_S = 10.0
"""A prompt is some kilobytes: a server that has not taken them by then has stopped reading."""
KEEP_CONNECTION_S = 60.0
"""Idle connections are dropped here before servers do it (our engine after 120 s): none is just closing."""
LONGEST_REFUSAL_BYTES = 1 << 16
"""As much of an error page is read as its message or title needs."""
PATIENT_ATTEMPTS = 4
"""In some ten seconds."""
HURRIED_RETRY_S = 0.5
"""After this long the one who types has typed on."""
LONGEST_WAIT_S = 20.0
"""A chat waits so long for a rate limit; beyond it an error is the better answer."""
AGAIN = frozenset({502, 503, 504})
"""Said by proxies of a server that restarts, which is often over after a moment."""


class Sender:
    """Sends requests to the server of one endpoint."""

    def __init__(self, endpoint: Endpoint, *, retries: bool, who: str) -> None:
        """Reach `endpoint`; `who` is the subject of sentences about it, if not its address."""
        self._endpoint = endpoint
        self._base_url = endpoint.base_url.rstrip("/")
        self._address = _address(self._base_url)
        self._retries = retries
        self._client = Shared(self._new_client)
        self._key = Shared(endpoint.find_key)
        self._sent_key: Key | None = None
        self._rate = RateLimit()
        self.host = self._address.hostname or ""
        self.who = who or f"The server {shown(self._address._replace(path='').geturl())}"

    async def aclose(self) -> None:
        """Close all connections."""
        await self._key.give_up()
        if (client := await self._client.give_up()) is not None:
            await client.aclose()

    async def respond(
        self, method: str, path: str, body: Mapping[str, Any] | None, exchange: Exchange
    ) -> httpx.Response:
        """Return a response whose body is still to be read, after as many attempts as are sensible."""
        if self._address.scheme not in {"http", "https"} or not self.host:
            raise BackendUnavailable(
                f"The base URL of {self._endpoint.name} is no address of a server, as http://host:port is."
            )
        client = await self._client.get()
        await self._key.get()  # not on the server's time: a password manager may ask its user first
        exchange.begin()
        import stamina  # loaded with the client, on a thread

        patient = exchange.deadlines.patient
        try:
            async for attempt in stamina.retry_context(
                on=lambda error: self._may_retry(error, exchange, patient=patient),
                attempts=PATIENT_ATTEMPTS if patient else 2,
                timeout=None if patient else HURRIED_RETRY_S,
                wait_initial=0.5 if patient else 0.05,
                wait_max=5.0,
                wait_jitter=1.0 if patient else 0.1,
            ):
                with attempt:
                    return await self._attempt(client, method, path, body, exchange)
        except Again as last:
            raise last.error from last.__cause__
        raise AssertionError("stamina returns or raises")

    def quoted(self, words: str, body: Mapping[str, Any]) -> str:
        """Return the end of a sentence with the server's words, unless they show the key or what was sent."""
        return refusals.quoted("" if refusals.shows_key(words, self._sent_key) else words, body)

    def _may_retry(self, error: Exception, exchange: Exchange, *, patient: bool) -> bool | float:
        if not isinstance(error, Again) or not self._retries:
            return False
        if error.wait_s is None:
            return True
        return error.wait_s if patient and error.wait_s < min(LONGEST_WAIT_S, exchange.left_s()) else False

    async def _attempt(
        self,
        client: httpx.AsyncClient,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        exchange: Exchange,
    ) -> httpx.Response:
        exchange.again()
        if (wait_s := self._rate.wait_s()) > 0:
            raise Again(refusals.rate_limited(self.who, wait_s), wait_s)
        key = self._sent_key = await self._key.get()
        request = client.build_request(
            method,
            self._base_url + path,
            content=None if body is None else _encoded(body),
            headers=_headers(key, body),
            timeout=httpx.Timeout(None, connect=exchange.deadlines.connect_s, write=WRITE_TIMEOUT_S),
            extensions=exchange.extensions(client),
        )
        self._rate.took()
        try:
            response = await exchange.within(client.send(request, stream=True))
        except httpx.LocalProtocolError:
            # It quotes headers, so it is not chained.
            raise BackendUnavailable(f"The request to {self.host} could not be sent; try again.") from None
        except (httpx.HTTPError, Late) as error:
            raise failures.unanswered(error, self.who, exchange) from error
        if response.is_success:
            self._rate.learn(response.headers)
            return response
        raise await self._refusal(response, key, path, body, exchange)

    async def _refusal(
        self,
        response: httpx.Response,
        key: Key | None,
        path: str,
        body: Mapping[str, Any] | None,
        exchange: Exchange,
    ) -> BackendError | Again:
        status, headers = response.status_code, response.headers
        try:
            words = await exchange.within(read_body(response, LONGEST_REFUSAL_BYTES))
        except (httpx.HTTPError, Late):
            words = b""  # the status says enough
        finally:
            await response.aclose()
        if status in (401, 403):
            self._key.forget()  # the next request looks whether there is a new one
        asked = refusals.Asked(self.who, self.host, path, body, key, self._endpoint.key_hint)
        answer = refusals.Answer(status, headers, words)
        error = refusals.refusal(answer, asked, lambda: self._rate.hold(headers))
        if isinstance(error, RateLimited):
            return Again(error, error.wait_s)
        if status in AGAIN and not isinstance(error, BackendLoading):
            return Again(error, self._rate.retry_after_s(headers))
        return error

    def _new_client(self) -> httpx.AsyncClient:
        import stamina  # noqa: F401  # takes tens of milliseconds, like the certificates

        # At DEBUG hpack writes headers, the key among them, and stamina tells of each retry at WARNING.
        for chatty in ("httpx", "httpcore", "hpack", "h2", "stamina"):
            logging.getLogger(chatty).setLevel(logging.ERROR if chatty == "stamina" else logging.WARNING)
        endpoint = self._endpoint
        https = self._address.scheme == "https"
        try:
            return httpx.AsyncClient(
                limits=httpx.Limits(keepalive_expiry=KEEP_CONNECTION_S),
                headers={"User-Agent": f"codestral-lsp/{__version__}"},
                http2=https,
                verify=tls.context(endpoint.ca_file, verify=endpoint.verify, name=endpoint.name)
                if https
                else False,
                # A proxy would carry the text off this machine.
                trust_env=endpoint.destination is not Destination.THIS_MACHINE,
            )
        except (ImportError, ValueError, httpx.InvalidURL):
            # The error quotes the proxy's address, which may have a password in it.
            raise ConfigurationError(
                "The proxy that HTTPS_PROXY, HTTP_PROXY or ALL_PROXY names cannot be used: "
                "it has to be an address that begins with http:// or https://."
            ) from None


def _address(url: str) -> SplitResult:
    try:
        address = urlsplit(url)
        _ = address.port  # raises for one that is no number
    except ValueError:
        return urlsplit("")
    return address


def _encoded(body: Mapping[str, Any]) -> bytes:
    # A buffer may hold half of a surrogate pair, which UTF-8 cannot.
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _headers(key: Key | None, body: Mapping[str, Any] | None) -> dict[str, str]:
    headers = {} if body is None else {"Content-Type": "application/json"}
    if key is not None:
        value = key.reveal()
        if not (value.isascii() and value.isprintable()):
            raise ConfigurationError(
                f"The API key from {key.place} has a character that no key has; give it anew."
            )
        headers["Authorization"] = f"Bearer {value}"
    return headers


async def read_body(response: httpx.Response, most: int) -> bytes:
    """Return the body, or somewhat more than `most` bytes of it."""
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > most:
            break
    return bytes(body)
