"""Which lines of a Markdown text are fenced code for sure. Where lists and quotations end is not parsed."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FENCE = re.compile(r"([ \t>*+\-\d.)]*)(`{3,}(?=[^`]*$)|~{3,})")
"""What stands before it, and the fence."""
_CONTAINED = frozenset(" \t>*+-0123456789")
"""A line that starts with one of these may go on with a list or a quotation."""


@dataclass(frozen=True)
class _Open:
    """An open fence; a contained one ends with the list or the quotation that it stands in."""

    fence: str
    contained: bool = False
    indent: int = 0
    """Blanks that stand before it and nothing else: lines with as many are code, whatever it stands in."""

    def covers(self, line: str) -> bool:
        """Tell whether a line is code for sure."""
        return not self.contained or (self.indent > 0 and line.startswith(" " * self.indent))


_State = _Open | None
"""What a line may stand in."""


class FenceStates:
    """All that the next line of a text may stand in, for texts in which nothing is HTML."""

    def __init__(self) -> None:
        self._states: set[_State] = {None}
        self._after_blank = True

    @property
    def may_be_code(self) -> bool:
        """Tell whether there are lines that could be code for sure if they came next."""
        return None not in self._states

    def is_code(self, line: str) -> bool:
        """Tell whether the next line is code for sure, or the fence that closes it; its beginning will do."""
        return all(state is not None and state.covers(line) for state in self._states)

    @property
    def longest_indent(self) -> int:
        """Return how many blanks `is_code` looks at."""
        return max((state.indent for state in self._states if state is not None), default=0)

    def take(self, line: str) -> None:
        """Take the next line, without its end."""
        self._states = {
            after for state in self._states for after in _after(line, state, after_blank=self._after_blank)
        }
        self._after_blank = not line.strip(" \t")


def _after(line: str, state: _State, *, after_blank: bool) -> set[_State]:
    match = _FENCE.match(line)
    closes = (
        state is not None
        and match is not None
        and match[2].startswith(state.fence)
        and not line[match.end() :].strip()
    )
    if state is not None and not state.contained:
        return {None} if closes and match and _is_bare(match) else {state}
    if state is not None and state.indent:
        if not line.strip(" \t") or (match is None and state.covers(line)):
            return {state}
        if closes and match and match[1] == " " * state.indent:
            return {None}
    stays: set[_State] = set() if state is None or line[:1] not in _CONTAINED | {""} else {state}
    if match is None:
        return {None, *stays}
    return {*_opened(match, after_blank=after_blank and state is None), *stays}


def _opened(match: re.Match[str], *, after_blank: bool) -> set[_State]:
    """Return what a line that may open a fence leaves open; with a bar in it, it may begin a table."""
    if "|" in match.string:
        return {None, _Open(match[2], contained=True), _Open(match[2])}
    blanks = len(match[1]) if not match[1].strip(" ") else None
    if blanks == 0:
        return {_Open(match[2])}
    if blanks is not None and (blanks <= 3 or after_blank):
        # A fence of a list, or one of none, or behind many blanks code that is indented.
        found: set[_State] = {_Open(match[2], contained=True, indent=blanks)}
    else:
        found = {None, _Open(match[2], contained=True)}
    return {_Open(match[2]), *found} if _is_bare(match) else found


def _is_bare(match: re.Match[str]) -> bool:
    """Tell whether a fence may be one of no list: it has at most three blanks before it."""
    return len(match[1]) <= 3 and not match[1].strip(" ")
