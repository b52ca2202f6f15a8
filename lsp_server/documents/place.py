"""Whether the cursor stands in code, in a comment or in a string.

The tree decides where it is sound; next to an error, which is where people type, the line decides.
"""

from __future__ import annotations

from tree_sitter import Node

from lsp_server.documents import lines as text_lines
from lsp_server.documents.languages import Language
from lsp_server.documents.lines import Place
from lsp_server.documents.look import Look
from lsp_server.documents.node_types import COMMENTS, INTERPOLATIONS, STRINGS
from lsp_server.documents.syntax import SyntaxTree


def place_of(look: Look) -> Place:
    """Return what stands around the cursor."""
    line_start = look.offset - len(look.left)
    if look.tree is None:
        return text_lines.scan(look.language, look.left)[0]
    found = _in_tree(look.tree, look.offset)
    if found != "code":
        return found
    if look.unclosed and look.unclosed[-1].is_quote:
        return "string"
    return _on_broken_line(look.text, look.language, look.tree, line_start, look.offset)


def _in_tree(tree: SyntaxTree, offset: int) -> Place:
    byte = tree.byte(offset)
    for node in tree.path(byte - 1) if byte else ():
        if node.type in COMMENTS and _inside_comment(tree, node, byte):
            return "comment"
        if node.type in INTERPOLATIONS and node.start_byte < byte < node.end_byte:
            return "code"
        if node.type in STRINGS and _inside_string(tree, node, byte):
            return "string"
    return "code"


def _inside_comment(tree: SyntaxTree, node: Node, byte: int) -> bool:
    if byte < node.end_byte:
        return node.start_byte < byte
    text = tree.data[node.start_byte : node.end_byte]
    closed = (b"*/", b"-->", b"]]", b"=end", b"\n")
    return not text.endswith(closed) or (text.startswith(b"//") and not text.endswith(b"\n"))


def _inside_string(tree: SyntaxTree, node: Node, byte: int) -> bool:
    if byte < node.end_byte:
        return node.start_byte < byte
    if node.type.startswith(("heredoc", "nowdoc", "block_scalar")):
        return not tree.data[:byte].endswith(b"\n")
    # At the end: still inside if the closing quote is missing or the string is the opening quote alone.
    last = node.child(node.child_count - 1) if node.child_count else None
    return last is not None and (
        last.is_missing or (node.child_count == 1 and node.end_byte - node.start_byte == 1)
    )


def _on_broken_line(text: str, language: Language, tree: SyntaxTree, line_start: int, offset: int) -> Place:
    start = _code_start(tree, line_start, offset)
    found, at = text_lines.scan(language, text[start:offset])
    if found == "code":
        return "code"
    byte = tree.byte(start + at)
    # A quote that the parser has understood is none that the cursor could be in: `don't` in JSX text.
    return found if any(node.is_error for node in tree.path(byte)) else "code"


def _code_start(tree: SyntaxTree, line_start: int, offset: int) -> int:
    """Return where code starts on a line that may start inside a string or comment."""
    if _in_tree(tree, line_start) == "code":
        return line_start
    byte = tree.byte(line_start)
    ends = [node.end_byte for node in tree.path(byte - 1) if node.type in STRINGS | COMMENTS]
    return min(offset, tree.offset(max(ends))) if ends else line_start
