"""Pieces of text about a target, from its own document: each within a number of bytes, or empty.

The same document and target give the same text. Must not know which pieces are wanted.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

from lsp_server.chat.actions.site import Target
from lsp_server.chat.prompting.wording import size
from lsp_server.documents import lines as text_lines
from lsp_server.documents import outline as outlines
from lsp_server.documents.documentation import documentation
from lsp_server.documents.enclosing import CLASSES, FUNCTIONS, covering
from lsp_server.documents.identifiers import identifiers
from lsp_server.documents.look import Range
from lsp_server.documents.outline import Definition

_MOST_DIAGNOSTICS = 12
_MESSAGE_CHARS = 300  # compilers explain at length; what is wrong comes first
_LINE_CHARS = 120
_WHOLE_CHARS = 600  # about 20 lines: a definition up to this length is shown with its body
_MOST_DEFINITIONS = 12
_MOST_LOOKED_AT = 100  # definitions, for one that is documented
_EXAMPLE_CHARS = 500  # a docstring with its sections; longer ones are not what most look like


def diagnostics(target: Target, limit: int) -> str:
    """Return what other tools found wrong: a line each, with the number and the text of the line."""
    lines = target.snapshot.lines
    found: list[str] = []
    for item in sorted(target.diagnostics, key=lambda item: (item.start, item.end, item.message)):
        number = lines.line_of(min(item.start, len(target.snapshot.text)))
        code = text_lines.line_text(target.snapshot.text, lines, number).strip()[:_LINE_CHARS]
        message = " ".join(item.message.split())[:_MESSAGE_CHARS]
        source = " ".join(part for part in (item.source, item.code) if part)
        text = f"- line {number + 1}, `{code}`: {message}" + (f" ({source})" if source else "")
        limit -= size(text) + 1
        if limit < 0 or len(found) == _MOST_DIAGNOSTICS:
            break
        if text not in found:
            found.append(text)
    return "\n".join(found)


def nearest(cells: Sequence[str], limit: int) -> str:
    """Return as many whole cells as fit of those before a cell, the last ones."""
    kept = list[str]()
    for cell in reversed(cells):
        limit -= size(cell) + 2
        if limit < 0:
            break
        kept.insert(0, cell)
    return "\n\n".join(kept)


def imported(target: Target, limit: int) -> str:
    """Return the imports of the file that are not in the target itself."""
    tree, kept = target.tree, list[str]()
    for start, end in outlines.imports(tree) if tree is not None else ():
        if start >= target.end or end <= target.start:
            text = target.snapshot.text[start:end]
            limit -= size(text) + 1
            if limit < 0:
                break
            kept.append(text)
    return "\n".join(kept)


def outline(target: Target, limit: int, *, with_imports: bool) -> str:
    """Return the signatures of the rest of the file."""
    tree = target.tree
    if tree is None:
        return ""
    window, chars = (target.start, target.end), limit
    for _ in range(3):
        text = outlines.outline_text(tree, window, chars, with_imports=with_imports, goes_on=False)
        if size(text) <= limit:
            return text
        chars = chars * limit // (size(text) + 1)  # the outline counts characters
    return ""


def definitions(target: Target, limit: int) -> str:
    """Return the definitions of the file that the target names, the nearest first if not all fit."""
    tree = target.tree
    if tree is None:
        return ""
    names = identifiers(tree, target.start, target.end)
    found = outlines.definitions(tree)
    used = [
        index
        for index, item in enumerate(found)
        if _name(item) in names and _is_beside(item, target) and _is_meant(item, found, target)
    ]
    used.sort(key=lambda index: (_distance(found[index], target), index))
    shown: set[int] = set()
    whole: set[int] = set()
    text = ""
    for index in used[:_MOST_DEFINITIONS]:
        if _inside(found, index, whole):
            continue
        start, end = found[index].range
        tries = ([(shown, {*whole, index})] if end - start <= _WHOLE_CHARS else []) + [
            ({*shown, index}, whole)
        ]
        for some, all_of in tries:
            drawn = outlines.definitions_text(tree, found, some, all_of)
            if size(drawn) <= limit:
                shown, whole, text = some, all_of, drawn
                break
    return text


def conventions(target: Target, limit: int) -> str:
    """Return the nearest other definition that is documented, without its body, as an example.

    An example for a function is a function: small models copy the one line that documents a class.
    """
    tree = target.tree
    if tree is None:
        return ""
    snapshot, own = target.snapshot, target.definition
    alike = [
        item
        for item in outlines.definitions(tree)
        if (own is None or item.range[0] != own.start)
        and (item.kind in FUNCTIONS) == (target.kind in FUNCTIONS)
    ]
    nearest = sorted(alike, key=lambda item: _distance(item, target))
    for item in nearest[:_MOST_LOOKED_AT]:
        around = covering(snapshot, tree, *item.signature_range)
        documented = documentation(snapshot, tree, around) if around is not None else None
        if around is None or documented is None:
            continue
        text = _as_lines(target, sorted((documented, around.signature)))
        if documented[1] - documented[0] <= _EXAMPLE_CHARS and size(text) <= limit:
            return text
    return ""


def _as_lines(target: Target, ranges: Sequence[Range]) -> str:
    """Return parts of the document that start lines, with their indentation."""
    text, lines = target.snapshot.text, target.snapshot.lines
    parts = []
    for start, end in ranges:
        before = text[lines.start(lines.line_of(start)) : start]
        parts.append((before if not before.strip() else "") + text[start:end])
    return textwrap.dedent("\n".join(parts))


def _name(item: Definition) -> str:
    """Return the part of a name that code uses: `M.f` and `A::f` are called as `f` too."""
    return item.name.replace("::", ".").replace(":", ".").rpartition(".")[2]


def _is_beside(item: Definition, target: Target) -> bool:
    return item.range[1] <= target.start or item.range[0] >= target.end


def _is_meant(item: Definition, found: Sequence[Definition], target: Target) -> bool:
    """Tell whether a name means this definition: a member of another class is got at through something."""
    parent = found[item.parent_index] if item.parent_index is not None else None
    if parent is None or item.kind not in FUNCTIONS or not _is_beside(parent, target):
        return True
    if parent.kind not in CLASSES and target.language.name != "rust":
        return True  # a namespace is opened more than once, and its names can be had without it
    holder = re.match(r"\w*", _name(parent))
    through = rf"\b(?:Self|{holder[0]})::" if holder is not None and parent.name else "::"
    return re.search(rf"(\.|->|{through})\s*{re.escape(_name(item))}\b", target.text) is not None


def _distance(item: Definition, target: Target) -> int:
    return target.start - item.range[1] if item.range[1] <= target.start else item.range[0] - target.end


def _inside(found: list[Definition], index: int, whole: set[int]) -> bool:
    parent = found[index].parent_index
    while parent is not None:
        if parent in whole:
            return True
        parent = found[parent].parent_index
    return False
