"""Imports that new code needs, beside those that a file has. Owns where they go."""

from __future__ import annotations

import re

from tree_sitter import Node

from lsp_server.chat.actions.site import Target
from lsp_server.chat.editing.edits import Edit
from lsp_server.chat.placing.fitting import Fitted
from lsp_server.chat.placing.imported_names import joined, names_of, single
from lsp_server.chat.placing.indentation import line_end_of
from lsp_server.documents.node_types import COMMENTS
from lsp_server.documents.outline import definitions, imports
from lsp_server.documents.syntax import SyntaxTree

_PACKAGE = re.compile(r"package\s|namespace\s")


def import_edits(target: Target, fit: Fitted) -> tuple[Edit, ...]:
    """Return the edit that adds the imports of `fit` which its code uses and the file does not have."""
    tree = target.tree
    if tree is None or not fit.imports:
        return ()
    language = target.language.name
    there = [tree.text[slice(*item)] for item in imports(tree)]
    known = {_normal(one) for item in there for one in single(item, language)}
    wanted = [one for item in fit.imports for one in single(item, language)]
    words = set(re.findall(r"\w+", fit.code))
    new = [
        one for one in dict.fromkeys(wanted) if _normal(one) not in known and _used(one, language, words, fit)
    ]
    new = [one for one in new if not _wildcard(one, known)]
    if not new:
        return ()
    end = line_end_of(tree.text)
    at, before, after = _place(tree, target.start)
    if at is None:
        return ()
    block = end.join(joined(new, language))
    return (Edit(at, at, end * before + block.replace("\n", end) + end * after),)


def _normal(item: str) -> str:
    return re.sub(r"\s+", "", item).replace("'", '"').rstrip(";")


def _wildcard(item: str, known: set[str]) -> bool:
    """Tell whether a `*` that is there imports the same: Java, Rust, Python."""
    normal = _normal(item)
    stems = (normal.rpartition(".")[0] + ".*", normal.rpartition("::")[0] + "::*")
    return any(stem in known for stem in stems) or normal.partition("import")[0] + "import*" in known


def _used(item: str, language: str, words: set[str], fit: Fitted) -> bool:
    """Tell whether code uses an import; where its names are not known, whether it can be for nothing else."""
    names = names_of(item, language)
    return not fit.rest if names is None else not words.isdisjoint(names) or (not names and not fit.rest)


def _place(tree: SyntaxTree, limit: int) -> tuple[int | None, int, int]:
    """Return where imports go, and how many line ends stand before and after them; None for nowhere."""
    found = [item for item in imports(tree) if item[1] <= limit and _at_margin(tree, item[0])]
    first = next((item.range[0] for item in definitions(tree)), limit)
    found = [item for item in found if item[0] < first] or found
    if found:
        start, end = found[-1]
        line_end = _line_end(tree.text, end)
        package = _PACKAGE.match(tree.text, start) is not None
        return (line_end, 2 if package else 1, 0) if line_end <= limit else (None, 0, 0)
    at = _below_head(tree)
    if at > limit:
        return None, 0, 0
    text = tree.text
    rest = text[at:]
    gap = 3 if tree.language.name == "python" and re.match(r"(def|class|async|@)", rest.lstrip()) else 2
    blank = len(rest) - len(rest.lstrip("\r\n"))
    after = max(0, gap - (1 if blank else 0)) if at else gap
    if not at:
        return 0, 0, gap
    return at, 2, max(0, after - 2) if blank else gap


def _at_margin(tree: SyntaxTree, offset: int) -> bool:
    """Tell whether a statement is not inside of another one, where indentation says so."""
    return tree.language.blocks != "indent" or offset == 0 or tree.text[offset - 1] in "\r\n"


def _below_head(tree: SyntaxTree) -> int:
    """Return the end of what has to stay on top: licence, docstring, `<?php`, `#pragma once`."""
    at = 0
    for node in tree.root.children:
        start, end = tree.range(node)
        text = tree.text[start:end].rstrip()
        if node.type in COMMENTS:
            below = tree.text[start + len(text) :]
            if not at and re.match(r"(\r\n|\r|\n)[^\s]", below) and not text.startswith("#!"):
                break  # the comment of what stands right below
        elif not _stays_on_top(node, text):
            break
        at = start + len(text)
    return _line_end(tree.text, at) if at else 0


def _stays_on_top(node: Node, text: str) -> bool:
    if node.type in ("php_tag", "declare_statement", "inner_attribute_item", "hash_bang_line"):
        return True
    if node.type == "expression_statement":
        return text.startswith(('"""', "'''", '"', "'", 'r"""'))
    return node.type in ("preproc_call", "preproc_def") and text.startswith(("#pragma", "#define"))


def _line_end(text: str, offset: int) -> int:
    match = re.compile(r"\r\n|\r|\n").search(text, offset)
    return match.start() if match else len(text)
