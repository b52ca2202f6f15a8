"""The names that a stretch of code uses, from the tree. Must not know what they stand for."""

from __future__ import annotations

from lsp_server.documents.syntax import SyntaxTree

_TYPES = frozenset({"constant", "name", "word"})  # of Ruby, PHP and Bash; others end in `identifier`
_MOST_NODES = 20_000  # looked at: about 2,000 lines, more than any prompt holds


def identifiers(tree: SyntaxTree, start: int, end: int) -> frozenset[str]:
    """Return the names in a range."""
    first, last = tree.byte(start), tree.byte(end)
    found: set[str] = set()
    stack = [tree.root.descendant_for_byte_range(first, last) or tree.root]
    for _ in range(_MOST_NODES):
        if not stack:
            break
        node = stack.pop()
        if node.child_count:
            stack += [child for child in node.children if child.end_byte > first and child.start_byte < last]
        elif node.is_named and (node.type.endswith("identifier") or node.type in _TYPES):
            found.add(tree.text_of(node))
    return frozenset(found)
