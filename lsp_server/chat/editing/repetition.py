"""What stands twice in a row after an edit, or where nothing reaches it: a reply that brought its neighbours.

All of it parses. Looks only at the lines that have changed and those beside them, and only at what is new.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from tree_sitter import Node

from lsp_server.chat.editing.line_diff import Hunk
from lsp_server.documents.node_types import COMMENTS, NodeTypes, node_types
from lsp_server.documents.outline import definitions
from lsp_server.documents.syntax import SyntaxTree

_LEAVES_BLOCK = frozenset(
    {"return_statement", "return_expression", "raise_statement", "throw_statement", "break_statement"}
    | {"continue_statement", "goto_statement", "return", "break", "next"}
)
_REACHED = re.compile(
    r"function|method|class|label|case|default|interface|type_|break|declaration_list|preproc|item"
)
"""Parts of node types of what may stand below a `return`."""
_ASSIGNED = re.compile(
    r"\s*(?P<declared>(?:[\w$<>\[\],:&*?.]+\s+)*)(?P<name>[\w$.@]+)\s*(?::[^=]+)?:?=(?![=>~])(?P<value>.*)",
    re.DOTALL,
)
_ONCE = frozenset({"javascript", "typescript", "tsx", "java", "c", "cpp", "csharp", "go"})
"""Languages that take a name once in a block."""
_MAY_REPEAT = frozenset(
    {"not", "long", "end", "fi", "done", "do", "new", "typeof", "await", "const", "ref", "then"}
)
_SHOWN_CHARS = 40  # of a statement in a message


def repeated(old: SyntaxTree | None, new: SyntaxTree | None, changes: Sequence[Hunk]) -> str | None:
    """Return what an edit has put in twice or behind a `return`, as a sentence; None if there is nothing."""
    if old is None or new is None:
        return None
    was = Counter(key for key, _ in _found(old, [(hunk[0], hunk[1]) for hunk in changes]))
    for key, sentence in _found(new, [(hunk[2], hunk[3]) for hunk in changes]):
        was[key] -= 1
        if was[key] < 0:
            return sentence
    return _moved_out(old, new)


def _found(tree: SyntaxTree, changed: Sequence[tuple[int, int]]) -> Iterator[tuple[str, str]]:
    """Yield what looks like a repetition, as a key and a sentence."""
    types = node_types(tree.language.name)
    if not types.definitions and tree.language.name != "css":
        return
    stack, before = [tree.root], None
    while stack:
        node = stack.pop()
        first, last = node.start_point[0], node.end_point[0]
        if not any(start - 1 <= last and first <= end for start, end in changed):
            continue
        if not node.children:
            if before is not None and _is_double(before, node, tree):
                text = tree.text_of(node)
                yield f"double {text}", f"line {first + 1}: `{text}` stands twice in a row"
            before = node
        elif node.type in types.blocks:
            yield from _in_block(node, tree, types)
        stack += reversed(node.children)


def _is_double(one: Node, other: Node, tree: SyntaxTree) -> bool:
    if one.type != other.type or one.is_named or one.end_point[0] != other.start_point[0]:
        return False
    if other.type == ";":
        parent = other.parent
        return parent is None or not parent.type.startswith("for")
    return other.type.isalpha() and other.type not in _MAY_REPEAT


def _in_block(block: Node, tree: SyntaxTree, types: NodeTypes) -> Iterator[tuple[str, str]]:
    inside = [node for node in block.named_children if node.type not in COMMENTS and not node.is_error]
    texts = ["".join(tree.text_of(node).split()).rstrip(";") for node in inside]
    bound = [_binding(node, tree) for node in inside]
    declared: Counter[str] = Counter()
    for at, node in enumerate(inside):
        line, shown = node.start_point[0] + 1, _shown(tree.text_of(node))
        name, is_declared = bound[at][0], bound[at][1]
        if is_declared and tree.language.name in _ONCE:
            declared[name] += 1
            if declared[name] > 1:
                yield f"declared {name}", f"line {line}: `{name}` is declared twice"
        if not at or node.type in types.imports:
            continue
        if texts[at] == texts[at - 1] and re.search(r"\w.*\W|\W.*\w", texts[at]):
            yield f"twice {texts[at]}", f"line {line}: `{shown}` stands twice in a row"
        elif name and name == bound[at - 1][0] and name not in bound[at][2]:
            yield f"set {name}", f"line {line}: `{name}` is set twice in a row"
        elif _leaves(inside[at - 1]) and not _REACHED.search(node.type):
            yield "unreached", f"line {line}: nothing reaches `{shown}`"


def _binding(node: Node, tree: SyntaxTree) -> tuple[str, bool, set[str]]:
    """Return the name that a statement sets, whether it declares it, and the words of its value."""
    if node.child_by_field_name("body") is not None or len(node.named_children) == 0:
        return "", False, set()
    match = _ASSIGNED.fullmatch(tree.text_of(node))
    if match is None or not re.search(r"assign|declar|expression|variable|let", node.type):
        return "", False, set()
    is_declared = bool(match["declared"].strip()) or ":=" in match.group()[: match.start("value")]
    return (
        match["name"],
        is_declared and tree.language.name != "go",
        set(re.findall(r"[\w$.@]+", match["value"])),
    )


def _leaves(node: Node) -> bool:
    inner = node.named_children
    return node.type in _LEAVES_BLOCK or (
        node.type == "expression_statement" and len(inner) == 1 and inner[0].type in _LEAVES_BLOCK
    )


def _moved_out(old: SyntaxTree, new: SyntaxTree) -> str | None:
    """Return which definition stands in another one now, or in none."""
    was, now = _paths(old), _paths(new)
    for name, path in was.items():
        outer, there = path[:-1], now.get(name, path)
        if outer and outer != there[:-1] and any(holder in now for holder in outer):
            return f"`{name}` is not in `{outer[-1]}` any more"
    return None


def _paths(tree: SyntaxTree) -> dict[str, tuple[str, ...]]:
    """Return the names that are defined once, with what they are defined in."""
    paths: list[tuple[str, ...]] = []
    for item in definitions(tree):
        above = paths[item.parent_index] if item.parent_index is not None else ()
        paths.append((*above, item.name))
    names = Counter(path[-1] for path in paths)
    return {path[-1]: path for path in paths if path[-1] and names[path[-1]] == 1}


def _shown(text: str) -> str:
    line = " ".join(text.split())
    return f"{line[: _SHOWN_CHARS - 1]}…" if len(line) > _SHOWN_CHARS else line
