"""Files that a text refers to by Markdown links: which ones, which lines of them, and what these say.

Owns how a link names lines. Must not know conversations, nor what may be sent where.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lsp_server.chat.workspace.workspace_text import OpenText, Unreadable, place, text_of
from lsp_server.documents.languages import detect
from lsp_server.documents.positions import LineIndex

_LINK = re.compile(
    r"(?<![!\\])\[(?P<label>[^\[\]\r\n]*)\]"
    r"\((?:<(?P<angled>[^<>\r\n]*)>|(?P<bare>[^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*)*))"
    r"(?:[ \t]+(?:\"[^\"\r\n]*\"|'[^'\r\n]*'))?\)"
)
_LONGEST_LINE = (
    10_000  # a line that people write links in is much shorter; looking for pairs takes its square
)
_TICKS = re.compile(r"`+")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})([^\r\n]*)")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")  # of two letters at least: one is a drive of Windows
_LINES = re.compile(
    r"(?::(?P<a>\d{1,9})(?:-(?P<b>\d{1,9})|:\d{1,9})?|#L(?P<c>\d{1,9})(?:C\d+)?(?:-L?(?P<d>\d{1,9})(?:C\d+)?)?)$"
)


@dataclass(frozen=True)
class Link:
    """A Markdown link to a file, or to some lines of it."""

    label: str
    path: str
    first_line: int | None
    """From 1; None for the whole file."""
    last_line: int | None
    """Inclusive."""
    start: int
    end: int
    """Where the link stands in the text."""


@dataclass(frozen=True)
class Attachment:
    """What a link leads to."""

    uri: str
    text: str
    language: str
    """A name of `documents.languages`."""


def find(text: str) -> list[Link]:
    """Return the links to files; not images, not addresses, nothing in code."""
    return [
        link
        for start, end in _prose(text)
        for match in _LINK.finditer(_without_code_spans(text[start:end]))
        if (link := _link(match, start)) is not None
    ]


def read(link: Link, root: Path, open_text: OpenText) -> Attachment:
    """Return what a link leads to, as the editor has it or from the disk; call it on a thread.

    Raises `UserFacingError` for what is outside of `root`, not there, not text, or too large.
    """
    where = place(root, link.path)
    text = text_of(where, open_text)
    if link.first_line is not None and link.last_line is not None:
        text = lines_of(text, link.first_line, link.last_line, where.name)
    return Attachment(where.uri, text, detect("", where.uri).name)


def lines_of(text: str, first: int, last: int, name: str) -> str:
    """Return some lines of a text, both from 1 and inclusive; what lies past the end is left out."""
    lines = LineIndex(text)
    count = len(lines) - (lines.start(len(lines) - 1) == len(text) and len(lines) > 1)
    if first < 1 or last < first:
        raise Unreadable(f"{name} has no lines {first}-{last}: they count from 1.")
    if first > count:
        raise Unreadable(f"{name} has no line {first}: it has {count}.")
    return text[lines.start(first - 1) : lines.start(min(last, count))]


def split_lines(target: str) -> tuple[str, int | None, int | None]:
    """Split `foo.py:10-40` or `foo.py#L10-L40`; lines are None without any."""
    match = _LINES.search(target)
    if match is None:
        return target, None, None
    first = int(match["a"] or match["c"])
    last = int(match["b"] or match["d"] or first)
    return target[: match.start()], min(first, last), max(first, last)


def _prose(text: str) -> Iterator[tuple[int, int]]:
    """Yield the lines that are in no fenced block."""
    lines = LineIndex(text)
    fence = ""
    for line in range(len(lines)):
        start, end = lines.start(line), lines.end(line)
        mark = _FENCE.match(text, start, end)
        if fence:
            if mark and mark[1].startswith(fence) and not mark[2].strip():
                fence = ""
        elif mark and not (mark[1][0] == "`" and "`" in mark[2]):
            fence = mark[1]
        elif end - start <= _LONGEST_LINE:
            yield start, end


def _without_code_spans(line: str) -> str:
    """Return the line with code spans blanked out, as long as before; but a label may be one."""
    runs = [match.span() for match in _TICKS.finditer(line)]
    at = 0
    while at < len(runs):
        start, opened = runs[at]
        size = opened - start
        close = next((i for i in range(at + 1, len(runs)) if runs[i][1] - runs[i][0] == size), None)
        if close is not None:
            end = runs[close][1]
            if not (line[:start].endswith("[") and line[end:].startswith("](")):
                line = line[:start] + " " * (end - start) + line[end:]
            at = close
        at += 1
    return line


def _link(match: re.Match[str], offset: int) -> Link | None:
    target = match["angled"] if match["angled"] is not None else match["bare"]
    label = match["label"].strip("`")
    if not target or target.startswith("#"):
        return None
    address, first, last = split_lines(target)
    if first is None:
        _, first, last = split_lines(label)
    path = _path(address)
    if not path:
        return None
    return Link(label, path, first, last, offset + match.start(), offset + match.end())


def _path(address: str) -> str:
    """Return the path that an address names; empty if it is none of a file."""
    if not _SCHEME.match(address):
        return unquote(address.partition("#")[0])
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    if parts.scheme.lower() != "file":
        return ""
    host = parts.netloc if parts.netloc.lower() not in ("", "localhost") else ""
    path = unquote(parts.path)
    if re.match(r"/[A-Za-z]:", path):
        path = path[1:]
    return f"//{host}{path}" if host else path
