"""Decides which job the model works on. Owns the one thread that touches the model.

Knows nothing of HTTP, nor of how a job is worked on: that is `runner`'s.

Every job gets exactly one of `Done`, `Failed` and `Cancelled`, on every path.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from lsp_server.engine.decoder import AbortFlag
from lsp_server.engine.job import Cancelled, Done, Event, Failed, Job
from lsp_server.engine.model import LoadedModel
from lsp_server.engine.runner import Runner
from lsp_server.engine.ticket import Ticket
from lsp_server.engine.vocabulary import Vocabulary
from lsp_server.errors import BackendRejected, UserFacingError

logger = logging.getLogger(__name__)

CLOSING = "The engine is shutting down."
CLOSE_TIMEOUT_S = 10.0
"""More than a batch takes on a slow GPU, which cannot be interrupted in one."""


@dataclass(frozen=True)
class Loading:
    """The model is being read; jobs wait."""

    fraction: float


@dataclass(frozen=True)
class Ready:
    """Jobs are served."""

    model: LoadedModel
    vocabulary: Vocabulary


@dataclass(frozen=True)
class Unavailable:
    """The model could not be loaded; every job fails with `reason`."""

    reason: str


State = Loading | Ready | Unavailable


class Scheduler:
    """The queue in front of the model. All methods are safe to call from any thread.

    The newest completion goes first, then chats in the order of their arrival, then background jobs.
    A job that goes before the running one interrupts it inside its batch; the interrupted one later
    goes on from what it has. A batch that the next job wants, too, is evaluated to its end: while somebody
    types, a machine that is too slow for one between two keys would never get beyond the first.
    """

    def __init__(self, load: Callable[[Callable[[float], None]], LoadedModel]) -> None:
        """Start a thread that calls `load` with a function to be told fractions, and then serves jobs."""
        self._load = load
        self._abort = AbortFlag()
        self._changed = threading.Condition()
        # All below is guarded by _changed; the abort flag is set and cleared under it too, so that an
        # interruption meant for one job cannot hit the next, or be forgotten.
        self._numbers = itertools.count()
        self._tickets: dict[Job, Ticket] = {}
        self._waiting: list[Ticket] = []
        self._running: Ticket | None = None
        self._left: list[Ticket] = []
        self._state: State = Loading(0.0)
        self._idle_since: float | None = None
        self._closing = False
        self._runner: Runner | None = None
        self._thread = threading.Thread(target=self._own_model, name="model", daemon=True)
        self._thread.start()

    @property
    def state(self) -> State:
        """Return whether jobs are served."""
        with self._changed:
            return self._state

    @property
    def idle_since(self) -> float | None:
        """Return since when (`time.monotonic`) there has been nothing to do; None while there is."""
        with self._changed:
            return None if self._tickets else self._idle_since

    @property
    def evaluated_tokens(self) -> int:
        """Return how many tokens the model has evaluated since it was loaded."""
        runner = self._runner
        return runner.decoder.evaluated_tokens if runner else 0

    def submit(self, job: Job) -> None:
        """Put a job in the queue. Its events come through `job.emit`, possibly before this returns."""
        with self._changed:
            if job in self._tickets:
                raise ValueError("the job has been submitted already")
            refusal = self._refusal()
            if refusal is None:
                ticket = Ticket(job, next(self._numbers))
                self._tickets[job] = ticket
                self._waiting.append(ticket)
                if self._running and (self._running.cancelled or ticket.rank < self._running.rank):
                    self._interrupt(self._running)
                self._changed.notify_all()
        if refusal is not None:
            _emit(job, Failed(refusal))

    def cancel(self, job: Job) -> bool:
        """Stop a job, within a batch if it runs; say whether it was still there to be stopped.

        If so, it ends with `Cancelled`, or with `Failed` if it failed at that very moment.
        """
        with self._changed:
            ticket = self._tickets.get(job)
            if ticket is None:
                return False
            ticket.cancelled = True
            if ticket is self._running:
                self._interrupt(ticket)
                return True
            self._waiting.remove(ticket)
            self._left.append(ticket)
            self._forget(ticket)
        _emit(job, Cancelled(ticket.stats()))
        return True

    def close(self) -> None:
        """Fail what is waiting, interrupt what runs or loads, and free the model."""
        with self._changed:
            self._closing = True
            self._abort.set()
            self._changed.notify_all()
        if threading.current_thread() is not self._thread:
            self._thread.join(CLOSE_TIMEOUT_S)

    def _interrupt(self, running: Ticket) -> None:
        """Stop the running job: after its batch, unless somebody waits who has no use for what is in it."""
        following = min(self._waiting, key=lambda ticket: ticket.rank, default=None)
        if following is None or (running.owner is not None and running.owner == following.owner):
            self._abort.set_after_batch()
        else:
            self._abort.set()

    def _own_model(self) -> None:
        reason = CLOSING
        try:
            with contextlib.closing(self._load(self._report)) as model:
                self._serve(model)
        except _ClosingError:
            pass
        except UserFacingError as error:
            reason = str(error)
        except Exception:
            logger.exception("the model's thread failed")
            reason = "The model could not be loaded or has stopped working; the engine's log says why."
        self._end(reason)

    def _report(self, fraction: float) -> None:
        with self._changed:
            if self._closing:
                raise _ClosingError
            self._state = Loading(fraction)

    def _serve(self, model: LoadedModel) -> None:
        runner = Runner(model, self._abort)
        runner.warm_up()
        with self._changed:
            self._runner = runner
            self._state = Ready(model, runner.vocabulary)
            self._idle_since = time.monotonic()
        while (ticket := self._next(runner)) is not None:
            event = self._work(runner, ticket)
            if event is not None:
                runner.release(ticket)
                _emit(ticket.job, event)

    def _next(self, runner: Runner) -> Ticket | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            for ticket in self._left:
                runner.release(ticket)
            self._left.clear()
            if self._closing:
                return None
            self._abort.clear()
            self._running = min(self._waiting, key=lambda ticket: ticket.rank)
            self._waiting.remove(self._running)
            return self._running

    def _work(self, runner: Runner, ticket: Ticket) -> Event | None:
        """Run a job; return its last event, or None if it was put back into the queue."""
        failure: Failed | None = None
        finished = False
        try:
            finished = runner.run(ticket)
        except UserFacingError as error:
            failure = Failed(str(error), refused=isinstance(error, BackendRejected))
        except Exception:
            logger.exception("a job failed")
            failure = Failed("The model failed on this request; the engine's log says why.")
        with self._changed:
            self._running = None
            ticket.enter("queue")
            if not (failure or finished or ticket.cancelled):
                self._waiting.append(ticket)
                return None
            self._forget(ticket)
        if failure:
            return failure
        if ticket.cancelled:
            return Cancelled(ticket.stats())
        assert ticket.generation and ticket.generation.finish_reason
        return Done(ticket.generation.finish_reason, ticket.stats())

    def _forget(self, ticket: Ticket) -> None:
        del self._tickets[ticket.job]
        self._idle_since = time.monotonic()

    def _end(self, reason: str) -> None:
        with self._changed:
            self._state = Unavailable(reason)
            self._idle_since = time.monotonic()
            left = list(self._tickets)
            self._tickets.clear()
            self._waiting.clear()
        for job in left:
            _emit(job, Failed(reason))

    def _refusal(self) -> str | None:
        if self._closing:
            return CLOSING
        return self._state.reason if isinstance(self._state, Unavailable) else None


class _ClosingError(Exception):
    """Stops the loading of a model nobody waits for any more."""


def _emit(job: Job, event: Event) -> None:
    try:
        job.emit(event)
    except Exception:
        logger.exception("a job's client could not be told %s", type(event).__name__)
