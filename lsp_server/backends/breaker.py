"""Whether a backend is to be asked: one breaker for each. Pure: it is told what happened, and the time.

pybreaker was considered: it counts exceptions around a call, lets the next caller be the trial after a fixed
pause on its own clock, and knows no streams but plain generators.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from lsp_server.errors import (
    BackendLoading,
    BackendRejected,
    BackendUnavailable,
    ConfigurationError,
    ModelError,
    RateLimited,
    RequestRejected,
    UserFacingError,
)

FIRST_PAUSE_S = 2.0
"""A server that restarts is used again soon; what a longer first pause would save is one probe."""
LONGEST_PAUSE_S = 60.0
"""After this long at most it is noticed that a server is back."""
JITTER = 0.2
"""Share of a pause that is left to chance, so that several editors do not come back all at once."""


class Breaker:
    """Open while its backend is not to be asked.

    It opens at the first failure that says so: a wrong guess costs two seconds with a fallback, waiting for
    a second failure would cost a timeout.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, chance: Callable[[], float] = random.random
    ) -> None:
        """Take the time in seconds from `clock`, and numbers from 0 to 1 from `chance`."""
        self._clock = clock
        self._chance = chance
        self._error: UserFacingError | None = None
        self._until = 0.0
        self._pause_s = 0.0

    @property
    def closed(self) -> bool:
        """Whether the backend may be asked."""
        if isinstance(self._error, RateLimited) and self.pause_is_over:
            self._error = None  # no trial needed: the server is there, and has said when it wants to be asked
        return self._error is None

    @property
    def pause_is_over(self) -> bool:
        """Whether it is time to see if an open breaker can be closed."""
        return self._clock() >= self._until

    @property
    def fresh(self) -> bool:
        """Whether it opened at the first failure in a row: that may have been a moment's."""
        return self._pause_s <= FIRST_PAUSE_S

    @property
    def error(self) -> UserFacingError:
        """What opened it, to be raised; for a rate limit with the time that is left."""
        assert self._error is not None
        if isinstance(self._error, RateLimited):
            return RateLimited(str(self._error), max(0.0, self._until - self._clock()))
        return self._error.bare()  # one that is raised again and again gets longer with each time

    def failed(self, error: UserFacingError) -> bool:
        """Take note of a failure and say whether it is a reason not to ask this backend."""
        if isinstance(error, RateLimited):
            if self.closed or self.pause_is_over or isinstance(self._error, RateLimited):
                self._open(error, error.wait_s)
            return True
        if not speaks_of_backend(error):
            return False
        if self.closed or self.pause_is_over:  # else a request that began before it opened
            self._pause_s = min(LONGEST_PAUSE_S, self._pause_s * 2 or FIRST_PAUSE_S)
            self._open(error, self._pause_s * (1 - JITTER * self._chance()))
        return True

    def found_alive(self) -> None:
        """Close it after a sign of life; the next pause is still longer: models fail on servers that live."""
        self._error = None

    def answered(self) -> None:
        """Close it for good: a request was answered."""
        self._error = None
        self._pause_s = 0.0

    def _open(self, error: UserFacingError, pause_s: float) -> None:
        self._error = error.bare()
        self._until = self._clock() + pause_s


def speaks_of_backend(error: UserFacingError) -> bool:
    """Say whether the next request would fail too: no server, or one that refuses who asks or the model."""
    if isinstance(error, (BackendLoading, RequestRejected)):
        return False
    return isinstance(error, (BackendUnavailable, BackendRejected, ModelError, ConfigurationError))
