"""A text on standard output while it grows, and what is said beside it.

Owns what a terminal is protected from.
"""

from __future__ import annotations

import json
import re
import sys

import click

from lsp_server.chat.workspace.workspace_text import shown

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""What moves a terminal's cursor, sets its title or fills its clipboard: a model repeats what it has read."""
_BEGINNING = re.compile(r"\s*(?:`{1,3}[A-Za-z]*)?\Z")
"""May be taken back when the text goes on: the fence that opens what a model wraps its answer in."""
_FENCE = "```"


class Stream:
    """Writes what is new of a text; its end is held back while it may still change."""

    def __init__(self) -> None:
        self._count = 0
        self._ends_line = True

    def show(self, text: str) -> None:
        """Write what has come since the last time."""
        if not _BEGINNING.match(text):
            # The last fence may be the one that closes the wrapper.
            self._write(text.rstrip().removesuffix(_FENCE).rstrip("`").rstrip())

    def end(self, text: str) -> None:
        """Write the rest, and end the line."""
        self._write(text)
        if not self._ends_line:
            self._put("\n")

    def _write(self, text: str) -> None:
        if piece := text[self._count :]:
            self._count = len(text)
            self._put(piece)

    def _put(self, piece: str) -> None:
        self._ends_line = piece.endswith("\n")
        write_text(piece)


def write_text(text: str) -> None:
    """Write a text of the model's to standard output at once; into a pipe exactly as it is."""
    sys.stdout.write(printable(text) if sys.stdout.isatty() else text)
    sys.stdout.flush()


def write_json(value: object, indent: int | None = None) -> None:
    """Write one JSON object; escaped where the encoding of standard output has not every character."""
    escaped = not (sys.stdout.encoding or "").lower().startswith("utf")
    write_text(json.dumps(value, ensure_ascii=escaped, indent=indent) + "\n")


def printable(text: str) -> str:
    """Return a text without control characters but tabs and line ends."""
    return _CONTROL.sub("\ufffd", text.replace("\r\n", "\n"))


def say(sentence: str) -> None:
    """Tell the user something that is no answer."""
    click.echo(f"lsp_server: {shown(sentence, 1000)}", err=True)
