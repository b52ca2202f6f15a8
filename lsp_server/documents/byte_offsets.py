"""Code point offsets of a text to offsets in its UTF-8 bytes and back.

Tree-sitter counts bytes, everything else here counts code points. Owns that conversion alone.
"""

from __future__ import annotations

from bisect import bisect_right

_STEP = 1024  # code points between two marks: a conversion encodes at most this many, about 1 µs
_CONTINUATION = bytes(range(0x80, 0xC0))


def encode(text: str) -> bytes:
    """Return the UTF-8 bytes of `text`, half surrogate pairs included.

    A client may send `"\\ud83d"` in JSON; Python's decoder keeps it, its strict encoder would raise.
    """
    return text.encode("utf-8", "surrogatepass")


class ByteOffsets:
    """Converts offsets of one text; free for ASCII, else with a mark every 1024 code points."""

    def __init__(self, text: str, data: bytes) -> None:
        self._text = text
        self._data = data
        self._ascii = len(text) == len(data)
        self._marks: list[int] = []

    def byte(self, offset: int) -> int:
        """Return the byte where code point `offset` starts; clamped to the text."""
        offset = min(max(offset, 0), len(self._text))
        if self._ascii:
            return offset
        mark = offset // _STEP
        return self._marked()[mark] + len(encode(self._text[mark * _STEP : offset]))

    def offset(self, byte: int) -> int:
        """Return the code point that starts at `byte`; one inside a code point means the next."""
        byte = min(max(byte, 0), len(self._data))
        if self._ascii:
            return byte
        marks = self._marked()
        mark = bisect_right(marks, byte) - 1
        return mark * _STEP + len(self._data[marks[mark] : byte].translate(None, _CONTINUATION))

    def _marked(self) -> list[int]:
        if not self._marks:
            marks = [0]
            for start in range(0, len(self._text) // _STEP * _STEP, _STEP):
                marks.append(marks[-1] + len(encode(self._text[start : start + _STEP])))
            self._marks = marks
        return self._marks
