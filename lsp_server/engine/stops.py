"""From the bytes of tokens to text that may be shown: whole characters, up to a stop string. Pure."""

from __future__ import annotations

import codecs
from collections.abc import Iterable


class TextStream:
    """Turn token bytes into text, holding back what may turn out to begin a stop string.

    Characters and stop strings may both be spread over several tokens.
    """

    def __init__(self, stops: Iterable[str] = ()) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._held = ""
        self.stopped = False
        """A stop string has been met; nothing more comes out."""

    def feed(self, data: bytes) -> str:
        """Return the text that is certain after `data`."""
        if self.stopped:
            return ""
        text = self._held + self._decoder.decode(data)
        end = first_stop(text, self._stops)
        if end is not None:
            self.stopped = True
            self._held = ""
            return text[:end]
        keep = begun_stop(text, self._stops)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def finish(self) -> str:
        """Return what was held back, now that no more bytes come; half a character is dropped."""
        held, self._held = self._held, ""
        return held


def first_stop(text: str, stops: Iterable[str]) -> int | None:
    """Return where the stop string begins that is complete first.

    Not the one that begins first: whether another, longer one would follow must not depend on how the
    text was cut into tokens.
    """
    ends = [(at + len(stop), at) for stop in stops if (at := text.find(stop)) >= 0]
    return min(ends)[1] if ends else None


def begun_stop(text: str, stops: Iterable[str]) -> int:
    """Return the length of the longest end of `text` that begins, but does not complete, a stop string."""
    longest = 0
    for stop in stops:
        for length in range(min(len(stop) - 1, len(text)), longest, -1):
            if text.endswith(stop[:length]):
                longest = length
                break
    return longest
