"""Where in a line something secret stands. Plain values, shared by the finders."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A secret's place in a line, from `start` to before `end`."""

    start: int
    end: int
    kind: str
    """What it is, for the user; empty where it goes on from the line before."""
    holds: bool = False
    """Whether text typed at `start` would be part of it, as after an opening quote."""

    def has_inside(self, cursor: int) -> bool:
        """Return whether what is typed at `cursor` belongs to the secret."""
        return self.start < cursor <= self.end or (self.holds and cursor == self.start)


@dataclass(frozen=True, slots=True)
class Line:
    """A line to be searched."""

    text: str
    is_config: bool = False
    """Whether it belongs to a file in which values need no quotes."""
    cursor: int | None = None
    """Where in it somebody is typing: what touches the cursor is not complete and is judged more strictly."""

    def is_typed(self, start: int, end: int) -> bool:
        """Return whether the cursor touches this part."""
        return self.cursor is not None and start <= self.cursor <= end
