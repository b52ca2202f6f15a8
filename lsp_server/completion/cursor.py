"""What the stages need to know of the cursor's surroundings, as plain text.

Built once per request from a snapshot and, where the language has a grammar, its syntax. Text
here has `\\n` line ends only; `postprocess` gives the document's own back. Must not know the
model or the backend.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import Literal

from lsp_server.documents.languages import PLAIN, Language

Scope = Literal["line", "block"]

_CLOSING_WORD = re.compile(r"(end|fi|done|esac|until)\b(?!\s*=(?!=))")
"""How a line starts that closes a block of words; `end = 1` is a variable."""

_MIDDLE_WORD = re.compile(r"(else|elsif|elseif|elif|when|in|rescue|ensure)\b|;;")
"""How a line starts that goes on with a block where another part of it ends."""

LONGEST_HEADER = 1000
"""Characters of a line that may open a block: some languages' patterns take time in the square of it."""

_BRACKETS = {")", "]", "}"}

_PROSE = frozenset({"plain text", "markdown", "html"})
"""Languages in which a bracket or a quote is just a character."""


@dataclass(frozen=True)
class Cursor:
    """The text around the cursor, and what may be written there."""

    head: str
    """The cursor's line, left of the cursor."""
    tail: str
    """The cursor's line, right of the cursor."""
    below: str
    """The lines after the cursor's line."""
    scope: Scope
    """Whether one line or a block is wanted."""
    language: Language = PLAIN
    in_code: bool = True
    """False in comments and strings, where brackets mean nothing."""
    block_start: bool = False
    """The cursor stands where the body of a block is about to begin."""
    floor: int = 0
    """Indentation, in columns, below which a line no longer belongs to the block."""
    opening: str = ""
    """Indentation that the cursor's empty line needs before anything can stand there."""
    line_above: str = ""
    """The last line before the cursor's that is not blank."""
    unit: str = ""
    """One step of indentation in the file; empty if nothing tells it."""
    fits: bool = False
    """The cursor's line is blank up to the cursor, and indented as a line of code may be there."""
    unclosed: str = ""
    """Closing brackets that the text after the cursor still owes, innermost first."""

    @property
    def inline(self) -> bool:
        """Say whether code stands on both sides of the cursor on its line."""
        return bool(self.head.strip()) and bool(self.tail.strip())

    @property
    def above_code(self) -> bool:
        """Say whether the cursor stands before the first code of its line."""
        return not self.head.strip() and bool(self.tail.strip())

    @property
    def last_in_block(self) -> bool:
        """Say whether nothing of the block around the cursor comes after it."""
        line = first_line(self.following)
        return self.floor > 0 and (line is None or columns(line) < self.floor)

    @property
    def counts_brackets(self) -> bool:
        """Say whether a line goes on until its brackets are closed."""
        return self.in_code and self.language.name not in _PROSE

    def opens_body(self, line: str) -> bool:
        """Say whether `line`, written at the cursor, opens a block or brackets that nothing below is in."""
        whole = self.head + line
        opener = rf"(?:{self.language.opener}|[(\[{{])$"
        if not self.counts_brackets or not re.search(opener, whole.rstrip()[-LONGEST_HEADER:], re.DOTALL):
            return False
        return columns(first_line(self.below) or "") <= columns(whole)

    def closes_block(self, line: str) -> bool:
        """Say whether `line` is one that ends a block, by a bracket or a word."""
        stripped = line.strip()
        if stripped[:1] in _BRACKETS:
            return True
        return self.language.blocks == "keywords" and _CLOSING_WORD.match(stripped) is not None

    def continues_block(self, line: str) -> bool:
        """Say whether `line` begins another part of the same block of words: `else`, `rescue`."""
        return self.language.blocks == "keywords" and _MIDDLE_WORD.match(line.strip()) is not None

    def closed_below(self, line: str) -> bool:
        """Say whether the block that `line` closes is closed, or goes on, after the cursor.

        Told by indentation alone: while people type, the syntax tree gives the `}` of a function
        to the `if` inside of it that was just opened.
        """
        following = first_line(self.following)
        if following is None or columns(following) < columns(line):
            return False
        if columns(following) > columns(line):
            return True
        return self.closes_block(following) or self.continues_block(following)

    @property
    def following(self) -> str:
        """Return the text that whole generated lines must not repeat."""
        return self.head + self.tail + "\n" + self.below if self.above_code else self.below


def columns(line: str) -> int:
    """Return how far `line` is indented; a tab reaches the next multiple of four."""
    return len(blanks(line).expandtabs(4))


def blanks(line: str) -> str:
    """Return the blanks and tabs that `line` starts with."""
    return line[: len(line) - len(line.lstrip(" \t"))]


def lines_of(text: str) -> list[str]:
    """Return the lines of `text` with their ends; `str.splitlines` would also cut at a form feed."""
    lines = text.split("\n")
    return [line + "\n" for line in lines[:-1]] + lines[-1:] * bool(lines[-1])


def first_line(text: str) -> str | None:
    """Return the first line that is not blank, without trailing blanks; None if there is none."""
    return next((line.rstrip() for line in io.StringIO(text) if line.strip()), None)
