"""The indentation of what a model writes, made that of the file, while it streams.

A model that sees little of a file indents by its own habit: it adds blanks to a line that has enough of them,
and takes steps of four where the file has two. What it means is told from its own lines: how deep its first
one is, and how much deeper those below a header are. Text in strings over several lines is not touched, and
lines that are aligned with what follows a bracket move with the line of that bracket.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lsp_server.completion import joins
from lsp_server.completion.cursor import blanks, columns, lines_of
from lsp_server.documents.languages import Language
from lsp_server.documents.lines import opens_block, scan

_AS_IT_IS = frozenset({"plain text", "markdown", "html", "yaml", "make"})
"""Where blanks are content, or steps are of several widths in one file."""

_PROSE = frozenset({"plain text", "markdown"})

_HEREDOC = re.compile(r"<<[-~<]?['\"]?([A-Z_]{2,})\b")
_HEREDOCS = frozenset({"bash", "php", "ruby"})

_BLANKS = " \t"
_LONGEST_INDENT = 500
"""Blanks that are waited for at the start of a line; a model that writes nothing else has to be stopped."""


@dataclass(frozen=True)
class _Open:
    """A bracket that is not closed yet."""

    aligned: bool
    """Text follows it on its line, so the lines below may be aligned with that."""
    moved: int
    """Columns that its line was moved by."""
    column: int
    """Where the text behind it stands, from the start of the code of its line."""


class Reindented:
    """Takes the text of a model piece by piece and gives it back in the file's indentation.

    `head` is the cursor's line left of the cursor, `unit` the file's step, empty if nothing tells it, and
    `fits` says whether `head` is where a line of code may begin.
    """

    def __init__(self, language: Language, head: str, unit: str, *, fits: bool) -> None:
        self._language = language
        self._unit = "" if language.name in _AS_IT_IS else unit
        self._own = blanks(head)
        """The indentation of the block in the file."""
        self._block = columns(self._own)
        """Columns of the block in the model's text."""
        self._may_strip = fits and bool(head) and not head.strip() and language.name not in _PROSE
        self._at_indent = not head.strip()
        self._first = self._at_indent
        self._held = ""
        """Blanks at the start of a line, whose text has not come yet."""
        self._extra = 0
        """Columns by which the first line was too deep, until it is known whether the others are, too."""
        self._line = "" if self._at_indent else head
        self._above = ""
        """The last line of code, without its comment, and in `_above_columns` where the model has it."""
        self._above_columns = self._block
        self._columns = self._block
        self._step = 0
        """Columns of the model's own step; 0 until it is known."""
        self._moved = 0
        self._open: list[_Open] = []
        self._until = ""
        """What ends the string or the comment that the line began in; a word for a here-document."""
        self._documents = False
        """That string is documentation, in which blanks at the left are no content."""

    def feed(self, text: str) -> str:
        """Return what is now known of the text, whose line ends are `\\n`."""
        return "".join(map(self._take, lines_of(text)))

    def _take(self, piece: str) -> str:
        """Take a line, or a part of one."""
        indent = ""
        if self._at_indent:
            self._held += blanks(piece)
            body = piece[len(blanks(piece)) :]
            if not body and len(self._held) < _LONGEST_INDENT:
                return ""
            indent = self._held
            if self._until:
                indent = self._inside(self._held)
            elif body not in ("\n", ""):
                indent = self._placed(self._held)
            self._line, self._held, self._at_indent, piece = self._held, "", False, body
        self._line += piece.removesuffix("\n")
        if piece.endswith("\n"):
            self._end_line()
        return indent + piece

    def _inside(self, held: str) -> str:
        """Return the indentation of a line inside a string: documentation moves with the line it began in."""
        by = self._moved
        if self._extra:
            by = self._block - next((base for base in self._bases() if columns(held) >= base), self._block)
        return self._shifted(held, by) if self._documents else held

    def _placed(self, held: str) -> str:
        """Return the indentation for a line that the model began with the blanks `held`."""
        self._columns = columns(held)
        if self._first:
            self._first = False
            return self._begun(held)
        if self._open and self._open[-1].aligned:
            return self._shifted(held, self._aligned_by(self._open[-1]))
        self._decide()
        if self._step == 0 and (self._open or opens_block(self._language, self._above)):
            self._step = max(0, self._columns - self._above_columns)
        placed = self._converted(held)
        self._moved = columns(placed) - self._columns
        return placed

    def _begun(self, held: str) -> str:
        if self._may_strip:
            self._extra, self._columns = columns(held), self._block
            return ""
        self._own += held
        self._block = self._columns = columns(self._own)
        return held

    def _aligned_by(self, bracket: _Open) -> int:
        """Return how far a line moves that may be aligned with the text behind a bracket."""
        if self._extra and self._columns - bracket.column in self._bases():
            return columns(self._own) - (self._columns - bracket.column)
        return bracket.moved

    def _decide(self) -> None:
        """Tell from the second line how deep the model means the block to be that it began too deep."""
        if not self._extra:
            return
        opened = bool(self._open) or opens_block(self._language, self._above)
        possible = [base for base in self._bases() if self._columns >= base + opened]
        if opened:  # then one of them makes the model's step as wide as what it began with
            possible = [base for base in possible if self._columns - base == self._extra] or possible
        self._block = self._above_columns = (*possible, self._block)[0]
        self._extra = 0

    def _bases(self) -> tuple[int, ...]:
        """Return where the block may be in the model's text, deepest first.

        The first blanks are meant to follow those that are there, or to be all of them, or are just too many.
        """
        return self._block + self._extra, max(self._extra, self._block), self._block

    def _converted(self, held: str) -> str:
        own, deeper = columns(self._own), self._columns - self._block
        if deeper < 0:
            return self._own if own < self._columns else held
        if self._unit and self._step:
            levels, rest = divmod(deeper, self._step)
            return self._own + self._unit * levels + " " * rest
        return self._shifted(held, own - self._block)

    def _shifted(self, held: str, by: int) -> str:
        if not by:
            return held
        wide = max(0, columns(held) + by)
        tabs, rest = divmod(wide, 4) if "\t" in held else (0, wide)
        return "\t" * tabs + " " * rest

    def _end_line(self) -> None:
        line, code = self._line, ""
        start = self._closed_at(line) if self._until else 0
        if start is not None:
            place, at = scan(self._language, line, start)
            code = line[start : at if place == "comment" else len(line)]
            self._until = self._left_open(line, place, at)
            self._documents = place == "comment" or (
                self._language.blocks == "indent" and not line[:at].strip()
            )
        self._count(code)
        if code.strip():
            self._above, self._above_columns = code.rstrip(), self._columns
        self._line, self._at_indent, self._first = "", True, False

    def _closed_at(self, line: str) -> int | None:
        """Return where there is code again on a line that began in a string or a comment."""
        if self._until in self._language.quotes or not self._until[0].isalpha():
            end = line.find(self._until)
            return end + len(self._until) if end >= 0 else None
        return len(line) if line.strip(" \t;") == self._until else None  # a here-document

    def _left_open(self, line: str, place: str, at: int) -> str:
        """Return what has to come before there is code again; empty if the next line is code."""
        language = self._language
        if language.name in _HEREDOCS and (heredoc := _HEREDOC.search(line)):
            return heredoc[1]
        if place == "comment" and language.block_comment and line.startswith(language.block_comment[0], at):
            return language.block_comment[1]
        if place == "string":
            quote = next((quote for quote in language.quotes if line.startswith(quote, at)), "")
            return quote if quote and language.multiline(quote) else ""
        return ""

    def _count(self, code: str) -> None:
        for position, character in joins.code(code, self._language):
            if character in joins.CLOSERS:
                del self._open[-1:]
            elif character in joins.OPENERS:
                rest = code[position + 1 :]
                column = len(code[: position + 1].lstrip(_BLANKS)) + len(rest) - len(rest.lstrip(_BLANKS))
                self._open.append(_Open(bool(rest.strip()), self._moved, column))
