"""Positions against Python's own encoders."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.documents.positions import Encoding, LineIndex
from tests.unit.documents.texts import texts

encodings = st.sampled_from(Encoding)
_CODEC = {Encoding.UTF8: ("utf-8", 1), Encoding.UTF16: ("utf-16-le", 2), Encoding.UTF32: ("utf-32-le", 4)}


def units(text: str, encoding: Encoding) -> int:
    codec, size = _CODEC[encoding]
    return len(text.encode(codec, "surrogatepass")) // size


def naive_lines(text: str) -> list[str]:
    return re.split(r"\r\n|\n|\r", text)


@given(texts, encodings)
def test_every_line_is_found_and_measured(text: str, encoding: Encoding) -> None:
    index = LineIndex(text)
    lines = naive_lines(text)
    assert [text[index.start(line) : index.end(line)] for line in range(len(index))] == lines
    for number, line in enumerate(lines):
        for column in range(len(line) + 1):
            offset = index.start(number) + column
            position = (number, units(line[:column], encoding))
            assert index.position(offset, encoding) == position
            assert index.offset(*position, encoding) == offset


@given(texts, encodings, st.integers(-2, 40), st.integers(-2, 40))
def test_any_position_is_clamped_into_the_text(text: str, encoding: Encoding, line: int, column: int) -> None:
    index = LineIndex(text)
    offset = index.offset(line, column, encoding)
    lines = naive_lines(text)
    if line >= len(lines):
        assert offset == len(text)
        return
    content = lines[max(line, 0)]
    before = text[index.start(max(line, 0)) : offset]
    assert content.startswith(before)
    assert units(before, encoding) <= max(column, 0)
    rest = content[len(before) :]
    assert not rest or units(before + rest[0], encoding) > max(column, 0)


@given(texts, texts, st.integers(0, 60), st.integers(0, 60))
def test_an_edited_index_is_the_index_of_the_edited_text(
    text: str, inserted: str, one: int, other: int
) -> None:
    start, end = sorted((min(one, len(text)), min(other, len(text))))
    edited = LineIndex(text).edited(start, end, inserted)
    fresh = LineIndex(text[:start] + inserted + text[end:])
    assert edited.text == fresh.text
    assert [edited.start(line) for line in range(len(edited))] == [
        fresh.start(line) for line in range(len(fresh))
    ]


@pytest.mark.parametrize(
    ("encoding", "column"), [(Encoding.UTF8, 2), (Encoding.UTF8, 4), (Encoding.UTF16, 2)], ids=str
)
def test_a_column_inside_of_a_character_means_its_start(encoding: Encoding, column: int) -> None:
    assert LineIndex("a😀b").offset(0, column, encoding) == 1
