"""What of a reply is meant for a target: a method out of the whole class, a signature out of the function.

What the target needs comes along: helper functions and constants that are new in the reply, and imports.
What else the model wrote, such as a program around the function or an example of its use, stays behind.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from tree_sitter import Node

from lsp_server.chat.actions.prompt_file import Output, Scope
from lsp_server.chat.actions.site import Target
from lsp_server.chat.placing.counterpart import counterpart, split_lines
from lsp_server.chat.placing.reply_code import (
    ReplyCode,
    all_definitions,
    beside,
    inside_of,
    is_all_definitions,
    last_name,
    with_definition,
)
from lsp_server.chat.placing.reply_imports import imports_in, without_imports
from lsp_server.chat.placing.shapes import shapes
from lsp_server.chat.placing.surroundings import (
    begins_with_header,
    enclosing_names,
    repeats_its_line,
    without_surroundings,
)
from lsp_server.documents.comments import comment_above
from lsp_server.documents.definitions import shape
from lsp_server.documents.enclosing import CLASSES
from lsp_server.documents.node_types import COMMENTS, CONTAINERS, node_types
from lsp_server.documents.syntax import parse

_PARTS = frozenset({"selection", "statement", "comment", "file", ""})
"""Kinds of targets that are no definition."""
_MODIFIERS = re.compile(
    r"(?:(?:export\s+default|export|pub(?:\s*\([^)]*\))?|public|private|protected|internal|static)\s+)+"
)
_PHP_TAG = re.compile(r"\A\s*<\?php\s+|\s*\?>\s*\Z")
_BODY_START = re.compile(r"\s*(?:\{\s*\}?|;|\.\.\.|pass\b)?\s*\Z")


@dataclass(frozen=True)
class Fitted:
    """The code for a target."""

    code: str
    imports: tuple[str, ...] = ()
    """Imports of the reply, which are not part of the code."""
    rest: bool = False
    """There was more in the reply, which the imports may be for."""
    target: Target | None = None
    """The part of the target that the code is for, where it is not for all of it."""
    others: tuple[str, ...] = ()
    """What else may be meant, if the file does not parse with this code."""


def fitted(target: Target, code: str, scope: Scope, output: Output) -> Fitted:
    """Return what of `code` belongs in the place of the target, or beside it; `code` has `\\n` alone.

    Its code is empty if the reply changes something else than the target.
    """
    if scope == "file" or target.kind == "file":
        return Fitted(code)
    if not node_types(target.language.name).definitions:
        return _without_surroundings(target, Fitted(code)) if output == "replace" else Fitted(code)
    if target.language.name == "php" and target.start > 0:
        code = _PHP_TAG.sub("", code)
    if output != "replace":
        return _beside_target(target, code)
    if scope == "signature":
        return _signature(target, code)
    if target.kind not in _PARTS and target.name:
        return _definition(target, code)
    return _part(target, code)


def _definition(target: Target, code: str) -> Fitted:
    """Return the definition of the target's name, without the class or the program around it."""
    found = _find(target, code)
    if found is None:
        return _other_definition(target, code)
    kept, rest = _needed(target, found)
    own = found.shape.node
    pieces = [_definition_text(target, found) if node == own else _lines(found, node) for node in kept]
    gap = "\n\n\n" if target.language.name == "python" and not _column(found) else "\n\n"
    return Fitted(gap.join(pieces), imports_in(code, target), rest)


def _other_definition(target: Target, code: str) -> Fitted:
    """Return the code of a reply that does not define the target: a member of it, or it by another name.

    Lines without a definition do not take the place of one.
    """
    fit = _without_imports(target, code)
    names = {name for name, _ in all_definitions(code, target.language)}
    members = [
        item for item in all_definitions(target.text, target.language) if item[0] in names - {target.name}
    ]
    if len(members) == 1 and target.kind in CONTAINERS:
        name, (start, end) = members[0]
        kind = "method" if target.kind in CLASSES else "function"
        member = replace(target, start=target.start + start, end=target.start + end, kind=kind, name=name)
        return replace(_definition(member, code), target=member)
    if (
        members
        or _is_all_there(target, names)
        or (not names and not re.search(rf"\b{re.escape(target.name)}\b\s*[:=(]", code))
    ):
        return Fitted("")
    return fit


def _is_all_there(target: Target, names: set[str]) -> bool:
    """Tell whether a reply defines only what the file has outside of the target: it was shown that, too."""
    there = all_definitions(target.snapshot.text, target.language)
    outside = {
        name for name, (start, end) in there
        if (start, end) != (target.start, target.end) and not target.start <= start < target.end
    }  # fmt: skip
    return bool(names) and names <= outside


def _find(target: Target, code: str) -> ReplyCode | None:
    parent = target.snapshot.text[: target.start].rpartition("class ")[2][:80]
    within = re.match(r"\w+", parent)
    there = target.definition
    signature = target.snapshot.text[slice(*there.signature)] if there is not None else ""
    return with_definition(code, target.language, target.name, within.group() if within else "", signature)


def _needed(target: Target, found: ReplyCode) -> tuple[list[Node], bool]:
    """Return the nodes of the reply to keep, and whether others are left.

    Kept are the definition, and of its level what it uses and the file does not have.
    """
    own, level = beside(found)
    file_words = set(re.findall(r"\w+", _without(target)))
    types = node_types(target.language.name)
    new: dict[str, Node] = {}
    rest = found.extent[0] == 0 and own.parent is not None and own.parent.parent is not None
    for node in level:
        if node == own or node.type in COMMENTS or node.type in types.imports:
            continue
        name = _bound(found, node, own)
        rest = True
        if name and name not in file_words:
            new[name] = node
    kept, used = [own], _words(found, own)
    while names := [name for name in new if name in used]:
        for name in names:
            kept.append(new.pop(name))
            used |= _words(found, kept[-1])
    ordered = sorted(kept, key=lambda node: node.start_byte)
    return [found.shape.node if node == own else node for node in ordered], rest


def _bound(found: ReplyCode, node: Node, own: Node) -> str:
    """Return the name that a node beside the definition gives to something it may need."""
    types = node_types(found.tree.language.name)
    stack = [node]
    for _ in range(4):  # `export` before `const` before the name
        for item in stack:
            made = shape(item, types)
            if made is not None:
                return found.tree.text_of(made.name)
        stack = [child for item in stack for child in item.named_children]
    # Constants stand before what uses them; what comes after is an example of its use.
    match = re.search(r"[A-Za-z_]\w*(?=\s*(?::[^=]*)?=)", found.tree.text_of(node)[:200])
    name = match.group() if match else ""
    constant = name.startswith("_") or name != name.lower()
    return name if constant and node.start_byte < own.start_byte else ""


def _words(found: ReplyCode, node: Node) -> set[str]:
    return set(re.findall(r"\w+", found.tree.text_of(node)))


def _without(target: Target) -> str:
    text = target.snapshot.text
    return text[: target.start] + "\n" + text[target.end :]


def _definition_text(target: Target, found: ReplyCode) -> str:
    """Return the definition with its comment and decorators, as far as they are the target's to have."""
    around, there = found.around, target.definition
    start = around.start
    text = found.text
    has_decorators = around.start < around.signature[0]
    indent = " " * _column(found)
    head = ""
    if there is not None:
        outside = target.start >= there.signature[0] > there.start
        inside = target.start < there.signature[0]
        if has_decorators and outside:
            start = around.signature[0]
        elif not has_decorators and inside:
            head = target.snapshot.text[target.start : there.signature[0]]
            head = "".join(f"{indent}{line.strip()}\n" for line in head.splitlines() if line.strip())
    comment = found.comment()
    if comment is not None and not _has_comment(target) and start == around.start:
        start = comment[0]
    before = text[_line_start(text, start) : around.signature[0]]
    signature = _with_modifiers(target, text[around.signature[0] : around.end])
    if not before.strip():
        before = head + indent
    elif head:
        before += head.lstrip() + indent
    return before + signature


def _with_modifiers(target: Target, text: str) -> str:
    """Return a definition with the visibility that the target has, where it says nothing of its own."""
    there = target.definition
    if there is None or target.start > there.signature[0]:
        return text
    match = _MODIFIERS.match(target.snapshot.text, there.signature[0])
    return match.group() + text if match is not None and not _MODIFIERS.match(text) else text


def _has_comment(target: Target) -> bool:
    there = target.definition
    start = min(target.start, there.start) if there is not None else target.start
    return comment_above(target.snapshot, target.tree, start) is not None


def _column(found: ReplyCode) -> int:
    text, start = found.text, found.around.signature[0]
    return len(text[_line_start(text, start) : start].expandtabs(4))


def _lines(found: ReplyCode, node: Node) -> str:
    """Return a node with its indentation and the comment above it."""
    start, end = found.tree.range(node)
    above = comment_above(found.snapshot, found.tree, start)
    start = above[0] if above is not None and above[0] >= found.extent[0] else start
    return found.text[_line_start(found.text, start) : end]


def _line_start(text: str, offset: int) -> int:
    return text.rfind("\n", 0, offset) + 1


def _signature(target: Target, code: str) -> Fitted:
    """Return the signature of the definition of the target's name."""
    found = _find(target, code)
    if found is None:
        return Fitted("")
    start, end = found.around.signature
    text = _BODY_START.sub("", found.text[start:end])
    if target.text.rstrip().endswith(":") and not text.endswith(":"):
        text += ":"
    there = target.definition
    if there is not None and there.signature[0] == target.start:
        text = _with_modifiers(target, text)
    return Fitted(text, imports_in(code, target), rest=True)


def _part(target: Target, code: str) -> Fitted:
    """Return the new text of a part of a function or a class; the reply may be more of the file."""
    whole = _without_imports(target, code)
    fit = _without_surroundings(target, whole)
    there = target.definition
    if there is None or there.shape is None or (there.start >= target.start and there.end <= target.end):
        return fit
    found = with_definition(whole.code, target.language, there.name) if there.name else None
    if found is None:
        return fit
    part, left = counterpart(target, there, found)
    if _words_of(part) & _words_of(left) - _words_of(target.snapshot.text[there.start : there.end]):
        part = ""  # it uses what the reply has changed outside of the target
    lines = _without_surroundings(target, replace(fit, code=part, rest=True, others=()))
    name = last_name(there.name)
    own = [
        code for code in (fit.code, *fit.others)
        if name not in (made for made, _ in all_definitions(code, target.language))
    ]  # fmt: skip
    own += [lines.code, *lines.others]
    return replace(lines, code=own[0], others=tuple(own[1:]))


def _words_of(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d]\w*", text))


def _without_surroundings(target: Target, fit: Fitted) -> Fitted:
    if not fit.code.strip():
        return fit
    first, *others = without_surroundings(target, fit.code)
    return replace(fit, code=first, others=tuple(others), rest=fit.rest or first != fit.code)


def is_for(target: Target, code: str) -> bool:
    """Tell whether code can take the place of a part of a definition, or brings its surroundings, too."""
    if target.kind not in _PARTS:
        return True
    names = {name for name, _ in all_definitions(code, target.language)}
    there = {name for name, _ in all_definitions(target.text, target.language)}
    if (
        names
        and not there
        and not names & _words_of(target.text)
        and is_all_definitions(code, target.language)
    ):
        return False
    if (names - there) & {last_name(name) for name in enclosing_names(target)}:
        return False
    return not begins_with_header(target, code) and not repeats_its_line(target, code)


def _beside_target(target: Target, code: str) -> Fitted:
    """Return code for a place beside the target, without the target itself in front."""
    fit = _without_imports(target, code)
    around = {last_name(name) for name in enclosing_names(target)}
    fit = replace(fit, code=inside_of(fit.code, around, target.language))
    lines, there = fit.code.split("\n"), [line.strip() for line in split_lines(target.text)]
    if target.kind == "comment" and [line.strip() for line in lines[: len(there)]] == there:
        lines = lines[len(there) :]
    return replace(fit, code="\n".join(lines).strip("\n"))


def _without_imports(target: Target, code: str) -> Fitted:
    """Return code with its imports apart, unless the target has imports itself."""
    found = imports_in(code, target)
    rest = without_imports(code, target) if found and not imports_in(target.text, target) else ""
    if not rest.strip():
        return Fitted(code)
    tree = parse(rest, target.language)
    return Fitted(rest, found, tree is not None and next(shapes(tree), None) is not None)
