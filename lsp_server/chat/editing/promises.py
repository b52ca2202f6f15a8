"""What an action leaves alone, as its prompt file says in `keeps`, and whether an edit has kept to it.

Compares syntax trees, so layout never counts. Comments are taken out of an edit that changed code as well.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from lsp_server.chat.editing.line_diff import lines_of
from lsp_server.documents.languages import Language
from lsp_server.documents.leaves import Leaf, leaves
from lsp_server.documents.outline import Definition, definitions, imports
from lsp_server.documents.syntax import SyntaxTree, parse

KEEPS = frozenset({"text", "code", "untyped_code", "signatures", "definitions"})
"""What `keeps` may say:

`text`: all that is there; something is added and nothing else is done;
`code`: all but comments and docstrings;
`untyped_code`: all but types and imports;
`signatures`: the names of definitions, and the names, the order and the defaults of their parameters;
`definitions`: every definition.
"""

_SHOWN_CHARS = 40  # of a piece of code in a message
_MOST_LEAVES = 4000  # that differ and are aligned: difflib needs the square of this


def broken_promise(keeps: Collection[str], before: str, after: str, language: Language) -> str | None:
    """Return what an edit was to leave alone and has changed, as a sentence; None if nothing is.

    Parses both texts: call it on a thread.
    """
    if not keeps or before == after:
        return None
    if "text" in keeps:
        return None if _only_added(before, after) else "what was there before is not all there any more"
    old, new = parse(before, language), parse(after, language)
    if old is None or new is None:
        if {"code", "untyped_code"} & set(keeps):
            return f"nobody can check here that the code has stayed as it was: {language.name} has no grammar"
        return None
    return (
        ("code" in keeps and _changed_code(old, new, types=True))
        or ("untyped_code" in keeps and _changed_code(old, new, types=False))
        or _changed_definitions(old, new, signatures="signatures" in keeps)
        or None
    )


def with_comments_of(before: str, after: str, language: Language) -> str | None:
    """Return `before` with the comments and docstrings of `after` in the place of its own.

    A comment counts as another's new text if the code on one of its sides is the same. None if there is none,
    or if the result would not have the code of `before`.
    """
    old, new = parse(before, language), parse(after, language)
    if old is None or new is None:
        return None
    old_leaves, new_leaves = leaves(old), leaves(new)
    there = {run.boundary: run for run in _runs(new, new_leaves)}
    places = _places(old_leaves, new_leaves)
    data, at = list[bytes](), 0
    for run in _runs(old, old_leaves):
        other = there.get(places.get(run.boundary, -1))
        if other is not None and (run.ends_line or not other.ends_line):
            data += [old.data[at : run.start], _moved(old, run, new, other)]
            at = run.end
    text = b"".join([*data, old.data[at:]]).decode("utf-8", "surrogatepass")
    if text == before:
        return None
    mended = parse(text, language)
    return text if mended is not None and _changed_code(old, mended, types=True) is None else None


def _only_added(before: str, after: str) -> bool:
    """Tell whether all lines of `before` are there, in their order."""
    lines = iter([line.rstrip() for line in lines_of(after)])
    return all(line in lines for line in map(str.rstrip, lines_of(before)) if line)


def _changed_code(old: SyntaxTree, new: SyntaxTree, *, types: bool) -> str | None:
    was, now = _code(old, types=types), _code(new, types=types)
    if [leaf.text for leaf in was] == [leaf.text for leaf in now]:
        return None
    first = next(
        (at for at, pair in enumerate(zip(was, now, strict=False)) if pair[0].text != pair[1].text), -1
    )
    first = min(len(was), len(now)) if first < 0 else first
    what = "code was changed, and not the comments alone" if types else "more was changed than types"
    return f"{what}: {_shown(old, was, first)} became {_shown(new, now, first)}"


def _code(tree: SyntaxTree, *, types: bool) -> list[Leaf]:
    """Return what has to stay: the code, or all but types and imports."""
    if types:
        return [leaf for leaf in leaves(tree) if not leaf.is_comment]
    imported = [(tree.byte(start), tree.byte(end)) for start, end in imports(tree)]
    found = leaves(tree, types=False)
    return [leaf for leaf in found if not any(start <= leaf.start < end for start, end in imported)]


def _shown(tree: SyntaxTree, found: Sequence[Leaf], index: int) -> str:
    """Return the line of a leaf."""
    if index >= len(found):
        return "nothing"
    at = found[index].start
    start, end = tree.data.rfind(b"\n", 0, at) + 1, tree.data.find(b"\n", at)
    line = tree.data[start : end if end >= 0 else None].decode("utf-8", "replace").strip()
    return f"`{line[: _SHOWN_CHARS - 1]}…`" if len(line) > _SHOWN_CHARS else f"`{line}`"


def _changed_definitions(old: SyntaxTree, new: SyntaxTree, *, signatures: bool) -> str | None:
    was, now = _defined(old), _defined(new)
    for path, (item, parameters) in was.items():
        if path not in now:
            if not (item.parent_index is not None and _is_private(old, item) and item.name not in new.text):
                return f"the definition of `{item.name}` is gone"
        elif signatures and not parameters <= now[path][1]:
            text = " ".join(old.text[slice(*item.signature_range)].split())
            return f"the parameters of `{item.name}` are not the same as in `{text[:80]}`"
    return None


def _defined(tree: SyntaxTree) -> dict[tuple[str, ...], tuple[Definition, set[str]]]:
    """Return the definitions with a name by the names they stand in, with the parameters of each overload."""
    found: dict[tuple[str, ...], tuple[Definition, set[str]]] = {}
    items = definitions(tree)
    code = [leaf for leaf in leaves(tree, types=False) if not leaf.is_comment]
    paths: list[tuple[str, ...]] = []
    for item in items:
        above = paths[item.parent_index] if item.parent_index is not None else ()
        paths.append((*above, item.name))
        if item.name:
            known = found.setdefault(paths[-1], (item, set()))
            known[1].add(_parameters(tree, item, code))
    return found


def _parameters(tree: SyntaxTree, item: Definition, code: Sequence[Leaf]) -> str:
    """Return what stands behind the name in a signature, without types."""
    start, end = (tree.byte(offset) for offset in item.signature_range)
    inside = [leaf.text for leaf in code if start <= leaf.start < end]
    names = [
        at
        for at, text in enumerate(inside)
        if text == item.name and inside[at - 1 : at] not in (["@"], ["."])
    ]
    behind = inside[names[0] + 1 :] if names else inside
    opened = behind.index("(") if "(" in behind else len(behind)
    return " ".join(behind[opened:]).removesuffix(":").removesuffix("=>").replace(", )", ")").strip()


def _is_private(tree: SyntaxTree, item: Definition) -> bool:
    signature = tree.text[slice(*item.signature_range)]
    return item.name.startswith(("_", "#")) or "private" in signature.split()


@dataclass(frozen=True)
class _Run:
    """Comments with no code between them. Bytes."""

    boundary: int
    """How many pieces of code stand before it."""
    start: int
    end: int
    ends_line: bool
    """No code follows on the line of its end, so that it may be a comment that lasts as long as its line."""


def _runs(tree: SyntaxTree, found: Sequence[Leaf]) -> Iterator[_Run]:
    boundary, run = 0, None
    for leaf in found:
        if leaf.is_comment:
            line_end = tree.data.find(b"\n", leaf.end)
            rest = tree.data[leaf.end : line_end if line_end >= 0 else None]
            run = _Run(boundary, run.start if run is not None else leaf.start, leaf.end, not rest.strip())
            continue
        boundary += 1
        if run is not None:
            yield run
            run = None
    if run is not None:
        yield run


def _places(old: Sequence[Leaf], new: Sequence[Leaf]) -> dict[int, int]:
    """Return which place between pieces of the old code is which place in the new code."""
    was = [leaf.text for leaf in old if not leaf.is_comment]
    now = [leaf.text for leaf in new if not leaf.is_comment]
    head = next(
        (at for at, pair in enumerate(zip(was, now, strict=False)) if pair[0] != pair[1]),
        min(len(was), len(now)),
    )
    room = min(len(was), len(now)) - head
    tail = next((at for at in range(room) if was[-1 - at] != now[-1 - at]), room)
    blocks = [(0, 0, head), (len(was) - tail, len(now) - tail, tail)]
    middle, other = was[head : len(was) - tail], now[head : len(now) - tail]
    if max(len(middle), len(other)) <= _MOST_LEAVES:
        matcher = SequenceMatcher(None, middle, other, autojunk=False)
        blocks += [(head + a, head + b, size) for a, b, size in matcher.get_matching_blocks()]
    places = {0: 0}
    for at, new_at, size in sorted(blocks, key=lambda block: -block[2]):
        if size:
            for step in range(size + 1):
                places.setdefault(at + step, new_at + step)
    return places


def _moved(old: SyntaxTree, run: _Run, new: SyntaxTree, other: _Run) -> bytes:
    """Return a run of comments, indented as the one whose place it takes."""
    here, there = _indent(old.data, run.start), _indent(new.data, other.start)
    first, *lines = new.data[other.start : other.end].split(b"\n")
    moved = [here + line[len(there) :] if line.startswith(there) else line for line in lines]
    return b"\n".join([first, *moved])


def _indent(data: bytes, at: int) -> bytes:
    line = data[data.rfind(b"\n", 0, at) + 1 : at]
    return line[: len(line) - len(line.lstrip())]
