"""What a text says through its lines alone: indentation, and what a single line leaves open.

Owns what is known where there is no syntax tree, or where the tree is broken around the cursor.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Literal

from lsp_server.documents.languages import Language
from lsp_server.documents.positions import LINE_END, LineIndex

Place = Literal["code", "comment", "string"]

_LOOK_LINES = 2000  # lines looked at in one direction; more than any function that people indent by hand
_LONGEST_HEADER = 1000  # characters; longer than people write
_TAB = 8


def unix(text: str) -> str:
    """Return `text` with `\\n` line ends, which is what models were trained on."""
    return LINE_END.sub("\n", text) if "\r" in text else text


def width(text: str) -> int:
    """Return how far a line is indented, in columns."""
    leading = text[: len(text) - len(text.lstrip(" \t\f"))]
    return len(leading.expandtabs(_TAB))


def line_text(text: str, lines: LineIndex, line: int) -> str:
    """Return a line without its end."""
    return text[lines.start(line) : lines.end(line)]


def opens_block(language: Language, line: str) -> bool:
    """Tell whether a line, without its comment, ends with what opens a block in the language's table.

    Of long lines only the end is looked at: the patterns may take time in the square of the length.
    """
    return _opener(language).search(line.rstrip()[-_LONGEST_HEADER:]) is not None


def headers(text: str, lines: LineIndex, line: int, indent: int) -> Iterator[int]:
    """Yield the lines above `line` that enclose an indentation, innermost first."""
    for above in range(line - 1, max(-1, line - 1 - _LOOK_LINES), -1):
        content = line_text(text, lines, above)
        if not content.strip():
            continue
        if width(content) < indent:
            indent = width(content)
            yield above
        if indent == 0:
            return


def block_end(text: str, lines: LineIndex, line: int, indent: int) -> int:
    """Return the offset where the lines from `line` on stop being indented deeper than `indent`."""
    last = line
    for below in range(line + 1, min(len(lines), line + 1 + _LOOK_LINES)):
        content = line_text(text, lines, below)
        if not content.strip():
            continue
        if width(content) <= indent:
            break
        last = below
    return lines.end(last)


def scan(language: Language, line: str, start: int = 0) -> tuple[Place, int]:
    """Return what the end of `line` stands in, and where that starts; the line starts in code at `start`."""
    at = start
    for match in _tokens(language).finditer(line, start):
        token = match.group()
        if match.start() < at:
            continue
        if token == language.line_comment:
            return "comment", match.start()
        if language.block_comment and token == language.block_comment[0]:
            close = line.find(language.block_comment[1], match.end())
            if close < 0:
                return "comment", match.start()
            at = close + len(language.block_comment[1])
            continue
        close = _closing_quote(line, match.end(), token)
        if close < 0:
            return "string", match.start()
        at = close + len(token)
    return "code", at


@cache
def _opener(language: Language) -> re.Pattern[str]:
    return re.compile(f"(?:{language.opener})$")


@cache
def _tokens(language: Language) -> re.Pattern[str]:
    starts = [re.escape(quote) for quote in language.quotes]
    if language.block_comment:
        starts.insert(0, re.escape(language.block_comment[0]))
    if language.line_comment == "#":
        # `$#`, `a#b` and `#{` are no comments where `#` starts one, except in Python and TOML.
        starts.append("#" if language.name in ("python", "toml") else r"(?<!\S)#")
    elif language.line_comment:
        starts.append(re.escape(language.line_comment))
    return re.compile("|".join(starts) or r"(?!)")


def _closing_quote(line: str, start: int, quote: str) -> int:
    at = start
    while (at := line.find(quote, at)) >= 0:
        escapes = at
        while escapes > start and line[escapes - 1] == "\\":
            escapes -= 1
        if (at - escapes) % 2 == 0:
            return at
        at += 1
    return -1
