"""The documentation in a reply, and where the language has it. The code of a definition is never changed."""

from __future__ import annotations

import re

from lsp_server.chat.actions.site import Target
from lsp_server.chat.editing.edits import Edit, line_edits
from lsp_server.chat.editing.line_diff import lines_of
from lsp_server.chat.placing.doc_form import comment, docstring_lines, mark_of
from lsp_server.chat.placing.doc_text import Said, documentation_in
from lsp_server.chat.placing.indentation import leading, line_end_of, unit_of
from lsp_server.documents.comments import comment_above
from lsp_server.documents.documentation import documentation
from lsp_server.documents.enclosing import Around, definition_at
from lsp_server.documents.positions import LINE_END

_DIRECTIVE = re.compile(
    r"\s*(?://go:|//\s*nolint|//export|(?://|/\*|#)\s*(?:eslint|prettier|@ts-|tslint|biome|istanbul|c8|v8|clang-format|"
    r"NOLINT|rubocop|shellcheck|spellchecker|region|endregion|#|pragma)|---@diagnostic)"
)
"""A comment for a tool, which has to stay right above the code."""
_FIRST = re.compile(r"#!|#.*(?:frozen_string_literal|coding[:=])")
"""A first line of the file that is a comment only in form."""
_LICENCE = re.compile(r".*(?:copyright|licen[sc]e|spdx)", re.IGNORECASE)


def documentation_edits(target: Target, reply: str) -> tuple[Edit, ...]:
    """Return the edits that document the target's definition with what a reply says.

    What was its documentation before is replaced. Empty if there is no definition, or nothing is said.
    """
    around = target.definition or definition_at(target.snapshot, target.tree, target.start)
    name = target.name or (around.name if around is not None else "")
    said = documentation_in("\n".join(LINE_END.split(reply)), target.language, name)
    if around is None or not said.lines:
        return ()
    if target.language.name == "python":
        return _in_body(target, around, said)
    return _above(target, around, said, name)


def _in_body(target: Target, around: Around, said: Said) -> tuple[Edit, ...]:
    """Return the edit of a Python docstring."""
    text, lines = target.snapshot.text, target.snapshot.lines
    end = line_end_of(text)
    indent = _body_indent(target, around)
    new = docstring_lines(said, indent, _quote(text), opens_alone=_opens_alone(text))
    tree = target.tree
    there = documentation(target.snapshot, tree, around) if tree is not None else None
    if there is not None:
        start = _line_start(text, there[0])
        if text[start : there[0]].strip():  # on the line of the header
            return (Edit(*there, end.join(new).lstrip()),)
        return line_edits(text[start : there[1]], end.join(new), start)
    body = around.shape.body if around.shape is not None else None
    first = tree.offset(body.start_byte) if tree is not None and body is not None else len(text)
    header = lines.line_of(around.signature[1])
    if body is not None and body.start_byte < body.end_byte and lines.line_of(first) == header:
        return (Edit(around.signature[1], first, f"{end}{end.join(new)}{end}{indent}"),)
    at = lines.end(header)
    block = end + end.join(new)
    if around.kind == "class" and text[lines.start(header + 1) : lines.end(header + 1)].strip():
        block += end
    return (Edit(at, at, block),)


def _body_indent(target: Target, around: Around) -> str:
    text, lines = target.snapshot.text, target.snapshot.lines
    own = leading(text[_line_start(text, around.signature[0]) :])
    body = around.shape.body if around.shape is not None else None
    if target.tree is not None and body is not None and body.start_byte < body.end_byte:
        first = target.tree.offset(body.start_byte)
        if lines.line_of(first) > lines.line_of(around.signature[1]):
            return leading(text[_line_start(text, first) :])
    return own + (unit_of(text) or "    ")


def _quote(text: str) -> str:
    return "'''" if text.count("'''") > text.count('"""') else '"""'


def _opens_alone(text: str) -> bool:
    """Tell whether most docstrings over several lines of a file begin on the line after their quotes."""
    alone = len(re.findall(r"^[ \t]+[rR]?(?:\"{3}|'{3})[ \t]*\r?$", text, re.MULTILINE))
    with_text = len(re.findall(r"^[ \t]+[rR]?(?:\"{3}|'{3})[^\"'\r\n]+\r?$", text, re.MULTILINE))
    # The closing quotes of each stand alone as well.
    return alone - with_text > 2 * with_text


def _above(target: Target, around: Around, said: Said, name: str) -> tuple[Edit, ...]:
    """Return the edits of a comment above a definition."""
    snapshot, text = target.snapshot, target.snapshot.text
    there = _existing(target, around)
    old = text[slice(*there)] if there is not None else ""
    mark = mark_of(target.language.name, old, text)
    if not mark:
        return ()
    start = _line_start(text, around.start)
    end = line_end_of(text)
    new = end.join(comment(said, mark, target.language.name, name, leading(text[start:])))
    if there is not None:
        first = _line_start(text, there[0])
        return line_edits(text[first : there[1]], new, first)
    above = comment_above(snapshot, target.tree, around.start)
    if above is not None and _DIRECTIVE.match(text, above[0]):
        start = _line_start(text, above[0])
    return (Edit(start, start, new + end),)


def _existing(target: Target, around: Around) -> tuple[int, int] | None:
    """Return the documentation above a definition, without what is for tools or belongs to the file."""
    if target.tree is None:
        return None
    there = documentation(target.snapshot, target.tree, around)
    if there is None:
        return None
    start, end = there
    comment_lines = lines_of(target.snapshot.text[start:end])
    while comment_lines and _DIRECTIVE.match(comment_lines[-1]):
        end -= len(comment_lines.pop())
    while comment_lines and _FIRST.match(comment_lines[0]):
        start += len(comment_lines.pop(0))
    if not comment_lines or any(_LICENCE.match(line) for line in comment_lines):
        return None
    end = start + len(target.snapshot.text[start:end].rstrip())
    return start, end


def _line_start(text: str, offset: int) -> int:
    return max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
