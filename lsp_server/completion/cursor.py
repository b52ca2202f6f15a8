"""What the stages need to know of the cursor's surroundings, as plain text.

Built once per request from a snapshot and, where the language has a grammar, its syntax. Text
here has `\\n` line ends only; `postprocess` gives the document's own back. Must not know the
model or the backend.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from lsp_server.documents.languages import PLAIN, Language

Scope = Literal["line", "block"]

_CLOSING_WORDS = frozenset({"end", "fi", "done", "esac"})

_LINE_END = re.compile(r"\r\n|\r")


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
    block_start: bool = False
    """The cursor stands where the body of a block is about to begin."""
    floor: int = 0
    """Indentation, in columns, below which a line no longer belongs to the block."""
    opening: str = ""
    """Indentation that the cursor's empty line needs before anything can stand there."""
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
    def closed_below(self) -> bool:
        """Say whether the block around the cursor has its closing word after the cursor."""
        line = first_line(self.below) or ""
        return columns(line) < self.floor and line.strip() in _CLOSING_WORDS

    @property
    def last_in_block(self) -> bool:
        """Say whether nothing of the block around the cursor comes after it."""
        line = first_line(self.following)
        return self.floor > 0 and (line is None or columns(line) < self.floor)

    def opens_body(self, line: str) -> bool:
        """Say whether `line`, written at the cursor, opens a block that nothing below belongs to."""
        whole = self.head + line
        if not re.search(f"(?:{self.language.opener})$", whole.rstrip()):
            return False
        return columns(first_line(self.below) or "") <= columns(whole)

    @property
    def following(self) -> str:
        """Return the text that whole generated lines must not repeat."""
        return self.head + self.tail + "\n" + self.below if self.above_code else self.below


def closes_block(line: str) -> bool:
    """Say whether `line` is one that ends a block, by a bracket or a word."""
    stripped = line.strip()
    return stripped[:1] in (")", "]", "}") or stripped.rstrip(";,)") in _CLOSING_WORDS


def columns(line: str) -> int:
    """Return how far `line` is indented; a tab reaches the next multiple of four."""
    blank = line[: len(line) - len(line.lstrip(" \t"))]
    return len(blank.expandtabs(4))


def unix(text: str) -> str:
    """Return `text` with `\\n` line ends, which is what models were trained on."""
    return _LINE_END.sub("\n", text) if "\r" in text else text


def first_line(text: str) -> str | None:
    """Return the first line that is not blank, without trailing blanks; None if there is none."""
    return next((line.rstrip() for line in text.split("\n") if line.strip()), None)
