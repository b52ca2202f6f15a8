"""The statement around the cursor and the brackets it has left open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from tree_sitter import Node

from lsp_server.documents.look import Look, Range
from lsp_server.documents.tokens import CLOSERS, Open, closing_node


@dataclass(frozen=True)
class OpenBracket:
    """A bracket that was opened in the statement before the cursor and is open there."""

    text: str
    closer: str
    offset: int
    closed_after: bool
    """Whether its closing bracket already stands after the cursor."""


def statement(look: Look) -> Range | None:
    """Return the innermost statement that the cursor is in or next to on its line.

    None on a blank line between statements.
    """
    brackets = _brackets(look)
    whole = look.left + look.right
    if not whole.strip() and not brackets:
        return None
    node = _statement_node(look)
    if look.tree is not None and node is not None:
        start, end = look.tree.range(node)
        return min(start, look.offset), max(end, look.offset)
    first = look.line
    if look.tree is not None and brackets:
        first = min(first, look.lines.line_of(look.tree.offset(brackets[0].node.start_byte)))
    content = look.line_text(first)
    start = look.lines.start(first) + len(content) - len(content.lstrip())
    return min(start, look.offset), look.offset + len(look.right.rstrip())


def open_brackets(look: Look, around: Range | None) -> tuple[OpenBracket, ...]:
    """Return the brackets that are open at the cursor, outermost first; `around` is its statement."""
    tree = look.tree
    if tree is None:
        return ()
    start = tree.byte(around[0]) if around and not look.broken else 0
    found = [item for item in _brackets(look) if item.node.start_byte >= start]
    guesses = _closed_on_rest(look.right, [CLOSERS[item.token] for item in found])
    return tuple(
        OpenBracket(
            text=item.token,
            closer=CLOSERS[item.token],
            offset=tree.offset(item.node.start_byte),
            closed_after=guess if item.parent.is_error else closing_node(item, look.byte) is not None,
        )
        for item, guess in zip(found, guesses, strict=True)
    )


def _brackets(look: Look) -> list[Open]:
    """Return the open brackets after the one that opens the block."""
    start = look.block_brace.node.end_byte if look.block_brace else 0
    return [item for item in look.unclosed if not item.is_quote and item.node.start_byte >= start]


def _statement_node(look: Look) -> Node | None:
    """Return the statement of the last token before the cursor, else of the first one after it."""
    if look.tree is None:
        return None
    line_start = look.tree.byte(look.lines.start(look.line))
    before = _of_path(look, look.path)
    found = [before] if before is not None and before.end_byte > line_start else []
    if not look.left.strip() and look.right.strip():
        first = look.tree.byte(look.offset + len(look.right) - len(look.right.lstrip()))
        after = _of_path(look, look.tree.path(first))
        found += [after] if after is not None else []
    return min(found, key=lambda node: node.end_byte - node.start_byte, default=None)


def _of_path(look: Look, path: Sequence[Node]) -> Node | None:
    for node, parent in pairwise(path):
        if node.is_error:
            return None
        if parent.type in look.types.blocks or (parent.parent is None and not parent.is_error):
            return node
    return None


def _closed_on_rest(rest: str, closers: list[str]) -> list[bool]:
    """Tell for each open bracket whether the rest of the line closes it, innermost (last) first."""
    closed = [False] * len(closers)
    depth = 0
    waiting = len(closers) - 1
    for character in rest:
        if character in "([{":
            depth += 1
        elif character in ")]}" and depth:
            depth -= 1
        elif character in ")]}" and waiting >= 0 and closers[waiting].startswith(character):
            closed[waiting] = True
            waiting -= 1
    return closed
