"""What is true of a target, from syntax alone: documented, typed, a test. Must not know actions."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from tree_sitter import Node

from lsp_server.chat.actions.site import Target
from lsp_server.chat.prompting import commit_message
from lsp_server.documents import lines as text_lines
from lsp_server.documents.documentation import documentation
from lsp_server.documents.enclosing import FUNCTIONS, Around
from lsp_server.documents.languages import PLAIN
from lsp_server.documents.node_types import COMMENTS
from lsp_server.documents.snapshot import Snapshot

_PROSE = frozenset(
    {
        *("", "plaintext", "text", "txt", "latex", "tex", "rst", "restructuredtext", "asciidoc", "org"),
        *("log", "csv", "help", "mail", "diff", "git-diff", "git-rebase"),
    }
)
"""Ids of documents without code, among those that `languages` does not know."""
_DIFF_IDS = frozenset({"diff", "git-diff", "patch"})
_MOST_TRIES = 64  # places looked at for a comment; a file of code without any has few that look like one
_TEST_FILE = re.compile(
    r"(^|/)(tests?|specs?|__tests__)/|(^|/)test_[^/]*$|(_test|_spec|\.test|\.spec)\.\w+$|Tests?\.(java|cs|php)$"
)


def has_code(target: Target) -> bool:
    """Tell whether the target is code: neither prose nor a comment alone."""
    if target.kind == "comment" or commit_message.is_one(target.snapshot):
        return False
    if target.language is PLAIN:
        return target.snapshot.language_id.lower() not in _PROSE
    return target.language.name != "markdown"


def has_comment(target: Target) -> bool:
    """Tell whether there is a comment, or a docstring, in the target."""
    if target.kind == "comment":
        return True
    language, tree = target.language, target.tree
    openers = [opener for opener in (language.line_comment, *(language.block_comment or ())[:1]) if opener]
    if tree is None:
        return any(text_lines.scan(language, line)[0] == "comment" for line in target.text.splitlines())
    if language.name == "python":
        openers += ['"""', "'''"]
    found = re.finditer("|".join(map(re.escape, openers)) or "(?!)", target.text)
    for _, match in zip(range(_MOST_TRIES), found, strict=False):
        path = tree.path(tree.byte(target.start + match.start()))
        if any(node.type in COMMENTS for node in path) or _in_docstring(path):
            return True
    return False


def _in_docstring(path: tuple[Node, ...]) -> bool:
    return any(
        node.type == "string" and parent.type == "expression_statement" for node, parent in pairwise(path)
    )


def is_documented(target: Target) -> bool:
    """Tell whether the definition that the target is, or lies in, has documentation."""
    around = target.definition
    if around is None or target.tree is None:
        return False
    return documentation(target.snapshot, target.tree, around) is not None


def is_untyped(target: Target) -> bool:
    """Tell whether the target is a function some of whose types could be written down and are not."""
    around, tree = target.definition, target.tree
    if around is None or around.shape is None or tree is None or target.kind not in FUNCTIONS:
        return False
    holder = _holder(around)
    parameters = holder.child_by_field_name("parameters")
    given = list(parameters.named_children) if parameters is not None else []
    if (single := holder.child_by_field_name("parameter")) is not None:  # TypeScript: `x => x`
        given.append(single)
    match target.language.name:
        case "python":
            bare = any(_bare_in_python(node, tree.text_of(node)) for node in given)
            return bare or holder.child_by_field_name("return_type") is None
        case "typescript" | "tsx":
            return any(map(_bare, given)) or (around.name != "constructor" and _returns_nothing_said(holder))
        case "php":
            return any(map(_bare, given)) or (
                not around.name.startswith("__") and _returns_nothing_said(holder)
            )
    return False


def _holder(around: Around) -> Node:
    """Return the node with the parameters: the value, where a name is given to a function."""
    assert around.shape is not None
    body, node = around.shape.body, around.shape.node
    for field in ("value", "right"):
        value = node.child_by_field_name(field)
        if body is not None and value is not None and value.end_byte >= body.end_byte:
            return value
    return node


def _bare_in_python(node: Node, text: str) -> bool:
    if node.type == "identifier":
        return text not in ("self", "cls")
    return node.type in ("default_parameter", "list_splat_pattern", "dictionary_splat_pattern")


def _bare(node: Node) -> bool:
    if node.type in COMMENTS:
        return False
    return node.type == "identifier" or (
        node.type.endswith("_parameter") and node.child_by_field_name("type") is None
    )


def _returns_nothing_said(holder: Node) -> bool:
    if any(child.type == "set" for child in holder.children):
        return False
    return holder.child_by_field_name("return_type") is None


def is_test(target: Target) -> bool:
    """Tell whether the target is a test, or in a file of tests."""
    path = unquote(urlsplit(target.snapshot.uri).path)
    return _TEST_FILE.search(path) is not None or target.name.startswith(("test_", "Test"))


def is_diff(snapshot: Snapshot) -> bool:
    """Tell whether there is a diff: the document is one, or a commit message, for which git has one."""
    if commit_message.is_one(snapshot) or snapshot.language_id.lower() in _DIFF_IDS:
        return True
    return PurePosixPath(unquote(urlsplit(snapshot.uri).path)).suffix in (".diff", ".patch")
