"""What the syntax tree says of a candidate completion: where its first statement ends, what it breaks.

Candidates are parsed in place, between the prefix and the suffix that the model saw. A language
without a grammar is judged by indentation, and nothing is ever broken there.
"""

from __future__ import annotations

from tree_sitter import Node

from lsp_server.completion.cursor import columns
from lsp_server.documents import syntax
from lsp_server.documents.languages import Language
from lsp_server.documents.node_types import COMMENTS
from lsp_server.documents.syntax import SyntaxTree


class Candidates:
    """Judges texts that may be inserted at one place."""

    def __init__(self, language: Language, before: str, after: str) -> None:
        self._head = before.rpartition("\n")[2]
        self._start = len(before)
        self._comment = language.line_comment or ""
        self._base = syntax.parse(before + after, language)
        self._errors = _errors(self._base.root) if self._base is not None else 0

    def statement_end(self, text: str) -> int | None:
        """Return where the first statement of `text` ends; None while it is not known to be complete."""
        tree = self._base.with_insertion(self._start, text) if self._base is not None else None
        end = _statement_end(tree, self._start, text) if tree is not None else None
        return (
            end if end is not None else _end_by_indentation(self._head + text, len(self._head), self._comment)
        )

    def breaks(self, text: str) -> bool:
        """Say whether inserting `text` makes syntax errors that were not there before."""
        tree = self._base.with_insertion(self._start, text) if self._base is not None else None
        return tree is not None and _errors(tree.root) > self._errors


def _errors(node: Node) -> int:
    if not node.has_error:
        return 0
    return (node.is_error or node.is_missing) + sum(_errors(child) for child in node.children)


def _statement_end(tree: SyntaxTree, start: int, text: str) -> int | None:
    """Return the end of the widest sound node that starts with the first generated word."""
    first = start + len(text) - len(text.lstrip())
    byte = tree.byte(first)
    node = tree.root.descendant_for_byte_range(byte, byte + 1)
    while node is not None and node.type in COMMENTS:  # a comment belongs to the statement below it
        rest = tree.text[tree.offset(node.end_byte) : start + len(text)]
        if not rest.strip():
            return None
        byte = tree.byte(start + len(text) - len(rest.lstrip()))
        node = tree.root.descendant_for_byte_range(byte, byte + 1)
    widest = None
    while node is not None and node.start_byte >= byte:
        if not node.has_error:
            widest = node
        node = node.parent
    if widest is None:
        return None
    end = tree.offset(widest.end_byte) - start
    # A statement that ends with the text may go on; one that other text follows does not.
    complete = 0 < end < len(text.rstrip()) and text[end] in "\n;"
    return end if complete else None


def _end_by_indentation(text: str, skip: int, comment: str) -> int | None:
    """Return the end of the first line of code and all deeper ones below it, once a line follows them."""
    position, first, end = 0, None, 0
    for line in text.splitlines(keepends=True):
        if line.strip():
            if first is None:
                first = columns(line) if not comment or not line.lstrip().startswith(comment) else None
            elif columns(line) <= first and line.strip()[0] not in ")]}":
                return end - skip
            end = position + len(line.rstrip())
        position += len(line)
    return None
