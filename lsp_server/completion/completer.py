"""The pipeline from a snapshot to a completion, stage by stage.

Owns the order of the stages, superseding, the flights and the cache. Knows nothing of LSP, and
of the backend only its protocol.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from lsp_server.backends.protocol import Backend
from lsp_server.completion import trigger
from lsp_server.completion.beginning import is_foreign
from lsp_server.completion.cache import CompletionCache
from lsp_server.completion.context import Context, ContextBuilder
from lsp_server.completion.flight import Flight
from lsp_server.completion.movement import Cursor, FirstPlaces
from lsp_server.completion.place import Place
from lsp_server.completion.postprocess import postprocess
from lsp_server.completion.request import fim_request
from lsp_server.completion.result import Completion, NoCompletion, Reason, Trace
from lsp_server.completion.truncate import Cut, Truncator
from lsp_server.completion.turns import Turns
from lsp_server.documents.snapshot import Snapshot
from lsp_server.errors import BackendLoading, TextWithheld, UserFacingError
from lsp_server.settings import CompletionSettings

LINGER_S = 0.25
"""How long a flight whose client went away is kept while the document agrees with it: editors
cancel the old request and send the new one within a few milliseconds of each other."""

Result = Completion | NoCompletion
Current = Callable[[], "Snapshot | None"]


class Completer:
    """Completes at a place in a document; one answer at a time per document."""

    def __init__(self, backend: Backend, settings: CompletionSettings) -> None:
        self._backend = backend
        self._settings = settings
        self._contexts = ContextBuilder(settings)
        self._cache = CompletionCache()
        self._turns = Turns()
        self._places = FirstPlaces()
        self._flights: dict[str, Flight] = {}

    async def complete(
        self,
        snapshot: Snapshot,
        offset: int,
        *,
        invoked: bool = False,
        current: Current | None = None,
        cursor: Cursor | None = None,
    ) -> Result:
        """Return the completion at `offset`, or why there is none.

        `cursor` is given for requests that editors also make when the cursor only moves, see `movement`.
        A newer call for the same document answers this one with `SUPERSEDED`. Cancelling stops
        the model, unless the document already went on as the model writes (see `LINGER_S`).
        """
        trace = Trace(backend=self._backend.name)
        reason = trigger.refusal(self._settings, snapshot, offset, invoked=invoked)
        if reason is not None:
            self._turns.end(snapshot.uri)
            return NoCompletion(reason, trace=trace)
        moved = cursor is not None and self._places.has_moved(cursor)
        known = self._known(snapshot, offset, trace)
        if known is not None:
            self._turns.end(snapshot.uri)
            return known
        if moved:
            self._turns.end(snapshot.uri)  # a flight goes on: whoever comes back finds what it brought
            return NoCompletion(Reason.MOVED, trace=trace)
        answer = self._answer(snapshot, offset, 0 if invoked else self._settings.debounce_ms, trace)
        try:
            result = await self._turns.take(snapshot.uri, answer)
        except asyncio.CancelledError:
            self._leave(snapshot, current)
            raise
        if result is None:
            return NoCompletion(Reason.SUPERSEDED, trace=trace)
        if current is not None and not _is_current(snapshot, current()):
            return NoCompletion(Reason.STALE, trace=trace)
        return result

    def forget(self, uri: str) -> None:
        """Drop a closed document: its running request is stopped and answered."""
        self._turns.end(uri)
        self._stop(uri)
        self._cache.forget(uri)
        self._places.forget(uri)
        self._contexts.forget(uri)

    async def aclose(self) -> None:
        """Stop everything."""
        tasks = [flight.task for flight in self._flights.values()]
        for uri in list(self._flights):
            self.forget(uri)
        await asyncio.gather(*tasks, return_exceptions=True)

    def _known(self, snapshot: Snapshot, offset: int, trace: Trace) -> Result | None:
        hit = self._cache.find(snapshot, offset)
        if hit is None:
            return None
        if not hit.text:
            return NoCompletion(Reason.EMPTY, "known from before", trace)
        return Completion(hit.text, "typed_through" if hit.typed else "cache", trace)

    async def _answer(self, snapshot: Snapshot, offset: int, debounce_ms: int, trace: Trace) -> Result:
        flight = self._flights.get(snapshot.uri)
        if flight is not None:
            typed = flight.place.typed(snapshot, offset)
            if typed is not None and await flight.agreed(typed):
                known = self._known(snapshot, offset, flight.trace)
                if known is not None:
                    return known
            self._stop(snapshot.uri)
        started = time.monotonic()
        pause = asyncio.ensure_future(asyncio.sleep(debounce_ms / 1000))
        try:
            context = await self._contexts.build(snapshot, offset)
            trace.stages_ms["context"] = (time.monotonic() - started) * 1000
            await pause
        finally:
            pause.cancel()
        return await self._ask(snapshot, offset, context, trace)

    async def _ask(self, snapshot: Snapshot, offset: int, context: Context, trace: Trace) -> Result:
        request = fim_request(context, self._settings, document=snapshot.file_uri)
        trace.prefix, trace.suffix, trace.scope = request.prefix, request.suffix, context.cursor.scope
        place = Place.of(snapshot, offset)
        truncator = Truncator(context.cursor, context.judge)
        flight = self._flights[snapshot.uri] = Flight(place, truncator, context.cursor.opening, trace)

        def finish(cut: Cut, nothing: Reason) -> Result:
            result = _finished(cut, trace, context, nothing)
            if isinstance(result, Completion):
                self._cache.add(place, result.text)
            elif result.reason is not Reason.TIMEOUT:
                self._cache.add(place, "")
            return result

        flight.start(self._backend, request, finish, self._settings.timeout_ms / 1000)
        flight.task.add_done_callback(lambda _: self._landed(flight))
        return await _result(flight)

    def _landed(self, flight: Flight) -> None:
        if self._flights.get(flight.place.uri) is flight:
            del self._flights[flight.place.uri]
        if not flight.task.cancelled():
            flight.task.exception()  # looked at, also when nobody waits for it any more

    def _leave(self, snapshot: Snapshot, current: Current | None) -> None:
        """Stop the flight of a client that went away, unless its document follows the flight."""
        flight = self._flights.get(snapshot.uri)
        if flight is None:
            return
        newest = current() if current is not None else None
        if newest is not None and newest.version > snapshot.version and flight.place.typed_in(newest):
            asyncio.get_running_loop().call_later(LINGER_S, self._stop_idle, flight)
        else:
            self._stop(snapshot.uri)

    def _stop_idle(self, flight: Flight) -> None:
        if not self._turns.taken(flight.place.uri) and not flight.task.done():
            flight.cancel()

    def _stop(self, uri: str) -> None:
        flight = self._flights.pop(uri, None)
        if flight is not None:
            flight.cancel()


async def _result(flight: Flight) -> Result:
    """Wait for the flight; it goes on when only the waiting is given up."""
    await asyncio.wait({flight.task})
    if flight.task.cancelled():
        return NoCompletion(Reason.SUPERSEDED, trace=flight.trace)
    error = flight.task.exception()
    if isinstance(error, TextWithheld):
        flight.trace.withheld = (str(error),)
    if isinstance(error, UserFacingError):
        return NoCompletion(_failure(error), str(error), flight.trace)
    return flight.task.result()


def _failure(error: UserFacingError) -> Reason:
    if isinstance(error, TextWithheld):
        return Reason.WITHHELD
    return Reason.NOT_READY if isinstance(error, BackendLoading) else Reason.BACKEND_FAILED


def _finished(cut: Cut, trace: Trace, context: Context, empty: Reason) -> Result:
    trace.cut = cut.why
    text = postprocess(cut, context.cursor, context.above, context.line_end)
    if isinstance(text, Reason):
        return NoCompletion(empty if text is Reason.EMPTY else text, trace=trace)
    if context.heading and text.lstrip().startswith(context.heading.rstrip()):
        return NoCompletion(Reason.REPEATS_PREFIX, trace=trace)
    if context.heading and is_foreign(context.judge, context.prefix, cut.text):
        return NoCompletion(Reason.OTHER_LANGUAGE, trace=trace)
    return Completion(text, "backend", trace)


def _is_current(snapshot: Snapshot, newest: Snapshot | None) -> bool:
    return newest is not None and newest.version == snapshot.version
