"""What the syntax tree says of a candidate completion: where its first statement ends, what it breaks.

Candidates are parsed in place, between the prefix and the suffix that the model saw. A language
without a grammar is judged by indentation, and nothing is ever broken there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from lsp_server.completion.cursor import columns, first_line, lines_of
from lsp_server.completion.joins import open_brackets
from lsp_server.documents import syntax
from lsp_server.documents.languages import Language
from lsp_server.documents.node_types import COMMENTS
from lsp_server.documents.syntax import SyntaxTree

_GOES_ON = re.compile(
    r"[)\]}{]|</|;;|\.\w"
    r"|(else|elsif|elseif|elif|when|rescue|ensure|except|finally|catch|end|fi|done|esac|until)\b(?!\s*=(?!=))"
)
"""How a line starts that belongs to the statement above although it is not indented deeper."""

_LEADERS = {
    "rust": r"#!?\[",
    "php": r"#\[",
    "csharp": r"\[",
}
_LEADER = r"(?m)@[\w.]+(\(|$)"
"""How a line starts that belongs to the statement below: decorators, attributes, annotations."""

_LEADING_NODES = frozenset(
    {"decorator", "attribute_item", "attribute_list", "annotation", "marker_annotation", "modifiers"}
)

_MOST_ERRORS = 50
"""What is this broken is no code of the language: a tree says nothing of it, and parsing it again for each
line that a model writes takes fifty times as long as code does."""

_FENCE = "```"


class Candidates:
    """Judges texts that may be inserted at one place."""

    def __init__(self, language: Language, before: str, after: str) -> None:
        self.language = language
        self._head = before.rpartition("\n")[2]
        self._start = len(before)
        self._base = syntax.parse(before + after, language)
        self._errors = _errors(self._base.root) if self._base is not None else 0
        if self._errors > _MOST_ERRORS:
            self._base = None

    def statement_end(self, text: str) -> int | None:
        """Return where the first statement of `text` ends; None while it is not known to be complete."""
        tree = self._base.with_insertion(self._start, text) if self._base is not None else None
        end = _statement_end(tree, self._start, text) if tree is not None else None
        if end is None or not self._is_complete(text, end):
            end = self._end_by_indentation(text)
        return end

    def breaks(self, text: str) -> bool:
        """Say whether inserting `text` makes syntax errors that were not there before."""
        return self.errors_with(text) > self._errors

    def errors_with(self, text: str) -> int:
        """Return how many syntax errors there are with `text` inserted; 0 where nothing is known."""
        tree = self._base.with_insertion(self._start, text) if self._base is not None else None
        return _errors(tree.root) if tree is not None else 0

    def _is_complete(self, text: str, end: int) -> bool:
        """Say whether a line follows that cannot belong to what ends at `end`."""
        line = first_line(text[end:].partition("\n")[2])
        if line is None or self._is_open(text[:end]):
            return False
        own = columns(first_line(self._head + text) or "")
        return columns(line) < own or (columns(line) == own and not _GOES_ON.match(line.strip()))

    def _end_by_indentation(self, text: str) -> int | None:
        """Return the end of the first line of code and all deeper ones below it, once a line follows them."""
        whole, skip = self._head + text, len(self._head)
        position, own, start, end = 0, None, 0, 0
        for line in lines_of(whole):
            if line.strip() and not self._is_open(whole[start:position]):
                if own is None or (columns(line) == own and self._leads(whole[start:])):
                    own, start = None if self._is_comment(line) else columns(line), position
                elif columns(line) < own or (columns(line) == own and not _GOES_ON.match(line.strip())):
                    return end - skip
            position += len(line)
            end = position - len(line) + len(line.rstrip()) if line.strip() else end
        return None

    def _is_open(self, text: str) -> bool:
        """Say whether `text` ends inside brackets or inside a string over several lines."""
        long = [quote for quote in (*self.language.quotes, _FENCE) if len(quote) == 3 or quote == "`"]
        if self.language.name != "bash" and any(text.count(quote) % 2 for quote in long):
            return True
        return open_brackets(text, self.language) > 0

    def _is_comment(self, line: str) -> bool:
        comment = self.language.line_comment
        return bool(comment) and line.strip().startswith(comment or "") and not self._leads(line)

    def _leads(self, text: str) -> bool:
        return re.match(_LEADERS.get(self.language.name, _LEADER), text.strip()) is not None


def _errors(node: Node) -> int:
    """Count what the parser could not place; without recursion, for brackets nest a thousand deep."""
    found, waiting = 0, [node]
    while waiting:
        node = waiting.pop()
        if node.has_error:
            found += node.is_error or node.is_missing
            waiting += node.children
    return found


def _statement_end(tree: SyntaxTree, start: int, text: str) -> int | None:
    """Return the end of the widest sound node that starts with the first word of code in `text`."""
    stop = tree.byte(start + len(text))
    byte = tree.byte(start + len(text) - len(text.lstrip()))
    path = list(_path(tree, byte))
    while any(node.type in COMMENTS for node in path):  # a comment belongs to the statement below it
        end = max(node.end_byte for node in path if node.type in COMMENTS)
        rest = tree.data[end:stop]
        byte = stop - len(rest.lstrip())
        if byte <= end and not rest.strip():
            return None
        path = list(_path(tree, byte))
    sound = [node for node in path if node.start_byte >= byte and node.is_named and not node.has_error]
    if not sound or sound[-1].type in _LEADING_NODES:
        return None
    end = tree.offset(_last_part(sound[-1]).end_byte) - start
    if not 0 < end < len(text) or text[end] not in "\n;,":
        return None
    return end + len(text[end:].partition("\n")[0].rstrip())


def _path(tree: SyntaxTree, byte: int) -> Iterator[Node]:
    """Yield the nodes around a byte, innermost first."""
    node = tree.root.descendant_for_byte_range(byte, byte + 1)
    while node is not None:
        yield node
        node = node.parent


def _last_part(node: Node) -> Node:
    """Return the last `else` or `finally` that goes with `node`, where that is one itself."""
    while node.type.endswith("_clause") and node.next_named_sibling is not None:
        following = node.next_named_sibling
        if not following.type.endswith("_clause") or following.has_error:
            break
        node = following
    return node
