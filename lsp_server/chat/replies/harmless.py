"""Markdown of a model made safe to render: it fetches nothing. Links stay, for those have to be clicked.

A text that the model was shown can make it write an image whose address carries what else it was shown, and
editors load images by themselves. So images become links, and tags that could load something become text.
What is done may be visible where Markdown is explained, never the other way round: what stands in code is
known for sure only in some fences, see `fence_states`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lsp_server.chat.replies.fence_states import FenceStates

_IMAGE = re.compile(r"!+(?=\[)")
_DEFINITION = re.compile(r"(?<=\]):")
"""Of an address, which an image elsewhere can name."""
_BLANK = re.compile(r"[\n\r][ \t]*[\n\r]")
_FIRST_TAG = re.compile(r"(?:^|(?<=[\n\r]))([ \t>*+\-\d.)]*)<(?=[A-Za-z/!?])")
"""Starts a block of HTML, in which a fence is none."""
_TAG = re.compile(r"<(?=[A-Za-z][\w:.-]*(?:[\s/]|$)|(?:style|script|title|textarea|xmp)\b)", re.IGNORECASE)
"""May have attributes, or text that is a program. `Vec<T>` has neither."""

INVISIBLE = "\u200b"
"""Zero-width space: makes no tag of a tag, and looks the same in code and in prose."""


def harmless(markdown: str) -> str:
    """Return Markdown that looks the same and loads nothing; of what it returns it returns the same."""
    return "".join(part if is_code else _defused(part) for is_code, part in _parts(markdown))


def _parts(markdown: str) -> Iterator[tuple[bool, str]]:
    """Yield the text in order, what is surely fenced code apart from the rest."""
    outside: list[str] = []
    states = FenceStates()
    for line in re.split(r"(?<=\n)|(?<=\r)(?!\n)", markdown):
        if states.is_code(line):
            yield False, "".join(outside)
            outside = []
            yield True, line
        else:
            outside.append(line)
        states.take(line.rstrip("\r\n"))
    yield False, "".join(outside)


def _defused(text: str) -> str:
    paragraphs, at = [], 0
    for match in _BLANK.finditer(text):
        paragraphs += [_without_images(text[at : match.start()]), match[0]]
        at = match.end()
    text = "".join([*paragraphs, _without_images(text[at:])])
    text = _DEFINITION.sub("\\:", text)
    return _TAG.sub(f"<{INVISIBLE}", _FIRST_TAG.sub(r"\1&lt;", text))


def _without_images(paragraph: str) -> str:
    """Make links of images with an address of their own; others, and Rust's `vec![…]`, name none."""
    last = paragraph.rfind("](")
    return paragraph if last < 0 else _IMAGE.sub("", paragraph[:last]) + paragraph[last:]
