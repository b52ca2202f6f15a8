"""Counters of one session: what was asked, what came of it, what it cost. Never any text of a document.

Pure: whoever answers requests tells what happened. `offers` infers what was accepted, see `acceptance`.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

from lsp_server.backends.protocol import Usage
from lsp_server.completion.acceptance import Offer, Offers
from lsp_server.completion.result import Completion, NoCompletion, Reason, Source
from lsp_server.documents.snapshot import Snapshot

REMEMBERED = 1000
"""Newest times of a backend that the median is of: some hours of work, and what was long ago is no news."""


@dataclass
class BackendStats:
    """What one backend did."""

    answers: int = 0
    evaluated_tokens: int = 0
    """Tokens of prompts that were not found in the server's cache."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    counted_answers: int = 0
    """Those of which the server said what they cost."""
    times_ms: deque[float] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    """From the request of the editor to its answer."""

    def take(self, usage: Usage) -> None:
        """Count what an answer cost."""
        self.counted_answers += 1
        self.prompt_tokens += usage.prompt_tokens
        self.evaluated_tokens += usage.prompt_tokens - usage.cached_tokens
        self.completion_tokens += usage.completion_tokens


class Stats:
    """The counters."""

    def __init__(self) -> None:
        self.requests = 0
        self.sources: Counter[Source] = Counter()
        """Where the completions came from that were sent to the editor."""
        self.nothing: Counter[Reason] = Counter()
        self.shown = 0
        """Completions sent to the editor; one that is typed along is still the same."""
        self.accepted = 0
        self.accepted_in_part = 0
        self.accepted_characters = 0
        self.backends: dict[str, BackendStats] = {}
        self._offers = Offers()

    def answered(self, outcome: Completion | NoCompletion, elapsed_ms: float) -> None:
        """Count a request and what came of it."""
        self.requests += 1
        if isinstance(outcome, Completion):
            self.sources[outcome.source] += 1
        else:
            self.nothing[outcome.reason] += 1
        trace = outcome.trace
        asked = "stream" in trace.stages_ms and not trace.counted
        if asked and not (isinstance(outcome, NoCompletion) and outcome.reason is Reason.SUPERSEDED):
            trace.counted = True  # a reply may answer two requests, if somebody types along
            backend = self.backends.setdefault(trace.backend, BackendStats())
            backend.answers += 1
            backend.times_ms.append(elapsed_ms)
            if trace.usage is not None:
                backend.take(trace.usage)

    def offer(self, offer: Offer) -> None:
        """Count a completion that is shown, if it is another one."""
        if self._offers.show(offer):
            self.shown += 1

    def changed(self, now: Snapshot) -> None:
        """Count what a change of a document shows to be accepted."""
        taken = self._offers.change(now)
        if taken is None:
            return
        self.accepted_characters += taken.characters
        if taken.whole:
            self.accepted += 1
        if taken.begins and not taken.whole:
            self.accepted_in_part += 1
        elif taken.whole and not taken.begins:
            self.accepted_in_part -= 1

    def forget(self, uri: str) -> None:
        """Drop what is known of a closed document; the counters stay."""
        self._offers.forget(uri)


def median_and_p90(times_ms: deque[float]) -> tuple[float, float] | None:
    """Return how long half, and nine of ten, of the answers took at most; None if there are none."""
    if not times_ms:
        return None
    if len(times_ms) == 1:
        return times_ms[0], times_ms[0]
    from statistics import quantiles  # imports much, and most servers are never asked

    cuts = quantiles(times_ms, n=10, method="inclusive")
    return cuts[4], cuts[8]
