"""The tokens before the cursor that nothing has closed yet.

Walks the tree from the root down to the last token before the cursor and looks only at the tokens
that hang on that path, and at those the parser could not place (ERROR nodes): everything else is
closed. Owns brackets and the quotes of unfinished strings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from tree_sitter import Node

from lsp_server.documents.node_types import COMMENTS
from lsp_server.documents.syntax import SyntaxTree, children_around

CLOSERS = {"(": ")", "[": "]", "{": "}", "${": "}", "#{": "}", "$(": ")", "((": "))", "[[": "]]"}
_OPENERS = {")": ("(", "$("), "]": ("[",), "}": ("{", "${", "#{"), "))": ("((",), "]]": ("[[",)}
_MOST_OPEN = 100  # brackets looked at; more are open in text that is not code
_PIECE = 256  # bytes of blanks looked at together
_MOST_COMMENTS = 1000  # comments in a row that are skipped; each costs a walk from the root
_MULTILINE_QUOTES = frozenset({"`", '"""', "'''"})


@dataclass(frozen=True)
class Open:
    """A bracket or quote that is open at the cursor."""

    token: str
    node: Node
    parent: Node
    """Kept because `Node.parent` searches from the root."""

    @property
    def is_quote(self) -> bool:
        """Tell whether this is a quote."""
        return self.token in _MULTILINE_QUOTES


def path_before(tree: SyntaxTree, byte: int) -> tuple[Node, ...]:
    """Return the last token that starts before `byte`, and all it is in, innermost first.

    Skips blanks and comments; empty if there is no token.
    """
    for _ in range(_MOST_COMMENTS):
        byte = _before_blanks(tree.data, byte)
        path = tree.path(byte - 1) if byte else ()
        comment = next((node for node in path if node.type in COMMENTS), None)
        if comment is None:
            return path
        byte = comment.start_byte
    return ()


def _before_blanks(data: bytes, byte: int) -> int:
    """Return where the blanks before `byte` start, reading a piece at a time."""
    while byte:
        piece = data[max(0, byte - _PIECE) : byte]
        byte -= len(piece) - len(piece.rstrip())
        if not piece.isspace():
            break
    return byte


def unclosed(tree: SyntaxTree, path: Sequence[Node], byte: int) -> tuple[Open, ...]:
    """Return what is open at `byte`, outermost first; `path` is what `path_before` found."""
    stack: list[Open] = []
    for node, inner in zip_longest(reversed(path), path[-2::-1] if len(path) > 1 else ()):
        for child in children_around(node, byte):
            if child == inner and child.child_count:
                break
            if child.start_byte >= byte:
                break
            _take_all(tree, child, node, stack, byte)
    return tuple(stack[-_MOST_OPEN:])


def closing_node(opened: Open, byte: int) -> Node | None:
    """Return the token that closes a bracket at or after `byte`, if the tree has it."""
    if opened.parent.is_error:
        return None
    closer = CLOSERS.get(opened.token)
    for child in children_around(opened.parent, max(byte, opened.node.end_byte)):
        if (
            child.start_byte >= max(byte, opened.node.end_byte)
            and child.type == closer
            and not child.is_missing
        ):
            return child
    return None


def _take_all(tree: SyntaxTree, node: Node, parent: Node, stack: list[Open], byte: int) -> None:
    """Take a token, or the tokens of a node the parser could not place; other nodes are closed."""
    waiting = [(node, parent)]
    while waiting:
        node, parent = waiting.pop()
        if node.child_count == 0:
            _take(tree, node, parent, stack)
        elif node.is_error:
            waiting += [(child, node) for child in reversed(children_around(node, byte))]


def _take(tree: SyntaxTree, node: Node, parent: Node, stack: list[Open]) -> None:
    if node.is_missing:
        return
    token = node.type
    if token in ("string_start", "string_end", "`", '"""', "'''"):
        _take_quote(tree, node, parent, stack)
    elif token in CLOSERS:
        stack.append(Open(token, node, parent))
    elif token in _OPENERS:
        _close(stack, _OPENERS[token])


def _take_quote(tree: SyntaxTree, node: Node, parent: Node, stack: list[Open]) -> None:
    quote = tree.text_of(node)[-3:]
    if quote not in _MULTILINE_QUOTES:
        quote = quote[-1:]
    if quote in _MULTILINE_QUOTES and not _close(stack, (quote,)) and node.type != "string_end":
        stack.append(Open(quote, node, parent))


def _close(stack: list[Open], openers: tuple[str, ...]) -> bool:
    """Drop the innermost of these and all that is open inside of it; False if none is open."""
    for index in range(len(stack) - 1, max(-1, len(stack) - 1 - _MOST_OPEN), -1):
        if stack[index].token in openers:
            del stack[index:]
            return True
    return False
