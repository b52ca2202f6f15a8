"""Bytes in, text out: whole characters, up to a stop string, however the bytes are cut."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.engine.stops import TextStream


def streamed(pieces: list[bytes], stops: tuple[str, ...] = ()) -> list[str]:
    """Return what comes out after each piece, and at the end."""
    stream = TextStream(stops)
    return [*(stream.feed(piece) for piece in pieces), stream.finish()]


def test_a_character_spread_over_pieces_comes_out_whole() -> None:
    party = "🎉".encode()
    assert streamed([b"a" + party[:2], party[2:3], party[3:] + b"b"]) == ["a", "", "🎉b", ""]


def test_half_a_character_at_the_end_is_dropped() -> None:
    assert streamed([b"a" + "é".encode()[:1]]) == ["a", ""]


def test_bytes_that_are_no_utf8_do_not_stop_the_text() -> None:
    assert "".join(streamed([b"a\xff", b"b"])) == "a\ufffdb"


@pytest.mark.parametrize(
    ("pieces", "stops", "expected"),
    [
        pytest.param([b"one\n", b"\ntwo"], ("\n\n",), ["one", "", ""], id="spans two pieces"),
        pytest.param([b"one\n", b"two"], ("\n\n",), ["one", "\ntwo", ""], id="began but did not come"),
        pytest.param([b"one\n"], ("\n\n",), ["one", "\n"], id="began and the text ended"),
        pytest.param([b"aab"], ("ab",), ["a", ""], id="overlaps a false start"),
        pytest.param([b"a", b"a", b"b"], ("ab",), ["", "a", "", ""], id="false start given out as it fails"),
        pytest.param([b"x;y"], ("y", ";"), ["x", ""], id="the earliest of several"),
        pytest.param([b"abc"], ("abc", "b"), ["a", ""], id="the first to be complete"),
        pytest.param([b"ab", b"c"], ("",), ["ab", "c", ""], id="an empty stop string stops nothing"),
        pytest.param([b"x\n", b"never"], ("\n",), ["x", "", ""], id="nothing after the stop"),
    ],
)
def test_stop_strings(pieces: list[bytes], stops: tuple[str, ...], expected: list[str]) -> None:
    assert streamed(pieces, stops) == expected


@given(
    text=st.text("ab\né🎉", max_size=30),
    stops=st.lists(st.text("ab\né🎉", min_size=1, max_size=3), max_size=3),
    cuts=st.lists(st.integers(0, 60), max_size=8),
)
def test_the_text_does_not_depend_on_how_it_is_cut(text: str, stops: list[str], cuts: list[int]) -> None:
    data = text.encode()
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[start:end] for start, end in itertools.pairwise(edges)]
    given_out = "".join(streamed(pieces, tuple(stops)))
    assert given_out == "".join(streamed([data], tuple(stops)))
    assert not any(stop in given_out for stop in stops)
    assert text.startswith(given_out)
