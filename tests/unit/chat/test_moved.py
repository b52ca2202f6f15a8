"""Places of a text in the text that it has become."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.chat.editing.moved import moved

LINES = st.lists(st.text("ab 🦀", max_size=4).map(lambda line: f"{line}\n"), max_size=6).map("".join)
COUNT = st.integers(0, 5)


@pytest.mark.parametrize(
    ("base", "now", "offset", "expected"),
    [
        ("a\nb\n", "a\nb\n", 3, 3),
        ("a\nb\n", "new\na\nb\n", 2, 6),
        ("x\na\nb\n", "a\nb\n", 4, 2),
        ("a\nlonger\nb\n", "a\nlo\nb\n", 7, 5),  # in a line that became shorter: its end
        ("a\nb\n", "", 3, 0),
        ("", "a\n", 0, 2),
    ],
)
def test_where_a_place_has_gone(base: str, now: str, offset: int, expected: int) -> None:
    assert moved(base, now, offset) == (expected,)


@given(COUNT, COUNT, COUNT, COUNT)
def test_text_around_a_change_keeps_its_places(above: int, old: int, new: int, below: int) -> None:
    before, after = _numbered("above", above), _numbered("below", below)
    base, now = before + _numbered("old", old) + after, before + _numbered("new", new) + after
    for offset in range(len(before)):
        assert moved(base, now, offset) == (offset,)
    for back in range(len(after)):
        assert moved(base, now, len(base) - back) == (len(now) - back,)


def _numbered(word: str, count: int) -> str:
    return "".join(f"{word} {number}\n" for number in range(count))


@given(LINES, LINES)
def test_places_keep_their_order(base: str, now: str) -> None:
    places = moved(base, now, *range(len(base) + 1))
    assert list(places) == sorted(places)
    assert all(0 <= place <= len(now) for place in places)
