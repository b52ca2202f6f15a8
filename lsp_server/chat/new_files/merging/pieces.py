"""A text as imports and definitions, by syntax; a text without a tree has neither."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from lsp_server.documents.languages import LANGUAGES, PLAIN, Language
from lsp_server.documents.outline import Definition, definitions, imports
from lsp_server.documents.syntax import parse

_BY_NAME = {language.name: language for language in LANGUAGES}
_BY_NAME["php"] = replace(_BY_NAME["php"], function="language_php_only")
"""The head `<?php` is taken off before."""
_ABOVE = re.compile(r"[ \t]*(#|//|/\*|\*|@|\[)")
"""Starts of lines that belong to the definition below them: comments, decorators, attributes."""


@dataclass(frozen=True)
class Item:
    """A definition with the comments right above it. Offsets are code points."""

    start: int
    end: int
    kind: str
    name: str
    body_start: int
    members: tuple[Item, ...] = ()

    def text(self, text: str) -> str:
        """Return its text."""
        return text[self.start : self.end]


@dataclass(frozen=True)
class Pieces:
    """A text taken apart."""

    text: str
    imports: tuple[tuple[int, int], ...]
    items: tuple[Item, ...]

    def item(self, name: str, *kinds: str) -> Item | None:
        """Return the last definition of a name, of one of `kinds` if there are any."""
        found = (item for item in reversed(self.items) if item.name == name)
        return next((item for item in found if not kinds or item.kind in kinds), None)

    def without(self, ranges: Iterable[tuple[int, int]]) -> str:
        """Return the text without some ranges; a line of which nothing is left goes, too."""
        kept, at = "", 0
        for start, end in sorted(ranges):
            if end <= at:
                continue
            kept += self.text[at : max(start, at)]
            at = end
            if re.fullmatch(r"[ \t]*", kept.rpartition("\n")[2]) and (
                rest := re.compile(r"[ \t;]*(\n|\Z)").match(self.text, at)
            ):
                at = rest.end()
        return kept + self.text[at:]


def language_of(name: str) -> Language:
    """Return the language of a name."""
    return _BY_NAME.get(name, PLAIN)


def taken_apart(text: str, language: str) -> Pieces:
    """Take a text apart."""
    tree = parse(text, language_of(language))
    if tree is None:
        return Pieces(text, (), ())
    found = definitions(tree)
    items = tuple(_item(text, index, found) for index, item in enumerate(found) if item.parent_index is None)
    return Pieces(text, tuple(imports(tree)), items)


def _item(text: str, index: int, found: list[Definition]) -> Item:
    own = found[index]
    members = tuple(_item(text, at, found) for at, item in enumerate(found) if item.parent_index == index)
    start, end = own.range
    return Item(_with_lines_above(text, start), end, own.kind, own.name, own.signature_range[1], members)


def _with_lines_above(text: str, start: int) -> int:
    """Move the start of a definition to its line's, and over the comments right above it."""
    line = text.rfind("\n", 0, start) + 1
    if text[line:start].strip():
        return start
    while line:
        above = text.rfind("\n", 0, line - 1) + 1
        if not _ABOVE.match(text, above, line - 1):
            break
        line = above
    return line


def with_new_names(text: str, names: dict[str, str]) -> str:
    """Return a text in which whole words are other words."""
    if not names:
        return text
    pattern = re.compile(rf"(?<![\w$])({'|'.join(map(re.escape, names))})(?![\w$])")
    return pattern.sub(lambda match: names[match[1]], text)


def fresh(name: str, taken: Iterable[str]) -> str:
    """Return a name that is not taken: `test_parse_2`, `testParse2`."""
    used = set(taken)
    between = "_" if "_" in name or name.islower() else ""
    number = 2
    while f"{name}{between}{number}" in used:
        number += 1
    return f"{name}{between}{number}"


def same(one: str, other: str) -> bool:
    """Tell whether two texts differ in blanks alone."""
    return "".join(one.split()) == "".join(other.split())
