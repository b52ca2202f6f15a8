"""Where one message ends in a stream of bytes and the next begins: the header of LSP's base protocol.

Header names have no case, blanks around their values mean nothing, and other headers than the length are left
alone. What cannot be a header ends the stream: without a length nobody knows where the next message begins.
"""

from __future__ import annotations

import asyncio

from lsp_server.errors import UserFacingError

LONGEST_MESSAGE = 512 * 1024 * 1024
"""Bytes. Editors send whole documents; VS Code sends up to 50 MB, and JSON may spell a byte with six."""
MOST_HEADERS = 32
"""The protocol has two."""

_HINT = "is `lsp_server --stdio` started by an editor?"


class NotAMessage(UserFacingError):
    """What came is no message of the base protocol; nothing after it can be read."""


class Reader:
    """Reads the bodies of messages, and lets the handler of one start before the next is read.

    Messages that arrive in one write are otherwise all dispatched first, and a handler would take
    its snapshot of a document that a later message has already changed.
    """

    def __init__(self, stream: asyncio.StreamReader) -> None:
        self._stream = stream

    async def message(self) -> bytes | None:
        """Return the next body, or None at the end of the stream; raises `NotAMessage`."""
        await asyncio.sleep(0)
        headers = await self._headers()
        if headers is None:
            return None
        length = _length(headers)
        try:
            return await self._stream.readexactly(length)
        except asyncio.IncompleteReadError:
            return None

    async def _headers(self) -> list[bytes] | None:
        """Return the header lines of the next message, or None if the stream ends before its body."""
        found: list[bytes] = []
        while line := await self._line():
            if line := line.strip():
                found.append(line)
            elif found:
                return found  # blank lines before a header are left alone
            if len(found) > MOST_HEADERS:
                raise NotAMessage(f"The header of a message has more than {MOST_HEADERS} lines: {_HINT}")
        return None

    async def _line(self) -> bytes:
        try:
            return await self._stream.readline()
        except ValueError as error:  # asyncio's own bound, 64 KiB
            raise NotAMessage(f"A header line of a message is too long: {_HINT}") from error


def _length(headers: list[bytes]) -> int:
    """Return the length that a header gives, in bytes."""
    lengths = set()
    for line in headers:
        name, colon, value = line.partition(b":")
        if not colon:
            raise NotAMessage(f"A header line of a message has no colon: {_HINT}")
        if name.strip().lower() == b"content-length":
            lengths.add(value.strip())
    if not lengths:
        raise NotAMessage(f"A message came without Content-Length: {_HINT}")
    value, *others = lengths
    if others:
        raise NotAMessage(f"A message came with two different Content-Lengths: {_HINT}")
    if not value.isdigit():
        raise NotAMessage(f"The Content-Length of a message is not a number of bytes: {_HINT}")
    digits = value.lstrip(b"0") or b"0"
    # Compared as text first: Python refuses to read numbers of thousands of digits.
    if len(digits) > len(str(LONGEST_MESSAGE)) or int(digits) > LONGEST_MESSAGE:
        raise NotAMessage(f"A message is announced with more than {LONGEST_MESSAGE >> 20} MiB: {_HINT}")
    return int(digits)
