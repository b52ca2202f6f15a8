"""What stands at a place that actions are asked for: the selection, what encloses it, what is wrong there.

Owns what an empty selection is expanded to. Answers from syntax alone. Must not know actions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from lsp_server.chat.actions.prompt_file import Scope
from lsp_server.chat.prompting import commit_message
from lsp_server.documents import lines as text_lines
from lsp_server.documents.comments import comment_at
from lsp_server.documents.enclosing import Around, covering, definition_at, exactly, settled
from lsp_server.documents.languages import Language, detect
from lsp_server.documents.look import Range, look
from lsp_server.documents.snapshot import Snapshot
from lsp_server.documents.statements import statement
from lsp_server.documents.syntax import SyntaxTree

Severity = Literal["error", "warning", "information", "hint"]

_PLACE = re.compile(r"[^\w\s]?[0-9A-Za-z_$\u00c0-\u052f]*\s*|\W*|.", re.DOTALL)
"""A word or less. Without scripts that write sentences without blanks: those may be meant."""

_LONG_DIAGNOSTIC_LINES = 100
"""What spans more (a file, a class that is too long) is about something larger than what is to be changed."""


@dataclass(frozen=True)
class Diagnostic:
    """What another tool found wrong, as the editor knows it. Offsets are code points."""

    start: int
    end: int
    severity: Severity
    message: str
    source: str = ""
    code: str = ""


@dataclass(frozen=True)
class Target:
    """What one action works on."""

    snapshot: Snapshot
    tree: SyntaxTree | None
    language: Language
    start: int
    end: int
    kind: str
    """`function`, `class` and the other kinds of definitions; `statement`, `selection`, `comment`, `file`."""
    name: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()
    """Those that touch it."""

    @property
    def text(self) -> str:
        """Return the code that the action works on."""
        return self.snapshot.text[self.start : self.end]

    @cached_property
    def definition(self) -> Around | None:
        """Return the definition that this is, or lies in; None without a tree."""
        return covering(self.snapshot, self.tree, self.start, self.end) if self.tree is not None else None


@dataclass(frozen=True)
class Site:
    """A place in a document, looked at once for all actions."""

    snapshot: Snapshot
    tree: SyntaxTree | None
    language: Language
    start: int
    end: int
    diagnostics: tuple[Diagnostic, ...] = ()

    @cached_property
    def selected(self) -> bool:
        """Tell whether the user selected something.

        A word or less is a place: some editors (Helix, Kakoune) always have one selected. So is the range of
        a diagnostic, which editors send when its fixes are asked for.
        """
        text = self.snapshot.text[self.start : self.end]
        if not text.strip() or _PLACE.fullmatch(text):
            return False
        return all((item.start, item.end) != (self.start, self.end) for item in self.diagnostics)

    def target(self, scope: Scope) -> Target | None:
        """Return what an action of this scope works on here; None if there is no such thing."""
        if scope == "file":
            return self._file
        if scope == "comment":
            return self._comment
        if scope == "signature":
            return self._signature
        if self.selected:
            return self._selection
        if scope == "statement":
            return self._statement
        return self._definition or self._statement if scope == "definition" else None

    @cached_property
    def _selection(self) -> Target:
        start, end = _grown(self.snapshot, self.start, self.end)
        around = exactly(self.snapshot, self.tree, start, end) if self.tree is not None else None
        if around is not None:
            return self._target(start, end, around.kind, around.name)
        comment = comment_at(self.snapshot, self.tree, start)
        return self._target(
            start, end, "comment" if comment is not None and comment[1] >= end else "selection"
        )

    @cached_property
    def _around(self) -> Around | None:
        return definition_at(self.snapshot, self.tree, self.start)

    @cached_property
    def _definition(self) -> Target | None:
        around = self._around
        if around is None:
            return None
        start, end = self._with_diagnosed(around.start, around.end)
        if self.tree is not None and (start, end) != (around.start, around.end):
            around = covering(self.snapshot, self.tree, start, end)
            if around is None:
                return self._target(start, end, "statement")
        return self._target(around.start, around.end, around.kind, around.name)

    @cached_property
    def _statement(self) -> Target | None:
        seen = look(self.snapshot, self.tree, settled(self.snapshot.text, self.snapshot.lines, self.start))
        found = statement(seen)
        if found is None:
            return None
        start, end = self._with_diagnosed(*_trimmed(self.snapshot.text, *found))
        if start == end:
            return None
        around = exactly(self.snapshot, self.tree, start, end) if self.tree is not None else None
        if around is not None:
            return self._target(start, end, around.kind, around.name)
        comment = comment_at(self.snapshot, self.tree, start)
        return self._target(
            start, end, "comment" if comment is not None and comment[1] >= end else "statement"
        )

    @cached_property
    def _signature(self) -> Target | None:
        if not self.selected:
            around = self._around
        else:
            start, end = self._selection.start, self._selection.end
            around = exactly(self.snapshot, self.tree, start, end) if self.tree is not None else None
            around = around or self._with_header(start, end)
        return self._target(*around.signature, around.kind, around.name) if around is not None else None

    def _with_header(self, start: int, end: int) -> Around | None:
        """Return the definition that has a range in its header."""
        around = definition_at(self.snapshot, self.tree, start)
        if around is None or not around.start <= start <= around.signature[1]:
            return None
        line_of = self.snapshot.lines.line_of
        return around if line_of(end) <= line_of(around.signature[1]) else None

    @cached_property
    def _comment(self) -> Target | None:
        if self.selected:
            return self._selection if self._selection.kind == "comment" else None
        lines = self.snapshot.lines
        offset = settled(self.snapshot.text, lines, self.start)
        line = lines.line_of(offset)
        if line and not text_lines.line_text(self.snapshot.text, lines, line).strip():
            offset = lines.end(line - 1)  # the line below a comment, where its code is to be written
            offset = settled(self.snapshot.text, lines, offset)
        found = comment_at(self.snapshot, self.tree, offset)
        return self._target(*found, "comment") if found is not None else None

    @cached_property
    def _file(self) -> Target | None:
        text = self.snapshot.text
        if commit_message.is_one(self.snapshot):
            return self._target(0, commit_message.end(text), "file")
        return self._target(0, len(text), "file") if text.strip() else None

    def _target(self, start: int, end: int, kind: str, name: str = "") -> Target:
        touching = tuple(item for item in self.diagnostics if item.start <= end and item.end >= start)
        return Target(self.snapshot, self.tree, self.language, start, end, kind, name, touching)

    def _with_diagnosed(self, start: int, end: int) -> Range:
        """Return a range with the diagnostics in it that were asked about."""
        line = self.snapshot.lines.line_of(self.start)
        line_start, line_end = self.snapshot.lines.start(line), self.snapshot.lines.end(line)
        line_of = self.snapshot.lines.line_of
        outside = [
            item
            for item in self.diagnostics
            if item.start <= line_end and item.end >= line_start
            if item.start < start or item.end > end
            if line_of(item.end) - line_of(item.start) <= _LONG_DIAGNOSTIC_LINES
        ]
        return _hull(self.snapshot, start, end, outside) if outside else (start, end)


def _hull(snapshot: Snapshot, start: int, end: int, items: Iterable[Diagnostic]) -> Range:
    for item in items:
        start, end = min(start, item.start), max(end, min(item.end, len(snapshot.text)))
    return _grown(snapshot, start, end)


def _trimmed(text: str, start: int, end: int) -> Range:
    inner = text[start:end]
    if not inner.strip():
        return start, start
    return start + len(inner) - len(inner.lstrip()), start + len(inner.rstrip())


def _grown(snapshot: Snapshot, start: int, end: int) -> Range:
    """Return a selection without blanks at its ends, as whole lines unless it is a part of one."""
    text, lines = snapshot.text, snapshot.lines
    start, end = _trimmed(text, start, end)
    first, last = lines.line_of(start), lines.line_of(end)
    before, after = text[lines.start(first) : start], text[end : lines.end(last)]
    if first == last and (before.strip() or after.strip()):
        return start, end
    indent = len(before) - len(before.lstrip())
    return lines.start(first) + indent if before.strip() else start, lines.end(last)


def site(
    snapshot: Snapshot,
    tree: SyntaxTree | None,
    start: int,
    end: int,
    diagnostics: tuple[Diagnostic, ...] = (),
) -> Site:
    """Look at a place; `tree` is the tree of this very snapshot, or None."""
    start, end = sorted((min(max(start, 0), len(snapshot.text)), min(max(end, 0), len(snapshot.text))))
    language = tree.language if tree is not None else detect(snapshot.language_id, snapshot.uri)
    return Site(snapshot, tree, language, start, end, diagnostics)
