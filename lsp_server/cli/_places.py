"""Places in files as they are written on a command line, and the text there."""

from __future__ import annotations

import sys
from pathlib import Path

from lsp_server.chat.workspace.attachments import split_lines
from lsp_server.documents.snapshot import Snapshot
from lsp_server.errors import ConfigurationError, UserFacingError

STDIN = "-"
STDIN_URI = "untitled:stdin"


def position(text: str) -> tuple[str, int | None, int | None]:
    """Split `FILE:LINE:COLUMN`; a colon in the file's name (`C:\\`) is left alone."""
    numbers: list[int] = []
    rest = text
    while len(numbers) < 2:
        head, colon, last = rest.rpartition(":")
        if not colon or not last.isdecimal():
            break
        numbers.insert(0, int(last))
        rest = head
    if 0 in numbers:
        raise ConfigurationError("lines and columns count from 1")
    line, column = (*numbers, None, None)[:2]
    return rest, line, column


def lines(text: str) -> tuple[str, int | None, int | None]:
    """Split `FILE:FIRST-LAST` or `FILE:LINE`, and what links in chats look like."""
    path, first, last = split_lines(text)
    if first == 0:
        raise ConfigurationError("lines count from 1")
    return path, first, last


def snapshot(path: str, language: str) -> Snapshot:
    """Read a file, or standard input for `-`; raises `UserFacingError` for what is no text."""
    name = "standard input" if path == STDIN else path
    try:
        data = sys.stdin.buffer.read() if path == STDIN else Path(path).read_bytes()
        text = data.decode("utf-8")
    except OSError as error:
        raise UserFacingError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UserFacingError(f"{name} is not UTF-8 text") from error
    if "\0" in text:
        raise UserFacingError(f"{name} is not text: there are zero bytes in it")
    uri = STDIN_URI if path == STDIN else Path(path).resolve().as_uri()
    return Snapshot(uri, language, 0, text)


def line_range(where: Snapshot, first: int, last: int) -> tuple[int, int]:
    """Return the offsets of some lines, both from 1, without the last line's end."""
    if first > len(where.lines):
        raise ConfigurationError(f"line {first} is past the end: the text has {len(where.lines)} lines")
    return where.lines.start(first - 1), where.lines.end(min(last, len(where.lines)) - 1)
