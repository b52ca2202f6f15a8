"""What a model writes as the message of a commit, made into one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.chat.prompting.commit_message import tidy

LONG = "Add server.go to the server package"
MORE = "Change the ListenAndServe function to listen on port 8080."


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("Fix the area\n", "Fix the area\n"),
        ("- Fix the area\n", "Fix the area\n"),
        ("* Fix the area.\n\n- It was wrong.\n", "Fix the area.\n\n- It was wrong.\n"),
        ("• Fix the area\n", "Fix the area\n"),
        ("-1 is an area\n", "-1 is an area\n"),
        (f"{LONG}. {MORE}\n", f"{LONG}\n\n{MORE}\n"),
        (f"{LONG}. {MORE}\n\nIt was 80.\n", f"{LONG}\n\n{MORE}\n\nIt was 80.\n"),
        (f"- {LONG}.  {MORE}", f"{LONG}\n\n{MORE}"),
        ("Fix it. It was wrong.\n", "Fix it. It was wrong.\n"),
        (f"Move to example.com and to v1.2 {'x' * 80}\n", f"Move to example.com and to v1.2 {'x' * 80}\n"),
        ("", ""),
    ],
)
def test_the_first_line_is_a_subject(said: str, message: str) -> None:
    assert tidy(said) == message


@given(st.text("aA. -*\n`", max_size=200))
def test_no_word_is_lost_and_what_is_tidy_stays(said: str) -> None:
    once = tidy(said)
    letters = [[letter for letter in text if letter in "aA`"] for text in (said, once)]
    assert letters[0] == letters[1]
    assert once in said or "\n\n" in once
