"""The block of code that is still open where a Markdown text ends, as CommonMark has it.

A parser tells it: whether a fence of a list is open depends on all the lines before it.
"""

from __future__ import annotations

import re

from lsp_server.documents.positions import LINE_END


def open_fence(text: str) -> str | None:
    """Return the fence that closes the block which is open at the end, if one is."""
    from markdown_it import MarkdownIt  # only chats need it

    text = "\n".join(LINE_END.split(text))
    tokens = MarkdownIt("commonmark").parse(text)
    last = tokens[-1] if tokens else None
    if last is None or last.type != "fence" or last.map is None:
        return None
    first, end = last.map
    lines = text.split("\n")[first:end]
    is_closed = len(lines) > 1 and re.fullmatch(
        rf" {{0,3}}{re.escape(last.markup)}{re.escape(last.markup[0])}*[ \t]*", lines[-1].rstrip("\r")
    )
    return None if is_closed else last.markup
