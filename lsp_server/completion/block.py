"""What the block that the cursor stands in asks of a completion: indentation and closing brackets."""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise

from lsp_server.completion.cursor import blanks, columns, first_line
from lsp_server.documents.context import SyntaxContext, syntax_context
from lsp_server.documents.lines import opens_block
from lsp_server.documents.snapshot import Snapshot
from lsp_server.documents.syntax import SyntaxTree

_UNIT = "    "
"""Indentation of a new block where neither the document nor the language shows any."""

_TABS = frozenset({"go"})
"""Languages whose formatter leaves no choice."""

_LINES_LOOKED_AT = 500
"""Enough to meet an indented block; a file without one this far has long tables in it."""

_CHARACTERS_LOOKED_AT = 100_000
"""So many lines of more than twice the length that style guides allow."""

_LEAVING = frozenset({"return", "raise", "pass", "break", "continue"})


class Block:
    """The block around the cursor."""

    def __init__(
        self, snapshot: Snapshot, tree: SyntaxTree | None, offset: int, syntax: SyntaxContext
    ) -> None:
        self._text = snapshot.text
        self._offset = offset
        self._above = snapshot.text[: offset - len(syntax.left)]
        self._syntax = syntax
        self._assumed = syntax
        if not syntax.left and syntax.right_is_blank:
            self._assumed = self._continued(snapshot, tree)

    @property
    def floor(self) -> int:
        """Return the columns below which a generated line does not belong to the block."""
        if not self._syntax.left_is_blank:
            return columns(self._syntax.left) + 1
        if self._syntax.left:
            return columns(self._syntax.left)
        body = self._body()
        if body is None and self._syntax.at_block_start:
            return columns(self.line_above) + 1
        return columns(body or "")

    @property
    def opening(self) -> str:
        """Return the indentation that the cursor's line has to begin with; empty if that is open.

        At the start of a line inside a block a model that has just seen the suffix tends to leave
        the block. It must not where the block has no body yet, goes on after the cursor, or is left
        open by the line right above.
        """
        if self._syntax.left or self._syntax.place != "code":
            return ""
        body = self._body()
        if not body:
            return ""
        following = first_line(self._text[self._offset :]) or ""
        goes_on = bool(following) and columns(following) >= columns(body)
        return body if goes_on or self._is_empty() or self._is_open(body) else ""

    @cached_property
    def unit(self) -> str:
        """Return one step of the file's indentation; empty if neither it nor the cursor's line tells."""
        lines = self._text[:_CHARACTERS_LOOKED_AT].splitlines()[:_LINES_LOOKED_AT]
        if self._syntax.left and self._syntax.left_is_blank and self._syntax.right_is_blank:
            lines += [
                self.line_above,
                self._syntax.left + ".",
            ]  # what the editor, or the user, gave this line
        for header, line in pairwise(lines):
            deeper = columns(line) > columns(header) and blanks(line).startswith(blanks(header))
            if deeper and line.strip() and opens_block(self._syntax.language, header):
                return blanks(line)[len(blanks(header)) :]
        return "\t" if self._syntax.language.name in _TABS or "\n\t" in self._text else ""

    @property
    def fits(self) -> bool:
        """Say whether a line of code may begin at the cursor, as far as its indentation goes."""
        left, above = self._syntax.left, self.line_above
        if not left or left.strip():
            return False
        if opens_block(self._syntax.language, above):
            return columns(left) >= columns(above) + columns(self.unit or " ")
        levels = {
            columns(line)
            for line in self._above[-_CHARACTERS_LOOKED_AT:].split("\n")[-_LINES_LOOKED_AT:]
            if line.strip()
        }
        return columns(left) > columns(above) or columns(left) in levels

    @property
    def unclosed(self) -> str:
        """Return the closing brackets that the text after the cursor still owes, innermost first."""
        brackets = reversed(self._syntax.open_brackets)
        return "".join(bracket.closer for bracket in brackets if not bracket.closed_after)

    @cached_property
    def line_above(self) -> str:
        """Return the last line above the cursor's that is not blank."""
        return self._above.rstrip().rpartition("\n")[2]

    def _continued(self, snapshot: Snapshot, tree: SyntaxTree | None) -> SyntaxContext:
        """Look around as if the cursor's empty line went on where the line above stands."""
        last = self.line_above
        indent = blanks(last)
        if opens_block(self._syntax.language, last):
            indent += self.unit or _UNIT
        if not indent:
            return self._syntax
        text = self._text[: self._offset] + indent + self._text[self._offset :]
        grown = tree.with_insertion(self._offset, indent) if tree is not None else None
        assumed = Snapshot(snapshot.uri, snapshot.language_id, snapshot.version, text)
        return syntax_context(assumed, grown, self._offset + len(indent))

    def _body(self) -> str | None:
        """Return the indentation of the innermost definition's body; None outside of definitions."""
        if not self._assumed.scopes:
            return None
        scope = self._assumed.scopes[-1]
        own = blanks(self._above[: scope.start].rpartition("\n")[2] + self._above[scope.start :])
        for line in self._above[scope.start + len(scope.signature) :].split("\n")[1:]:
            if line.strip() and columns(line) > columns(own):
                return blanks(line)
        return own + (self.unit or _UNIT)

    def _is_open(self, body: str) -> bool:
        """Say whether the line right above leaves the definition's body unfinished.

        Only where indentation is all that tells: a body ends with a blank line, or by returning.
        """
        above = self._above.removesuffix("\n").removesuffix("\r").rpartition("\n")[2]
        if self._syntax.language.blocks != "indent" or not above.strip():
            return False
        return columns(above) > columns(body) or above.split()[0] not in _LEAVING

    def _is_empty(self) -> bool:
        """Say whether the definition has nothing but its docstring before the cursor."""
        scope = self._assumed.scopes[-1]
        body = self._above[scope.start + len(scope.signature) :].strip(" \t\r\n:{")
        return not body or (body[:3] in ('"""', "'''") and body.find(body[:3], 3) == len(body) - 3)
