"""Bytes of a response as lines and as Server-Sent Events, wherever they were cut. Knows no HTTP client.

`httpx_sse` reads the same format, but takes lines of any length and keeps a byte order mark.
"""

from __future__ import annotations

import codecs
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing

LONGEST_LINE_BYTES = 1 << 20
"""A reply of 4096 tokens in one piece has some 20 kB: a line of a megabyte is no event."""


class TooLong(Exception):
    """A line has more than LONGEST_LINE_BYTES."""


async def lines(chunks: AsyncIterable[bytes]) -> AsyncGenerator[str, None]:
    r"""Yield lines without their ends (`\n`, `\r\n` or `\r`); what is not UTF-8 is replaced.

    `str.splitlines` would also split at U+2028 and the like, which JSON may contain.
    """
    decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
    parts: list[str] = []
    length, after_cr = 0, False
    async for chunk in chunks:
        text = decoder.decode(chunk)
        if not text:
            continue
        if after_cr and text[0] == "\n":
            text = text[1:]
        after_cr = text.endswith("\r")
        *complete, rest = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        for line in complete:
            yield "".join([*parts, line])
            parts, length = [], 0
        parts.append(rest)
        length += len(rest)
        if length > LONGEST_LINE_BYTES:
            raise TooLong
    if last := "".join([*parts, decoder.decode(b"", final=True)]):
        yield last


async def event_data(chunks: AsyncIterable[bytes]) -> AsyncGenerator[str, None]:
    """Yield the data of each event; see https://html.spec.whatwg.org/multipage/server-sent-events.html.

    An event that the end of the response cuts off is yielded as well: some servers forget its empty line.
    """
    data: list[str] = []
    length = 0
    async with aclosing(lines(chunks)) as texts:
        async for line in texts:
            if not line:
                if data:
                    yield "\n".join(data)
                data, length = [], 0
                continue
            field, _, value = line.partition(":")
            if field == "data":
                data.append(value.removeprefix(" "))
                length += len(value)
                if length > LONGEST_LINE_BYTES:
                    raise TooLong
    if data:
        yield "\n".join(data)
