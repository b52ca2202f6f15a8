"""Windows: within budget, well used, and in one place while text is typed."""

from __future__ import annotations

from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsp_server.documents.window import block_chars, prefix_window, suffix_window

LINES = ("", "def f(x):", "    return x + 1", "        deeper = (", "# é😀", "class A:", "x" * 90, "\tgo()")
line_ends = st.sampled_from(("\n", "\r\n", "\r"))
files = st.tuples(st.lists(st.sampled_from(LINES), max_size=120), line_ends).map(
    lambda file: file[1].join(file[0])
)
budgets = st.integers(1, 1500)


@given(files, st.integers(0, 6000), budgets)
def test_windows_keep_to_the_budget_and_use_it(text: str, at: int, budget: int) -> None:
    offset = min(at, len(text))
    start, end = prefix_window(text, offset, budget), suffix_window(text, offset, budget)
    assert 0 <= start <= offset <= end <= len(text)
    for used, whole in ((offset - start, offset), (end - offset, len(text) - offset)):
        assert used <= budget
        # Small budgets have blocks of a few characters, where rounding and "\r\n" weigh.
        assert used == whole or used >= budget * 7 // 12 - 3


@settings(max_examples=60)
@given(
    files,
    st.integers(0, 6000),
    st.integers(60, 1500),
    st.lists(st.sampled_from("ab (\n"), min_size=200, max_size=200),
)
def test_typing_moves_the_borders_once_in_a_block(text: str, at: int, budget: int, typed: list[str]) -> None:
    offset = min(at, len(text))
    starts, ends = set(), set()
    for count in range(len(typed) + 1):
        now = text[:offset] + "".join(typed[:count]) + text[offset:]
        cursor = offset + count
        starts.add(prefix_window(now, cursor, budget))
        ends.add(len(now) - suffix_window(now, cursor, budget))
    assert len(starts) <= ceil(len(typed) / block_chars(budget)) + 1
    assert len(ends) == 1


def test_a_short_text_is_taken_whole() -> None:
    assert (prefix_window("abc", 2, 10), suffix_window("abc", 2, 10)) == (0, 3)


@pytest.mark.parametrize("budget", [300, 600, 1200])
def test_a_window_starts_and_ends_with_whole_lines(budget: int) -> None:
    text = "".join(f"line {number}\n" for number in range(1000))
    offset = len(text) // 2
    assert text[prefix_window(text, offset, budget) - 1] == "\n"
    assert text[suffix_window(text, offset, budget) - 1] == "\n"


def test_a_window_starts_with_a_definition_where_one_is_near() -> None:
    function = "def f(x):\n    y = x\n    return y\n\n\n"
    text = function * 200
    start = prefix_window(text, 5000, 1000)
    assert text[start:].startswith("def f")
    assert text[: suffix_window(text, 5000, 1000)].endswith("\n\n\n")


def test_a_line_without_end_is_cut_anywhere() -> None:
    text = "x" * 10_000
    assert 580 <= 5000 - prefix_window(text, 5000, 1000) <= 1000
    assert 580 <= suffix_window(text, 5000, 1000) - 5000 <= 1000
