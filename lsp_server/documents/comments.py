"""Where comments stand: the one at a place, and the one right above a line.

Owns what belongs to one comment: line comments on lines next to each other do. Must not know what they say.
"""

from __future__ import annotations

from lsp_server.documents import lines as text_lines
from lsp_server.documents.languages import detect
from lsp_server.documents.look import Range
from lsp_server.documents.node_types import COMMENTS
from lsp_server.documents.snapshot import Snapshot
from lsp_server.documents.syntax import SyntaxTree

_MOST_LINES = 200  # of one comment, in each direction; each line costs a walk from the root of the tree


def comment_at(snapshot: Snapshot, tree: SyntaxTree | None, offset: int) -> Range | None:
    """Return the comment that `offset` is in, or at the start or the end of."""
    found = _one(snapshot, tree, offset)
    if found is None or not _is_line_comment(snapshot, found):
        return found
    line = snapshot.lines.line_of(found[0])
    column = text_lines.width(text_lines.line_text(snapshot.text, snapshot.lines, line))
    start = _last_of_run(snapshot, tree, found, column, step=-1)[0]
    end = _last_of_run(snapshot, tree, found, column, step=1)[1]
    return start, end


def comment_above(snapshot: Snapshot, tree: SyntaxTree | None, offset: int) -> Range | None:
    """Return the comment that has the line right above that of `offset` to itself."""
    line = snapshot.lines.line_of(offset) - 1
    if line < 0:
        return None
    content = text_lines.line_text(snapshot.text, snapshot.lines, line).rstrip()
    if not content:
        return None
    found = comment_at(snapshot, tree, snapshot.lines.start(line) + len(content))
    if found is None or not starts_its_line(snapshot, found[0]) or snapshot.lines.line_of(found[1]) != line:
        return None
    return found


def starts_its_line(snapshot: Snapshot, offset: int) -> bool:
    """Tell whether nothing but blanks stands before `offset` on its line."""
    line_start = snapshot.lines.start(snapshot.lines.line_of(offset))
    return not snapshot.text[line_start:offset].strip()


def _last_of_run(snapshot: Snapshot, tree: SyntaxTree | None, found: Range, column: int, step: int) -> Range:
    """Return the last line comment, upwards or downwards, of those that stand in one column without a gap."""
    lines = snapshot.lines
    line = lines.line_of(found[0])
    for _ in range(_MOST_LINES):
        line += step
        if not 0 <= line < len(lines):
            break
        content = text_lines.line_text(snapshot.text, lines, line)
        if not content.strip() or text_lines.width(content) != column:
            break
        start = lines.start(line) + len(content) - len(content.lstrip())
        other = _one(snapshot, tree, start)
        if other is None or other[0] != start or not _is_line_comment(snapshot, other):
            break
        found = other
    return found


def _is_line_comment(snapshot: Snapshot, found: Range) -> bool:
    """Tell whether a comment has a line to itself, and may go on in the next."""
    start, end = found
    text = snapshot.text[start:end]
    if "\n" in text or "\r" in text or text.endswith(("*/", "-->")):
        return False
    line_end = snapshot.lines.end(snapshot.lines.line_of(start))
    return starts_its_line(snapshot, start) and not snapshot.text[end:line_end].strip()


def _one(snapshot: Snapshot, tree: SyntaxTree | None, offset: int) -> Range | None:
    """Return the comment token at `offset`, without the line break that some grammars count in."""
    if tree is None:
        return _on_line(snapshot, offset)
    byte = tree.byte(offset)
    for at in (byte, byte - 1):
        # The outermost: Rust's doc comments have a node for their text inside.
        for node in reversed(tree.path(at) if at >= 0 else ()):
            if node.type in COMMENTS and node.is_named:
                start, end = tree.range(node)
                end = start + len(snapshot.text[start:end].rstrip())
                if start <= offset <= end:
                    return start, end
    return None


def _on_line(snapshot: Snapshot, offset: int) -> Range | None:
    line = snapshot.lines.line_of(offset)
    content = text_lines.line_text(snapshot.text, snapshot.lines, line).rstrip()
    place, at = text_lines.scan(detect(snapshot.language_id, snapshot.uri), content)
    line_start = snapshot.lines.start(line)
    start, end = line_start + at, line_start + len(content)
    return (start, end) if place == "comment" and start <= offset <= end else None
