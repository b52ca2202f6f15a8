"""What a piece of a completion costs does not depend on how long the file, or its line, is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from lsp_server.completion.truncate import Truncator
from tests.support.completing import SETTINGS, context_at, cut_up

SHORT, LONG = 20_000, 300_000
"""Characters; the short text is more than what is sent of any document with the settings of a test."""
ROOM = 2
"""Steps more than in the short text: the window starts elsewhere. What grows with it takes 15 times more."""

UNITS = {
    "one line of JavaScript": ("javascript", "a(b);"),
    "one line of Lua": ("lua", "a(b, {c}) "),
    "brackets that stay open": ("javascript", "f([{"),
    "brackets that are closed": ("javascript", "}])"),
    "one string": ("python", "abc def "),
    "a line of CSS": ("css", "a{b:c}"),
    "many lines of Python": ("python", "x = f(1)\n"),
    "many lines of C": ("c", "int a(void) { return 1; }\n"),
    "deep indentation": ("python", "if x:\n" + " " * 8 + "y()\n"),
    "blank lines": ("go", "\n"),
    "a comment": ("rust", "// a "),
    "words": ("markdown", "word "),
}
WRITTEN = "first(second, [third], {fourth: 5})\nsixth = 7\n" * 3


def steps(work: Callable[[], object]) -> int:
    """Return how many lines of the package a piece of work runs through."""
    count = 0

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:  # noqa: ANN401
        nonlocal count
        if "lsp_server" not in frame.f_code.co_filename:
            return None
        count += event == "line"
        return trace

    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(None)
    return count


def cost(language_id: str, unit: str, length: int, tail: str) -> int:
    """Return the steps that a whole completion in the middle of a text takes, piece by piece."""
    half = unit * (length // len(unit) // 2)
    context = context_at(language_id, half + tail + half, len(half), SETTINGS)

    def complete() -> None:
        truncator = Truncator(context.cursor, context.judge)
        for piece in cut_up(WRITTEN, 4):
            if truncator.feed(piece) is not None:
                return
        truncator.finish("length")

    return steps(complete)


@pytest.mark.parametrize("tail", ["", "\n", ")"], ids=["in the line", "at its end", "before a bracket"])
@pytest.mark.parametrize("name", UNITS)
def test_a_piece_costs_what_it_is_long(name: str, tail: str) -> None:
    language_id, unit = UNITS[name]
    short, long = (cost(language_id, unit, length, tail) for length in (SHORT, LONG))
    assert 0 < long <= ROOM * short
