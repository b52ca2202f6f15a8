"""What stands in source code, for scoring: tokens, definitions, their documentation and annotations.

Judges nothing. Deliberately does not use what the product finds definitions and comments with.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import tree_sitter

from lsp_server.documents.languages import LANGUAGES, grammar

_KINDS = ("function", "method", "constructor")
_ABOVE = ("@", "#[", "template")
"""How a line starts that may stand between a comment and the definition."""


def parse(language: str, text: str) -> tree_sitter.Node:
    """Return the root of the syntax tree."""
    found = grammar(next(item for item in LANGUAGES if item.name == language))
    assert found is not None, f"no grammar for {language}"
    return tree_sitter.Parser(found).parse(text.encode()).root_node


def walk(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    """Yield a node and all below it."""
    yield node
    for child in node.children:
        yield from walk(child)


def flaws(language: str, text: str) -> int:
    """Return how many places do not parse."""
    return sum(node.type == "ERROR" or node.is_missing for node in walk(parse(language, text)))


def tokens(language: str, text: str) -> list[str]:
    """Return the tokens of the code without comments and docstrings."""
    return list(_tokens(parse(language, text)))


def _tokens(node: tree_sitter.Node) -> Iterator[str]:
    if "comment" in node.type or _is_docstring(node):
        return
    if node.child_count == 0 or node.type == "string":
        if text := _text(node).strip():
            yield text
        return
    for child in node.children:
        yield from _tokens(child)


def _is_docstring(node: tree_sitter.Node) -> bool:
    parent = node.parent
    if node.type != "expression_statement" or parent is None or parent.type not in ("block", "module"):
        return False
    first = next((child for child in parent.named_children if child.type != "comment"), None)
    return first == node and node.named_child_count == 1 and node.named_children[0].type == "string"


def definition(language: str, text: str, name: str) -> tuple[int, str] | None:
    """Return the line and the text of a function or method; the first one of that name with a body."""
    for node in walk(parse(language, text)):
        if any(kind in node.type for kind in _KINDS) and node.child_by_field_name("body") is not None:
            called = node.child_by_field_name("name")
            declarator = node.child_by_field_name("declarator")
            while called is None and declarator is not None:  # C++: the name is inside of what it returns
                inner = declarator.child_by_field_name("declarator")
                called, declarator = (declarator, None) if inner is None else (None, inner)
            if called is not None and _text(called) == name:
                return node.start_point[0], _text(node)
    return None


def documentation(language: str, text: str, name: str) -> str:
    """Return the docstring or doc comment of a definition; empty if it has none."""
    if language == "python":
        function = _function(text, name)
        return (ast.get_docstring(function) or "") if function is not None else ""
    found = definition(language, text, name)
    return _comment_above(text.split("\n"), found[0]) if found is not None else ""


def _comment_above(lines: list[str], line: int) -> str:
    taken: list[str] = []
    inside = False
    for text in map(str.strip, reversed(lines[:line])):
        if not inside and not taken and text.startswith(_ABOVE):
            continue
        if inside or text.endswith("*/"):
            taken.append(text)
            inside = not text.startswith("/*")
            if not inside:
                break
        elif text.startswith("///"):
            taken.append(text)
        else:
            break
    comment = "\n".join(reversed(taken))
    return comment if comment.startswith(("/**", "///")) else ""


def annotated(language: str, text: str, name: str, parameters: tuple[str, ...]) -> bool:
    """Tell whether a signature says the type of every parameter, and in Python of the result."""
    if language == "python":
        function = _function(text, name)
        if function is None or function.returns is None:
            return False
        given = {it.arg: it.annotation for it in (*function.args.args, *function.args.kwonlyargs)}
        return all(given.get(parameter) is not None for parameter in parameters)
    if language == "javascript":
        comment = documentation(language, text, name)
        patterns = [rf"@param\s+\{{[^}}\n]+\}}\s+\[?{parameter}\b" for parameter in parameters]
        return all(re.search(pattern, comment) for pattern in patterns)
    found = definition(language, text, name)
    signature = found[1].split("{")[0] if found is not None else ""
    return all(re.search(rf"\b{parameter}\??\s*:\s*\w", signature) for parameter in parameters)


def _function(text: str, name: str) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    try:
        nodes = ast.walk(ast.parse(text))
    except SyntaxError:
        return None
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return next((node for node in nodes if isinstance(node, functions) and node.name == name), None)


def prose(markdown: str) -> str:
    """Return what is not in a fenced block."""
    return re.sub(r"^\s*```.*?(^\s*```|\Z)", "", markdown, flags=re.MULTILINE | re.DOTALL)


def _text(node: tree_sitter.Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")
