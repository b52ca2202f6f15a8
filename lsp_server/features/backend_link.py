"""The backends in use, made ready in the background, and the completer that asks it.

Owns readiness: who waits for a model, how long, and what is said meanwhile. Everything heavy
(HTTP client, grammars) is imported here, on a thread, after `initialize` has been answered.

A completion request that comes too early waits for the model as long as a completion may take, and
gives up its place to a newer one: whoever pauses while the model loads gets ghost text when it has.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, aclosing
from typing import TYPE_CHECKING

from lsp_server.backends.protocol import Readiness
from lsp_server.completion.result import Completion, NoCompletion, Reason
from lsp_server.errors import UserFacingError
from lsp_server.features.in_flight import InFlight
from lsp_server.features.progress import ProgressBar
from lsp_server.features.status import StatusLine
from lsp_server.features.watched_backend import WatchedBackend
from lsp_server.reporting import Reporter, Severity
from lsp_server.settings import Settings

if TYPE_CHECKING:
    from lsp_server.backends.member import Change
    from lsp_server.backends.protocol import Backend
    from lsp_server.backends.router import Connected
    from lsp_server.completion.completer import Completer
    from lsp_server.completion.movement import Cursor
    from lsp_server.documents.snapshot import Snapshot

logger = logging.getLogger(__name__)

RETRY_S = 30.0
"""Pause after a failed preparation: a key press must not start a failing download or engine again."""


class BackendLink:
    """The backends and one completer, for one set of settings."""

    def __init__(
        self,
        settings: Settings,
        reporter: Reporter,
        status: StatusLine,
        progress: Callable[[Reporter | None], ProgressBar],
    ) -> None:
        self._settings = settings
        self._reporter = reporter
        self._status = status
        self._progress = progress
        self._connected: Connected | None = None
        self._completer: Completer | None = None
        self._latest: Readiness | None = None
        self._preparation: asyncio.Task[None] | None = None
        self._failed_at: float | None = None
        self._prepared_at = 0.0
        self._waiting: dict[str, asyncio.Future[None]] = {}
        self._in_flight = InFlight()
        self._loading: dict[str, ProgressBar | None] = {}
        """Backends that load, with a bar if `prepare` does not show it."""

    def prepare(self) -> asyncio.Task[None]:
        """Start making the backend ready, unless that is under way, done, or has failed just now."""
        retry = self._failed_at is not None and time.monotonic() - self._failed_at >= RETRY_S
        if self._preparation is None or retry:
            self._failed_at = None
            self._prepared_at = time.monotonic()
            self._preparation = asyncio.create_task(self._prepare())
            self._preparation.add_done_callback(_look_at)
        return self._preparation

    async def chat(self) -> Backend:
        """Return the backend for chat; raises `UserFacingError` if there is none."""
        await asyncio.wait({self.prepare()})
        if self._connected is None:
            await self.prepare()  # raises what stopped it
        assert self._connected is not None
        return WatchedBackend(self._connected.chat, self._status.working)

    async def why_withheld(self, uri: str) -> str | None:
        """Return why nothing of a document may be in a conversation, if so; raises as `chat` does."""
        return await asyncio.to_thread(await self.withholding(), uri)

    async def withholding(self) -> Callable[[str], str | None]:
        """Return what says the same for one document after the other; it blocks."""
        await self.chat()
        assert self._connected is not None
        return self._connected.why_withheld

    async def complete(
        self,
        snapshot: Snapshot,
        offset: int,
        *,
        invoked: bool,
        current: Callable[[], Snapshot | None],
        cursor: Cursor | None,
    ) -> Completion | NoCompletion:
        """Complete at `offset`, or say why not; failures are reported here."""
        if not self._settings.completion.enabled:
            return NoCompletion(Reason.DISABLED)
        work = self._complete(snapshot, offset, invoked=invoked, current=current, cursor=cursor)
        return await self._in_flight.run(snapshot.uri, work, stopped=NoCompletion(Reason.STALE))

    async def _complete(
        self,
        snapshot: Snapshot,
        offset: int,
        *,
        invoked: bool,
        current: Callable[[], Snapshot | None],
        cursor: Cursor | None,
    ) -> Completion | NoCompletion:
        try:
            if (not_yet := await self._wait(snapshot.uri)) is not None:
                return not_yet
            assert self._completer is not None
            outcome = await self._completer.complete(
                snapshot, offset, invoked=invoked, current=current, cursor=cursor
            )
        except UserFacingError as error:
            outcome = NoCompletion(Reason.BACKEND_FAILED, str(error))
        except Exception:
            logger.exception("A completion failed unexpectedly")
            outcome = NoCompletion(Reason.BACKEND_FAILED, "an internal error, please report it")
        if isinstance(outcome, NoCompletion) and outcome.reason is Reason.BACKEND_FAILED:
            self._reporter.tell(f"No completions: {outcome.detail or outcome.reason.value}")
            self._prepare_anew()
        self._show(snapshot.uri, outcome)
        return outcome

    def forget(self, uri: str) -> None:
        """Drop what is kept for a closed document and stop the work on it."""
        self._in_flight.cancel(uri)
        if self._completer is not None:
            self._completer.forget(uri)

    async def aclose(self) -> None:
        """Stop everything and release connections."""
        bars, self._loading = self._loading, {}
        for bar in filter(None, bars.values()):
            bar.end("Stopped")
        await self._in_flight.stop()
        if self._preparation is not None:
            self._preparation.cancel()
            await asyncio.wait({self._preparation})
        if self._completer is not None:
            await self._completer.aclose()
        if self._connected is not None:
            await self._connected.aclose()

    async def _prepare(self) -> None:
        bar = self._progress(self._reporter)
        self._status.update(selected=self._settings.backend, state="starting", message="")
        try:
            if self._connected is None:
                connected, self._completer = await asyncio.to_thread(
                    _connect, self._settings, self._changed, self._status.working
                )
                self._connected = connected
            backend = self._connected.completion
            async with aclosing(backend.prepare()) as reports:
                async for readiness in reports:
                    self._latest = readiness
                    if not readiness.ready:
                        bar.update(readiness)
                        self._status.update(state="loading", message=readiness.message)
                    elif readiness.message:
                        self._reporter.tell(readiness.message, Severity.WARNING, cause="model")
            bar.end("Ready")
            logger.info("The backend %s is ready", backend.name)
            if self._status.status.state != "fallback":
                model = self._connected.model_of(backend.name)
                self._status.update(state="ready", message="", backend=backend.name, model=model)
        except UserFacingError as error:
            self._failed_at = time.monotonic()
            bar.end("Failed")
            self._status.update(state="failed", message=str(error))
            self._reporter.tell(f"No completions: {error}")
            raise
        except Exception:
            self._failed_at = time.monotonic()
            bar.end("Failed")
            logger.exception("Preparing the backend failed unexpectedly")
            raise
        except asyncio.CancelledError:
            bar.end("Stopped")
            raise

    def _changed(self, change: Change) -> None:
        """Show what has become of a backend; failures without a fallback are told by who wanted an answer."""
        logger.debug("%s: %s %s", change.backend, change.state, change.sentence)
        wanted = self._connected.completion.name if self._connected is not None else ""
        shown = self._status.status.backend or wanted
        if change.use == "completion":  # `in use` or `fallback`
            state = "fallback" if change.state == "fallback" else "ready"
            model = self._connected.model_of(change.backend) if self._connected is not None else ""
            self._status.update(backend=change.backend, model=model, state=state, message=change.sentence)
        elif self._is_news(change) and change.backend == shown:
            states = {"away": "failed", "back": "ready", "loading": "loading", "loaded": "ready"}
            self._status.update(state=states[change.state], message=change.sentence)
        if change.state == "fallback":
            self._reporter.tell(change.sentence, Severity.WARNING, cause=f"fallback to {change.backend}")

    def _is_news(self, change: Change) -> bool:
        """Take note of what is true of a backend in any chain; say whether nobody else shows it."""
        name = change.backend
        if change.use:
            return False
        if change.state == "loading":
            preparing = self._preparation is not None and not self._preparation.done()
            # Loading again is an ordinary event: without bars, the status alone says it.
            bar = self._loading.setdefault(name, None if preparing else self._progress(None))
            if bar is not None:
                bar.update(Readiness(ready=False, message=change.sentence, fraction=change.fraction))
            return bar is not None
        shown_elsewhere = name in self._loading and self._loading[name] is None
        if (bar := self._loading.pop(name, None)) is not None:
            bar.end("Ready" if change.state == "loaded" else "Failed")
        return change.state != "loaded" or not shown_elsewhere

    def _show(self, uri: str, outcome: Completion | NoCompletion) -> None:
        """Say in the status what was kept back, and where the text went."""
        trace = outcome.trace
        if isinstance(outcome, NoCompletion) and outcome.reason is Reason.WITHHELD:
            self._status.update(uri=uri, withheld=(outcome.detail,))
        elif trace.destination:
            self._status.update(uri=uri, withheld=trace.withheld, destination=trace.destination)

    def _prepare_anew(self) -> None:
        """Look after the backend again with the next request: a local engine may have to be restarted."""
        pause_is_over = time.monotonic() - self._prepared_at >= RETRY_S
        if pause_is_over and self._failed_at is None and self._preparation and self._preparation.done():
            self._preparation = None

    async def _wait(self, uri: str) -> NoCompletion | None:
        """Wait until the backend is ready; None if it is. A newer request for `uri` takes the place."""
        preparation = self.prepare()
        if not preparation.done():
            ticket = self._take_ticket(uri)
            try:
                patience_s = self._settings.completion.timeout_ms / 1000
                await asyncio.wait(
                    {preparation, ticket}, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED
                )
            finally:
                if self._waiting.get(uri) is ticket:
                    del self._waiting[uri]
            if ticket.done():
                return NoCompletion(Reason.SUPERSEDED)
            if not preparation.done():
                return NoCompletion(Reason.NOT_READY, self._latest.message if self._latest else "")
        if self._completer is not None:
            return None  # the backends know themselves whether it is too early to try again
        # A failure has been reported when it happened, not again with each key press.
        return NoCompletion(Reason.BACKEND_FAILED, str(preparation.exception()))

    def _take_ticket(self, uri: str) -> asyncio.Future[None]:
        if older := self._waiting.get(uri):
            older.set_result(None)
        self._waiting[uri] = asyncio.get_running_loop().create_future()
        return self._waiting[uri]


def _connect(
    settings: Settings,
    on_change: Callable[[Change], None],
    work: Callable[[], AbstractContextManager[None]],
) -> tuple[Connected, Completer]:
    """Import and make backends and completer; runs on a thread, this takes a good part of a second."""
    from lsp_server.backends.router import connect
    from lsp_server.completion.completer import Completer

    connected = connect(settings, on_change)
    return connected, Completer(WatchedBackend(connected.completion, work), settings.completion)


def _look_at(preparation: asyncio.Task[None]) -> None:
    """Take note of a failure that has been reported; asyncio would complain that nobody looked."""
    if not preparation.cancelled():
        preparation.exception()
