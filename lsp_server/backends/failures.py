"""Requests without an answer, in one sentence each: who could not be reached, and why not. Sends nothing."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Sequence

import httpx

from lsp_server.backends.event_stream import TooLong
from lsp_server.backends.exchange import Exchange, Late
from lsp_server.errors import BackendError, BackendUnavailable


class ConnectionRefused(BackendUnavailable):
    """No connection: the request was certainly not seen by a server."""


class Again(Exception):
    """An attempt failed in a way that another one may not, after `wait_s` if the server said so."""

    def __init__(self, error: BackendError, wait_s: float | None = None) -> None:
        super().__init__()
        self.error = error
        self.wait_s = wait_s


def unanswered(  # noqa: PLR0911  # a table, in the order of the exception tree
    error: Exception, who: str, exchange: Exchange
) -> BackendError | Again:
    """Return what `error`, which came instead of a response, means."""
    if isinstance(error, Late):
        return BackendUnavailable(f"{who} {error}; the request was given up.")
    if isinstance(error, httpx.ConnectTimeout):
        connect_s = exchange.deadlines.connect_s or 0.0
        return Again(
            ConnectionRefused(
                f"{who} did not accept a connection within {connect_s:g} s: check the base URL."
            )
        )
    if isinstance(error, httpx.WriteTimeout):
        return BackendUnavailable(f"{who} does not read what it is sent; the request was given up.")
    if isinstance(error, httpx.ConnectError):
        return _not_connected(error, who)
    if isinstance(error, httpx.ProxyError):
        return BackendUnavailable(f"The proxy on the way to {_lower(who)} refused: {_line(error)}.")
    if isinstance(error, httpx.TransportError) and not isinstance(error, httpx.UnsupportedProtocol):
        return Again(BackendUnavailable(f"{who} closed the connection without an answer; try again."))
    return BackendUnavailable(f"{who} cannot be reached: {_line(error)}; check the base URL.")


def _not_connected(error: httpx.ConnectError, who: str) -> BackendError | Again:
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return BackendUnavailable(
                f"{who} has a certificate that is not trusted ({cause.verify_message.rstrip('.')}): "
                "give ca_file, or SSL_CERT_FILE, if it is one of your company."
            )
        if isinstance(cause, ssl.SSLError):
            return BackendUnavailable(
                f"{who} does not speak TLS with us: {cause.reason or 'no reason given'}; check the base URL."
            )
        if isinstance(cause, socket.gaierror):
            return Again(
                ConnectionRefused(f"{who} cannot be found: check the network, and the name in the base URL.")
            )
        if isinstance(cause, ConnectionRefusedError):
            return Again(ConnectionRefused(f"{who} cannot be reached: start it, or check the base URL."))
    return Again(ConnectionRefused(f"{who} cannot be reached: {_line(error)}."))


def broken_off(error: Exception, who: str) -> BackendUnavailable:
    """Return what `error`, which came in the middle of a response, means."""
    if isinstance(error, Late):
        return BackendUnavailable(f"{who} {error}; the request was given up.")
    if isinstance(error, TooLong):
        return BackendUnavailable(f"{who} sent an event of more than a megabyte; the request was given up.")
    return BackendUnavailable(f"{who} closed the connection in the middle of a reply; try again.")


def _causes(error: BaseException) -> Iterator[BaseException]:
    at: BaseException | None = error
    while at is not None:
        yield at
        # One for each address of a name: the first tells enough.
        several: Sequence[BaseException] = getattr(at, "exceptions", ())
        at = several[0] if several else at.__cause__ or at.__context__


def _line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__


def _lower(who: str) -> str:
    return who[0].lower() + who[1:]
