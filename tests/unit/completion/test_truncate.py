"""Where a stream is cut: independent of its pieces, never later than the limits, never in a loop."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.backends.protocol import FinishReason
from lsp_server.completion.truncate import BLOCK_LINES, LONG_LINE, Truncator
from tests.support.completing import context_at, context_of, cut_of, cut_up, inserted
from tests.unit.completion.texts import buffers, languages, texts

ENDS = st.sampled_from(("stop", "length"))


@given(languages, buffers(), texts, st.integers(1, 7), ENDS)
def test_pieces_make_no_difference(
    language_id: str, buffer: tuple[str, int], written: str, size: int, ended: FinishReason
) -> None:
    context = context_at(language_id, *buffer)
    assert cut_of(context, cut_up(written, size), ended) == cut_of(context, [written], ended)


@given(languages, buffers(), texts, ENDS)
def test_what_is_kept_is_the_beginning_of_what_was_written(
    language_id: str, buffer: tuple[str, int], written: str, ended: FinishReason
) -> None:
    cut = cut_of(context_at(language_id, *buffer), [written], ended)
    assert written.startswith(cut.text)
    assert cut.text.count("\n") <= BLOCK_LINES


def test_line_ends_of_windows_are_line_ends_wherever_the_stream_is_cut() -> None:
    context = context_of("python", "def f():\n    █\n\ny = 1\n")
    written = "a = 1\r\n    return a\r\n\r\ny = 1\r\n"
    for size in (1, 2, 3, len(written)):
        assert inserted(context, cut_up(written, size)) == "a = 1\n    return a"


@pytest.mark.parametrize(
    ("language_id", "drawn", "written", "why"),
    [
        ("python", "x = █\n", "1\ny = 2\n", "line"),
        ("python", "foo(█)\n", "1)\n", "bracket"),
        ("python", "x = █ + 1\n", "2 + 1\ny\n", "join"),
        ("python", "def f():\n    █\n\ny = 1\n", "a = 1\n\ny = 1\n", "join"),
        ("python", "def f():\n    █\n\ny = 1\n", "a = 1\n\nz = 1\n", "block end"),
        ("python", "a = 1\n█\nb = 1\n", "c = 1\nd = 1\ne = 1\nf = 1\n", "statement"),
        ("python", "def f():\n    █", "".join(f"a{n} = 1\n    " for n in range(30)), "block limit"),
        ("python", "def f():\n    █", "g()\n" + "    g()\n" * 3, "repetition"),
        ("python", "x = █\n", "1", "the model ended"),
    ],
)
def test_why_it_ended(language_id: str, drawn: str, written: str, why: str) -> None:
    assert cut_of(context_of(language_id, drawn), cut_up(written, 1), "stop").why == why


def test_the_token_limit_drops_the_line_that_is_not_whole() -> None:
    context = context_of("python", "def f():\n    █")
    assert cut_of(context, ["a = 1\n    b = 2\n    retu"], "length").text == "a = 1\n    b = 2"


@pytest.mark.parametrize("drawn", ["x = █\n", "x = f(█)\n", "def f():\n    █"])
@pytest.mark.parametrize("written", ["0123456789abcdef", "if x: ", "() ", "[\n", '"', " "])
def test_a_server_that_writes_without_end_is_stopped(drawn: str, written: str) -> None:
    context = context_of("python", drawn)
    flood = written * 50_000
    cut = Truncator(context.cursor, context.judge).feed(flood)
    assert cut is not None
    assert len(cut.text) <= LONG_LINE * BLOCK_LINES
    assert flood.startswith(cut.text)


@pytest.mark.parametrize(
    "loop",
    [
        "    g()\n",
        "    g()\n    h()\n",
        "    if g():\n        h()\n\n",
    ],
)
def test_a_model_that_goes_round_in_circles_is_stopped_after_the_first_round(loop: str) -> None:
    context = context_of("python", "def f():\n    █")
    truncator = Truncator(context.cursor, context.judge)
    written = (loop * 10)[4:]
    fed = ""
    cut = None
    for character in written:
        fed += character
        cut = truncator.feed(character)
        if cut is not None:
            break
    assert cut is not None
    assert cut.text == loop[4:]
    assert len(fed) <= 3 * len(loop)


def test_brackets_that_close_alike_are_no_repetition() -> None:
    written = "[\n    [\n        1,\n    ],\n    [\n        2,\n    ],\n    [\n        3,\n    ],\n]\n"
    assert inserted(context_of("python", "x = █\n"), [written]) == written.rstrip()


@pytest.mark.parametrize(
    "chatter", ["```\n\nThis returns x.\n", "\nHere is how it works:\n\n1. It returns x.\n"]
)
@pytest.mark.parametrize(
    ("language_id", "drawn", "wanted"),
    [
        ("python", "def f(x):\n    █\n", "return x"),
        ("javascript", "function f(x) {\n  █\n}\n", "return x;"),
        ("go", "func f(x int) int {\n\t█\n}\n", "return x"),
        ("ruby", "def f(x)\n  █\nend\n", "return x"),
        ("python", "y = █\n", "x"),
    ],
)
def test_what_the_model_says_about_the_code_is_left_out(
    language_id: str, drawn: str, wanted: str, chatter: str
) -> None:
    assert inserted(context_of(language_id, drawn), cut_up(f"{wanted}\n{chatter}", 2)) == wanted
