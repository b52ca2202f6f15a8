"""Where the documentation of a definition stands: in its body, or in the comment right above it.

Owns which comments document in which language. Must not know how documentation is written.
"""

from __future__ import annotations

from tree_sitter import Node

from lsp_server.documents.comments import comment_above
from lsp_server.documents.enclosing import Around
from lsp_server.documents.look import Range
from lsp_server.documents.node_types import COMMENTS
from lsp_server.documents.snapshot import Snapshot
from lsp_server.documents.syntax import SyntaxTree

_MARKS = {
    **dict.fromkeys(("javascript", "typescript", "tsx", "java", "php"), ("/**",)),
    "rust": ("///", "/**"),
    "csharp": ("///", "/**"),
}
"""How documentation starts where it is told from other comments; elsewhere any comment above documents."""


def documentation(snapshot: Snapshot, tree: SyntaxTree, around: Around) -> Range | None:
    """Return where the documentation of a definition stands, without the indentation of its first line."""
    if tree.language.name == "python":
        node = docstring(around.shape.body) if around.shape is not None else None
        return tree.range(node) if node is not None else None
    found = comment_above(snapshot, tree, around.start)
    marks = _MARKS.get(tree.language.name, ("",))
    return found if found is not None and snapshot.text.startswith(marks, found[0]) else None


def docstring(body: Node | None) -> Node | None:
    """Return the string that a Python block starts with."""
    first = (
        next((child for child in body.named_children if child.type not in COMMENTS), None) if body else None
    )
    if first is None or first.type != "expression_statement" or not first.named_children:
        return None
    value = first.named_children[0]
    return value if value.type in ("string", "concatenated_string") else None
