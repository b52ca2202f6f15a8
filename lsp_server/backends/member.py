"""A backend as part of chains: whether it is to be asked, and what is done about it in the background.

Several chains may share a member: what one learns about a server, the other need not.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal

from lsp_server.backends.breaker import Breaker, speaks_of_backend
from lsp_server.backends.protocol import Backend, Readiness
from lsp_server.errors import (
    BackendLoading,
    BackendRejected,
    BackendUnavailable,
    RateLimited,
    UserFacingError,
)

log = logging.getLogger(__name__)

SILENCE_S = 3.0
"""A backend that has not answered for this long, each request being given up for the next key, is looked
after: while somebody types, no request lives to its deadline, and nothing would show that a server hangs."""

QUICK_S = 1.0
"""A failure that costs less is no reason not to ask again at the next key, if nobody else can be asked."""

SHORT_LIMIT_S = 5.0
"""A rate limit that is over sooner is no news: another backend answers a few keys, that is all."""

NO_SUCH_PATH = (404, 405)
"""What a server says that knows nothing of the path a probe asks for; it is there, which was the question."""


@dataclass(frozen=True)
class Change:
    """What has become of a backend: for the editor's status, and one notice per cause."""

    backend: str
    state: Literal["in use", "fallback", "away", "back", "loading", "loaded"]
    """`loading` is told at each step; `loaded` or `away` comes after it, unless the backend is closed."""
    sentence: str
    """For the user; empty for `in use` and `loaded`."""
    use: str = ""
    """The chain that says so (`completion`, `chat`); empty for what is true of the backend in any."""
    fraction: float | None = None
    """How much of the loading is done, where that is known."""


OnChange = Callable[[Change], None]
Report = Callable[["Member", "Readiness | None"], None]
"""Told of each step of a preparation, and with None of its end."""


class Member:
    """A backend, its breaker, and at most one preparation and one probe of it."""

    def __init__(
        self, backend: Backend, on_change: OnChange, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.backend = backend
        self.breaker = Breaker(clock)
        self.loading = ""
        """While a preparation says that there is something to wait for: what."""
        self.listeners: set[Report] = set()
        self._on_change = on_change
        self._clock = clock
        self._preparation: asyncio.Task[None] | None = None
        self._probe: asyncio.Task[None] | None = None
        self._told_away = ""
        self._unanswered_since: float | None = None
        self._failed_quickly = False
        self._gave_no_sign = False
        """Whether the last look for a sign of life found none."""
        self._was_ready = False
        self._is_closed = False
        self.unready: UserFacingError | None = None
        """What the last preparation ended with, if it failed."""

    @property
    def name(self) -> str:
        """Return the backend's name."""
        return self.backend.name

    @property
    def preparing(self) -> bool:
        """Whether a preparation is under way."""
        return self._preparation is not None

    @property
    def ready(self) -> bool:
        """Whether a request would be answered at once, as far as is known."""
        return not self.preparing or (self._was_ready and not self.loading)

    @property
    def why_out_of_use(self) -> str:
        """Why other members answer until further notice; empty if this one is in use."""
        if not self.breaker.closed:
            error = self.breaker.error
            passing = isinstance(error, RateLimited) and error.wait_s <= SHORT_LIMIT_S
            return "" if passing else str(error)
        return "" if self.ready else self.loading or f"{self.name} is being made ready."

    def prepare(self) -> None:
        """Start a preparation, unless one is under way; `listeners` hear of it."""
        if self._preparation is None and not self._is_closed:
            self._preparation = asyncio.create_task(self._prepare(), name=f"prepare {self.name}")

    def probe(self) -> None:
        """Look for a sign of life in the background, unless something of the kind is being done."""
        if self._probe is None and self._preparation is None and not self._is_closed:
            self._probe = asyncio.create_task(self._look(), name=f"probe {self.name}")

    async def last_resort(self) -> bool:
        """Say whether to ask although the breaker is open: there is no other backend, nobody is kept waiting.

        After a quick failure, a try costs nothing; after one that took its time, a sign of life comes first.
        """
        error = self.breaker.error
        if isinstance(error, RateLimited) or not isinstance(error, BackendUnavailable):
            return False
        if self._failed_quickly:
            return True
        if not self.breaker.fresh or self._gave_no_sign:
            return False
        self.probe()
        if self._probe is not None:
            await asyncio.wait({self._probe})
        return self.breaker.closed

    def asked(self) -> None:
        """Take note of a request that goes out."""
        if self._unanswered_since is None:
            self._unanswered_since = self._clock()

    def given_up(self) -> None:
        """Take note of a request that was given up before anything came: no verdict, but maybe a hint."""
        since = self._unanswered_since
        if since is not None and self._clock() - since >= SILENCE_S and self.breaker.closed:
            self.probe()

    def answered(self) -> bool:
        """Take note of an answer's beginning; say whether it is the first one after the backend was away."""
        self._unanswered_since = None
        self._was_ready = True
        self._gave_no_sign = False
        self.breaker.answered()
        was_away, self._told_away = bool(self._told_away), ""
        if was_away:
            log.info("%s answers again", self.name)
            self._tell("back", f"{self.name} answers again.")
        return was_away

    def failed(self, error: UserFacingError) -> None:
        """Take note of a request that failed."""
        since, self._unanswered_since = self._unanswered_since, None
        self._failed_quickly = since is None or self._clock() - since < QUICK_S
        self._judge(error)

    def _judge(self, error: UserFacingError) -> None:
        if isinstance(error, BackendLoading):
            self._was_ready = False
            self.breaker.found_alive()
            self.prepare()
            self._is_loading(Readiness(ready=False, message=str(error)))
        elif self.breaker.failed(error) and not isinstance(error, RateLimited):
            self._is_away(str(error))

    async def aclose(self) -> None:
        """Stop what is under way and close the backend; once is enough, however many chains it is in."""
        if self._is_closed:
            return
        self._is_closed = True
        tasks = {task for task in (self._preparation, self._probe) if task is not None}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await self.backend.aclose()

    async def _prepare(self) -> None:
        self.unready = None
        try:
            async with aclosing(self.backend.prepare()) as steps:
                async for step in steps:
                    if not step.ready:
                        self._is_loading(step)
                    self._report(step)
            if not self.breaker.closed:
                await self._find_alive()  # some say that they are ready though nobody is there
            self._was_ready = True
            if self.loading:
                self._tell("loaded", "")
        except Exception as error:
            self.unready = self._failed_in_background(error)
            self._was_ready = False
            if self.loading:
                self._is_away(str(self.unready))
        except asyncio.CancelledError:
            self.unready = BackendUnavailable(f"{self.name} has been closed.")
            raise
        finally:
            self._preparation = None
            self.loading = ""
            self._report(None)

    async def _look(self) -> None:
        try:
            await self._find_alive()
        except Exception as error:
            if not speaks_of_backend(self._failed_in_background(error)):
                self.breaker.found_alive()
        finally:
            self._probe = None

    async def _find_alive(self) -> None:
        self._gave_no_sign = True
        try:
            await self.backend.probe()
        except BackendRejected as error:
            if error.status not in NO_SUCH_PATH:
                raise
        self._unanswered_since = None
        self._gave_no_sign = False
        self.breaker.found_alive()

    def _failed_in_background(self, error: Exception) -> UserFacingError:
        if isinstance(error, UserFacingError):
            log.info("%s: %s", self.name, error)
        else:
            log.error("%s failed unexpectedly", self.name, exc_info=error)
            error = BackendUnavailable(f"{self.name} failed unexpectedly; please report what the log says.")
        self._judge(error)
        return error

    def _report(self, step: Readiness | None) -> None:
        for listener in tuple(self.listeners):
            listener(self, step)

    def _is_loading(self, step: Readiness) -> None:
        self.loading = step.message or f"{self.name} is being made ready."
        self._told_away = ""  # what comes of it is news
        tell(self._on_change, Change(self.name, "loading", self.loading, fraction=step.fraction))

    def _is_away(self, sentence: str) -> None:
        cause = re.sub(r"\d+", "", sentence)  # seconds that are left are no other cause
        if cause != self._told_away:
            self._told_away = cause
            self._tell("away", sentence)

    def _tell(self, state: Literal["away", "back", "loaded"], sentence: str) -> None:
        tell(self._on_change, Change(self.name, state, sentence))


def tell(on_change: OnChange, change: Change) -> None:
    """Pass a change on; whoever listens must not break a request."""
    try:
        on_change(change)
    except Exception:
        log.exception("Showing a change of %s failed", change.backend)
