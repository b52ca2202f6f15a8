"""The block around the cursor, and whether it is still to be written."""

from __future__ import annotations

from tree_sitter import Node

from lsp_server.documents import lines as text_lines
from lsp_server.documents.look import LONGEST_LINE, Look, Range
from lsp_server.documents.node_types import STRINGS
from lsp_server.documents.tokens import closing_node


def block(look: Look) -> Range:
    """Return the inside of the innermost block; the whole text at the top level."""
    tree, opened = look.tree, look.block_brace
    if tree is None or look.language.blocks != "braces" or (opened is None and look.broken):
        return _block_by_indent(look)
    if opened is None:
        return 0, len(look.text)
    closing = closing_node(opened, look.byte)
    header = look.lines.line_of(tree.offset(opened.node.start_byte))
    end = tree.offset(closing.start_byte) if closing else _dedent(look, header)
    return tree.offset(opened.node.end_byte), max(end, look.offset)


def at_block_start(look: Look) -> bool:
    """Tell whether the body of a block starts at the cursor, and there is none yet."""
    if not _header_ends_here(look):
        return False
    rest = look.text[look.offset :].lstrip()
    if not rest:
        return True
    if look.tree and look.block_brace and look.language.blocks == "braces":
        closing = closing_node(look.block_brace, look.byte)
        if closing is not None and not look.tree.data[look.byte : closing.start_byte].strip():
            return True
    if look.right.strip():
        return False
    following = look.line_text(look.lines.line_of(len(look.text) - len(rest)))
    return text_lines.width(following) <= text_lines.width(look.line_text(_header_line(look)))


def _block_by_indent(look: Look) -> Range:
    header = next(text_lines.headers(look.text, look.lines, look.line, look.indent), None)
    if header is None:
        return 0, len(look.text)
    return min(look.lines.start(header + 1), look.offset), max(_dedent(look, header), look.offset)


def _dedent(look: Look, header: int) -> int:
    return text_lines.block_end(look.text, look.lines, header, text_lines.width(look.line_text(header)))


def _header_line(look: Look) -> int:
    if look.tree and look.leaf:
        return look.lines.line_of(look.tree.offset(look.leaf.start_byte))
    return look.line if look.left.strip() else look.line_above()


def _header_ends_here(look: Look) -> bool:
    """Tell whether the last token before the cursor is the end of a block's header."""
    leaf = look.leaf
    if leaf is None:
        return look.tree is None and _line_opens(look)
    if look.language.name == "python":
        return leaf.type == ":" and (_is_header_colon(leaf) or _line_opens(look))
    if leaf.type == "{" or look.language.blocks == "braces":
        return look.block_brace is not None and look.block_brace.node == leaf
    return not any(node.type in STRINGS for node in look.path) and _line_opens(look)


def _is_header_colon(leaf: Node) -> bool:
    parent = leaf.parent
    return parent is not None and parent.type.endswith(("_definition", "_statement", "_clause"))


def _line_opens(look: Look) -> bool:
    """Tell the same from the line alone, the way the language's table describes headers."""
    if look.left.strip():
        content = look.left
    elif look.tree and look.leaf:
        content = look.line_text(_header_line(look))
    else:
        content = look.line_text(look.line_above())
    if any(not item.is_quote and item != look.block_brace for item in look.unclosed):
        return False
    content = content[-LONGEST_LINE:]
    place, at = text_lines.scan(look.language, content)
    code = content[:at] if place == "comment" else content
    return text_lines.opens_block(look.language, code)
