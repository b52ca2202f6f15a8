"""Completions found again: typed along, gone back to, and never in another text."""

from __future__ import annotations

import pytest

from lsp_server.completion.cache import CAPACITY, CompletionCache, Hit
from lsp_server.completion.place import Place
from lsp_server.documents.snapshot import Snapshot
from tests.support.drawn import cursor

URI = "file:///a.py"


def at(drawn: str, uri: str = URI) -> tuple[Snapshot, int]:
    text, offset = cursor(drawn)
    return Snapshot(uri, "python", 1, text), offset


def cache(drawn: str, text: str) -> CompletionCache:
    made = CompletionCache()
    made.add(Place.of(*at(drawn)), text)
    return made


@pytest.mark.parametrize(
    ("drawn", "hit"),
    [
        ("x = █\ny\n", Hit("range(10)", 0)),
        ("x = ra█\ny\n", Hit("nge(10)", 2)),
        ("x = range(█)\ny\n", Hit("10", 6)),  # the editor has closed the bracket
        ("x = range(1█)\ny\n", Hit("0", 7)),
        ("x = range(10█)\ny\n", Hit("", 8)),
        ("x = range(█))\ny\n", None),
        ("x = range█)\ny\n", None),
        ("x = range(10█\ny\n", Hit(")", 8)),
        ("x = range(10)█\ny\n", None),  # all of it: the model is asked what comes next
        ("x = rb█\ny\n", None),
        ("x =█\ny\n", None),
        ("x = █ \ny\n", None),
        ("x = █\ny \n", None),
        ("x  = █\ny\n", None),
        ("x = r█a\ny\n", None),
        ("\nx = █\ny\n", None),
    ],
)
def test_finding(drawn: str, hit: Hit | None) -> None:
    assert cache("x = █\ny\n", "range(10)").find(*at(drawn)) == hit


@pytest.mark.parametrize(
    ("drawn", "inside"),
    [
        ("print(█)\n", "f([1, 'a'])"),
        ("print(f([█]))\n", "1, 'a'"),
        ("print(f([1, '█']))\n", None),  # four closed at once
        ("print(f([1, 'a'])█)\n", ""),
    ],
)
def test_what_the_editor_closed_is_not_written_twice(drawn: str, inside: str | None) -> None:
    hit = cache("█\n", "print(f([1, 'a'])) or 2").find(*at(drawn))
    assert (hit.text if hit else None) == inside


def test_a_quote_that_the_editor_closed_ends_the_text() -> None:
    hit = cache("x = █\n", 'open("name", "w")').find(*at('x = open("█")\n'))
    assert hit == Hit("name", 6)


def test_deleting_what_was_typed_finds_it_again() -> None:
    known = cache("x = █\n", "range(10)")
    for drawn in ("x = ran█\n", "x = ra█\n", "x = r█\n", "x = █\n"):
        assert known.find(*at(drawn)) is not None


def test_line_ends_are_compared_as_they_are_in_the_document() -> None:
    known = cache("if a:█\r\nb\r\n", "\r\n    c()")
    assert known.find(*at("if a:\r\n    █\r\nb\r\n")) == Hit("c()", 6)
    assert known.find(*at("if a:\n    █\r\nb\r\n")) is None


def test_the_newest_that_agrees_is_found() -> None:
    known = cache("x = █\n", "range(10)")
    known.add(Place.of(*at("x = ra█\n")), "ndom()")
    assert known.find(*at("x = ran█\n")) == Hit("dom()", 1)
    assert known.find(*at("x = rang█\n")) == Hit("e(10)", 4)
    known.add(Place.of(*at("x = █\n")), "1")
    assert known.find(*at("x = █\n")) == Hit("1", 0)


def test_nothing_is_an_answer_too_but_only_at_its_place() -> None:
    known = cache("x = █\n", "")
    assert known.find(*at("x = █\n")) == Hit("", 0)
    assert known.find(*at("x = a█\n")) is None


def test_documents_are_apart_until_forgotten() -> None:
    known = cache("x = █\n", "1")
    known.add(Place.of(*at("x = █\n", "file:///b.py")), "2")
    assert known.find(*at("x = █\n", "file:///b.py")) == Hit("2", 0)
    known.forget("file:///b.py")
    assert known.find(*at("x = █\n", "file:///b.py")) is None
    assert known.find(*at("x = █\n")) == Hit("1", 0)


def test_the_oldest_gives_way() -> None:
    known = CompletionCache()
    for number in range(CAPACITY + 1):
        known.add(Place.of(*at(f"x{number} = █\n")), "1")
    assert known.find(*at("x0 = █\n")) is None
    assert known.find(*at("x1 = █\n")) == Hit("1", 0)


@pytest.mark.parametrize(
    ("drawn", "typed"),
    [
        ("x = █\ny\n", ""),
        ("x = ab█\ny\n", "ab"),
        ("x = 😀\r\n█\ny\n", "😀\r\n"),
        ("x =█\ny\n", None),
        ("z = a█\ny\n", None),
        ("x = a█\nz\n", None),
    ],
)
def test_what_was_typed_since(drawn: str, typed: str | None) -> None:
    place = Place.of(*at("x = █\ny\n"))
    snapshot, offset = at(drawn)
    assert place.typed(snapshot, offset) == typed
    assert place.typed(Snapshot("file:///b.py", "python", 1, snapshot.text), offset) is None
    if typed is not None:
        assert place.typed_in(snapshot) == typed


def test_what_was_typed_is_found_without_a_cursor_only_nearby() -> None:
    place = Place.of(*at("x = █\n"))
    assert place.typed_in(at(f"x = {'a' * 200}█\n")[0]) == "a" * 200
    assert place.typed_in(at(f"x = {'a' * 201}█\n")[0]) is None
