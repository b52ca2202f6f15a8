"""Markdown of a model made safe to render: it fetches nothing. Links stay, for those have to be clicked.

A text that the model was shown can make it write an image whose address carries what else it was shown, and
editors load images by themselves. So images become links, and tags that could load something become text.
What is done may be visible where Markdown is explained, never the other way round: what stands in code is
known for sure only in a fence in the first column.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_FENCE = re.compile(r"([ \t>*+\-\d.)]*)(`{3,}(?=[^`]*$)|~{3,})")
"""What stands before it, and the fence."""
_CONTAINED = frozenset(" \t>*+-0123456789")
"""A line that starts with one of these may go on with a list or a quotation."""
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
    states: set[_State] = {None}
    for line in re.split(r"(?<=\n)|(?<=\r)(?!\n)", markdown):
        if all(state is not None and not state.contained for state in states):
            yield False, "".join(outside)
            outside = []
            yield True, line
        else:
            outside.append(line)
        states = {after for state in states for after in _after(line.rstrip("\r\n"), state)}
    yield False, "".join(outside)


@dataclass(frozen=True)
class _Open:
    """An open fence; a contained one ends with the list or the quotation that it stands in."""

    fence: str
    contained: bool = False


_State = _Open | None
"""What a line may stand in. Where lists and quotations end is not parsed, so there may be more than one."""


def _after(line: str, state: _State) -> set[_State]:
    match = _FENCE.match(line)
    if state is not None and not state.contained:
        closes = (
            match and match[2].startswith(state.fence) and _is_bare(match) and not line[match.end() :].strip()
        )
        return {None} if closes else {state}
    stays: set[_State] = set() if state is None or line[:1] not in _CONTAINED | {""} else {state}
    if match is None:
        return {None, *stays}
    if not match[1]:
        return {_Open(match[2]), *stays}
    found: set[_State] = {None, _Open(match[2], contained=True), *stays}
    return {_Open(match[2]), *found} if _is_bare(match) else found


def _is_bare(match: re.Match[str]) -> bool:
    """Tell whether a fence may be one of no list: it has at most three blanks before it."""
    return len(match[1]) <= 3 and not match[1].strip(" ")


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
