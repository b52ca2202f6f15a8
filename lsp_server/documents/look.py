"""One look at the text around an offset: what the answers of `context` share, found once."""

from __future__ import annotations

from dataclasses import dataclass

from tree_sitter import Node

from lsp_server.documents import lines as text_lines
from lsp_server.documents.languages import Language, detect
from lsp_server.documents.node_types import NodeTypes, node_types
from lsp_server.documents.positions import LineIndex
from lsp_server.documents.snapshot import Snapshot
from lsp_server.documents.syntax import SyntaxTree
from lsp_server.documents.tokens import Open, path_before, unclosed

Range = tuple[int, int]
"""Start and end offset, in code points."""

LONGEST_LINE = 10_000
"""Characters of a line that are looked at on either side: a line may be a megabyte of minified code, and what
this far from the offset says nothing of it that the tree does not."""


@dataclass(frozen=True)
class Look:
    """The line, the tokens and the nodes around one offset of one snapshot."""

    snapshot: Snapshot
    tree: SyntaxTree | None
    language: Language
    types: NodeTypes
    offset: int
    byte: int
    line: int
    left: str
    """The line before the offset, at most `LONGEST_LINE` of it."""
    right: str
    """The line after the offset, without its end, and no more than that."""
    indent: int
    """Columns that the line is indented by; on a blank line, where the offset is."""
    path: tuple[Node, ...]
    """The last token before the offset and all it is in, innermost first; empty without a tree."""
    unclosed: tuple[Open, ...]
    broken: bool
    """There is no tree, or the parser could not place the last token."""
    block_brace: Open | None
    """The innermost `{` that opens the block the offset is in."""

    @property
    def text(self) -> str:
        """Return the whole text."""
        return self.snapshot.text

    @property
    def lines(self) -> LineIndex:
        """Return the lines of the text."""
        return self.snapshot.lines

    @property
    def leaf(self) -> Node | None:
        """Return the last token before the offset."""
        return self.path[0] if self.path else None

    def line_text(self, line: int) -> str:
        """Return a line without its end."""
        return text_lines.line_text(self.text, self.lines, line)

    def line_above(self) -> int:
        """Return the nearest line above that is not blank, or the line itself."""
        above = (line for line in range(self.line - 1, -1, -1) if self.line_text(line).strip())
        return next(above, self.line)


def look(snapshot: Snapshot, tree: SyntaxTree | None, offset: int) -> Look:
    """Look around `offset`; `tree` is the tree of this very snapshot, or None."""
    offset = min(max(offset, 0), len(snapshot.text))
    language = tree.language if tree else detect(snapshot.language_id, snapshot.uri)
    types = node_types(language.name)
    lines = snapshot.lines
    line = lines.line_of(offset)
    start, end = lines.start(line), max(offset, lines.end(line))
    left = snapshot.text[max(start, offset - LONGEST_LINE) : offset]
    right = snapshot.text[offset : min(end, offset + LONGEST_LINE)]
    beginning = snapshot.text[start : min(end, start + LONGEST_LINE)]
    byte = tree.byte(offset) if tree else 0
    path = path_before(tree, byte) if tree else ()
    opened = unclosed(tree, path, byte) if tree else ()
    brace = next(
        (item for item in reversed(opened) if tree and _opens_block(item, tree, language, types)), None
    )
    return Look(
        snapshot=snapshot,
        tree=tree,
        language=language,
        types=types,
        offset=offset,
        byte=byte,
        line=line,
        left=left,
        right=right,
        indent=text_lines.width(beginning if beginning.strip() else left + "x"),
        path=path,
        unclosed=opened,
        broken=tree is None or any(node.is_error for node in path),
        block_brace=brace,
    )


def _opens_block(opened: Open, tree: SyntaxTree, language: Language, types: NodeTypes) -> bool:
    parent = opened.parent
    if opened.token != "{":
        return False
    if parent.type in types.blocks:
        return True
    if parent.type == "object" and parent.parent is not None and parent.parent.type == "expression_statement":
        # JavaScript without its `}` yet: an object that starts a statement is a block to be.
        return parent.parent.start_byte == opened.node.start_byte
    if not parent.is_error or language.blocks == "none":
        return False
    before = tree.data[max(0, opened.node.start_byte - 100) : opened.node.start_byte].rstrip()
    return before.endswith(b"=>") or not before.endswith((b"=", b"(", b"[", b",", b":", b"?", b"return"))
