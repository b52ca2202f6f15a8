"""Requests that come because the cursor moved."""

from __future__ import annotations

from lsp_server.completion.movement import Cursor, FirstPlaces
from lsp_server.documents.snapshot import Snapshot


def _text(version: int, text: str = "a b", uri: str = "file:///a.py") -> Snapshot:
    return Snapshot(uri, "python", version, text)


def test_the_first_place_of_a_text_is_no_movement_however_often_it_is_asked_about() -> None:
    places = FirstPlaces()
    assert [places.has_moved(Cursor(_text(1), 3)) for _ in range(3)] == [False, False, False]


def test_any_other_place_is_movement_until_the_text_changes() -> None:
    places = FirstPlaces()
    assert not places.has_moved(Cursor(_text(1), 3))
    assert places.has_moved(Cursor(_text(1), 1))
    assert not places.has_moved(Cursor(_text(1), 3))
    assert not places.has_moved(Cursor(_text(2), 1))
    assert places.has_moved(Cursor(_text(2), 3))


def test_documents_do_not_matter_to_each_other() -> None:
    places = FirstPlaces()
    assert not places.has_moved(Cursor(_text(1), 3))
    assert not places.has_moved(Cursor(_text(1, uri="file:///b.py"), 1))


def test_a_client_that_does_not_count_versions_is_served() -> None:
    places = FirstPlaces()
    assert not places.has_moved(Cursor(_text(0, "a"), 1))
    assert not places.has_moved(Cursor(_text(0, "ab"), 2))


def test_a_document_that_is_opened_again_begins_anew() -> None:
    places = FirstPlaces()
    assert not places.has_moved(Cursor(_text(1), 3))
    places.forget("file:///a.py")
    assert not places.has_moved(Cursor(_text(1), 1))
