"""The store against a naive reading of the protocol."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.documents.positions import Encoding
from lsp_server.documents.store import DocumentStore, Edit, Position, UnknownDocument
from tests.unit.documents.texts import texts

URI = "file:///a.py"
positions = st.tuples(st.integers(0, 8), st.integers(0, 8))
ranges = st.tuples(positions, positions).map(lambda pair: (min(pair), max(pair)))
edits = st.builds(Edit, texts, st.none() | ranges)


def naive_offset(text: str, position: Position) -> int:
    """Walk to a UTF-16 position one character at a time."""
    line, column = position
    starts = [0, *(match.end() for match in re.finditer(r"\r\n|\n|\r", text))]
    if line >= len(starts):
        return len(text)
    at = starts[line]
    while at < len(text) and text[at] not in "\r\n":
        size = len(text[at].encode("utf-16-le", "surrogatepass")) // 2
        if size > column:
            break
        column -= size
        at += 1
    return at


def naive_change(text: str, edit: Edit) -> str:
    if edit.range is None:
        return edit.text
    start, end = (naive_offset(text, position) for position in edit.range)
    return text[:start] + edit.text + text[max(start, end) :]


@given(texts, st.lists(st.lists(edits, max_size=4), max_size=4))
def test_changes_agree_with_the_naive_reading(text: str, changes: list[list[Edit]]) -> None:
    store = DocumentStore(Encoding.UTF16)
    store.open(URI, "python", 0, text)
    for version, change in enumerate(changes, start=1):
        snapshot = store.change(URI, version, change)
        for edit in change:
            text = naive_change(text, edit)
        assert snapshot is store.get(URI)
        assert (snapshot.version, snapshot.text, snapshot.language_id) == (version, text, "python")


@pytest.mark.parametrize(
    ("encoding", "column"), [(Encoding.UTF8, 5), (Encoding.UTF16, 3), (Encoding.UTF32, 2)], ids=str
)
def test_columns_are_in_the_negotiated_units(encoding: Encoding, column: int) -> None:
    store = DocumentStore(encoding)
    store.open(URI, "python", 1, "a😀b\n")
    assert store.change(URI, 2, [Edit("!", ((0, column), (0, column)))]).text == "a😀!b\n"


def test_an_older_snapshot_does_not_change() -> None:
    store = DocumentStore()
    old = store.open(URI, "python", 1, "x\n")
    store.change(URI, 2, [Edit("y\n", ((1, 0), (1, 0)))])
    assert (old.text, len(old.lines)) == ("x\n", 2)


def test_an_unknown_document_is_reported_and_the_store_goes_on() -> None:
    store = DocumentStore()
    with pytest.raises(UnknownDocument, match=r"a\.py"):
        store.change(URI, 1, [Edit("x")])
    assert store.get(URI) is None
    store.open(URI, "python", 1, "x")
    assert len(store) == 1
    assert store.close(URI)
    assert not store.close(URI)
    assert list(store) == []


def test_text_does_not_appear_when_a_snapshot_is_printed() -> None:
    snapshot = DocumentStore().open(URI, "python", 1, "secret = 1")
    assert "secret" not in repr(snapshot)
