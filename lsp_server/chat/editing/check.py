"""Whether an edit breaks syntax that was whole, or leaves out code. Knows only the text before and after.

What was broken before is nobody's fault here: only what is new counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from lsp_server.chat.editing.elisions import left_out
from lsp_server.chat.editing.line_diff import Hunk, hunks, lines_of
from lsp_server.chat.editing.lost_code import returns_lost, taken_away
from lsp_server.chat.editing.python_syntax import syntax_error
from lsp_server.chat.editing.repetition import repeated
from lsp_server.documents.languages import Language
from lsp_server.documents.outline import definitions
from lsp_server.documents.syntax import SyntaxTree, parse

_SHOWN_CHARS = 40  # of a line in a message
_MANY = frozenset({"impl", "module", "macro", "type"})
"""Kinds of which there may be several of the same name and form."""


@dataclass(frozen=True)
class _Flaw:
    line: int
    missing: str
    """The token that is missing; empty where something does not parse."""
    size: int


def damage(
    before: str, after: str, language: Language, *, replaces: bool = False, spared: Collection[int] = ()
) -> str | None:
    """Return what is broken in `after` that was whole in `before`, as a sentence; None if nothing is.

    With `replaces`, `after` is to do what `before` does: then code that is gone counts, but for the lines
    `spared`. Parses both: call it on a thread.
    """
    old_lines, new_lines = lines_of(before), lines_of(after)
    changes = hunks(old_lines, new_lines)
    if not changes:
        return None
    old, new = parse(before, language), parse(after, language)
    return (
        _syntax_error(before, after, language, changes, (old, new))
        or _left_out(old_lines, new_lines, changes, language)
        or _twice(old, new)
        or repeated(old, new, changes)
        or (taken_away(old_lines, new_lines, changes, language, spared) if replaces else None)
        or (returns_lost(old, new) if replaces else None)
    )


def new_syntax_error(before: str, after: str, language: Language) -> str | None:
    """Return what does not parse in `after` and did in `before`, as a sentence. Parses both."""
    changes = hunks(lines_of(before), lines_of(after))
    if not changes:
        return None
    return _syntax_error(before, after, language, changes, (parse(before, language), parse(after, language)))


def _syntax_error(
    before: str,
    after: str,
    language: Language,
    changes: Sequence[Hunk],
    trees: tuple[SyntaxTree | None, SyntaxTree | None],
) -> str | None:
    lines = lines_of(after)
    wrong = _uncompiled(before, after, lines) if language.name == "python" else None
    return wrong or _unparsed(*trees, changes, lines)


def _uncompiled(before: str, after: str, lines: Sequence[str]) -> str | None:
    error = syntax_error(after)
    if error is None or syntax_error(before) is not None:
        return None
    line, reason = error
    return f"line {line + 1} does not parse ({reason}): {_shown(lines, line)}"


def _unparsed(
    old: SyntaxTree | None, new: SyntaxTree | None, changes: Sequence[Hunk], lines: Sequence[str]
) -> str | None:
    if new is None or not new.root.has_error:
        return None
    was, now = list(_flaws(old)) if old is not None else [], list(_flaws(new))
    there = [flaw for flaw in was if any(first <= flaw.line <= last for first, last, _, _ in changes)]
    here = [flaw for flaw in now if any(first <= flaw.line <= last for _, _, first, last in changes)]
    if len(now) <= len(was) and len(here) <= len(there):
        return None
    if was and not here:  # the parser counts it to what was broken before
        line = changes[0][2]
        return f"line {line + 1} does not parse: {_shown(lines, line)}"
    worst = min(here or now, key=lambda flaw: (not flaw.missing, flaw.size, flaw.line))
    if worst.missing:
        return f"line {worst.line + 1}: `{worst.missing}` is missing"
    return f"line {worst.line + 1} does not parse: {_shown(lines, worst.line)}"


def _flaws(tree: SyntaxTree) -> Iterator[_Flaw]:
    """Yield what the parser could not place and what it had to invent."""
    stack = [tree.root]
    while stack:
        node = stack.pop()
        if node.is_missing:
            yield _Flaw(node.start_point[0], node.type, 0)
        elif node.is_error:
            yield _Flaw(node.start_point[0], "", node.end_byte - node.start_byte)
        if node.has_error:
            stack += node.children


def _left_out(
    old: Sequence[str], new: Sequence[str], changes: Sequence[Hunk], language: Language
) -> str | None:
    line = left_out(old, new, changes, language)
    return f"line {line + 1}: code was left out: {_shown(new, line)}" if line is not None else None


def _twice(old: SyntaxTree | None, new: SyntaxTree | None) -> str | None:
    """Return which definition is there more than once, and was not: the reply has repeated it."""
    was = _signatures(old)
    for (place, signature, name), count in _signatures(new).items():
        if count > max(1, was[place, signature, name]):
            return f"`{name}` is defined {count} times"
    return None


def _signatures(tree: SyntaxTree | None) -> Counter[tuple[str, str, str]]:
    """Count definitions by what they stand in, their signature without blanks, and their name."""
    found: Counter[tuple[str, str, str]] = Counter()
    if tree is None:
        return found
    items = definitions(tree)
    for item in items:
        if item.kind not in _MANY and item.name:
            parent = items[item.parent_index] if item.parent_index is not None else None
            place = f"{parent.kind} {parent.name}" if parent is not None else ""
            found[place, "".join(tree.text[slice(*item.signature_range)].split()), item.name] += 1
    return found


def _shown(lines: Sequence[str], line: int) -> str:
    text = lines[line].strip() if line < len(lines) else ""
    return f"`{text[: _SHOWN_CHARS - 1]}…`" if len(text) > _SHOWN_CHARS else f"`{text}`"
