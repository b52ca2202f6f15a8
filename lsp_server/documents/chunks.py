"""The bytes of a text as a parser reads them, chunk by chunk, in memory that is used again.

py-tree-sitter never lets go of what a read callback returns (0.25.2 to 0.26.1; a test says when that has
changed). Slices of the text would stay for ever, one text a keystroke. Here it is given the same few views of
the same buffer again and again, so what it keeps are references to them, and no memory.
"""

from __future__ import annotations

from types import TracebackType

import tree_sitter

CHUNK = 16 * 1024  # bytes per read: 2 ms of parsing between two chances for other threads
# Bytes of the longest character in UTF-8: a shorter chunk may end inside of the character it starts with.
_CHARACTER = 4
_NO_TEXT = bytes(CHUNK)


class _Buffer:
    """Memory for the chunks of one parse at a time."""

    def __init__(self) -> None:
        self.memory = bytearray(CHUNK)
        sizes = (*range(1, _CHARACTER), *(1 << power for power in range(2, CHUNK.bit_length())))
        self.views = {size: memoryview(self.memory)[:size] for size in sizes}


_free: list[_Buffer] = []
"""Buffers that no parse uses; there are never more than parses that ran at the same time."""


class Chunks:
    """Reads one text for one parse: `with Chunks(data) as chunks: parser.parse(chunks.read)`."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._buffer: _Buffer | None = None

    def read(self, byte: int, _point: tree_sitter.Point) -> bytes | memoryview:
        """Return bytes of the text from `byte` on, valid until the next call; empty at the end."""
        left = min(len(self._data) - byte, CHUNK)
        if left <= 0:
            return b""
        size = left if left < _CHARACTER else 1 << (left.bit_length() - 1)
        chunk = self._data[byte : byte + size]
        if self._buffer is None:  # `Node.text` reads through the callback of a parse that is over
            return chunk
        self._buffer.memory[:size] = chunk
        return self._buffer.views[size]

    def __enter__(self) -> Chunks:
        try:
            self._buffer = _free.pop()
        except IndexError:
            self._buffer = _Buffer()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._buffer is not None:
            self._buffer.memory[:] = _NO_TEXT
            _free.append(self._buffer)
            self._buffer = None
