"""Where a completion ends, decided while it streams, so that decoding stops there too.

In the order of what is trusted most: the text meets what follows the cursor (`joins`), the block
is left, the statement is complete, the model ends by itself, the limit. Must not know the
backend; knows syntax only through the `Judge` it is given.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Protocol

from lsp_server.backends.protocol import FinishReason
from lsp_server.completion import joins
from lsp_server.completion.cursor import Cursor, closes_block, columns, first_line


class Judge(Protocol):
    """What is known of the syntax of a candidate; `statement.Candidates` knows it from the tree."""

    def statement_end(self, text: str) -> int | None:
        """Return where the first statement of `text` ends; None while it is not known to be complete."""
        ...

    def breaks(self, text: str) -> bool:
        """Say whether inserting `text` makes syntax errors that were not there before."""
        ...


JOIN_LINES = 3
"""Lines to wait for a join after the first statement is complete. Joins found later were rarely
worth their decoding time: about a sixth of a second a line on two CPU cores."""

INLINE_LINES = 6
"""Lines to wait for the rest of the cursor's line to come up again before one line is taken."""

BLOCK_LINES = 24
"""Longest block offered, in lines; more does not fit on a screen beside its surroundings."""


_WORD = re.compile(r"\w+|[^\w\s]")

MODEL_ENDED = "the model ended"


@dataclass(frozen=True)
class Cut:
    """The text that is kept, and what ended it (for `--why`)."""

    text: str
    why: str

    @property
    def joins(self) -> bool:
        """Say whether the text after the cursor follows on directly."""
        return self.why in ("join", "bracket")


class Truncator:
    """Takes the stream of one completion and says when, and where, it ends."""

    def __init__(self, cursor: Cursor, judge: Judge) -> None:
        self._cursor = cursor
        self._judge = judge
        self._raw = ""
        self._statement: int | None = None

    @property
    def raw(self) -> str:
        """Return everything the model wrote so far."""
        return self._raw

    def feed(self, text: str) -> Cut | None:
        """Take the next piece; return the completion once its end is known."""
        self._raw += text
        if self._cursor.inline:
            return self._inline(self._raw)
        if "\n" not in text:
            return None
        return self._lines(self._raw[: self._raw.rindex("\n") + 1])

    def finish(self, reason: FinishReason) -> Cut:
        """Return the completion of a stream that ended by itself."""
        raw = self._raw
        whole = raw + "\n"
        found = self._inline(whole) if self._cursor.inline else self._lines(whole)
        if found is not None and (reason == "length" or len(found.text) < len(raw)):
            return found
        if reason == "stop":
            return Cut(raw, MODEL_ENDED)
        if self._cursor.inline:
            return self._inline_line(raw)
        if self._statement is not None:
            return Cut(raw[: self._statement], "statement")
        kept = raw.rfind("\n")
        return Cut(raw[:kept] if kept >= 0 and raw[:kept].strip() else raw, "token limit")

    def _inline(self, raw: str) -> Cut | None:
        end = joins.closing_join(raw, self._cursor.tail)
        if end is not None:
            return Cut(raw[:end], "bracket")
        end = joins.tail_join(raw, self._cursor.tail)
        if end is not None:
            return Cut(raw[:end], "join")
        return self._inline_line(raw) if raw.count("\n") >= INLINE_LINES else None

    def _inline_line(self, raw: str) -> Cut:
        """Keep as much of the first line as goes together with the rest of the cursor's line."""
        inside = joins.tail_inside(raw, self._cursor.tail)
        line = raw.split("\n", 1)[0] if inside is None else raw[:inside]
        for end in [len(line), *(word.start() for word in reversed(list(_WORD.finditer(line))))]:
            if not self._judge.breaks(line[:end]):
                return Cut(line[:end], "line" if inside is None else "join")
        return Cut("", "line")

    def _lines(self, complete: str) -> Cut | None:
        return self._line(complete) if self._cursor.scope == "line" else self._block(complete)

    def _line(self, complete: str) -> Cut | None:
        """End at the first line end outside brackets; go on where the line opens a block without a body."""
        end = complete.find("\n")
        while end >= 0 and joins.open_brackets(complete[:end], ignore="{"):
            end = complete.find("\n", end + 1)
        if end < 0:
            return None
        cursor = self._cursor
        if not cursor.opens_body(complete[:end]):
            return Cut(complete[:end], "line")
        floor = columns(cursor.head + complete) + 1
        self._cursor = replace(cursor, scope="block", block_start=True, floor=floor)
        return self._block(complete)

    def _block(self, complete: str) -> Cut | None:
        left = self._leaves(complete)
        join = self._join(complete)
        if join is not None and (left is None or join <= len(left.text)):
            return Cut(complete[:join], "join")
        if left is not None:
            return left
        lines = complete.count("\n")
        if self._cursor.block_start or self._cursor.last_in_block:
            return Cut(complete, "block limit") if lines >= BLOCK_LINES else None
        if self._statement is None:
            self._statement = self._judge.statement_end(complete)
        if self._statement is None:
            return Cut(complete, "block limit") if lines >= BLOCK_LINES else None
        if lines - complete[: self._statement].count("\n") >= JOIN_LINES:
            return Cut(complete[: self._statement], "statement")
        return None

    def _join(self, complete: str) -> int | None:
        cursor = self._cursor
        join = joins.line_join(complete, cursor.following)
        if not cursor.above_code:
            return join
        if join is None:
            return joins.tail_join(complete, cursor.tail)
        return join + len(cursor.head)

    def _leaves(self, complete: str) -> Cut | None:
        """Cut before the first line that is indented less than the block, or after the one that closes it."""
        cursor, position, floor = self._cursor, 0, self._floor(complete)
        for number, line in enumerate(complete.splitlines(keepends=True)):
            whole = (cursor.opening or cursor.head) + line if number == 0 else line
            if number and line.strip() and columns(whole) < floor:
                before, after = complete[:position], complete[: position + len(line.rstrip())]
                if not self._owes(before, line):
                    return Cut(before, "block end")
                if not joins.open_brackets(after):
                    return Cut(after, "block end")
            position += len(line)
        return None

    def _floor(self, complete: str) -> int:
        """Return the floor, lowered to where the model itself begins on a line that was left open."""
        cursor = self._cursor
        if cursor.head or cursor.opening:
            return cursor.floor
        return min(cursor.floor, columns(first_line(complete) or ""))

    def _owes(self, before: str, line: str) -> bool:
        """Say whether `line` closes a block that nothing else closes."""
        if not closes_block(line):
            return False
        if line.strip()[0] in ")]}":
            return joins.open_brackets(before) > 0 or line.strip()[0] == self._cursor.unclosed[:1]
        return not self._cursor.closed_below
