"""What a reply says about a definition, without the marks of comments: from a docstring, a comment or prose.

Owns how documentation is found in a reply. Must not know where it goes.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass

from lsp_server.chat.placing.shapes import definition_named, shapes
from lsp_server.documents.comments import comment_above
from lsp_server.documents.documentation import docstring
from lsp_server.documents.enclosing import covering
from lsp_server.documents.languages import Language
from lsp_server.documents.snapshot import Snapshot
from lsp_server.documents.syntax import SyntaxTree, parse

_STRING = re.compile(
    r"(?<!\w)(?P<prefix>[rRuU]?)(?P<quote>\"\"\"|''')(?P<text>.*?)(?:(?P=quote)|\Z)", re.DOTALL
)
_BLOCK_COMMENT = re.compile(r"\s*/\*+!?(?P<text>.*?)(?:\*+/|\Z)", re.DOTALL)
_LINE_COMMENT = re.compile(r"[ \t]*(?:///|//!|//|#(?!!|include|define|\[)|---?)(?![-#/])[ \t]?(?P<text>.*)")
_STAR = re.compile(r"[ \t]*\*(?!/)[ \t]?|[ \t]*")
_CODE = re.compile(
    r"[;{}]\s*$|^\s*[\w.]+ [-+]?= |^\s*(?:return|import|from|def|func|fn|function)\b", re.MULTILINE
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029]")
"""Some of them end a line, and so a comment, in JavaScript or C#."""
_LABEL = re.compile(r"[\w *'`]{0,60}:\s*")


@dataclass(frozen=True)
class Said:
    """Documentation as lines of text."""

    lines: tuple[str, ...]
    raw: bool = True
    """Backslashes mean themselves; False in text from a literal where they begin escapes."""


def documentation_in(reply: str, language: Language, name: str) -> Said:
    """Return what a reply documents `name` with; no lines if it has code alone."""
    reply = _CONTROLS.sub(" ", reply)
    tree = parse(reply, language)
    if language.name == "python":
        return _in_python(reply, tree, name)
    found = _above(reply, tree, language, name) if tree is not None else ""
    comment = _leading_comment(found or reply)
    return Said(_dedented(comment if comment is not None else _prose(reply, tree)))


def _in_python(reply: str, tree: SyntaxTree | None, name: str) -> Said:
    found = definition_named(tree, name) if tree is not None else None
    node = docstring(found.body) if found is not None else None
    literal = tree.text_of(node) if tree is not None and node is not None else reply
    string = _STRING.search(literal)
    if string is None and node is not None:  # one line in single quotes
        return Said((literal.strip("rRuU").strip("\"'"),), raw=False)
    if string is None or (found is not None and node is None):
        comment = _leading_comment(reply)
        return Said(_dedented(comment if comment is not None else _prose(reply, tree)))
    return Said(_trimmed(inspect.cleandoc(string["text"]).split("\n")), raw="r" in string["prefix"].lower())


def _above(reply: str, tree: SyntaxTree, language: Language, name: str) -> str:
    """Return the comment above a definition of the reply."""
    found = definition_named(tree, name)
    if found is None:
        return ""
    snapshot = Snapshot("", language.ids[0] if language.ids else "", 0, reply)
    start, end = tree.range(found.node)
    around = covering(snapshot, tree, start, end)
    above = comment_above(snapshot, tree, around.start if around is not None else start)
    return reply[slice(*above)] if above is not None else ""


def _leading_comment(text: str) -> str | None:
    """Return the text of the comment that a text starts with, None if there is none."""
    block = _BLOCK_COMMENT.match(text)
    if block is not None:
        lines = block["text"].split("\n")
        return "\n".join([lines[0].strip(), *(_STAR.sub("", line, count=1) for line in lines[1:])])
    found = list(_comment_lines(text))
    return "\n".join(found) if found else None


def _comment_lines(text: str) -> Iterator[str]:
    for line in text.strip("\n").split("\n"):
        match = _LINE_COMMENT.fullmatch(line)
        if match is None and line.startswith("#!"):
            continue
        if match is None:
            return
        yield match["text"]


def _prose(reply: str, tree: SyntaxTree | None) -> str:
    """Return a reply that is neither code nor a comment, without a label such as `Docstring:`."""
    if _CODE.search(reply) or (tree is not None and next(shapes(tree), None) is not None):
        return ""
    lines = reply.strip().split("\n")
    if len(lines) > 1 and _LABEL.fullmatch(lines[0]):
        del lines[0]
    text = "\n".join(lines).strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'`" else text


def _dedented(text: str) -> tuple[str, ...]:
    return _trimmed(inspect.cleandoc("\n" + text).split("\n")) if text.strip() else ()


def _trimmed(lines: list[str]) -> tuple[str, ...]:
    while lines and not lines[-1].strip():
        del lines[-1]
    while lines and not lines[0].strip():
        del lines[0]
    return tuple(line.rstrip() for line in lines)
