"""The definitions around the cursor: from the tree, and where that is broken from indentation."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from tree_sitter import Node

from lsp_server.documents import lines as text_lines
from lsp_server.documents.definitions import Shape, shape
from lsp_server.documents.look import Look
from lsp_server.documents.syntax import SyntaxTree


@dataclass(frozen=True)
class Scope:
    """A definition around the cursor."""

    kind: str
    name: str
    signature: str
    start: int
    end: int


def scopes(look: Look) -> tuple[Scope, ...]:
    """Return the definitions whose body the cursor is in, outermost first."""
    found: list[Scope] = []
    header_lines: set[int] = set()
    if look.tree is not None:
        for node in look.path:
            made = shape(node, look.types)
            if made is not None and _holds(look, look.tree, made):
                found.append(_scope(look.tree, made, look.offset))
                header_lines.add(look.lines.line_of(look.tree.offset(node.start_byte)))
    if look.broken:
        found += _by_indent(look, header_lines)
    return tuple(sorted(found, key=lambda scope: (scope.start, -scope.end)))


def _holds(look: Look, tree: SyntaxTree, made: Shape) -> bool:
    """Tell whether the cursor is in the body, where the body of unfinished code may not reach it."""
    if look.byte < made.signature_end_byte:
        return False
    if look.language.blocks == "indent":
        header = look.lines.line_of(tree.offset(made.node.start_byte))
        on_header = (
            header == look.line or look.lines.line_of(tree.offset(made.signature_end_byte)) == look.line
        )
        return on_header or look.indent > text_lines.width(look.line_text(header))
    return look.byte < made.node.end_byte or (made.body is not None and not _is_closed(made.body))


def _is_closed(body: Node) -> bool:
    last = body.child(body.child_count - 1) if body.child_count else None
    return not (last or body).is_missing


def _scope(tree: SyntaxTree, made: Shape, offset: int) -> Scope:
    start, end = tree.offset(made.start_byte), tree.offset(made.node.end_byte)
    signature = tree.text[start : tree.offset(made.signature_end_byte)]
    return Scope(made.kind, tree.text_of(made.name), signature, start, max(end, offset))


def _by_indent(look: Look, known: set[int]) -> list[Scope]:
    found = []
    for line in text_lines.headers(look.text, look.lines, look.line, look.indent):
        made = header(look, line)
        if made is not None and line not in known:
            found.append(replace(made, end=max(made.end, look.offset)))
    return found


def header(look: Look, line: int) -> Scope | None:
    """Return the definition that a line starts, judged by the line and the indentation of those below it."""
    content = look.line_text(line)
    if len(content) > _HEADER_CHARS:
        return None
    match = _DEFINITION.match(content) or _BRACED.match(content)
    if match is None:
        return None
    start = look.lines.start(line) + len(content) - len(content.lstrip())
    end = text_lines.block_end(look.text, look.lines, line, text_lines.width(content))
    word = match["word"] or "function"
    return Scope(_KINDS.get(word, word), match["name"], content.strip().rstrip(" {"), start, end)


_HEADER_CHARS = 300  # the patterns below take quadratic time on lines longer than people write
_KINDS = {"def": "function", "func": "function", "fn": "function", "namespace": "module", "mod": "module"}
_MODIFIERS = (
    r"export|default|public|private|protected|static|abstract|final|async|pub(?:\([^)]*\))?|unsafe|local"
)
_DEFINITION = re.compile(
    rf"^\s*(?:(?:{_MODIFIERS})\s+)*"
    r"(?P<word>def|class|interface|struct|enum|trait|impl|module|namespace|mod|func|fn|function)\b\s*"
    r"(?:\([^)]*\)\s*)?(?P<name>[\w$]*(?:(?:\.|::)\w+)*)"
)
_BRACED = re.compile(
    r"^(?!\s*(?:[})]\s*)?(?:if|else|for|foreach|while|do|switch|match|catch|try|using|lock|synchronized|return|new)\b)"
    r"\s*(?P<word>)[\w$<>\[\],.&*?:~ \t]*?(?P<name>[\w$~]+(?:::[\w~]+)*)\s*\([^;{}=]*\)[^;{}()=]*\{\s*$"
)
"""A function as C and its descendants write it, on one line: a type, a name, parameters, a brace."""
