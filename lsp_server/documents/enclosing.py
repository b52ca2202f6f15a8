"""The definition around a place that somebody points at: its header, its decorators and its comment count.

Unlike `scopes`, which tells whose body is being written, this takes a place as a reader means it. Works in
broken code and without a tree: indentation then stands in for syntax.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tree_sitter import Node

from lsp_server.documents import lines as text_lines
from lsp_server.documents.comments import comment_at, starts_its_line
from lsp_server.documents.definitions import Shape, shape
from lsp_server.documents.look import Look, Range, look
from lsp_server.documents.node_types import CONTAINERS, LEADING, NodeTypes, node_types
from lsp_server.documents.positions import LineIndex
from lsp_server.documents.scopes import Scope, header, scopes
from lsp_server.documents.snapshot import Snapshot
from lsp_server.documents.syntax import SyntaxTree

FUNCTIONS = frozenset({"function", "method", "property", "macro"})
CLASSES = CONTAINERS - {"module"}

_DECORATORS = frozenset({"decorator", "attribute_item", "attribute_list", "marker_annotation", "annotation"})
_MOST_DECORATORS = 50  # each costs a walk from the root of the tree
_CLOSERS = re.compile(r"[ \t]*(?:[)\]}]+[);,]*|end\b)")
_SEMICOLON = re.compile(r"[ \t]*;")
_SEPARATORS = " \t\r\n;,"


@dataclass(frozen=True)
class Around:
    """A definition. Offsets are code points; it starts with its decorators, without the comment above it."""

    kind: str
    name: str
    start: int
    end: int
    signature: Range
    """Without decorators, with `export` and the like, up to before `{`."""
    shape: Shape | None = None
    """The nodes; None where indentation stood in for syntax."""


def settled(text: str, lines: LineIndex, offset: int) -> int:
    """Return the place on its line that an offset means: blanks around the code of a line mean the code."""
    line = lines.line_of(offset)
    content = text_lines.line_text(text, lines, line)
    if not content.strip():
        return offset
    start = lines.start(line)
    first = start + len(content) - len(content.lstrip())
    return min(max(offset, first), start + len(content.rstrip()))


def definition_at(snapshot: Snapshot, tree: SyntaxTree | None, offset: int) -> Around | None:
    """Return the innermost function that `offset` is in or on, else class, else other definition."""
    seen = look(snapshot, tree, settled(snapshot.text, snapshot.lines, offset))
    blank = not (seen.left + seen.right).strip()
    found: list[Around] = []
    if tree is not None and not blank:
        found = [_around(snapshot, tree, made, seen.offset) for made in _on(seen, tree)]
    # A parser that has lost track may find no definition, and no error on the way to the place either.
    lost = tree is not None and tree.root.has_error and all(item.kind not in FUNCTIONS for item in found)
    if blank or seen.broken or lost:
        known = {item.start for item in found}
        guessed = list(scopes(replace(seen, broken=True) if lost else seen))
        if not blank and (started := header(seen, seen.line)) is not None:
            guessed.append(started)
        found += [_guess(seen, scope) for scope in guessed if scope.start not in known]
    return _chosen(seen, found)


def covering(snapshot: Snapshot, tree: SyntaxTree, start: int, end: int) -> Around | None:
    """Return the smallest definition that holds all of a range."""
    last = tree.byte(start + len(snapshot.text[start:end].rstrip(_SEPARATORS)))
    for made in _shapes(tree, tree.path(_past_decorators(tree, tree.byte(start)))):
        if last <= made.node.end_byte:
            return _around(snapshot, tree, made, end)
    return None


def exactly(snapshot: Snapshot, tree: SyntaxTree, start: int, end: int) -> Around | None:
    """Return the definition that a range is, give or take blanks and what separates it from the next."""
    for made in _shapes(tree, tree.path(_past_decorators(tree, tree.byte(start)))):
        found = _around(snapshot, tree, made, start)
        near, far = sorted((tree.offset(made.node.end_byte), end))
        if start in (found.start, tree.offset(made.start_byte), found.signature[0]) and not snapshot.text[
            near:far
        ].strip(_SEPARATORS):
            return found
    return None


def _on(seen: Look, tree: SyntaxTree) -> list[Shape]:
    """Return the definitions that the tree has at a place on a line that is not blank, innermost first."""
    here = _shapes(tree, _both_sides(tree, seen.byte))
    below = _led_to(seen, tree)
    if below is not None:
        here = [*_shapes(tree, tree.path(below), starting=below), *here]
    if not here:
        line_start = seen.lines.start(seen.line)
        first = settled(seen.text, seen.lines, line_start)
        here = _shapes(tree, tree.path(tree.byte(first)))  # behind the `}` of a definition: `}  // end of f`
    return here


def _both_sides(tree: SyntaxTree, byte: int) -> list[Node]:
    after = tree.path(byte)
    return [*after, *(node for node in (tree.path(byte - 1) if byte else ()) if node not in after)]


def _shapes(tree: SyntaxTree, path: Sequence[Node], starting: int | None = None) -> list[Shape]:
    """Return the definitions on a path, and those that something on it leads; `starting` there, if given."""
    types = node_types(tree.language.name)
    found: dict[int, Shape] = {}
    for node in path:
        made = shape(node, types) if node.is_named else None
        if made is None and node.type in LEADING:
            made = _led(node, types)
        if made is not None and (starting is None or made.start_byte == starting):
            found.setdefault(made.node.id, made)
    return list(found.values())


def _led(node: Node, types: NodeTypes) -> Shape | None:
    """Return the definition that a decorator, `export` or `const` belongs to."""
    level: list[Node] = [node]
    for _ in range(3):  # `export` before `const` before the name
        level = [child for parent in level for child in parent.named_children]
        for child in level:
            made = shape(child, types)
            if made is not None and made.start_byte == node.start_byte:
                return made
    return None


def _led_to(seen: Look, tree: SyntaxTree) -> int | None:
    """Return where the code starts that the comment, or the attribute, at a place stands right above."""
    comment = comment_at(seen.snapshot, tree, seen.offset)
    if comment is not None and starts_its_line(seen.snapshot, comment[0]):
        end = comment[1]
    else:
        attribute = next((node for node in _both_sides(tree, seen.byte) if node.type in _DECORATORS), None)
        if attribute is None:
            return None
        end = tree.offset(attribute.end_byte)
    for _ in range(_MOST_DECORATORS):
        text = seen.text[end : end + 1000]
        start = end + len(text) - len(text.lstrip())
        if seen.lines.line_of(start) > seen.lines.line_of(end) + 1:
            return None
        byte = tree.byte(start)
        between = next(
            (node for node in tree.path(byte) if node.type in _DECORATORS and node.start_byte == byte), None
        )
        if between is None or _shapes(tree, tree.path(byte), starting=byte):
            return byte
        end = tree.offset(between.end_byte)
    return None


def _around(snapshot: Snapshot, tree: SyntaxTree, made: Shape, reach: int) -> Around:
    start = tree.offset(_with_attributes(tree, made.start_byte))
    signature_start = tree.offset(_past_decorators(tree, made.start_byte))
    text = snapshot.text[signature_start : tree.offset(made.signature_end_byte)]
    signature = signature_start, signature_start + len(text.rstrip())
    end = tree.offset(made.node.end_byte)
    if made.node.has_error:
        end = _sound_end(snapshot, made, signature, end, reach)
    if (separator := _SEMICOLON.match(snapshot.text, end)) is not None:
        end = separator.end()
    name = " ".join(tree.text_of(made.name).split())
    return Around(made.kind, name, start, end, signature, made)


def _with_attributes(tree: SyntaxTree, byte: int) -> int:
    """Return where the attributes start that some grammars put beside a definition: Rust, TypeScript."""
    for _ in range(_MOST_DECORATORS):
        before = len(tree.data[max(0, byte - 1000) : byte].rstrip()) + max(0, byte - 1000)
        node = next(
            (
                node
                for node in (tree.path(before - 1) if before else ())
                if node.type in ("decorator", "attribute_item") and node.end_byte == before
            ),
            None,
        )
        if node is None:
            break
        byte = node.start_byte
    return byte


def _past_decorators(tree: SyntaxTree, byte: int) -> int:
    """Return where the code starts that the decorators at a place belong to; the place itself without any."""
    for _ in range(_MOST_DECORATORS):
        leading = next(
            (node for node in tree.path(byte) if node.type in _DECORATORS and node.start_byte == byte), None
        )
        if leading is None:
            break
        rest = tree.data[leading.end_byte : leading.end_byte + 1000]
        byte = leading.end_byte + len(rest) - len(rest.lstrip())
    return byte


def _sound_end(snapshot: Snapshot, made: Shape, signature: Range, end: int, reach: int) -> int:
    """Return where a definition with an error in it ends: it may have swallowed what stands below it."""
    lines, text = snapshot.lines, snapshot.text
    first = lines.line_of(signature[1])
    column = text_lines.width(text_lines.line_text(text, lines, lines.line_of(signature[0])))
    last = text_lines.line_text(text, lines, lines.line_of(end))
    if text_lines.width(last) == column and _CLOSERS.match(last) and not _unclosed(made):
        return end
    return min(end, max(_closed(snapshot, text_lines.block_end(text, lines, first, column), column), reach))


def _unclosed(made: Shape) -> bool:
    children = made.body.children if made.body is not None else []
    return bool(children) and children[-1].is_missing


def _closed(snapshot: Snapshot, end: int, column: int) -> int:
    """Return the end of a block with the closing line that stands below it."""
    lines = snapshot.lines
    rest = snapshot.text[end : end + 1000]
    line = lines.line_of(end + len(rest) - len(rest.lstrip()))
    content = text_lines.line_text(snapshot.text, lines, line) if line > lines.line_of(end) else ""
    match = _CLOSERS.match(content)
    closes = match is not None and text_lines.width(content) == column
    return lines.start(line) + match.end() if match is not None and closes else end


def _guess(seen: Look, scope: Scope) -> Around:
    line = seen.lines.line_of(scope.start)
    end = scope.start + len(seen.text[scope.start : scope.end].rstrip())
    column = text_lines.width(seen.line_text(line))
    end = max(end, scope.start + len(scope.signature))
    signature = scope.start, scope.start + len(scope.signature)
    return Around(scope.kind, scope.name, scope.start, _closed(seen.snapshot, end, column), signature)


def _chosen(seen: Look, found: Sequence[Around]) -> Around | None:
    """Return the innermost function or class; a module only where its header is pointed at."""
    for kinds in (FUNCTIONS | CLASSES, None):
        fitting = [
            item
            for item in found
            if (item.kind in kinds if kinds else item.kind != "module" or _on_header(seen, item))
        ]
        if fitting:
            return max(fitting, key=lambda item: (item.start, -item.end))
    return None


def _on_header(seen: Look, item: Around) -> bool:
    line_of = seen.lines.line_of
    return line_of(item.start) <= seen.line <= line_of(item.signature[1])
