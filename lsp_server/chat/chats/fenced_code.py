"""Fenced code as users write it in a chat: as CommonMark has it, but an open fence hides nothing."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass

_FENCE = re.compile(r"(?:\A|(?<=[\n\r])) {0,3}(`{3,}|~{3,})([^\r\n]*)")


@dataclass(frozen=True)
class _Mark:
    """A line that opens or closes a block."""

    start: int
    end: int
    fence: str
    info: str

    @property
    def opens(self) -> bool:
        return not (self.fence[0] == "`" and "`" in self.info)

    def is_closed_by(self, other: _Mark) -> bool:
        return other.fence.startswith(self.fence) and not other.info.strip()


class FencedCode:
    """The fences of one text."""

    def __init__(self, text: str) -> None:
        self._marks = [_Mark(*found.span(), *found.groups()) for found in _FENCE.finditer(text)]
        self._starts = [mark.start for mark in self._marks]
        self._never: dict[str, int] = {}
        """For a character, the first mark from which on nothing closes it; looking again costs the square."""

    def around(self, start: int, at: int) -> int | None:
        """Return the end of the closed block that `at` is in; None without one that opens after `start`."""
        index = bisect_left(self._starts, start)
        while index < len(self._marks) and self._marks[index].start < at:
            closing = self._closing(index)
            if closing is None:
                index += 1
            elif self._marks[closing].start > at:
                return self._marks[closing].end
            else:
                index = closing + 1
        return None

    def _closing(self, index: int) -> int | None:
        opening = self._marks[index]
        if not opening.opens or index >= self._never.get(opening.fence, len(self._marks)):
            return None
        for later in range(index + 1, len(self._marks)):
            if opening.is_closed_by(self._marks[later]):
                return later
        self._never[opening.fence] = index
        return None
