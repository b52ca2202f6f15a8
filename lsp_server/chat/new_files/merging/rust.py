"""Tests of Rust: in the module `tests` of the file that they test, which is made if it is not there."""

from __future__ import annotations

import re
import textwrap

from lsp_server.chat.new_files.merging.imports import honest, missing
from lsp_server.chat.new_files.merging.pieces import Item, Pieces, fresh, same, taken_apart, with_new_names

USE = "use super::*;"

_FOREIGN = re.compile(r"use\s+(?:(?:::)?(?!(?:std|core|alloc|super|crate)\b)\w+)")


def merged(old_text: str, new_text: str, name: str) -> str:
    """Return a source with the tests of `new_text` in its module for tests."""
    old, new = taken_apart(old_text, "rust"), taken_apart(new_text, "rust")
    ours, theirs = _module(old), _module(new)
    if theirs is not None:
        new = taken_apart(textwrap.dedent(_inside(new.text, theirs)).strip("\n"), "rust")
    here = taken_apart(textwrap.dedent(_inside(old.text, ours)) if ours else "", "rust")
    body = _body(old, here, new)
    if not body.strip():
        return old_text
    used = [new.text[start:end] for start, end in new.imports]
    used = [line for line in honest(used, "rust", name, USE) if not _FOREIGN.match(line)]
    known = {"".join(here.text[start:end].split()).rstrip(";") for start, end in here.imports}
    uses = "\n".join(missing([USE, *used], known, "rust"))
    if ours is None:
        inner = textwrap.indent(f"{uses}\n\n{body}", "    ")
        return f"{old_text.rstrip()}\n\n#[cfg(test)]\nmod tests {{\n{inner}\n}}\n"
    at = ours.end - 1
    line = old.text.rfind("\n", 0, at) + 1
    margin = old.text[line:at] if not old.text[line:at].strip() else ""
    text = f"{old.text[:at].rstrip()}\n\n{textwrap.indent(body, margin + '    ')}\n{margin}{old.text[at:]}"
    if not uses:
        return text
    start = text.index("{", ours.start) + 1
    return f"{text[:start]}\n{textwrap.indent(uses, margin + '    ')}{text[start:]}"


def _module(pieces: Pieces) -> Item | None:
    """Return the module of tests: the last one whose name says so."""
    named = [item for item in pieces.items if item.kind == "module" and re.search(r"tests?$", item.name)]
    return next((item for item in reversed(named) if "{" in item.text(pieces.text)), None)


def _inside(text: str, item: Item | None) -> str:
    if item is None:
        return ""
    whole = item.text(text)
    return whole[whole.index("{") + 1 : whole.rindex("}")]


def _body(old: Pieces, here: Pieces, new: Pieces) -> str:
    """Return the new tests without what the source has, `main`, and what is there already."""
    outside = {item.name for item in old.items if item.kind != "module"} | {"main"}
    names: dict[str, str] = {}
    dropped = list(new.imports)
    taken = {item.name for item in here.items}
    for item in new.items:
        there = here.item(item.name)
        # Of `impl Foo` the name is that of the type, which is the source's own.
        if item.name in outside or (there and same(there.text(here.text), item.text(new.text))):
            dropped.append((item.start, item.end))
        elif there is not None:
            names[item.name] = fresh(item.name, taken | set(names.values()))
    body = re.sub(r"^\s*#!?\[cfg\(test\)\]\s*\n", "", new.without(dropped), flags=re.MULTILINE)
    return with_new_names(re.sub(r"\n{3,}", "\n\n", body).strip("\n"), names)
