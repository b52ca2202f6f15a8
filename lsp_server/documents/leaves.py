"""The leaves of a syntax tree in order: the code of a document without its layout, to compare two texts.

What a grammar leaves between its nodes is a leaf, too, so that no character of code is ever passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node, TreeCursor

from lsp_server.documents.documentation import docstring
from lsp_server.documents.node_types import COMMENTS, STRINGS, TYPE_FIELDS, TYPE_NODES, TYPES_THAT_ACT
from lsp_server.documents.syntax import SyntaxTree

_INDENT, _DEDENT = "→", "←"
"""The leaves for where a block begins and ends in languages that have nothing but blanks for that."""


@dataclass(frozen=True)
class Leaf:
    """A piece of code, or a comment. Offsets are bytes; those of a block's begin and end are empty ranges."""

    text: str
    start: int
    end: int
    is_comment: bool = False
    """It is a comment or a docstring."""


def leaves(tree: SyntaxTree, *, types: bool = True) -> list[Leaf]:
    """Return all code and all comments in order; without `types`, none that says the type of something.

    Takes about 2 µs a node: call it on a thread.
    """
    walk = _Walk(tree, types=types)
    walk.run()
    return walk.found


class _Walk:
    def __init__(self, tree: SyntaxTree, *, types: bool) -> None:
        self._data = tree.data
        self._cursor = tree.tree.walk()
        self._types = types
        self._block = "block" if tree.language.name == "python" else ""
        self._docstrings: set[int] = set()
        self._parents: list[str] = []
        self._at = 0
        self.found: list[Leaf] = []

    def run(self) -> None:
        for node in self._nodes():
            self._take(node)
        self._gap(len(self._data))

    def _nodes(self) -> Iterator[Node]:
        """Yield nodes in order, and below those alone that are no leaves for us."""
        cursor = self._cursor
        while True:
            node = cursor.node
            assert node is not None
            if self._is_inner(node, cursor) and cursor.goto_first_child():
                self._enter(node)
                continue
            yield node
            while not cursor.goto_next_sibling():
                if not cursor.goto_parent():
                    return
                if self._parents.pop() == self._block:
                    self._mark(_DEDENT, self._at)

    def _is_inner(self, node: Node, cursor: TreeCursor) -> bool:
        if node.type in COMMENTS or node.type in STRINGS or node.id in self._docstrings:
            return False
        return self._types or not self._is_type(node, cursor.field_name)

    def _enter(self, node: Node) -> None:
        self._parents.append(node.type)
        if self._block and node.type in ("module", self._block):
            documented = docstring(node)
            if documented is not None:
                self._docstrings.add(documented.id)
        if node.type == self._block:
            self._mark(_INDENT, node.start_byte)

    def _is_type(self, node: Node, field: str | None) -> bool:
        if node.type in TYPE_NODES:
            return True
        parent = self._parents[-1] if self._parents else ""
        if node.type == "?":
            return parent == "optional_parameter"
        return field in TYPE_FIELDS and parent not in TYPES_THAT_ACT

    def _take(self, node: Node) -> None:
        self._gap(node.start_byte)
        self._at = max(self._at, node.end_byte)
        is_comment = node.type in COMMENTS or node.id in self._docstrings
        if not is_comment and not self._types and self._is_type(node, self._cursor.field_name):
            if node.type not in TYPE_NODES and self.found and self.found[-1].text in (":", "->"):
                del self.found[-1]  # what leads to the type: `x: int`, `-> int`
            return
        self._add(node.start_byte, node.end_byte, is_comment=is_comment)

    def _gap(self, end: int) -> None:
        """Take what no node of the grammar stands for, such as the text of some strings."""
        if end > self._at:
            self._add(self._at, end, is_comment=False)
            self._at = end

    def _add(self, start: int, end: int, *, is_comment: bool) -> None:
        text = self._data[start:end].decode("utf-8", "replace")
        if content := text.strip():
            lead = len(text) - len(text.lstrip())
            start += len(text[:lead].encode("utf-8"))
            self.found.append(Leaf(content, start, start + len(content.encode("utf-8")), is_comment))

    def _mark(self, text: str, at: int) -> None:
        self.found.append(Leaf(text, at, at))
