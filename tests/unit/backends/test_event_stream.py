"""Lines and events come out the same wherever the network cuts the bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.backends import event_stream
from lsp_server.backends.event_stream import LONGEST_LINE_BYTES, TooLong, event_data, lines


async def chunks(parts: Sequence[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    ends = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(ends)]


WHOLE = (
    "\ufeff: comment\r\ndata: é\u2028\n\ndata:two\rdata: lines\r\n\r\nevent: x\n\n\r\n"
    "data\ndata: \U0001f600\n\ndata: cut off"
)
EVENTS = ["é\u2028", "two\nlines", "\n\U0001f600", "cut off"]


@given(st.lists(st.integers(0, 10_000), max_size=12))
async def test_events_are_the_same_wherever_they_are_cut(places: list[int]) -> None:
    found = [data async for data in event_data(chunks(cut(WHOLE.encode(), places)))]
    assert found == EVENTS


@given(st.text("ab\r\n\u2028é"), st.lists(st.integers(0, 1000), max_size=8))
async def test_lines_end_where_the_standard_says(text: str, places: list[int]) -> None:
    found = [line async for line in lines(chunks(cut(text.encode(), places)))]
    expected = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert found == (expected if expected[-1] else expected[:-1])


@given(st.binary(), st.lists(st.integers(0, 1000), max_size=8))
async def test_no_bytes_are_an_error(data: bytes, places: list[int]) -> None:
    found = [line async for line in lines(chunks(cut(data, places)))]
    assert "".join(found).encode().count(b"\n") == 0


@pytest.mark.parametrize(
    "parts",
    [
        [b"x" * (LONGEST_LINE_BYTES // 2 + 1)] * 2,
        [b"data: " + b"x" * (LONGEST_LINE_BYTES // 2) + b"\n"] * 3,
    ],
    ids=["a line", "an event of many lines"],
)
async def test_what_does_not_end_is_an_error(parts: list[bytes]) -> None:
    with pytest.raises(TooLong):
        [data async for data in event_stream.event_data(chunks(parts))]
