"""Whether tests assert anything. Knows words and syntax, no framework."""

from __future__ import annotations

import re

from lsp_server.documents.languages import Language
from lsp_server.documents.node_types import COMMENTS
from lsp_server.documents.outline import imports
from lsp_server.documents.syntax import parse

_ASSERTS = re.compile(
    r"assert|expect|check|should|require|verify|equal|throw|raise|fail|error|panic|\bis\b", re.IGNORECASE
)


def asserts(code: str, language: Language) -> bool:
    """Tell whether tests assert anything: a comment that says what they should does not, nor an import."""
    tree = parse(code, language)
    if tree is None:
        return True
    imported = {tree.byte(start) for start, _ in imports(tree)}
    stack, left = [tree.root], ""
    while stack:
        node = stack.pop()
        if node.type in COMMENTS or (node.start_byte in imported and node != tree.root):
            continue
        stack += node.children
        left += "" if node.child_count else f"{tree.text_of(node)} "
    return _ASSERTS.search(left) is not None
