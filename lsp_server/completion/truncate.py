"""Where a completion ends, decided while it streams, so that decoding stops there too.

In the order of what is trusted most: the text meets what follows the cursor (`joins`), the block
is left, the statement is complete, the model ends by itself, the limit. Must not know the
backend; knows syntax only through the `Judge` it is given.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, replace
from typing import Protocol

from lsp_server.backends.protocol import FinishReason
from lsp_server.completion import joins, repetition
from lsp_server.completion.cursor import Cursor, columns, first_line, lines_of
from lsp_server.completion.indentation import Reindented


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

LONG_LINE = 170
"""Characters that as many lines as are waited for may have on average. What is longer is no code that anyone
wants, and comes from a server that ignores the limit of tokens: each piece costs a look at all before it."""

ENDS_TRIED = 30
"""Ends of a line that are tried until it breaks nothing: each is a parse; few lines have more words."""

_DECIDING = re.compile(r"(?<=[\n)\]}])")
"""Where the end of a completion may become known; so it does not matter how the stream is cut into pieces."""

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
        self._line_ends = io.IncrementalNewlineDecoder(None, translate=True)
        self._indented = Reindented(
            cursor.language, cursor.head or cursor.opening, cursor.unit, fits=cursor.fits and cursor.in_code
        )
        self._longest = LONG_LINE * (INLINE_LINES if cursor.inline else BLOCK_LINES)
        self._statement: int | None = None
        self._limited = False

    @property
    def raw(self) -> str:
        """Return everything the model wrote so far, in the file's indentation."""
        return self._raw

    def feed(self, text: str) -> Cut | None:
        """Take the next piece; return the completion once its end is known."""
        for piece in _DECIDING.split(self._indented.feed(self._line_ends.decode(text))):
            taken = piece[: self._longest - len(self._raw)]
            self._raw += taken
            cut = None
            if self._cursor.inline:
                cut = self._inline(self._raw)
            elif taken.endswith("\n"):
                cut = self._lines(self._raw)
            if cut is None:
                cut = self._repeating()
            if cut is None and len(self._raw) >= self._longest:
                cut = self.finish("length")
            if cut is not None:
                return cut
        return None

    def finish(self, reason: FinishReason) -> Cut:
        """Return the completion of a stream that ended by itself."""
        self._limited = reason == "length"
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

    def _repeating(self) -> Cut | None:
        cursor = self._cursor
        end = repetition.within_line(cursor.head, self._raw, cursor.line_above)
        return Cut(self._raw[:end], "repetition") if end is not None else None

    def _inline(self, raw: str) -> Cut | None:
        end = joins.closing_join(raw, self._cursor.tail, self._cursor.language)
        if end is not None:
            return Cut(raw[:end], "bracket")
        end = joins.tail_join(raw, self._cursor.head, self._cursor.tail, self._cursor.language)
        if end is not None:
            return Cut(raw[:end], "join")
        return self._inline_line(raw) if raw.count("\n") >= INLINE_LINES else None

    def _inline_line(self, raw: str) -> Cut:
        """Keep as much of the first line as goes together with the rest of the cursor's line."""
        inside = joins.tail_inside(raw, self._cursor.tail)
        line = raw.split("\n", 1)[0] if inside is None else raw[:inside]
        words = [word.start() for word in _WORD.finditer(line)][-ENDS_TRIED:]
        for end in [len(line), *reversed(words)]:
            if not self._judge.breaks(line[:end]):
                return Cut(line[:end], "line" if inside is None else "join")
        return Cut("", "line")

    def _lines(self, complete: str) -> Cut | None:
        return self._line(complete) if self._cursor.scope == "line" else self._block(complete)

    def _line(self, complete: str) -> Cut | None:
        """End at the first line end outside brackets; go on where the line opens a block without a body."""
        cursor = self._cursor
        ends = [match.start() for match in re.finditer("\n", complete)]
        if cursor.counts_brackets:
            depths = joins.open_at(complete, ends, cursor.language, ignore="{")
            ends = [end for end, depth in zip(ends, depths, strict=True) if not depth]
            whole = [end for end in ends if self._closes_line(complete[:end])]
            if whole or not (self._limited or len(ends) >= INLINE_LINES):
                ends = whole
        if not ends:
            return None
        end = ends[0]
        if not cursor.opens_body(complete[:end]):
            return Cut(complete[:end], "line")
        floor = columns(cursor.head + complete) + 1
        self._cursor = replace(cursor, scope="block", block_start=True, floor=floor)
        return self._block(complete)

    def _closes_line(self, text: str) -> bool:
        """Say whether `text` closes the brackets that the cursor's line opened and nothing else closes."""
        cursor = self._cursor
        opened = joins.open_brackets(cursor.head, cursor.language, ignore="{")
        owed = min(opened, len(cursor.unclosed.replace("}", "")))
        return opened - joins.open_brackets(cursor.head + text, cursor.language, ignore="{") >= owed

    def _block(self, complete: str) -> Cut | None:
        left = self._leaves(complete)
        join = self._join(complete)
        if join is not None and (left is None or join <= len(left.text)):
            return Cut(complete[:join], "join")
        if left is not None:
            return left
        start = self._cursor.opening or self._cursor.head
        repeated = repetition.of_lines(start + complete)
        if repeated is not None:
            return Cut(complete[: repeated - len(start)], "repetition")
        lines = complete.count("\n")
        rest = self._cursor.block_start or (self._cursor.last_in_block and self._stays(complete))
        if self._statement is None and not rest:
            self._statement = self._judge.statement_end(complete)
        if self._statement is None:
            return Cut(complete, "block limit") if lines >= BLOCK_LINES else None
        waited = lines - complete[: self._statement].count("\n")
        return Cut(complete[: self._statement], "statement") if waited >= JOIN_LINES else None

    def _join(self, complete: str) -> int | None:
        cursor = self._cursor
        join = joins.line_join(complete, cursor.following)
        if not cursor.above_code:
            return join
        if join is not None:
            return join + len(cursor.head)
        join = joins.tail_join(complete, cursor.head, cursor.tail, cursor.language)
        # At the start of a line it would have been the same line, were it in the same block.
        return join if join is None or not complete[:join].rstrip(" \t").endswith("\n") else None

    def _leaves(self, complete: str) -> Cut | None:
        """Cut before the first line that is indented less than the block, or after the one that closes it."""
        cursor, position, floor = self._cursor, 0, self._floor(complete)
        for number, line in enumerate(lines_of(complete)):
            whole = (cursor.opening or cursor.head) + line if number == 0 else line
            if number and line.strip() and columns(whole) < floor:
                before, after = complete[:position], complete[: position + len(line.rstrip())]
                if not self._owes(before, line):
                    return Cut(before, "block end")
                if not cursor.continues_block(line) and not self._open(after):
                    return Cut(after, "block end")
            position += len(line)
        return None

    def _stays(self, complete: str) -> bool:
        """Say whether the model itself begins inside the block, on a line that was left open."""
        return self._floor(complete) == self._cursor.floor

    def _floor(self, complete: str) -> int:
        """Return the floor, lowered to where the model itself begins on a line that was left open."""
        cursor = self._cursor
        if cursor.head or cursor.opening:
            return cursor.floor
        return min(cursor.floor, columns(first_line(complete) or ""))

    def _owes(self, before: str, line: str) -> bool:
        """Say whether `line` closes, or goes on with, a block that nothing else closes."""
        cursor, bracket = self._cursor, line.strip()[0]
        if bracket in ")]}":
            if self._open(before) or bracket == cursor.unclosed[:1]:
                return True
            return bracket == "}" and cursor.language.blocks != "indent" and not cursor.closed_below(line)
        ends = cursor.closes_block(line) or cursor.continues_block(line)
        return ends and not cursor.closed_below(line)

    def _open(self, text: str, ignore: str = "") -> int:
        return joins.open_brackets(text, self._cursor.language, ignore)
