"""The code of a reply as a syntax tree, also where it is a piece that no file consists of: a method alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from textwrap import dedent

from tree_sitter import Node

from lsp_server.chat.placing.shapes import shapes
from lsp_server.documents.comments import comment_above
from lsp_server.documents.definitions import Shape
from lsp_server.documents.definitions import shape as definition_of
from lsp_server.documents.enclosing import Around, covering
from lsp_server.documents.languages import Language
from lsp_server.documents.node_types import COMMENTS, LEADING, NodeTypes, node_types
from lsp_server.documents.snapshot import Snapshot
from lsp_server.documents.syntax import SyntaxTree, parse

_IN_CLASS = ("class _ {\n", "\n}\n")
_NO_BODY, _OPEN_BODY = ("", " {}\n"), ("", "\n}\n")
_OF_CLASS = (_IN_CLASS, ("class _ {\n", " {}\n}\n"), ("class _ {\n", "\n}\n}\n"))
_WRAPS = {
    **dict.fromkeys(
        ("javascript", "typescript", "tsx", "java", "csharp"), (("", ""), *_OF_CLASS, _NO_BODY, _OPEN_BODY)
    ),
    # A declaration alone, and the end of a signature that stands without its body.
    "python": (("", ""), ("", ":\n    pass\n"), ("", "\n    pass\n")),
    "php": (
        ("", ""), ("<?php\n", ""), ("<?php class _ {\n", "\n}\n"), ("<?php\n", " {}\n"), ("<?php\n", "\n}\n"),
        ("<?php class _ {\n", "\n}\n}\n"),
    ),
    "cpp": (("", ""), ("class _ {\n", "\n};\n"), _NO_BODY, _OPEN_BODY, ("class _ {\n", "\n}\n};\n")),
    "c": (("", ""), _NO_BODY, _OPEN_BODY),
    "rust": (("", ""), _NO_BODY, _OPEN_BODY),
    "go": (("", ""), _NO_BODY, _OPEN_BODY),
    "bash": (("", ""), ("", " { :; }\n"), ("", "\n:\n}\n")),
    "lua": (("", ""), ("", "\nend\n")),
    "ruby": (("", ""), ("", "\nend\n")),
}  # fmt: skip
"""What may have to stand around a piece of code for it to parse."""


_LEADING = LEADING | {"global_statement"}


@dataclass(frozen=True)
class ReplyCode:
    """Code with a tree, and the definition in it that was asked for."""

    snapshot: Snapshot
    tree: SyntaxTree
    shape: Shape
    around: Around
    extent: tuple[int, int]
    """The code, without what stands around it for the parser."""

    @property
    def text(self) -> str:
        """Return the code with what stands around it."""
        return self.tree.text

    def comment(self) -> tuple[int, int] | None:
        """Return the comment right above the definition."""
        found = comment_above(self.snapshot, self.tree, self.around.start)
        return found if found is not None and found[0] >= self.extent[0] else None


def with_definition(
    code: str, language: Language, name: str, within: str = "", signature: str = ""
) -> ReplyCode | None:
    """Return code in which `name` is defined.

    If it is defined more than once, the class that it stands in and its signature tell which one is meant.
    """
    best: tuple[tuple[bool, ...], ReplyCode] | None = None
    for before, after in _WRAPS.get(language.name, (("", ""),)):
        if before.startswith("<?php") and "<?" in code:
            continue
        tree = parse(before + code + after, language)
        if tree is None:
            return None
        snapshot = Snapshot("", language.ids[0], 0, tree.text)
        for shape, parents in _named(tree, name):
            start, end = tree.range(shape.node)
            around = covering(snapshot, tree, start, end)
            if around is None or end <= len(before):
                continue
            extent = len(before), len(before) + len(code)
            same = "".join(tree.text[slice(*around.signature)].split()) == "".join(signature.split())
            whole = not tree.root.has_error
            rank = (not shape.node.has_error, whole, shape.body is not None, within in parents, same)
            if best is None or rank > best[0]:
                best = rank, ReplyCode(snapshot, tree, shape, around, extent)
        if best is not None and all(best[0][:2]):
            break
    return best[1] if best is not None else None


def all_definitions(code: str, language: Language) -> list[tuple[str, tuple[int, int]]]:
    """Return the names of what a piece of code defines, and where each stands with its decorators."""
    for before, after in _WRAPS.get(language.name, (("", ""),)):
        tree = parse(before + code + after, language)
        if tree is None or (tree.root.has_error and after):
            continue
        snapshot = Snapshot("", language.ids[0], 0, tree.text)
        found = []
        for shape in shapes(tree):
            around = covering(snapshot, tree, *tree.range(shape.node))
            start = around.start - len(before) if around is not None else -1
            if around is not None and start >= 0:
                found.append((last_name(around.name), (start, around.end - len(before))))
        if found:
            return found
    return []


def is_all_definitions(code: str, language: Language) -> bool:
    """Tell whether a piece of code parses and is definitions and comments, and nothing else."""
    types = node_types(language.name)
    for before, after in _WRAPS.get(language.name, (("", ""),))[:1]:
        tree = parse(before + code + after, language)
        if tree is not None and not tree.root.has_error:
            nodes = [node for node in tree.root.named_children if node.type not in COMMENTS]
            return bool(nodes) and all(_defines(node, types) for node in nodes)
    return False


def inside_of(code: str, names: Collection[str], language: Language) -> str:
    """Return code without the definition of one of these names that is wrapped around all of it."""
    before = "<?php\n" if language.name == "php" and "<?php" not in code else ""
    tree = parse(before + code, language)
    if tree is None or tree.root.has_error:
        return code
    found = list(shapes(tree))
    if not found or found[0].body is None or last_name(tree.text_of(found[0].name)) not in names:
        return code
    end = found[0].node.end_byte
    if any(shape.node.start_byte >= end for shape in found) or len(tree.data[end:].strip(b"; \n")):
        return code
    body = found[0].body
    inner = tree.text_of(body).strip()
    if inner.startswith("{"):
        inner = inner.removeprefix("{").removesuffix("}")
    else:  # its node begins behind the indentation of its first line
        start = tree.data.rfind(b"\n", 0, body.start_byte) + 1
        inner = tree.data[start : body.end_byte].decode("utf-8", "replace")
    return inside_of(dedent(inner.strip("\n")).rstrip(), names, language) if inner.strip() else code


def _defines(node: Node, types: NodeTypes) -> bool:
    if node.type in _LEADING or node.type in types.wrappers:
        return any(_defines(child, types) for child in node.named_children)
    return definition_of(node, types) is not None


def _named(tree: SyntaxTree, name: str) -> Iterator[tuple[Shape, list[str]]]:
    open_shapes: list[Shape] = []
    for shape in shapes(tree):
        while open_shapes and open_shapes[-1].node.end_byte <= shape.node.start_byte:
            open_shapes.pop()
        if last_name(tree.text_of(shape.name)) == last_name(name):
            yield shape, [last_name(tree.text_of(item.name)) for item in open_shapes]
        open_shapes.append(shape)


def last_name(name: str) -> str:
    """Return a name without what qualifies it: `A::f`, `M.f`."""
    return name.replace("::", ".").rpartition(".")[2].strip()


def beside(code: ReplyCode) -> tuple[Node, list[Node]]:
    """Return the node of the definition with what leads it, and all nodes of its level in order."""
    node = code.shape.node
    while (parent := node.parent) is not None and parent.type in _LEADING:
        node = parent
    return node, list(parent.named_children) if parent is not None else [node]
