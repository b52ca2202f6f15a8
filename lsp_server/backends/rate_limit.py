"""How often a server wants to be asked, learned from its answers. Sends nothing, sleeps nowhere.

Servers tell it in three dialects: Mistral's `x-ratelimit-limit-req-minute`, OpenAI's
`x-ratelimit-limit-requests` with `x-ratelimit-reset-requests`, and `Retry-After` with a 429.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

LONGEST_HOLD_S = 300.0
"""Who names hours has run out of a quota; asking every five minutes tells when that has changed."""

FIRST_HOLD_S = 1.0
"""After a 429 that names no time: Mistral's free tier has one request a second. It doubles each time."""

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:([\d.]+)s)?(?:([\d.]+)ms)?")


@dataclass
class _Bucket:
    """Fills by `per_s` up to `size`; what is asked for is taken out."""

    level: float
    size: float
    per_s: float
    at: float

    def now(self, at: float) -> float:
        self.level = min(self.size, self.level + (at - self.at) * self.per_s)
        self.at = at
        return self.level

    def wait_s(self, cost: float, at: float) -> float:
        missing = min(cost, self.size) - self.now(at)
        # Levels are sums of fractions: a billionth of a request is no reason to wait.
        return missing / self.per_s if missing > 1e-9 and self.per_s > 0 else 0.0


class RateLimit:
    """What one server allows: `wait_s` before a request, `took` as it goes out, `learn` from the answer."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, now: Callable[[], float] = time.time
    ) -> None:
        """Take a steady `clock` for waiting and the time of day for servers that name one."""
        self._clock = clock
        self._now = now
        self._requests: _Bucket | None = None
        self._tokens: _Bucket | None = None
        self._cost = 0.0
        self._held_until = float("-inf")
        self._holds = 0

    def wait_s(self) -> float:
        """Return how long the next request has to wait; 0 if it may go out."""
        at = self._clock()
        waits = [self._held_until - at]
        if self._requests is not None:
            waits.append(self._requests.wait_s(1.0, at))
        if self._tokens is not None:
            waits.append(self._tokens.wait_s(self._cost, at))
        return min(max(0.0, *waits), LONGEST_HOLD_S)

    def took(self) -> None:
        """Count a request that goes out; the answer to it says more."""
        at = self._clock()
        for bucket, cost in ((self._requests, 1.0), (self._tokens, self._cost)):
            if bucket is not None:
                bucket.level = max(0.0, bucket.now(at) - cost)

    def learn(self, headers: Mapping[str, str]) -> None:
        """Take what an answer that is no 429 says of limits."""
        self._holds = 0
        self._read(headers)

    def hold(self, headers: Mapping[str, str]) -> float:
        """Take a 429: return how many seconds nothing may be sent."""
        self._read(headers)
        wait_s = self.retry_after_s(headers)
        if wait_s is None:
            wait_s = max(FIRST_HOLD_S * 2.0 ** min(self._holds, 10), self.wait_s())
        self._holds += 1
        wait_s = min(wait_s, LONGEST_HOLD_S)
        self._held_until = max(self._held_until, self._clock() + wait_s)
        return wait_s

    def _read(self, headers: Mapping[str, str]) -> None:
        at = self._clock()
        self._requests = _bucket(headers, ("req-minute", "requests"), at) or self._requests
        self._tokens = _bucket(headers, ("tokens-minute", "tokens"), at) or self._tokens
        self._cost = _number(headers.get("x-ratelimit-tokens-query-cost")) or self._cost

    def retry_after_s(self, headers: Mapping[str, str]) -> float | None:
        """Return how long a refusal asks to wait, None if it does not."""
        if (ms := _number(headers.get("retry-after-ms"))) is not None:
            return ms / 1000
        given = headers.get("retry-after", "").strip()
        if (seconds := _number(given)) is not None:
            return seconds
        try:
            when = parsedate_to_datetime(given)
        except (ValueError, TypeError, IndexError):  # all three occur, by Python version
            return None
        if when.tzinfo is None:
            when = when.replace(tzinfo=timezone.utc)
        return max(0.0, (when - datetime.fromtimestamp(self._now(), timezone.utc)).total_seconds())


def _bucket(headers: Mapping[str, str], names: tuple[str, ...], at: float) -> _Bucket | None:
    for name in names:
        size = _number(headers.get(f"x-ratelimit-limit-{name}"))
        left = _number(headers.get(f"x-ratelimit-remaining-{name}"))
        if not size or left is None:
            continue
        reset_s = duration_s(headers.get(f"x-ratelimit-reset-{name}", ""))
        # OpenAI: the time until the bucket is full again. Without it the limit is one per minute.
        per_s = (size - left) / reset_s if reset_s and left < size else size / 60
        return _Bucket(min(left, size), size, per_s, at)
    return None


def duration_s(given: str) -> float | None:
    """Return the seconds in `6m0s`, `1.5s`, `20ms` or `12`; None for anything else."""
    given = given.strip()
    if (seconds := _number(given)) is not None:
        return seconds
    found = _DURATION.fullmatch(given)
    if found is None or not given:
        return None
    units = (86_400.0, 3600.0, 60.0, 1.0, 0.001)
    parts = [_number(part) if part else 0.0 for part in found.groups()]
    if None in parts:
        return None
    return sum((part or 0.0) * unit for part, unit in zip(parts, units, strict=True))


def _number(given: str | None) -> float | None:
    # float() also takes `nan`, `inf` and `1_0`.
    text = (given or "").strip()
    return float(text) if re.fullmatch(r"\d{1,15}(\.\d*)?|\.\d+", text, re.ASCII) else None
