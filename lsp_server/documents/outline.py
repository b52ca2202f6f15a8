"""What a file defines and imports, and a short text of it for what lies outside of the window.

Goes through the top of a file and the members of classes and modules; the insides of functions only
where the window starts in one. Must not know how windows are chosen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from tree_sitter import Node

from lsp_server.documents.definitions import shape
from lsp_server.documents.node_types import CONTAINERS, NodeTypes, node_types
from lsp_server.documents.syntax import SyntaxTree

Range = tuple[int, int]

_WHOLE_LINE_CHARS = 120  # a definition on one line up to this length is its own signature
_WHOLE_DATA_CHARS = 300  # about ten fields: the shape of data is worth more than its name
_DEPTH = 20  # definitions inside of definitions; more are generated or not code
_DATA = frozenset({"struct", "interface", "enum", "type"})


@dataclass(frozen=True)
class Definition:
    """A definition of a file. Ranges are in code points and include decorators, `export` and the like."""

    range: Range
    signature_range: Range
    parent_index: int | None
    """Index of the definition it stands in, in the same list."""
    kind: str
    name: str


def imports(tree: SyntaxTree) -> list[Range]:
    """Return the imports at the top level, in file order."""
    types = node_types(tree.language.name)
    found: list[Range] = []
    stack = list(reversed(tree.root.named_children))
    while stack:
        node = stack.pop()
        if _is_import(node, tree, types):
            start, end = tree.range(node)
            found.append((start, start + len(tree.text[start:end].rstrip())))
        elif node.is_error or (
            node.type in types.wrappers | types.blocks and node.type not in types.definitions
        ):
            stack.extend(reversed(node.named_children))
    return found


def definitions(tree: SyntaxTree, around: int | None = None) -> list[Definition]:
    """Return definitions in file order; those inside of a function only where it contains `around`."""
    types = node_types(tree.language.name)
    inside = None if around is None else tree.byte(around)
    found: list[Definition] = []
    # A stack instead of recursion: text that is not code can nest deeper than Python may call.
    stack: list[tuple[Node, int | None, int]] = [(tree.root, None, 0)] if types.definitions else []
    while stack:
        node, parent, depth = stack.pop()
        made = shape(node, types)
        if made is None:
            if node.is_error or node.type in types.wrappers or node.type in types.blocks:
                stack += [(child, parent, depth) for child in reversed(node.named_children)]
            continue
        start = tree.offset(made.start_byte)
        ranges = (start, tree.offset(node.end_byte)), (start, tree.offset(made.signature_end_byte))
        found.append(Definition(*ranges, parent, made.kind, tree.text_of(made.name)))
        entered = inside is not None and node.start_byte < inside < node.end_byte
        if made.body is not None and depth < _DEPTH and (made.kind in CONTAINERS or entered):
            stack += [(child, len(found) - 1, depth + 1) for child in reversed(made.body.named_children)]
    return found


def _is_import(node: Node, tree: SyntaxTree, types: NodeTypes) -> bool:
    if node.type in types.imports:
        return True
    if node.type == "namespace_definition" and node.child_by_field_name("body") is None:
        return True
    if not types.import_line or node.type in types.definitions:
        return False
    # An import by call fits well into 200 bytes; the rest of a long statement need not be decoded.
    text = tree.data[node.start_byte : node.start_byte + 200].decode("utf-8", "replace")
    return re.match(types.import_line, text) is not None


def outline_text(
    tree: SyntaxTree, outside_of: Range, budget_chars: int, *, with_imports: bool = True, goes_on: bool = True
) -> str:
    """Return imports and signatures that a window does not show, to stand before its text.

    Within each level what does not enclose the window comes first, in file order, so that the text can
    go on with the window; where it does not, all is in file order and closed. What encloses the window is
    never left out; when the rest does not fit the budget, definitions go before imports and the farthest go
    first. Distance counts definitions, not characters, so what is left does not change while text is typed
    inside the window.
    """
    start, end = outside_of
    if start == 0 and end >= len(tree.text):
        return ""
    found = definitions(tree, around=start)
    enclosing = frozenset(index for index, item in enumerate(found) if item.range[0] < start < item.range[1])
    outside = [
        index
        for index, item in enumerate(found)
        if index not in enclosing and (item.signature_range[0] < start or item.signature_range[1] > end)
    ]
    drawing = _Drawing(tree, found, enclosing, start, set(enclosing), goes_on=goes_on)
    imported = imports(tree) if with_imports else []
    head = [tree.text[slice(*item)] for item in imported if item[0] < start or item[1] > end]
    head = _fitting(head, budget_chars - len(drawing.text()))
    room = budget_chars - sum(len(line) + 1 for line in head)
    for index in _nearest_first(found, outside, start):
        drawing.shown.add(index)
        if len(drawing.text()) > room:
            drawing.shown.discard(index)
            break
    return "".join(f"{line}\n" for line in head) + drawing.text()


def definitions_text(
    tree: SyntaxTree, found: Sequence[Definition], shown: Iterable[int], whole: Iterable[int]
) -> str:
    """Return some of the definitions, by index, in file order: signatures, and `whole` ones as they are.

    What they stand in is drawn with them.
    """
    whole = frozenset(whole)
    return _Drawing(tree, found, frozenset(), 0, {*shown, *whole}, whole).text()


def _fitting(texts: Sequence[str], room: int) -> list[str]:
    kept = []
    for text in texts:
        room -= len(text) + 1
        if room < 0:
            break
        kept.append(text)
    return kept


def _nearest_first(found: list[Definition], outside: list[int], start: int) -> list[int]:
    """Return indices ordered by how many definitions lie between them and the window; before wins a tie."""
    before = [index for index in reversed(outside) if found[index].range[0] < start]
    after = [index for index in outside if found[index].range[0] >= start]
    ranked = [(rank, 0, index) for rank, index in enumerate(before)]
    ranked += [(rank, 1, index) for rank, index in enumerate(after)]
    return [index for _, _, index in sorted(ranked)]


@dataclass
class _Drawing:
    """Lays out the shown definitions; a parent of something shown is drawn with it."""

    tree: SyntaxTree
    found: Sequence[Definition]
    enclosing: frozenset[int]
    start: int
    shown: set[int] = field(default_factory=set)
    whole: frozenset[int] = frozenset()
    goes_on: bool = True

    def text(self) -> str:
        shown = set(self.shown)
        for index in self.shown:
            parent = self.found[index].parent_index
            while parent is not None:
                shown.add(parent)
                parent = self.found[parent].parent_index
        children: dict[int | None, list[int]] = {}
        for index in sorted(shown):
            children.setdefault(self.found[index].parent_index, []).append(index)
        return "".join(f"{line}\n" for line in self._level(None, children))

    def _level(self, parent: int | None, children: dict[int | None, list[int]]) -> Iterator[str]:
        level = children.get(parent, [])
        for index in sorted(level, key=lambda index: (self.goes_on and index in self.enclosing, index)):
            yield from self._one(index, children)

    def _one(self, index: int, children: dict[int | None, list[int]]) -> Iterator[str]:
        item = self.found[index]
        indent = self._indent(item.range[0])
        # Unfinished code may make a signature run on into the window, which shows that part itself.
        signature_end = (
            min(item.signature_range[1], self.start) if index in self.enclosing else item.signature_range[1]
        )
        signature = indent + self.tree.text[item.range[0] : signature_end].rstrip()
        opener, closer = self._brackets(item)
        whole = self.tree.text[slice(*item.range)]
        if index in self.enclosing:
            yield signature + opener
            yield from self._level(index, children)
            if closer and not self.goes_on:
                yield indent + closer
        elif index in self.whole or len(whole) <= (
            _WHOLE_DATA_CHARS if item.kind in _DATA else "\n" not in whole and _WHOLE_LINE_CHARS
        ):
            yield indent + whole
        elif children.get(index):
            yield signature + opener
            yield from self._level(index, children)
            if closer:
                yield indent + closer
        else:
            yield f"{signature}{opener} ... {closer}".rstrip()

    def _brackets(self, item: Definition) -> tuple[str, str]:
        """Return what opens and closes the body of a definition."""
        if self.tree.language.blocks == "indent":
            return "", ""
        if self.tree.text[item.signature_range[1] : item.range[1]].lstrip().startswith("{"):
            return " {", "}"
        if self.tree.text[item.signature_range[1] : item.range[1]].rstrip().endswith("end"):
            return "", "end"
        return "", ""

    def _indent(self, start: int) -> str:
        line = max(self.tree.text.rfind("\n", 0, start), self.tree.text.rfind("\r", 0, start)) + 1
        leading = self.tree.text[line:start]
        return leading if not leading.strip() else ""
