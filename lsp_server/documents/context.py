"""What stands around the cursor: place, scopes, block, statement, open brackets, line.

Puts together the answers that the trigger, the cut of a completion and the prompt ask for.
Everything has an answer for broken code and without a tree: indentation then stands in for syntax.
"""

from __future__ import annotations

from dataclasses import dataclass

from lsp_server.documents.blocks import at_block_start, block
from lsp_server.documents.languages import Language
from lsp_server.documents.lines import Place
from lsp_server.documents.look import Range, look
from lsp_server.documents.place import place_of
from lsp_server.documents.scopes import Scope, scopes
from lsp_server.documents.snapshot import Snapshot
from lsp_server.documents.statements import OpenBracket, open_brackets, statement
from lsp_server.documents.syntax import SyntaxTree


@dataclass(frozen=True)
class SyntaxContext:
    """What stands around one offset of one snapshot."""

    language: Language
    place: Place
    scopes: tuple[Scope, ...]
    """Definitions whose body the cursor is in, outermost first."""
    block: Range
    """The inside of the innermost block: after its header or `{`, up to its `}` or dedent."""
    at_block_start: bool
    """The body of a block starts at the cursor, and there is no body yet."""
    statement: Range | None
    """The innermost statement that the cursor is in or next to; None on a blank line between statements."""
    open_brackets: tuple[OpenBracket, ...]
    """Opened in the statement and open at the cursor, outermost first; empty without a tree."""
    left: str
    """The cursor's line before the cursor."""
    right: str
    """The cursor's line after the cursor, without its end."""

    @property
    def left_is_blank(self) -> bool:
        """Tell whether nothing but blanks stands before the cursor on its line."""
        return not self.left.strip()

    @property
    def right_is_blank(self) -> bool:
        """Tell whether nothing but blanks stands after the cursor on its line."""
        return not self.right.strip()

    @property
    def indent(self) -> str:
        """Return the blanks at the start of the cursor's line, up to the cursor."""
        return self.left[: len(self.left) - len(self.left.lstrip(" \t\f"))]


def syntax_context(snapshot: Snapshot, tree: SyntaxTree | None, offset: int) -> SyntaxContext:
    """Return what stands around `offset`; `tree` is the tree of this very snapshot, or None."""
    seen = look(snapshot, tree, offset)
    around = statement(seen)
    return SyntaxContext(
        language=seen.language,
        place=place_of(seen),
        scopes=scopes(seen),
        block=block(seen),
        at_block_start=at_block_start(seen),
        statement=around,
        open_brackets=open_brackets(seen, around),
        left=seen.left,
        right=seen.right,
    )
