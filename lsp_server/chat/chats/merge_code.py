"""Code that somebody wrote for a file, brought into it: by the names it defines, or in place of some lines.

Owns what is taken for the same definition. Must not know where the code comes from.
"""

from __future__ import annotations

from dataclasses import dataclass

from lsp_server.chat.actions.prompt_file import Output, PromptFile
from lsp_server.chat.actions.site import Target
from lsp_server.chat.editing.edits import applied
from lsp_server.chat.placing.placement import placed
from lsp_server.documents.languages import Language
from lsp_server.documents.outline import Definition, definitions, imports
from lsp_server.documents.snapshot import Snapshot
from lsp_server.documents.syntax import SyntaxTree, parse

Range = tuple[int, int]


@dataclass(frozen=True)
class _Piece:
    """A definition of the code, and the class of the file that it belongs into if it is only a part of it."""

    item: Definition
    parent: str = ""


def merged(text: str, code: str, language: Language, lines: Range | None) -> tuple[str, str] | None:
    """Return the text with `code` in it, and what of the code is left out; None if it is unclear where.

    Definitions take the place of those of the same name, in `lines` first of all; new ones go below the last
    of these. Of a class that lacks methods which the file has, those that it has are taken. Code that defines
    nothing that is there takes the place of `lines`.
    """
    tree = parse(code, language)
    own = definitions(tree) if tree else []
    known = _known(text, language)
    top = [item for item in own if item.parent_index is None]
    if lines is not None and _is_all_of(top, known, lines):
        return _replaced(text, lines, code, language), ""
    if tree is None or not any(_same(known, _Piece(item), lines) for item in top):
        return None if lines is None else (_replaced(text, lines, code, language), "")
    return _by_name(text, tree, _pieces(own, known, lines), lines), _left_out(tree, top)


def _pieces(own: list[Definition], known: list[Definition], lines: Range | None) -> list[_Piece]:
    pieces: list[_Piece] = []
    for index, item in enumerate(own):
        if item.parent_index is not None:
            continue
        members = [it for it in own if it.parent_index == index]
        old = _same(known, _Piece(item), lines)
        there = {it.name for it in known if old and it.parent_index == known.index(old)}
        if members and not there <= {it.name for it in members}:
            pieces += [_Piece(member, item.name) for member in members]
        else:
            pieces.append(_Piece(item))
    return pieces


def _by_name(text: str, code: SyntaxTree, pieces: list[_Piece], lines: Range | None) -> str:
    language = code.language
    head = "".join(f"{code.text[start:end]}\n" for start, end in imports(code))
    last: _Piece | None = None
    waiting: list[_Piece] = []
    for piece in pieces:
        source = head + _source(code, piece.item)
        known = _known(text, language)
        old = _same(known, piece, lines)
        above = _same(known, last, None) if last is not None else None
        if old is not None:
            text = _put(text, language, old, source, "replace")
        elif above is not None:
            text = _put(text, language, above, source, "insert_below")
        else:
            waiting.append(piece)  # there is nothing yet that it could stand below
            continue
        last, lines = piece, None  # the text has moved
    for piece in waiting:
        known = _known(text, language)
        first = next((it for other in pieces if (it := _same(known, other, None))), None)
        if first is not None:
            text = _put(text, language, first, head + _source(code, piece.item), "insert_above")
    return text


def _put(text: str, language: Language, at: Definition, code: str, output: Output) -> str:
    snapshot = Snapshot("", "", 0, text)
    target = Target(snapshot, parse(text, language), language, *at.range, at.kind, at.name)
    file = PromptFile(id="chat", title="", kind="", output=output, body="")
    return applied(text, placed(file, target, code))


def _replaced(text: str, lines: Range, code: str, language: Language) -> str:
    start, end = lines
    indent = len(text[start:end]) - len(text[start:end].lstrip(" \t"))
    snapshot = Snapshot("", "", 0, text)
    target = Target(snapshot, parse(text, language), language, start + indent, end, "selection")
    file = PromptFile(id="chat", title="", kind="", output="replace", body="", scope="selection")
    return applied(text, placed(file, target, code))


def _known(text: str, language: Language) -> list[Definition]:
    tree = parse(text, language)
    return definitions(tree) if tree else []


def _same(known: list[Definition], piece: _Piece, lines: Range | None) -> Definition | None:
    """Return the definition that a piece is a new version of; None if there is none, or more than one."""
    found = [it for it in known if _is(it, piece.item)]
    if piece.parent:
        found = [
            it for it in found if it.parent_index is not None and known[it.parent_index].name == piece.parent
        ]
    near = [it for it in found if lines and it.range[0] < lines[1] and lines[0] < it.range[1]]
    top = [it for it in found if it.parent_index is None]
    return next((some[0] for some in (near, found, top) if len(some) == 1), None)


def _is(one: Definition, other: Definition) -> bool:
    functions = {"function", "method"}
    same_kind = one.kind == other.kind or {one.kind, other.kind} <= functions
    return bool(one.name) and one.name == other.name and same_kind


def _is_all_of(own: list[Definition], known: list[Definition], lines: Range) -> bool:
    """Tell whether the code defines all that is defined in the lines, with none cut by their borders."""
    touched = [it for it in known if it.range[0] < lines[1] and lines[0] < it.range[1]]
    inside = [it for it in touched if lines[0] <= it.range[0] and it.range[1] <= lines[1]]
    outer = [it for it in inside if it.parent_index is None or known[it.parent_index] not in inside]
    around = [it for it in touched if it.range[0] <= lines[0] and lines[1] <= it.range[1]]
    around = [it for it in around if it not in inside]
    if len(inside) + len(around) != len(touched) or not outer:
        return False
    if any(_is(it, mine) for it in around for mine in own):
        return False
    return all(any(_is(it, mine) for mine in own) for it in outer)


def _source(code: SyntaxTree, item: Definition) -> str:
    start, end = item.range
    start = code.text.rfind("\n", 0, start) + 1  # with its indentation, which is that of its other lines
    return code.text[start:end] + "\n"


def _left_out(code: SyntaxTree, own: list[Definition]) -> str:
    """Return a sentence about statements of the code that are neither imports nor definitions."""
    taken = sorted([*imports(code), *(item.range for item in own)])
    for node in code.root.named_children:
        start, end = code.range(node)
        source = code.text[start:end].strip()
        covered = any(first < end and start < last for first, last in taken)
        if source and not covered and "comment" not in node.type:
            first_line = source.split("\n")[0]
            return f"the block has more than fits in, such as `{first_line[:40]}`, which is left out"
    return ""
