"""How a test calls the code that it tests: its full name, and how many arguments. As its signature says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from lsp_server.chat.actions.site import Target
from lsp_server.documents.outline import Definition, definitions
from lsp_server.documents.syntax import SyntaxTree

_SCRIPTS = ("javascript", "typescript", "tsx")
_MADE_WITH_NEW = (*_SCRIPTS, "java", "csharp", "php")
_LEFT_OUT = re.compile(r"self|this|comment|spread|splat|rest|variadic|optional|default|assignment|separator")
"""In types of nodes: what a call need not, or cannot, have an argument for."""
_UNKNOWN = "<arguments>"
_SPACES = ("module", "namespace")
_CLASSES = ("class", "struct", "interface", "enum", "impl", "trait", "record")
_DEEPEST = 8  # declarators of C++ inside of each other; people write three


@dataclass(frozen=True)
class SampleCall:
    """A call for an example."""

    subject: str
    """What stands before the bracket: `stats::median`, `Roman.fromRoman`, `new WordStats().count`."""
    arguments: str
    """A place to fill in for each argument that it needs, `<text>, <width>`: code would be copied."""


def sample_call(target: Target, outer: str) -> SampleCall:
    """Return how the target is called from a test; `outer` is the name under which the file is got at."""
    around = target.definition
    own = target.name if re.fullmatch(r"\w+", target.name) else ""
    tree = target.tree
    if tree is None or around is None or around.shape is None or around.name != target.name or not own:
        return SampleCall(own or outer, _UNKNOWN)
    found = _parameters(around.shape.node)
    if found is None:
        return SampleCall(_subject(target, tree, own, found), _UNKNOWN)
    names = [f"<{_name(tree, node)}>" for node in _needed(found)]
    return SampleCall(_subject(target, tree, own, found), ", ".join(names))


def _subject(target: Target, tree: SyntaxTree, own: str, parameters: Node | None) -> str:
    language, outside = target.language.name, _outside(tree, target)
    classes = [item.name for item in outside if item.kind in _CLASSES]
    static = _is_static(target)
    if language == "cpp":
        names = "::".join(item.name for item in outside)
        return f"{names}().{own}" if classes and not static else f"{names}::{own}" if names else own
    if not classes or language == "go" or (language == "rust" and _takes_self(parameters)):
        return own
    holder = re.sub(r"<.*", "", classes[-1])
    if language == "rust" or (language == "php" and static):
        return f"{holder}::{own}"
    if own == holder:
        return f"new {own}"
    if static:
        return f"{holder}.{own}"
    return f"new {holder}().{own}" if language in _MADE_WITH_NEW else f"{holder}().{own}"


def _takes_self(parameters: Node | None) -> bool:
    return parameters is not None and any(child.type == "self_parameter" for child in parameters.children)


def _outside(tree: SyntaxTree, target: Target) -> list[Definition]:
    """Return what a target is defined in, the outermost first; not what has no name."""
    around = target.definition
    return [
        item
        for item in definitions(tree)
        if item.name and item.kind in (*_CLASSES, *_SPACES)
        if item.range[0] < target.start and item.range[1] >= target.end
        if around is None or item.range[0] != around.start
    ]


def _is_static(target: Target) -> bool:
    around = target.definition
    head = target.snapshot.text[around.start : around.signature[1]] if around is not None else ""
    before = head.partition(f"{target.name}")[0]
    return re.search(r"\bstatic\b|@(static|class)method\b", before) is not None


def _parameters(node: Node) -> Node | None:
    """Return the node of the parameters of a function."""
    for _ in range(_DEEPEST):
        found = node.child_by_field_name("parameters")
        if found is not None:
            return found
        inner = node.child_by_field_name("declarator") or node.child_by_field_name("value")
        if inner is None:
            return None
        node = inner
    return None


def _needed(parameters: Node) -> Iterator[Node]:
    # A call with the fewest arguments is the simplest one: what has a default is left out.
    for node in parameters.named_children:
        has_default = any(node.child_by_field_name(field) is not None for field in ("value", "default_value"))
        if node.is_error or has_default or _LEFT_OUT.search(node.type):
            continue
        if node.type == "identifier" and node.text in (b"self", b"cls"):
            continue
        yield node


def _name(tree: SyntaxTree, node: Node) -> str:
    for field in ("name", "pattern", "declarator"):
        if (inner := node.child_by_field_name(field)) is not None:
            return re.sub(r"\W+", "", tree.text_of(inner)) or "value"
    word = re.match(r"\w+", tree.text_of(node))
    return word[0] if word is not None else "value"
