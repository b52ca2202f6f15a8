"""What a model writes loads nothing when an editor renders it; judged by a real Markdown parser."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsp_server.chat.replies.harmless import INVISIBLE, harmless
from tests.unit.chat.rendering import LOADING, PIECES, loads

SHOWN = [
    "Plain `code` and **bold**, a < b, a <= b, [a link](https://example.org/).",
    "- `Vec<T>`: a list\n- `Map<String, List<Integer>>`: a map\n",
    "```html\n<img src='https://example.org/x.png'>\n```\n",
    "~~~~\n```\n![x](https://example.org)\n~~~~\n",
    "1. a\n   ```html\n   <img src='https://example.org/x.png'>\n\n     ![x](https://example.org)\n   ```\n",
    "`vec![1, 2]` makes a vector, and `x[1]` takes from it.",
]


@pytest.mark.parametrize("markdown", SHOWN)
def test_what_loads_nothing_stays_as_it_is(markdown: str) -> None:
    assert harmless(markdown) == markdown


@pytest.mark.parametrize("markdown", LOADING)
def test_what_would_load_something_loads_nothing(markdown: str) -> None:
    assert loads(markdown)
    assert loads(harmless(markdown)) == []


def test_a_tag_in_code_looks_the_same() -> None:
    assert harmless("Use `<img src=x>`.").replace(INVISIBLE, "") == "Use `<img src=x>`."


@settings(max_examples=500)
@given(st.lists(st.sampled_from(PIECES), max_size=16).map("".join))
def test_nothing_that_can_be_put_together_loads_anything(markdown: str) -> None:
    safe = harmless(markdown)
    assert loads(safe) == []
    assert harmless(safe) == safe
