"""The definitions of a piece of code, with their nodes: also of methods that stand without their class."""

from __future__ import annotations

from collections.abc import Iterator

from lsp_server.documents.definitions import Shape, shape
from lsp_server.documents.node_types import node_types
from lsp_server.documents.syntax import SyntaxTree

_MOST_NODES = 200_000  # of a reply, which is shorter than a file; a second of walking


def shapes(tree: SyntaxTree) -> Iterator[Shape]:
    """Yield all definitions, outer before inner, in the order of the text."""
    types = node_types(tree.language.name)
    stack, seen = [tree.root], 0
    while stack and seen < _MOST_NODES:
        node = stack.pop()
        seen += 1
        made = shape(node, types) if types.definitions else None
        if made is not None:
            yield made
        stack += reversed(node.named_children)


def definition_named(tree: SyntaxTree, name: str) -> Shape | None:
    """Return the first definition of this name that has a body, else the first of it, else the first of all.

    An empty name is any.
    """
    found = list(shapes(tree))
    named = [item for item in found if not name or tree.text_of(item.name) == name]
    return next((item for item in named if item.body is not None), None) or next(iter(named or found), None)
