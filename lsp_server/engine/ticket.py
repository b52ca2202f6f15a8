"""A job on its way through the engine: its place in the queue, its progress and what it has cost."""

from __future__ import annotations

import time
from typing import Literal

from lsp_server.engine.generation import Generation
from lsp_server.engine.job import Job, Priority, Stats

Phase = Literal["queue", "prefill", "decode"]


class Ticket:
    """What the scheduler knows of a job. `number` counts jobs in the order of their arrival."""

    def __init__(self, job: Job, number: int) -> None:
        self.job = job
        self.rank = (job.priority, -number if job.priority is Priority.COMPLETION else number)
        """The smallest goes first: the newest completion, then the oldest of the others."""
        self.generation: Generation | None = None
        """Empty until the job first runs."""
        self.cached_tokens: int | None = None
        self.evaluated_tokens = 0
        self.cancelled = False
        self._spent_s: dict[Phase, float] = {"queue": 0.0, "prefill": 0.0, "decode": 0.0}
        self._phase: Phase = "queue"
        self._since = time.monotonic()

    @property
    def owner(self) -> tuple[bool, object] | None:
        """Return what the job's prompt begins like that of; None if that is not known."""
        # A chat about a document and the completions in it have nothing in common but their name.
        document = self.job.document
        return None if document is None else (self.job.priority is Priority.CHAT, document)

    def enter(self, phase: Phase) -> None:
        """Count time towards `phase` from now on."""
        now = time.monotonic()
        self._spent_s[self._phase] += now - self._since
        self._phase, self._since = phase, now

    def stats(self) -> Stats:
        """Return what the job has cost until now."""
        self.enter(self._phase)
        generation = self.generation
        return Stats(
            prompt_tokens=generation.prompt_tokens if generation else 0,
            cached_tokens=self.cached_tokens or 0,
            evaluated_tokens=self.evaluated_tokens,
            completion_tokens=generation.completion_tokens if generation else 0,
            queue_ms=1000 * self._spent_s["queue"],
            prefill_ms=1000 * self._spent_s["prefill"],
            decode_ms=1000 * self._spent_s["decode"],
        )
